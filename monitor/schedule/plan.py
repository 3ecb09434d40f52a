"""When a source is due: its cadence, its jitter, the wait after a failure, and what was missed.

Missed runs: a source is due or it is not. After a week without a leader it is collected once, not once for each run
that did not happen; what it delivered meanwhile lies at its source, or the delivery checks notice the gap.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.instants import to_datetime, to_instant
from monitor.models.run import ScheduledSource

_LARGEST_JITTER = 0.1  # of what is waited for


@dataclass(frozen=True)
class Timing:
    """How often a source is collected, how long a run may take, and how long to wait after a failed one; seconds."""

    source: str
    cadence: int
    jitter: int
    limit: int
    retry: int

    @property
    def longest_wait(self) -> int:
        """The furthest away that a next run can be."""
        return self.cadence + spread(self.cadence, self.jitter) + 1


def timing_of(row: ScheduledSource) -> Timing:
    """The timing as stored."""
    return Timing(row.source, row.cadence_seconds, row.jitter_seconds, row.limit_seconds, row.retry_seconds)


def spread(wait: int, jitter: int) -> int:
    """The most that is added to a wait, so that sources and installations do not all ask at once."""
    return min(jitter, int(wait * _LARGEST_JITTER))


def next_run(timing: Timing, started: int, ended: int, failures: int) -> int:
    """When to run next: in the cadence of the starts after a good run; sooner, and doubling, after failures."""
    if failures:
        wait: int = min(timing.cadence, timing.retry << min(failures - 1, 30))
        return ended + wait + _jitter(wait, timing.jitter)
    return max(ended, started + timing.cadence) + _jitter(timing.cadence, timing.jitter)


def is_due(timing: Timing, at: int, now: int) -> bool:
    """Whether its time has come, or lies so far ahead that the clock was put back or the cadence made shorter."""
    return at <= now or at > now + timing.longest_wait


def _jitter(wait: int, jitter: int) -> int:
    return random.randint(0, spread(wait, jitter))  # noqa: S311 -- spreads load, hides nothing


def arrange(session: Session, timings: Iterable[Timing], now: int) -> None:
    """Make the stored sources those on schedule. One that is known keeps its next run; a new one is due at once."""
    wanted = {timing.source: timing for timing in timings}
    stored = {row.source: row for row in session.scalars(select(ScheduledSource))}
    for name in stored.keys() - wanted.keys():
        session.delete(stored[name])
    for name, timing in sorted(wanted.items()):
        row = stored.get(name) or _new(name, now)
        row.cadence_seconds, row.jitter_seconds = timing.cadence, timing.jitter
        row.limit_seconds, row.retry_seconds = timing.limit, timing.retry
        session.add(row)


def _new(name: str, now: int) -> ScheduledSource:
    at = to_datetime(now)
    return ScheduledSource(source=name, scheduled_at=at, next_run_at=at, failures=0)


def due(session: Session, now: int) -> list[Timing]:
    """The sources whose time has come, the longest overdue first."""
    rows = session.scalars(select(ScheduledSource).order_by(ScheduledSource.next_run_at, ScheduledSource.source))
    return [timing_of(row) for row in rows if is_due(timing_of(row), to_instant(row.next_run_at), now)]


def claim(session: Session, timing: Timing, now: int) -> None:
    """Put the next run off until this one has ended. Should its leader die with it, a retry comes soon."""
    row = session.get_one(ScheduledSource, timing.source)
    row.next_run_at = to_datetime(now + min(timing.retry, timing.cadence))
