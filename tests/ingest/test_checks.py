"""Delivery checks: each rule with its numbers, what passes, and contradictions found with earlier deliveries."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from monitor.db import transaction
from monitor.ingest.checks import RULES, check_delivery, load_finding
from monitor.ingest.delivery import DeliveryFile, ingest
from monitor.ingest.result import IngestResult
from monitor.ingest.stats import CheckInput, Conflict, Conflicts, DeliveryStats, Rejection
from monitor.instants import DAY, HOUR, parse_instant
from monitor.models.facts import Delivery, Notice, Sighting
from monitor.settings import Source
from monitor.thresholds import Thresholds
from monitor.vault import Vault
from monitor.vocabulary import Verdict
from tests.conftest import Database
from tests.samples import SCART, Closed, Ntd, delivery_file, feed

NOW = parse_instant("2026-07-01T00:00:00Z")
URL = "https://img.s0001.example/a.jpg"
SENT = "2026-04-10 12:00:00"
MONDAY = parse_instant("2026-04-06T00:00:00Z")


def shape(rows: int = 1000, **given: Any) -> DeliveryStats:
    """A delivery of Monday in which nothing is odd."""
    return replace(DeliveryStats(MONDAY, rows, {}, frozenset()), **given)


def recent(*rows: int, **given: Any) -> tuple[DeliveryStats, ...]:
    """Deliveries every six hours before it, the newest first."""
    return tuple(shape(n, received_at=MONDAY - 6 * HOUR * (i + 1), **given) for i, n in enumerate(rows))


STEADY = recent(*[21_600] * 8)
DAILY = recent(*[1000] * 8, notices=1000, companies={"delta": 300, "echo": 40})
UNEVEN = (*DAILY[1:], shape(1000, received_at=MONDAY - 3 * DAY, notices=1000, companies={"delta": 10}))
REPEATING = recent(*[1000] * 8, known=1000, repeated=990)
PLAIN = Source("scart")

STOPPED: dict[str, tuple[CheckInput, str]] = {
    "below_minimum": (
        CheckInput(shape(3), (), Source("urlhaus", minimum_rows=1000)),
        "refused: too few rows: 3, at least 1,000 expected",
    ),
    "above_maximum": (
        CheckInput(shape(10), (), Source("urlhaus", maximum_rows=9)),
        "refused: too many rows: 10, at most 9 expected",
    ),
    "reading_stopped": (
        CheckInput(replace(shape(10), stopped=True), (), PLAIN),
        "refused: reading stopped after 10 rows: whatever follows, it is refused",
    ),
    "too_few_rows": (
        CheckInput(shape(1204), STEADY, PLAIN),
        "suspicious: rows 1,204, expected about 21,600 (median of the last 8; the fewest was 21,600)",
    ),
    "too_many_rows": (
        CheckInput(shape(86_401), STEADY, PLAIN),
        "suspicious: rows 86,401, expected about 21,600 (median of the last 8; the most was 21,600)",
    ),
    "too_few_days": (
        CheckInput(shape(days=14), recent(*[1000] * 8, days=30), PLAIN),
        "suspicious: days with a notice 14, expected about 30 (median of the last 8)",
    ),
    "long_gap": (
        CheckInput(shape(received_at=MONDAY + 10 * DAY), recent(1000), PLAIN),
        "suspicious: 10.2 days since the delivery before, received 2026-04-05T18:00:00Z; at most 10.0 expected",
    ),
    "older_than_last": (
        CheckInput(shape(received_at=MONDAY - 2 * DAY), recent(1000), PLAIN),
        "suspicious: received 42.0 hours before the last one, which is of 2026-04-05T18:00:00Z",
    ),
    "company_missing": (
        CheckInput(shape(notices=1000, companies={"echo": 40}), DAILY, PLAIN),
        "suspicious: no notice to delta, expected about 300 (it was never missing from the last 8)",
    ),
    "quarantined": (
        CheckInput(shape(100, quarantined={"not_utf8": 50, "nul_character": 1}), (), PLAIN),
        "refused: 51 of 100 rows could not be read (51.0 %; usually 0.0 %): 50 not_utf8, 1 nul_character",
    ),
    "unknown_values": (
        CheckInput(shape(100, quarantined={"unknown_status": 3}), (), PLAIN),
        "suspicious: 3 of 100 rows hold a value nobody knows (3.0 %): 3 unknown_status",
    ),
    "unknown_columns": (
        CheckInput(shape(unknown_columns=frozenset("abcde")), recent(1000, unknown_columns=frozenset("a")), PLAIN),
        "suspicious: 4 new columns that nobody knows",
    ),
    "returned": (
        CheckInput(shape(), (), PLAIN, Conflicts(returned=Conflict(30, 100))),
        "suspicious: 30 of 100 items said to be online were said gone more than 7.0 days before (30.0 %)",
    ),
    "retimed": (
        CheckInput(shape(), (), PLAIN, Conflicts(retimed=Conflict(30, 300))),
        "suspicious: 30 of 300 notices about known items bear the number of an earlier one and another time (10.0 %)",
    ),
    "notices_shifted": (
        CheckInput(shape(), (), PLAIN, Conflicts(notices_shifted=Conflict(950, 1000, -1))),
        "suspicious: 950 of 1,000 notices about known items are exactly -1 h off an earlier one (95.0 %)",
    ),
    "sightings_shifted": (
        CheckInput(shape(), (), PLAIN, Conflicts(sightings_shifted=Conflict(950, 1000, 2))),
        "suspicious: 950 of 1,000 sightings of known items are exactly +2 h off an earlier one (95.0 %)",
    ),
    "notices_vanished": (
        CheckInput(shape(known=1000, repeated=400), REPEATING, PLAIN),
        "suspicious: it repeats 400 of 1,000 notices known of its time (40.0 %; usually 99.0 %)",
    ),
    "rejected_before": (
        CheckInput(shape(), (), PLAIN, rejection=Rejection("A. Analyst", MONDAY, "the wrong month")),
        "suspicious: A. Analyst rejected this very file on 2026-04-06T00:00:00Z: the wrong month",
    ),
}


def said(case: CheckInput) -> list[str]:
    """What the rules say of a case."""
    return [f"{finding.verdict}: {finding.text}" for finding in check_delivery(case)]


@pytest.mark.parametrize("rule", sorted(RULES))
def test_each_rule_says_why_with_numbers_and_what_to_do(rule: str) -> None:
    case, text = STOPPED[rule]
    (finding,) = check_delivery(case)
    assert (finding.rule, f"{finding.verdict}: {finding.text}") == (rule, text)
    assert finding.advice
    assert load_finding(finding.serialise()) == finding


PASSING: dict[str, CheckInput] = {
    "the first of a source": CheckInput(shape(1), (), PLAIN),
    "the minimum": CheckInput(shape(1000), (), Source("urlhaus", minimum_rows=1000, maximum_rows=1000)),
    "half of a steady source": CheckInput(shape(10_800), STEADY, PLAIN),
    "four times a steady source": CheckInput(shape(86_400), STEADY, PLAIN),
    "far less, with little to compare with": CheckInput(shape(1), STEADY[:7], PLAIN),
    "a night after a night": CheckInput(shape(2), recent(57, *[1647] * 8, 3386), PLAIN),
    "one after twelve": CheckInput(shape(1), recent(*[12] * 8), PLAIN),
    "half the days": CheckInput(shape(days=15), recent(*[1000] * 8, days=30), PLAIN),
    "a closed week": CheckInput(shape(received_at=MONDAY + 9 * DAY), recent(1000), PLAIN),
    "a monthly source after a month": CheckInput(
        shape(received_at=MONDAY + 31 * DAY), recent(1000), Source("ris", cadence_minutes=30 * 24 * 60)
    ),
    "out of order within a day": CheckInput(shape(received_at=MONDAY - 29 * HOUR), recent(1000), PLAIN),
    "a company that was as good as missing before": CheckInput(
        shape(notices=1000, companies={"echo": 40}), UNEVEN, PLAIN
    ),
    "a large company in a small delivery": CheckInput(shape(notices=60, companies={"echo": 2}), DAILY, PLAIN),
    "few bad rows": CheckInput(shape(100, quarantined={"not_utf8": 5}), (), PLAIN),
    "as many bad rows as ever": CheckInput(
        shape(100, quarantined={"not_utf8": 12}), recent(*[100] * 8, quarantined={"not_utf8": 10}), PLAIN
    ),
    "a bad row of nine": CheckInput(shape(9, quarantined={"unknown_status": 9}), (), PLAIN),
    "some items that returned": CheckInput(shape(), (), PLAIN, Conflicts(returned=Conflict(20, 100))),
    "a few shifted": CheckInput(shape(), (), PLAIN, Conflicts(notices_shifted=Conflict(19, 19, 1))),
    "a source that never repeats itself": CheckInput(
        shape(known=1000, repeated=0), recent(*[1000] * 8, known=1000, repeated=0), PLAIN
    ),
}


@pytest.mark.parametrize("name", PASSING)
def test_what_is_as_expected_passes(name: str) -> None:
    assert said(PASSING[name]) == []


@given(st.lists(st.integers(1, 10**6), min_size=8, max_size=28), st.data())
def test_rows_between_the_extremes_of_recent_deliveries_pass(rows: list[int], data: st.DataObject) -> None:
    here = data.draw(st.integers(min(rows), max(rows)))
    assert said(CheckInput(shape(here), recent(*rows), PLAIN)) == []


def test_reports_of_other_categories_do_not_count_against_a_delivery() -> None:
    """A sender of every kind of abuse is as good as what it says of content."""
    passed = CheckInput(shape(1000, quarantined={"not_content": 900, "not_a_time": 5}), (), PLAIN)
    assert check_delivery(passed) == ()
    [finding] = check_delivery(replace(passed, stats=shape(1000, quarantined={"not_content": 900, "not_a_time": 6})))
    assert finding.text == "6 of 100 rows could not be read (6.0 %; usually 0.0 %): 6 not_a_time"


def test_reading_goes_on_past_any_number_of_reports_of_other_categories(
    database: Database, vault: Vault, tmp_path: Path
) -> None:
    report = json.loads((Path(__file__).parents[1] / "formats/samples/xarf/v4-csam.json").read_text())
    others = [report | {"category": "messaging", "type": "spam"}] * 60
    (tmp_path / "reports.json").write_text(json.dumps([*others, report]))
    file = DeliveryFile(Source("hotline", maximum_rows=100), "xarf", tmp_path / "reports.json", NOW)
    with transaction(database.engine) as session:
        result = ingest(session, vault, file, NOW)
    assert (result.verdict, result.quarantined, result.accepted) == (Verdict.OK, {"not_content": 60}, 1)


def test_the_worst_finding_comes_first() -> None:
    case = CheckInput(shape(3, received_at=MONDAY + 20 * DAY), recent(1000), Source("urlhaus", minimum_rows=10))
    assert [finding.verdict for finding in check_delivery(case)] == [Verdict.REFUSED, Verdict.SUSPICIOUS]


def test_every_threshold_can_be_set() -> None:
    assert {item.type for item in fields(Thresholds)} == {"int", "float"}


def deliver(database: Database, vault: Vault, what: DeliveryFile, at: int = NOW) -> IngestResult:
    with transaction(database.engine) as session:
        return ingest(session, vault, what, at)


def counted(database: Database, model: type[Any]) -> int:
    with transaction(database.engine) as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def rules(answer: IngestResult) -> tuple[str, list[str]]:
    return answer.verdict, [reason.rule for reason in answer.reasons]


def test_a_feed_read_in_the_wrong_zone_waits(database: Database, vault: Vault, tmp_path: Path) -> None:
    def rows(hour: int) -> list[tuple[str, str, str, str]]:
        sent = f"2026-04-09 {hour:02}:00:00"
        return [(sent, f"http://s{n}.example/x", "online", f"2026-04-10 {hour:02}:05:00") for n in range(25)]

    assert deliver(database, vault, feed(tmp_path, "2026-04-10T12:00:00Z", *rows(6))).verdict is Verdict.OK
    waiting = deliver(database, vault, feed(tmp_path, "2026-04-10T13:00:00Z", *rows(8)))
    assert rules(waiting) == ("suspicious", ["notices_shifted", "sightings_shifted"])
    assert waiting.reasons[0].numbers["hours"] == 2
    assert counted(database, Notice) == counted(database, Sighting) == 25
    third = [("2026-04-09 06:17:00", url, "online", "2026-04-10 11:00:00") for _, url, _, _ in rows(6)]
    assert deliver(database, vault, feed(tmp_path, "2026-04-10T14:00:00Z", *third)).verdict is Verdict.OK


def test_items_that_come_back_in_droves_wait(database: Database, vault: Vault, tmp_path: Path) -> None:
    urls = [f"https://s{n}.example/x" for n in range(25)]
    deliver(database, vault, delivery_file(tmp_path, "2026-04-10T18:00:00Z", *[Closed(url) for url in urls]))
    rows = [Ntd(url, "2026-04-18 12:00:00", last="2026-04-18 11:00:00") for url in urls]
    waiting = deliver(database, vault, delivery_file(tmp_path, "2026-04-18T18:00:00Z", *rows))
    assert rules(waiting) == ("suspicious", ["returned"])


def test_numbers_of_notices_that_get_another_time_wait(database: Database, vault: Vault, tmp_path: Path) -> None:
    urls = [f"https://s{n}.example/x" for n in range(25)]
    deliver(database, vault, delivery_file(tmp_path, "2026-04-10T18:00:00Z", *[Ntd(url, SENT) for url in urls]))
    rows = [Ntd(url, "2026-04-10 12:07:00") for url in urls]
    waiting = deliver(database, vault, delivery_file(tmp_path, "2026-04-10T19:00:00Z", *rows))
    assert rules(waiting) == ("suspicious", ["retimed"])


def test_a_company_is_missed_whatever_it_calls_itself(database: Database, vault: Vault, tmp_path: Path) -> None:
    source = replace(SCART, gate=Thresholds(history_at_least=2, expected_of_company=5))

    def export(day: int, *owners: str) -> DeliveryFile:
        rows = [Ntd(f"https://s{day}-{n}.example/", f"2026-04-{day} 12:00:00", o) for n, o in enumerate(owners)]
        return delivery_file(tmp_path, f"2026-04-{day}T18:00:00Z", *rows, source=source)

    assert deliver(database, vault, export(10, *["Delta"] * 6, *["Echo"] * 6)).verdict is Verdict.OK
    assert deliver(database, vault, export(11, *["DELTA"] * 6, *["Echo"] * 6)).verdict is Verdict.OK
    (missing,) = deliver(database, vault, export(12, *["Echo"] * 12)).reasons
    assert (missing.rule, missing.numbers["expected"], missing.numbers["of"]) == ("company_missing", 6, 2)
    assert str(missing.numbers["company"]).endswith("delta")


def test_new_notices_are_counted_by_company_and_the_largest_kept(
    database: Database, vault: Vault, tmp_path: Path
) -> None:
    def rows(*counts: int) -> list[Ntd]:
        return [
            Ntd(f"https://s{company}-{n}.example/", SENT, f"Company {company:02}")
            for company, count in enumerate(counts)
            for n in range(count)
        ]

    nobodys = Ntd("https://nobody.example/", SENT, owner="")
    deliver(database, vault, delivery_file(tmp_path, "2026-04-10T18:00:00Z", *rows(1, 2), nobodys))
    deliver(database, vault, delivery_file(tmp_path, "2026-04-10T19:00:00Z", *rows(2, 2, *[1] * 19, 3)))
    with transaction(database.engine) as session:
        first, second = session.scalars(select(Delivery.measures).order_by(Delivery.id)).all()
    assert first["companies"] == {"recipient-company-00": 1, "recipient-company-01": 2}
    largest = {"recipient-company-21": 3, "recipient-company-00": 1}  # of company 1 nothing is new
    ones = {f"recipient-company-{n:02}": 1 for n in range(2, 20)}  # the twentieth of those with one is left out
    assert second["companies"] == largest | ones
