"""One feed at one address: taken once, not fetched again unchanged, failures reported and made good."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from monitor.db import transaction
from monitor.instants import DAY, parse_instant
from monitor.schedule.runs import FAILED, OK, Verdict, asked_to_wait, record
from spiders.collection_run import key_of
from spiders.middlewares import retry_after
from tests.conftest import Database
from tests.spiders.certificate import self_signed
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


def test_a_server_that_asks_to_be_left_alone_is(site: Site, installation: Installation) -> None:
    site.put("/feed", feed(3))
    site.failing, site.retry_after = True, "7200"
    installation.configure("urlhaus", location=f"{site.address}/feed", minimum_rows=1)
    failed = installation.collect("urlhaus")
    assert (failed.status, failed.answer["reason"]) == (1, "the feed: the server answered 503")
    assert site.counts() == {503: 1}
    site.failing = False
    again = installation.collect("urlhaus")
    left = r"nothing was asked for: the server wants to be left alone until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    assert again.status == 1
    assert re.fullmatch(left, again.answer["reason"])
    assert site.counts() == {}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 0),
        ("0", 0),
        ("120", 120),
        (" 3600 ", 3600),
        ("86401", 86400),
        ("9" * 5000, 86400),
        ("-5", 0),
        ("1.5", 2),
        ("soon", 0),
        ("²", 0),
        ("Fri, 10 Apr 2026 13:00:00 GMT", 3600),
        ("Fri, 10 Apr 2026 15:00:00 +0200", 3600),
        ("Friday, 10-Apr-26 13:00:00 GMT", 3600),
        ("Fri Apr 10 13:00:00 2026", 3600),
        ("Fri, 10 Apr 2026 11:59:59 GMT", 0),
        ("Sat, 10 Apr 2027 12:00:00 GMT", 86400),
        ("Fri, 31 Feb 2026 13:00:00 GMT", 0),
        ("Fri, 10 Apr 2026 13:00:00 +99999999999999", 0),
        ("292.052", 293),
        ("0.5", 1),
        ("1.", 0),
    ],
)
def test_how_long_a_server_asks_to_wait(text: str, seconds: int) -> None:
    """RFC 9110, 10.2.3: a number of seconds, or a date in any of its three forms; never more than a day."""
    assert retry_after(text, parse_instant("2026-04-10T12:00:00Z")) == seconds


def test_a_request_to_wait_holds_for_a_day_at_most_and_ends_with_a_good_run(database: Database) -> None:
    now = parse_instant("2026-04-10T12:00:00Z")
    with transaction(database.engine) as session:
        assert asked_to_wait(session, "s", now) is None
        record(session, "s", now, now, Verdict(FAILED, "r", not_before=now + 7200))
        waits = [asked_to_wait(session, "s", now + later) for later in (0, 7199, 7200)]
        assert waits == [now + 7200, now + 7200, None]
        assert asked_to_wait(session, "s", now - DAY) is None  # the clock was put back: who asked meant less
        assert asked_to_wait(session, "other", now) is None
        record(session, "s", now, now, Verdict(OK))
        assert asked_to_wait(session, "s", now) is None


@pytest.mark.parametrize(
    ("body", "limits", "reason"),
    [
        (
            feed(3),
            {"minimum_rows": 1000},
            "the feed: delivery 1 is refused: too few rows: 3, at least 1,000 expected",
        ),
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
    assert installation.rows("SELECT DISTINCT verdict FROM deliveries") in ([], [("refused",)])
    for table in ("contents", "notices", "quarantined", "held_pieces"):
        assert installation.rows(f"SELECT count(*) FROM {table}") == [(0,)], table
    installation.assert_silent()


def test_a_feed_that_the_server_compressed_is_taken_whole_or_not_at_all(site: Site, installation: Installation) -> None:
    installation.configure("urlhaus", location=f"{site.address}/feed", minimum_rows=1)
    packed = gzip.compress(feed(300).encode(), mtime=0)
    site.encoding = "gzip"
    for body, message in (
        (packed[: len(packed) // 2], "the compressed file is cut off; fetch it again"),
        (packed[:-8] + bytes(8), "the compressed file is damaged; fetch it again"),
    ):
        site.files["/feed"] = body
        failed = installation.collect("urlhaus")
        assert failed.status == 1
        assert message in failed.err
    for body in (packed, feed(300).encode()):  # as it says, and with a header that is not true
        site.files["/feed"] = body
        assert installation.collect("urlhaus").status == 0
    assert [row[:3] for row in installation.deliveries()] == [("urlhaus", "urlhaus", 300)] * 2
    installation.assert_silent()


def test_suspicious_waits_and_is_asked_for_until_a_person_decides(site: Site, installation: Installation) -> None:
    site.put("/feed", feed(20).replace('"online"', '"lost"', 2))
    installation.configure("urlhaus", location=f"{site.address}/feed", minimum_rows=1)
    for _ in range(2):
        ended = installation.collect("urlhaus")
        assert (ended.status, ended.answer["verdict"], ended.answer["rows"]) == (1, "held", 0)
        assert "the feed: delivery 1 is pending review: 2 of 20 rows could not be read (10.0 %" in ended.err
    assert installation.rows("SELECT count(*) FROM notices") == [(0,)]
    assert installation.run("deliveries", "accept", "1", "--reason", "seen", "--by", "A. Analyst").status == 0
    assert installation.rows("SELECT count(*) FROM notices") == [(18,)]
    assert installation.collect("urlhaus").answer["verdict"] == "unchanged"
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
    with serving(self_signed(tmp_path / "server.pem")) as site:
        site.put("/feed", feed(3))
        installation.configure("urlhaus", location=f"{site.address}/feed", minimum_rows=1)
        ended = installation.collect("urlhaus")
        assert ended.status == 1
        assert "could not be reached" in ended.err
        assert site.asked == []
