"""When a source is due: cadence, jitter, backoff, missed runs and clocks that jump."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from monitor.db import transaction
from monitor.instants import to_instant
from monitor.models.run import ScheduledSource
from monitor.schedule.plan import Timing, arrange, claim, due, is_due, next_run
from tests.conftest import Database

NOW = 1_777_636_800
HOURLY = Timing("scart_drop", cadence=3600, jitter=0, limit=1800, retry=300)
DAILY = Timing("ris", cadence=86_400, jitter=60, limit=1800, retry=300)


@pytest.mark.parametrize(
    ("failures", "wait"), [(1, 300), (2, 600), (3, 1200), (4, 2400), (5, 3600), (6, 3600), (10_000, 3600)]
)
def test_wait_after_failures_doubles_up_to_the_cadence(failures: int, wait: int) -> None:
    assert next_run(HOURLY, NOW, NOW + 10, failures) == NOW + 10 + wait


def test_good_run_keeps_the_rhythm_of_the_starts() -> None:
    assert next_run(HOURLY, NOW, NOW + 900, 0) == NOW + 3600
    assert next_run(HOURLY, NOW, NOW + 4000, 0) == NOW + 4000  # it took longer than its cadence


@given(st.integers(1, 10**6), st.integers(0, 10**4), st.integers(1, 10**5), st.integers(0, 50), st.integers(0, 10**5))
def test_next_run_lies_ahead_and_no_further_than_the_longest_wait(
    cadence: int, jitter: int, retry: int, failures: int, took: int
) -> None:
    timing = Timing("a", cadence, jitter, 60, retry)
    at = next_run(timing, NOW, NOW + took, failures)
    assert NOW + took <= at <= NOW + took + timing.longest_wait
    assert not is_due(timing, at, NOW + took - 1) or at <= NOW + took


@pytest.mark.parametrize(
    ("seconds_ahead", "expected"),
    [(0, True), (-1, True), (1, False), (3600, False), (3602, True), (-30 * 86_400, True), (30 * 86_400, True)],
)
def test_due_when_its_time_has_come_or_the_clock_was_put_back(seconds_ahead: int, expected: bool) -> None:
    assert is_due(HOURLY, NOW + seconds_ahead, NOW) is expected


def _arrange(database: Database, *timings: Timing, now: int = NOW) -> dict[str, int]:
    with transaction(database.engine) as session:
        arrange(session, timings, now)
        session.flush()
        return {row.source: to_instant(row.next_run_at) for row in session.scalars(select(ScheduledSource))}


def _due(database: Database, now: int) -> list[str]:
    with transaction(database.engine) as session:
        return [timing.source for timing in due(session, now)]


def test_restart_neither_delays_nor_repeats(database: Database) -> None:
    assert _arrange(database, HOURLY, DAILY) == {"scart_drop": NOW, "ris": NOW}
    with transaction(database.engine) as session:
        claim(session, HOURLY, NOW)
    assert _due(database, NOW) == ["ris"]
    assert _arrange(database, HOURLY, DAILY, now=NOW + 60) == {"scart_drop": NOW + 300, "ris": NOW}
    assert _arrange(database, DAILY, now=NOW + 60) == {"ris": NOW}


def test_after_a_month_without_a_leader_each_source_runs_once(database: Database) -> None:
    _arrange(database, HOURLY)
    late = NOW + 30 * 86_400
    assert _due(database, late) == ["scart_drop"]
    with transaction(database.engine) as session:
        row = session.get_one(ScheduledSource, "scart_drop")
        row.next_run_at = row.next_run_at.fromtimestamp(next_run(HOURLY, late, late + 5, 0), row.next_run_at.tzinfo)
    assert _due(database, late + 5) == []
    assert _due(database, late + 3600) == ["scart_drop"]


def test_shorter_cadence_counts_at_once(database: Database) -> None:
    _arrange(database, DAILY)
    with transaction(database.engine) as session:
        row = session.get_one(ScheduledSource, "ris")
        row.next_run_at = row.next_run_at.fromtimestamp(NOW + 80_000, row.next_run_at.tzinfo)
    assert _due(database, NOW) == []
    _arrange(database, replace(DAILY, cadence=3600))
    assert _due(database, NOW) == ["ris"]
