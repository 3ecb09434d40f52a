"""A report is made from what was public when its release came out: later releases change no report."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from monitor.db import connect
from monitor.models.release import Stage
from monitor.settings import Settings
from monitor.wording.language import EN, NL
from reports.document import Report, page
from reports.read_release import read_report
from tests.conftest import NewDatabase
from tests.reports.fiction import publish, quarter

SETTINGS = Settings(contact="objections@example.org")


def at(month: int, day: int = 1) -> datetime:
    """That day of 2026, eight hours UTC."""
    return datetime(2026, month, day, 8, tzinfo=UTC)


@pytest.fixture
def engine(new_database: NewDatabase) -> Iterator[Engine]:
    """An empty database."""
    opened = connect(new_database())
    yield opened
    opened.dispose()


def told(made: Report) -> list[tuple[str, int, str]]:
    """The corrections it tells of."""
    return [(one.period, one.version, one.reason) for one in made.corrections]


def test_earlier_quarters_are_told_in_the_version_of_that_day_and_corrections_since_the_report_before(
    engine: Engine,
) -> None:
    with Session(engine) as session:
        publish(session, quarter("2025Q3"), published_at=at(1))
        publish(session, quarter("2025Q3", 1), 2, published_at=at(2), reason="before the report of 2025Q4")
        publish(session, quarter("2025Q4"), published_at=at(3))
        publish(session, quarter("2025Q3", 2), 3, published_at=at(4), reason="after it")
        publish(session, quarter("2025Q4", 3), 2, published_at=at(5), reason="of that quarter")
        publish(session, quarter("2026Q1"), published_at=at(6))
        made = read_report(session, SETTINGS, "2026Q1")
        assert [table.period for table in made.earlier] == ["2025Q3", "2025Q4"]
        late = [table.rows[0].figures.on_time.late for table in made.earlier if table.rows[0].figures]
        assert late == [214 - 2, 214 - 3]
        assert told(made) == [("2025Q3", 3, "after it"), ("2025Q4", 2, "of that quarter")]
        before, after = made.corrections[0].before.rows[0].figures, made.corrections[0].after.rows[0].figures
        assert before is not None
        assert after is not None
        assert (before.on_time.late, after.on_time.late) == (214 - 1, 214 - 2)


def test_a_report_stays_the_same_when_later_releases_appear(engine: Engine) -> None:
    with Session(engine) as session:
        publish(session, quarter("2025Q4"), published_at=at(3))
        publish(session, quarter("2026Q1", 5), published_at=at(6))
        before = page(read_report(session, SETTINGS, "2026Q1"), EN, "print")
        publish(session, quarter("2025Q4", 9), 2, published_at=at(7), reason="later")
        publish(session, quarter("2026Q2", 9), published_at=at(8))
        publish(session, quarter("2026Q3", 9), stage=Stage.DRAFT, published_at=at(2))
        assert page(read_report(session, SETTINGS, "2026Q1"), EN, "print") == before


def test_the_report_of_a_correction_says_what_it_corrects(engine: Engine) -> None:
    with Session(engine) as session:
        publish(session, quarter("2026Q1"), published_at=at(6))
        publish(session, quarter("2026Q1", 9), 2, published_at=at(7), reason="A removal was read too late.")
        made = read_report(session, SETTINGS, "2026Q1")
    assert told(made) == [("2026Q1", 2, "A removal was read too late.")]
    html = page(made, EN, "print")
    assert "Reason: A removal was read too late." in html
    assert "This is the first release of a quarter" in html


def test_a_period_that_is_no_quarter_is_compared_with_none(engine: Engine) -> None:
    with Session(engine) as session:
        publish(session, quarter("2025Q4"), published_at=at(3))
        publish(session, quarter("2026-01-01..2026-02-01"), published_at=at(4))
        made = read_report(session, SETTINGS, "2026-01-01..2026-02-01")
    assert made.earlier == ()
    assert made.corrections == ()
    assert "Kwartaalverslag" not in page(made, NL, "screen")
