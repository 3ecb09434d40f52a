"""What the sources delivered, where they fell silent, and when every clock stood still."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from sqlalchemy.orm import Session

from monitor.db import transaction
from monitor.instants import DAY, HOUR, iso, to_datetime
from monitor.models.facts import Delivery, Suspension
from monitor.score.quality import quality
from monitor.score.table import Quality, SourceQuality, Standstill
from monitor.vocabulary import Verdict
from tests.conftest import Database

START = 1_775_001_600  # 2026-04-01T00:00:00Z
PERIOD = (START, START + 91 * DAY)
KNOWN = START + 100 * DAY
_numbers = count(1)


def delivered(session: Session, source: str, *days: float, **given: Any) -> None:
    """Deliveries of 100 rows, received so many days after the period's start."""
    for day in days:
        number = next(_numbers)
        moment = to_datetime(round(START + day * DAY))
        values: dict[str, Any] = {
            "id": number, "source": source, "format": "test", "file_digest": f"{number:064}", "received_at": moment,
            "recorded_at": moment, "zone": "UTC", "rows": 100, "accepted": 100, "duplicate": 0, "quarantined": {},
            "warnings": {}, "contents_new": 0, "notices_new": 0, "sightings_new": 0,
        }  # fmt: skip
        session.add(Delivery(**(values | given)))


def suspended(session: Session, start: float, end: float | None, reason: str = "test", **given: Any) -> None:
    ends_at = None if end is None else to_datetime(round(START + end * DAY))
    row = Suspension(
        content_id=None, starts_at=to_datetime(round(START + start * DAY)), ends_at=ends_at, pause="outage",
        reason=reason, recorded_at=to_datetime(START),
    )  # fmt: skip
    for name, value in given.items():
        setattr(row, name, value)
    session.add(row)


def day(days: float) -> str:
    return iso(round(START + days * DAY))


def found(database: Database, known_at: int = KNOWN) -> Quality:
    with transaction(database.engine) as session:
        return quality(session, PERIOD, known_at)


def test_what_a_source_delivered_in_the_period(database: Database) -> None:
    """Weekly, from before the period to after it; a tenth of the rows of one delivery could not be taken."""
    with transaction(database.engine) as session:
        delivered(session, "weekly", *range(-5, 99, 7))
        delivered(session, "weekly", 10.5, quarantined={"no_time": 7, "no_url": 3})
        delivered(session, "weekly", 11.5, verdict=Verdict.REFUSED)
        delivered(session, "weekly", 20.5, recorded_at=to_datetime(KNOWN + 1))
    table = found(database)
    # days 2, 9, ..., 86 and 10.5: 14 deliveries of 1,400 rows; 10 of these are 7.14 thousandths
    assert table.sources == (SourceQuality("weekly", 14, day(2), day(86), 168.0, 0.008),)
    assert table.gaps == ()


@pytest.mark.parametrize(
    ("days", "longest"),
    [
        ((40, 43), 3.0),  # nothing says that it should have delivered sooner or later
        ((-3, 40, 43), 40.0),  # from the period's start
        ((40, 43, 95), 48.0),  # to the period's end
        ((-3, 95), 91.0),  # silent throughout
        ((40,), None),
    ],
)
def test_the_longest_stretch_without_a_delivery(
    database: Database, days: tuple[float, ...], longest: float | None
) -> None:
    with transaction(database.engine) as session:
        delivered(session, "source", *days)
    [source] = found(database).sources
    assert source.longest_gap_hours == (None if longest is None else longest * 24)


def test_a_source_that_fell_silent_before_the_period_is_told_once_more(database: Database) -> None:
    """As long as the period is; one that stopped before that is no source of the period."""
    with transaction(database.engine) as session:
        delivered(session, "silent", *range(-60, -20))
        delivered(session, "long ago", *range(-300, -100))
        delivered(session, "yet to come", 95, 96)
    table = found(database)
    assert table.sources == (SourceQuality("silent", 0, None, None, None, None),)
    assert table.gaps == (Standstill(day(-21), None, "gap", "silent"),)


def batch(first: int, last: int, step: int) -> list[float]:
    """Three files within a quarter of an hour, every so many days."""
    return [at + part / 100 for at in range(first, last, step) for part in range(3)]


@pytest.mark.parametrize(
    ("days", "gaps"),
    [
        ([*range(-10, 20), *range(25, 99)], [(19, 25)]),  # daily: six days
        ([*range(-10, 20), *range(23, 99)], []),  # daily: four days are no more than four times the usual
        ([*range(-12, 20, 7), *range(44, 99, 7)], []),  # weekly: four weeks are no more either
        ([*range(-12, 20, 7), *range(51, 99, 7)], [(16, 51)]),
        (batch(-12, 99, 7), []),  # files that come together once a week
        ([*batch(-12, 20, 7), *batch(51, 99, 7)], [(16.02, 51)]),
        ([at / 24 for at in range(-240, 2400) if not 480 < at <= 500], []),  # hourly: less than a day
        ([at / 24 for at in range(-240, 2400) if not 480 < at <= 510], [(20, 511 / 24)]),
        ([*range(-10, 80)], [(79, None)]),  # nothing more until the facts were read
        ([*range(-10, 94)], []),  # what stopped after the period is none of it
        ([0.1, 0.2, 0.3], []),  # a batch, once: no interval is usual
    ],
)
def test_a_gap_is_longer_than_four_times_the_usual_and_lasts_a_day(
    database: Database, days: list[float], gaps: list[tuple[float, float | None]]
) -> None:
    with transaction(database.engine) as session:
        delivered(session, "source", *days)
    expected = [Standstill(day(start), None if end is None else day(end), "gap", "source") for start, end in gaps]
    assert list(found(database).gaps) == expected


def test_only_what_was_known_by_then_is_told(database: Database) -> None:
    with transaction(database.engine) as session:
        delivered(session, "source", *range(-10, 30), *range(50, 60))
    known_then = found(database, START + 40 * DAY)
    assert known_then.gaps == (Standstill(day(29), None, "gap", "source"),)
    assert [source.last for source in known_then.sources] == [day(29)]
    assert found(database).gaps[0] == Standstill(day(29), day(50), "gap", "source")


def test_of_single_reports_neither_their_number_nor_that_of_their_rows_is_told(database: Database) -> None:
    """A mailbox in which each report is a delivery of one row: 3 of 40 could not be taken."""
    with transaction(database.engine) as session:
        for number in range(40):
            delivered(session, "mailbox", number, rows=1, quarantined={"no_url": 1} if number < 3 else {})
    [source] = found(database, START + 40 * DAY).sources
    assert (source.deliveries, source.quarantined) == (None, 0.075)


def test_an_empty_delivery_is_one_without_a_share(database: Database) -> None:
    with transaction(database.engine) as session:
        delivered(session, "source", 3, rows=0)
    [source] = found(database).sources
    assert (source.first, source.quarantined) == (day(3), None)


def test_every_clock_stood_still(database: Database) -> None:
    with transaction(database.engine) as session:
        suspended(session, -3, -1)
        suspended(session, -1, 0.5, "storage failed; see https://example.org/ticket?id=1 for more")
        suspended(session, 90, None)
        suspended(session, 91, 92)
        suspended(session, 40, 41, recorded_at=to_datetime(KNOWN + HOUR))
    assert found(database).standstills == (
        Standstill(day(-1), day(0.5), "outage", "storage failed; see <address> for more"),
        Standstill(day(90), None, "outage", "test"),
    )
