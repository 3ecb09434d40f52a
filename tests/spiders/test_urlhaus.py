"""One feed at one address: taken once, not fetched again unchanged, failures reported and made good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from spiders.trip import key_of
from tests.spiders.installation import Installation, feed
from tests.spiders.server import Site, serving

RUNS = "SELECT verdict, reason, rows FROM collector_runs ORDER BY id"


def test_life_of_a_feed(site: Site, installation: Installation) -> None:
    site.put("/feed", feed(3))
    installation.configure("urlhaus", location=f"{site.address}/feed", minimum_rows=1)
    left = installation.home / "incoming" / f"{key_of('urlhaus')[:12]}-killed"
    left.mkdir(parents=True)
    (left / "file").write_text(feed(1), "utf-8")  # what a run that was killed could not remove

    first = installation.collect("urlhaus")
    assert (first.status, first.answer["verdict"], first.answer["rows"]) == (0, "ok", 3)
    assert site.counts() == {200: 1}

    again = installation.collect("urlhaus")
    assert (again.status, again.answer["verdict"]) == (0, "unchanged")
    assert site.counts() == {304: 1}

    site.failing = True
    failed = installation.collect("urlhaus")
    assert (failed.status, failed.answer["verdict"]) == (1, "failed")
    assert "monitor: urlhaus: the feed: the server answered 503 after 3 retries" in failed.err
    assert site.counts() == {503: 4}

    site.failing = False
    site.put("/feed", feed(4))
    recovered = installation.collect("urlhaus")
    assert (recovered.status, recovered.answer["verdict"], recovered.answer["rows"]) == (0, "ok", 4)
    assert site.counts() == {200: 1}

    assert [row[0] for row in installation.rows(RUNS)] == ["ok", "unchanged", "failed", "ok"]
    assert [row[:3] for row in installation.deliveries()] == [("urlhaus", "urlhaus", 3), ("urlhaus", "urlhaus", 4)]
    assert installation.rows("SELECT count(*) FROM notices") == [(4,)]
    installation.assert_silent()


@pytest.mark.parametrize(
    ("body", "limits", "reason"),
    [
        (feed(3), {"minimum_rows": 1000}, "the feed: too few rows: 3, at least 1000 expected"),
        ("<html><body>Maintenance</body></html>", {"minimum_rows": 1}, "the feed: this is a web page, not an export"),
    ],
    ids=["too few", "web page"],
)
def test_refused_whole(
    site: Site, installation: Installation, body: str, limits: dict[str, float], reason: str
) -> None:
    site.put("/feed", body)
    installation.configure("urlhaus", location=f"{site.address}/feed", **limits)
    ended = installation.collect("urlhaus")
    assert ended.status == 1
    assert reason in ended.err
    ((verdict, written, rows),) = installation.rows(RUNS)
    assert (verdict, rows) == ("failed", 0)
    assert reason in written
    assert installation.rows("SELECT CAST(remembered AS VARCHAR) FROM collector_runs") == [("{}",)]
    for table in ("deliveries", "contents", "notices", "quarantined"):
        assert installation.rows(f"SELECT count(*) FROM {table}") == [(0,)], table
    installation.assert_silent()


def test_redirect_to_another_host_is_refused(site: Site, installation: Installation) -> None:
    port = site.address.rpartition(":")[2]
    site.redirects = {"/feed": f"http://localhost:{port}/elsewhere"}
    site.put("/elsewhere", feed(3))
    installation.configure("urlhaus", location=f"{site.address}/feed", minimum_rows=1)
    ended = installation.collect("urlhaus")
    assert ended.status == 1
    assert "another host" in ended.err
    assert site.asked == ["/feed"]
    assert installation.deliveries() == []


def test_certificate_nobody_vouches_for_is_refused(tmp_path: Path, installation: Installation) -> None:
    with serving(_certificate(tmp_path / "server.pem")) as site:
        site.put("/feed", feed(3))
        installation.configure("urlhaus", location=f"{site.address}/feed", minimum_rows=1)
        ended = installation.collect("urlhaus")
        assert ended.status == 1
        assert "could not be reached" in ended.err
        assert site.asked == []


def _certificate(path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path
