"""The availability probe: HEAD only, under a mandate only, three failures before offline, and nothing left behind."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from monitor.db import transaction
from monitor.models.audit import AuditEntry
from monitor.vault import Vault
from spiders.availability_probe import SOURCE, probe
from spiders.head import head, is_public, question_of
from tests.conftest import Database
from tests.samples import Closed, Ntd
from tests.spiders.answering import Answering, answering
from tests.spiders.certificate import self_signed
from tests.spiders.guard import Guard
from tests.spiders.installation import Installation
from tests.spiders.observed import SENT, Observed
from tests.spiders.server import serving

PATH = "/canary-7f3a9c.jpg"
MANDATE = "Article 1 of an act that does not exist"


def loopback(address: str) -> bool:
    return address == "127.0.0.1"


probe_here: Callable[..., bool] = partial(probe, may_connect=loopback)


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as server:
        yield server


@pytest.fixture
def probed(database: Database, vault: Vault, tmp_path: Path, server: Answering) -> Observed:
    observed = Observed(database, vault, tmp_path, SOURCE)
    observed.configure(mandate=MANDATE)
    observed.ingest(Ntd(server.url(PATH), SENT, owner="Delta"))
    return observed


def test_online_each_interval_and_once_in_it(probed: Observed, server: Answering) -> None:
    server.statuses[PATH] = "200 OK"
    for hours in (0, 3.9, 0.1):
        assert probed.check(probe_here, hours=hours).failures == []
    assert probed.seen() == [(1, "online", None, 0), (1, "online", None, 4)]
    assert server.methods == [f"HEAD {PATH}"] * 2


def test_offline_at_the_third_failure_in_a_row(probed: Observed, server: Answering) -> None:
    for status in ("404 Not Found", "503 Later", "410 Gone", "200 OK", "404 Not Found", "404 Not Found", "451 Law"):
        server.statuses[PATH] = status
        probed.check(probe_here, hours=4)
    assert probed.seen() == [(1, "online", None, 16), (1, "offline", None, 28)]
    probed.check(probe_here, hours=4)
    assert len(server.asked) == 7


def test_nothing_but_head_and_no_byte_behind_the_status_line(
    probed: Observed, server: Answering, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    server.statuses[PATH] = "200 OK"
    guard = Guard(allowed={("127.0.0.1", server.port)})
    guard.install(monkeypatch)
    with caplog.at_level(logging.DEBUG):
        probed.check(probe_here)
    assert guard.reached == [("127.0.0.1", server.port)]
    assert guard.refused == []
    assert set(guard.looked_up) == {"127.0.0.1"}
    assert guard.received == len("HTTP/1.1 200 OK\r\n")
    (lines,) = server.asked
    assert [line.partition(":")[0] for line in lines] == [f"HEAD {PATH} HTTP/1.1", "Host", "User-Agent", "Connection"]
    assert "hosting-abuse-compliance-monitor" in lines[2]
    for said in (caplog.text, probed.everything(), str(probed.outcomes)):
        assert "canary" not in said


def test_the_body_is_left_with_the_server(probed: Observed, server: Answering) -> None:
    server.statuses[PATH] = "200 OK"
    probed.check(probe_here)
    assert server.bodies_taken == 0


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "308 Moved"])
def test_a_redirect_is_not_followed_and_says_nothing(probed: Observed, server: Answering, status: str) -> None:
    server.statuses[PATH] = f"{status}\r\nLocation: {server.url('/elsewhere')}"
    for _ in range(4):
        probed.check(probe_here, hours=4)
    assert set(server.methods) == {f"HEAD {PATH}"}
    assert probed.seen() == []


def test_the_mandate_is_in_the_audit_trail_of_each_run(probed: Observed) -> None:
    probed.check(probe_here)
    probed.check(probe_here, hours=1)
    with transaction(probed.database.engine) as session:
        query = select(AuditEntry.details).where(AuditEntry.actor == "availability_probe")
        details = session.scalars(query.order_by(AuditEntry.id)).all()
    assert details == [{"items": 1, "mandate": MANDATE}] * 2


@pytest.mark.parametrize("mandate", ["", "  "])
def test_without_a_mandate_nothing_is_asked_and_nothing_opened(
    probed: Observed, server: Answering, mandate: str
) -> None:
    probed.configure(mandate=mandate)
    (failure,) = probed.check(probe_here).failures
    assert "without a mandate nothing is probed" in failure
    assert server.asked == []
    assert "observe" not in probed.everything()


def test_a_cut_url_or_a_closed_one_is_not_asked_for(probed: Observed, server: Answering) -> None:
    cut = server.url("/" + "x" * 300)[:255]
    held, gone = server.url("/held"), server.url("/gone")
    probed.ingest(Ntd(cut, SENT), Ntd(held, SENT), Ntd(gone, SENT), received_at="2026-04-10T17:10:00Z")
    probed.ingest(Closed(held, status="first_police"), Closed(gone), received_at="2026-04-10T17:30:00Z")
    probed.check(probe_here)
    assert server.methods == [f"HEAD {PATH}"]


def test_a_url_that_leads_into_our_own_network_is_not_asked_for(probed: Observed, server: Answering) -> None:
    server.statuses[PATH] = "200 OK"
    assert probed.check(probe).failures == []
    assert server.asked == []
    assert probed.seen() == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("192.88.99.1", True), ("2000::1", True), ("192.0.2.1", False), ("127.0.0.1", False), ("10.0.0.1", False),
        ("::1", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("224.0.0.1", False), ("fe80::1", False),
        ("::ffff:10.0.0.1", False), ("0.0.0.0", False),
    ],
)  # fmt: skip
def test_public_addresses(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    "raw",
    [b"HTTP/1.1 103 Early Hints\r\n", b"HTTP/2 200\r\n", b"220 ftp\r\n", b"\n", b"x" * 5000, b"HTTP/1.1 99 \r\n"],
)
def test_an_answer_that_is_none(server: Answering, raw: bytes) -> None:
    server.raw = raw
    assert head(server.url("/x"), loopback) is None


def test_another_scheme_is_not_asked_for(server: Answering) -> None:
    assert head(f"ftp://127.0.0.1:{server.port}/x", loopback) is None
    assert server.asked == []


def test_a_certificate_nobody_vouches_for_is_no_answer(tmp_path: Path) -> None:
    with serving(self_signed(tmp_path / "server.pem")) as site:
        assert head(f"{site.address}/x", loopback) is None
        assert site.asked == []


def test_a_server_that_is_not_there(server: Answering) -> None:
    assert head("http://127.0.0.1:1/x", loopback) is None
    assert head("http://no-such-name.invalid/x", lambda _: True) is None


def test_a_server_that_never_ends_its_line(monkeypatch: pytest.MonkeyPatch, server: Answering) -> None:
    monkeypatch.setattr("spiders.head._TIMEOUT", 0.0)
    assert head(server.url("/x"), loopback) is None


@pytest.mark.parametrize(
    ("url", "request_line", "host"),
    [
        ("http://user:word@Host.example/a%20b;c#part", "HEAD /a%20b;c HTTP/1.1", "host.example"),
        ("https://host.example:8443/?q=ü&r={1}", "HEAD /?q=%C3%BC&r={1} HTTP/1.1", "host.example:8443"),
        ("http://[2001:DB8::1]/", "HEAD / HTTP/1.1", "[2001:db8::1]"),
        ("http://bücher.example/", "HEAD / HTTP/1.1", "xn--bcher-kva.example"),
    ],
)
def test_what_is_asked(url: str, request_line: str, host: str) -> None:
    question = question_of(url)
    assert question is not None
    lines = question.request.decode("ascii").split("\r\n")
    assert (lines[0], lines[1]) == (request_line, f"Host: {host}")
    assert "example" not in repr(question)


def test_observers_are_off_until_configured(installation: Installation) -> None:
    installation.config.write_text("", "utf-8")
    for name, needs in (("availability_probe", "mandate"), ("relocation_watch", "location")):
        ended = installation.collect(name)
        assert ended.status == 1
        assert f"{name} is off: it needs {needs} under [sources.{name}]" in ended.err


def test_as_a_command(installation: Installation) -> None:
    installation.configure("availability_probe", mandate=MANDATE)
    ended = installation.collect("availability_probe")
    assert (ended.status, ended.answer["verdict"]) == (0, "unchanged")
    assert installation.rows("SELECT count(*) FROM audit_entries") == [(1,)]
