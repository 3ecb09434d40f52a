"""Names, locations, merged sources and verdicts, each on its own."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from sqlalchemy.orm import Session

from monitor.errors import ConfigurationError, MonitorError
from monitor.formats.catalogue import FORMATS
from monitor.instants import parse_instant
from monitor.schedule.leadership import lock_for
from monitor.schedule.runs import Verdict, last_run, record, remembered
from monitor.settings import Settings, Source, load_settings
from spiders.catalogue import find, merge
from spiders.collection_run import RunOutcome, key_of
from spiders.collector import read_location
from spiders.command import collect, judge
from spiders.scart_drop import SOURCE as SCART_DROP
from spiders.scart_drop import ScartDropSpider, exports, format_of, stamp_of
from spiders.urlhaus import SOURCE as URLHAUS
from tests.conftest import Database
from tests.spiders.installation import Installation

NOW = parse_instant("2026-05-01T00:00:00Z")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("20260401T000000Z-scart-ntd.csv", "scart-ntd"),
        ("scart-ntdclosed.csv.zst", "scart-ntdclosed"),
        ("NTD-april.csv.gz", "scart-ntd"),
        ("20260401T000000Z-scart-whois.csv", "scart-whois"),
        ("SCART_all.csv.gz", "scart-all"),
        ("scart-report-anonymous.csv", "scart-report"),
        ("scart-allowed.csv", None),
        ("report.csv", None),
        ("Notices-XARF.jsonl", "xarf"),
        *((f"20260401T000000Z-{name}.csv.gz", name) for name in FORMATS),
    ],
)
def test_format_by_name(name: str, expected: str | None) -> None:
    assert format_of(name) == expected


def test_exports_are_the_finished_tables_oldest_name_first() -> None:
    names = ["b-ntd.csv", "a-ntd.csv.gz", ".c-ntd.csv", "d-ntd.csv.part", "e-ntd.xlsx", "f.csv"]
    assert exports(names) == (["a-ntd.csv.gz", "b-ntd.csv"], 1)


def test_stamp() -> None:
    assert stamp_of("20260401T120000Z-ntd.csv", NOW) == parse_instant("2026-04-01T12:00:00Z")
    assert stamp_of("ntd-20260401T120000Z.csv", NOW) is None


@pytest.mark.parametrize("name", ["20260601T000000Z-ntd.csv", "20261301T000000Z-ntd.csv"])
def test_impossible_stamp(name: str) -> None:
    with pytest.raises(ValueError, match="its name starts with a time"):
        stamp_of(name, NOW)


@pytest.mark.parametrize(
    ("address", "covered"),
    [
        ("https://drop.example/other", True),
        ("http://drop.example/other", False),
        ("https://sub.drop.example/", False),
        ("https://drop.example@elsewhere.example/", False),
    ],
)
def test_location_covers_its_own_host_only(address: str, covered: bool) -> None:
    assert read_location("scart", "https://user:word@drop.example/folder/").covers(address) is covered


def test_password_leaves_the_address() -> None:
    location = read_location("scart", "https://user:word@drop.example:8443/folder/")
    assert location.address == "https://drop.example:8443/folder/"
    assert location.headers == {"Authorization": "Basic dXNlcjp3b3Jk"}


def test_operator_overrides_what_the_spider_says() -> None:
    merged = merge(URLHAUS, Source("urlhaus", zone="UTC", minimum_rows=5, location="https://feed.example/recent"))
    assert (merged.minimum_rows, merged.location, merged.publisher) == (5, "https://feed.example/recent", "abuse.ch")
    assert merge(SCART_DROP, Source("scart", format="scart-ntd")).name == "scart"


def test_source_without_spider_or_location() -> None:
    with pytest.raises(ConfigurationError, match="no collector for 'nobody'"):
        find(Settings(), "nobody")
    with pytest.raises(ConfigurationError, match="set location under"):
        find(Settings(), "scart")


def test_source_of_any_name_is_collected_by_its_format() -> None:
    settings = Settings(sources={"police": Source("police", format="scart", location="/srv/drop")})
    spider, source = find(settings, "police")
    assert spider is ScartDropSpider
    assert (source.name, source.recheck_gap_hours) == ("police", 5)


def test_source_is_collected_by_one_process_at_a_time(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.configure("urlhaus", location="http://127.0.0.1:9/feed")
    for name, value in installation.environment.items():
        monkeypatch.setenv(name, value)
    other = lock_for(load_settings(), f"collect-{key_of('urlhaus')[:12]}")
    assert other.acquire()
    with pytest.raises(MonitorError, match="urlhaus is being collected by another process"):
        CliRunner().invoke(collect, ["urlhaus"], catch_exceptions=False)
    other.release()


@pytest.mark.parametrize(
    ("outcome", "verdict", "reason"),
    [
        (RunOutcome(), "failed", "stopped before everything was asked for"),
        (RunOutcome(expected=2, known=1), "failed", "stopped early: 1 of 2 deliveries did not arrive"),
        (RunOutcome(expected=1, ingested={41: 10}), "failed", "only 0 of 1 deliveries are in the database"),
        (RunOutcome(expected=1, failures=["the feed: broke"]), "failed", "the feed: broke"),
        (RunOutcome(complete=True, expected=2, unchanged=1, pending=["the feed: waits"]), "held", "the feed: waits"),
        (RunOutcome(complete=True, expected=1, unchanged=1), "unchanged", None),
        (RunOutcome(complete=True), "unchanged", None),
    ],
)
def test_verdict(database: Database, outcome: RunOutcome, verdict: str, reason: str | None) -> None:
    with Session(database.engine) as session:
        judged = judge(session, outcome)
    assert (judged.verdict, judged.reason) == (verdict, reason)


def test_only_the_last_good_run_remembers(database: Database) -> None:
    with Session(database.engine) as session:
        record(session, "urlhaus", NOW, NOW, Verdict("ok", remembered={"a": {"etag": "1"}}))
        record(session, "scart", NOW, NOW, Verdict("ok", remembered={"b": {"etag": "2"}}))
        record(session, "urlhaus", NOW, NOW, Verdict("unchanged", remembered={"a": {"etag": "3"}}))
        record(session, "urlhaus", NOW, NOW, Verdict("failed", "x" * 600, remembered={"a": {"etag": "4"}}))
        assert remembered(session, "urlhaus") == {"a": {"etag": "3"}}
        assert remembered(session, "scart") == {"b": {"etag": "2"}}
        assert remembered(session, "nobody") == {}
        last = last_run(session, "urlhaus")
        assert last is not None
        assert last.reason is not None
        assert (last.verdict, len(last.reason), last.remembered) == ("failed", 500, {})
