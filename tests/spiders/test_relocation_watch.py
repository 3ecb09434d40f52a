"""The relocation watch: what counts as a relocation, what does not, and that it asks its resolver and nobody else."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import dns.rcode
import pytest
from sqlalchemy import select

from monitor.db import transaction
from monitor.models.audit import AuditEntry
from monitor.score import engine as engines
from monitor.score.episodes import episodes
from monitor.score.facts import load_facts
from monitor.score.methods import method
from monitor.vault import Vault
from spiders.relocation_watch import SOURCE, watch
from tests.conftest import Database
from tests.samples import Closed, Ntd
from tests.spiders.guard import Guard
from tests.spiders.nameserver import Zone, nameserver
from tests.spiders.observed import DELTA, DELTA_V6, KLINKER, PROXY, SENT, START, UNATTRIBUTED, ZILVER, Observed

NAME = "img.canary-7f3a9c.example"
URL = f"https://{NAME}/a/b.jpg"


@pytest.fixture
def zone() -> Iterator[Zone]:
    with nameserver() as zone:
        yield zone


@pytest.fixture
def watched(database: Database, vault: Vault, tmp_path: Path, zone: Zone) -> Observed:
    observed = Observed(database, vault, tmp_path, SOURCE)
    observed.configure(location=zone.location)
    return observed


def test_a_change_of_company_is_a_relocation(watched: Observed, zone: Zone) -> None:
    watched.ingest(Ntd(URL, SENT, owner="", ip=DELTA))
    zone.addresses[NAME] = [DELTA]
    assert watched.check(watch).ingested == {}
    zone.addresses[NAME] = [KLINKER]
    assert watched.check(watch, hours=6).ingested == {}
    outcome = watched.check(watch, hours=6)
    assert list(outcome.ingested.values()) == [1]
    assert (outcome.complete, outcome.failures) == (True, [])
    assert watched.seen() == [(1, "moved", "BE", 12)]
    assert watched.hosts() == [("delta", "ip_range"), ("klinker", "ip_range")]
    watched.check(watch, hours=6)
    assert len(watched.seen()) == 1


def test_one_look_alone_ends_no_clock(watched: Observed, zone: Zone) -> None:
    watched.ingest(Ntd(URL, SENT, owner="", ip=DELTA))
    for addresses in ([KLINKER], [DELTA], [KLINKER], [], [KLINKER]):
        zone.addresses[NAME] = addresses
        watched.check(watch, hours=6)
    assert watched.seen() == []
    watched.check(watch, hours=6)
    assert watched.seen() == [(1, "moved", "BE", 36)]


def look_twice(watched: Observed) -> None:
    """Now, and an interval later."""
    watched.check(watch)
    watched.check(watch, hours=6)


def test_it_counts_as_one_relocation_of_the_company_that_lost_it(watched: Observed, zone: Zone) -> None:
    watched.ingest(Ntd(URL, SENT, owner="", ip=DELTA))
    zone.addresses[NAME] = [KLINKER]
    watched.clock += 6 * 3600
    look_twice(watched)
    as_of = watched.clock + 86400
    engine = engines.connect("duckdb://")
    facts = load_facts(engine, watched.database.url, as_of)
    (episode,) = engine.to_pyarrow(episodes(facts, method(), as_of)).to_pylist()
    assert episode["relocated_h"] == 18
    assert episode["destination"] == "BE"
    assert episode["first_offline_h"] is None


@pytest.mark.parametrize(
    ("addresses", "seen", "host"),
    [
        pytest.param(
            [KLINKER, ZILVER], [(1, "moved", None, 6)], None, id="to several companies: it moved, to nobody known"
        ),
        pytest.param([KLINKER, "198.51.100.2"], [(1, "moved", "BE", 6)], "klinker", id="two addresses of one company"),
        pytest.param([KLINKER, DELTA], [], None, id="one of its addresses is still there"),
        pytest.param([KLINKER, DELTA_V6], [], None, id="and that one may be IPv6"),
        pytest.param([DELTA_V6], [], None, id="another family of the same company"),
        pytest.param([PROXY], [], None, id="behind a proxy"),
        pytest.param([KLINKER, PROXY], [], None, id="in part behind a proxy"),
        pytest.param([UNATTRIBUTED], [], None, id="at nobody's address"),
        pytest.param([KLINKER, UNATTRIBUTED], [], None, id="in part at nobody's"),
        pytest.param(["127.0.0.1"], [], None, id="a sinkhole"),
        pytest.param([], [], None, id="a name without addresses"),
    ],
)
def test_what_is_a_relocation(
    watched: Observed, zone: Zone, addresses: list[str], seen: list[object], host: str | None
) -> None:
    watched.ingest(Ntd(URL, SENT, owner="", ip=DELTA))
    zone.addresses[NAME] = addresses
    look_twice(watched)
    assert watched.seen() == seen
    assert watched.hosts()[1:] == ([(host, "ip_range")] if host else [])


@pytest.mark.parametrize(
    ("row", "seen"),
    [
        pytest.param(Ntd(URL, SENT, owner="Klinker", ip=DELTA), 0, id="where the hotline's recipient is"),
        pytest.param(Ntd(URL, SENT, owner="Zilver", ip=KLINKER), 0, id="where the notice's address was, of a reseller"),
        pytest.param(Ntd(URL, SENT, owner="Zilver", ip=DELTA), 1, id="of a reseller to a third company"),
        pytest.param(Ntd(URL, SENT, owner="Zilver"), 0, id="from nobody knows where"),
        pytest.param(Ntd(URL, SENT, owner="", ip=PROXY), 0, id="from behind a proxy"),
        pytest.param(Ntd(URL, SENT, owner="Sluier", ip=DELTA), 0, id="of what a proxy was told of"),
        pytest.param(Ntd(URL, SENT, owner=""), 0, id="of what is unattributed"),
    ],
)
def test_found_at_klinker(watched: Observed, zone: Zone, row: Ntd, seen: int) -> None:
    watched.ingest(row)
    zone.addresses[NAME] = [KLINKER]
    look_twice(watched)
    assert len(watched.seen()) == seen


def test_what_rests_on_a_domain_rule_is_not_moved_by_an_address(watched: Observed, zone: Zone) -> None:
    watched.ingest(Ntd("https://a.winkel.example/x", SENT, owner="", ip=DELTA))
    zone.addresses["a.winkel.example"] = [KLINKER]
    look_twice(watched)
    assert watched.hosts() == [("winkel", "domain_rule")]
    assert watched.seen() == []


def test_without_an_address_in_the_notice_the_first_look_says_where_it_was(watched: Observed, zone: Zone) -> None:
    watched.ingest(Ntd(URL, SENT, owner="Delta"))
    for addresses in ([DELTA], [PROXY], [KLINKER], [KLINKER]):
        zone.addresses[NAME] = addresses
        watched.check(watch, hours=6)
    assert watched.seen() == [(1, "moved", "BE", 24)]


def test_on_to_a_third_company_after_a_notice_to_the_second(watched: Observed, zone: Zone) -> None:
    watched.ingest(Ntd(URL, SENT, owner="", ip=DELTA))
    zone.addresses[NAME] = [KLINKER]
    look_twice(watched)
    watched.ingest(Ntd(URL, "2026-04-11 12:00:00", owner="Klinker"), received_at="2026-04-11T13:00:00Z")
    watched.check(watch, hours=24)
    assert len(watched.seen()) == 1
    zone.addresses[NAME] = [ZILVER]
    watched.check(watch, hours=6)
    watched.check(watch, hours=6)
    assert watched.seen()[1:] == [(1, "moved", "DE", 42)]


@pytest.mark.parametrize("code", [dns.rcode.SERVFAIL, dns.rcode.REFUSED])
def test_no_answer_says_nothing_and_is_reported(watched: Observed, zone: Zone, code: dns.rcode.Rcode) -> None:
    watched.ingest(Ntd(URL, SENT, owner="", ip=DELTA))
    zone.addresses[NAME], zone.codes[NAME] = [KLINKER], code
    assert watched.check(watch).failures == ["the resolver: it answered none of 1 questions"]
    assert watched.seen() == []


def test_silence_says_nothing(watched: Observed, zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spiders.relocation_watch._LIFETIME", 0.2)
    watched.ingest(Ntd(URL, SENT, owner="", ip=DELTA))
    zone.silent = True
    assert watched.check(watch).failures == ["the resolver: it answered none of 1 questions"]
    assert watched.seen() == []


def test_a_name_that_does_not_exist_is_an_answer_and_no_relocation(watched: Observed, zone: Zone) -> None:
    watched.ingest(Ntd(URL, SENT, owner="", ip=DELTA))
    assert watched.check(watch).failures == []
    assert zone.asked == [(NAME, "A")]
    assert watched.seen() == []


def test_aliases_are_followed_and_cut_answers_asked_for_again(watched: Observed, zone: Zone) -> None:
    watched.ingest(Ntd(URL, SENT, owner="", ip=DELTA))
    zone.aliases[NAME], zone.addresses["elsewhere.example"], zone.truncating = "elsewhere.example", [KLINKER], True
    look_twice(watched)
    assert watched.seen() == [(1, "moved", "BE", 6)]
    assert zone.by_tcp == 4


def test_a_name_is_asked_about_once_an_interval(watched: Observed, zone: Zone) -> None:
    watched.ingest(*(Ntd(f"{URL}?{number}", SENT, owner="", ip=DELTA) for number in range(3)))
    zone.addresses[NAME] = [DELTA]
    for hours in (0, 5.9, 0.1):
        watched.check(watch, hours=hours)
    assert zone.asked == [(NAME, "A"), (NAME, "AAAA")] * 2


def test_what_is_not_open_or_has_no_name_is_not_asked_about(watched: Observed, zone: Zone) -> None:
    urls = [f"https://s{number}.example/x" for number in range(5)]
    watched.ingest(
        Ntd("https://192.0.2.1/x", SENT, ip=DELTA),
        Ntd("https://[2001:db8:1::1]/x", SENT, ip=DELTA_V6),
        Ntd(urls[0], SENT),
        Ntd(urls[1], SENT),
        Ntd(urls[2], SENT, status="sent_failed"),
        Ntd(urls[3], SENT, role="registrar"),
        Ntd(urls[4], SENT),
    )
    closed = [Closed(urls[0]), Closed(urls[1], status="close", country="US"), Closed(urls[4], status="first_police")]
    watched.ingest(*closed, received_at="2026-04-10T17:30:00Z")
    watched.check(watch)
    assert zone.asked == []


def test_nothing_else_is_connected_to_and_the_name_is_nowhere(
    watched: Observed, zone: Zone, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    watched.ingest(Ntd(URL, SENT, owner="", ip=DELTA), Ntd("https://canary-gone.example/x", SENT, owner="", ip=DELTA))
    zone.addresses[NAME] = [KLINKER]
    zone.codes["canary-gone.example"] = dns.rcode.SERVFAIL
    port = int(zone.location.rpartition(":")[2])
    guard = Guard(allowed={("127.0.0.1", port)})
    guard.install(monkeypatch)
    with caplog.at_level(logging.DEBUG):
        look_twice(watched)
    assert guard.refused == []
    assert set(guard.reached) == {("127.0.0.1", port)}
    assert guard.looked_up == []
    assert len(watched.seen()) == 1
    for said in (caplog.text, watched.everything(), str(watched.outcomes)):
        assert "canary" not in said


def test_the_audit_trail_says_that_items_were_opened(watched: Observed, zone: Zone) -> None:
    watched.ingest(Ntd(URL, SENT, owner="", ip=DELTA))
    watched.check(watch)
    with transaction(watched.database.engine) as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.actor == "relocation_watch"))
        assert (entry.action, entry.subject, entry.details) == ("observe", "open items", {"items": 1})


@pytest.mark.parametrize("location", ["https://127.0.0.1/", "dns://resolver.example", "dns:127.0.0.1", "127.0.0.1"])
def test_the_resolver_is_an_address(watched: Observed, location: str) -> None:
    watched.ingest(Ntd(URL, SENT, owner="", ip=DELTA))
    watched.configure(location=location)
    (failure,) = watched.check(watch).failures
    assert "location must be dns://ADDRESS:PORT" in failure


def test_a_run_that_dies_asks_nobody_twice(watched: Observed, zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    watched.ingest(Ntd(URL, SENT, owner="", ip=DELTA))
    zone.addresses[NAME] = [KLINKER]
    with monkeypatch.context() as patch:
        patch.setattr("spiders.relocation_watch.conclude_and_deliver", die)
        with pytest.raises(KeyboardInterrupt):
            watched.check(watch)
    watched.check(watch, hours=1)
    assert zone.asked == [(NAME, "A"), (NAME, "AAAA")]
    watched.check(watch, hours=5)
    watched.check(watch, hours=6)
    assert watched.seen() == [(1, "moved", "BE", 12)]
    assert watched.clock == START + 12 * 3600
