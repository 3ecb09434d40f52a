"""When a hotline exports and checks: how often, and the days on which it did not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from monitor.instants import DAY, HOUR, to_instant

Days: TypeAlias = tuple[date, date]  # the first and the last
Instants: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class Routine:
    """`every`, `items_every`: seconds between two exports of notices, and two of items.

    `items_of`: an export of items holds those first seen in so many seconds before it; None: all of them.
    `outages`: nothing is sent or checked. `gaps`: nothing is exported, and what an export would have held is lost.
    """

    every: int = 6 * HOUR
    items_every: int = 14 * DAY
    items_of: int | None = None
    outages: tuple[Days, ...] = ()
    gaps: tuple[Days, ...] = ()

    def next_export(self, at: Instants) -> Instants:
        """The moment of the export that holds what happened at each instant."""
        return -(-at // self.every) * self.every

    def made(self, export: Instants) -> Flags:
        """Which of the exports were made: those in no gap."""
        made = np.ones(len(export), bool)
        for days in self.gaps:
            begin, end = span(days)
            made &= (export < begin) | (export >= end)
        return made

    def next_check(self, at: Instants) -> Instants:
        """When a check could be made: at each instant, or, in an outage, when that is over."""
        for begin, end in map(span, self.outages):
            at = np.where((at >= begin) & (at < end), end, at)
        return at

    def last_check(self, at: Instants) -> Instants:
        """As `next_check`, but backwards: in an outage, the second before it began."""
        for begin, end in map(span, self.outages):
            at = np.where((at >= begin) & (at < end), begin - 1, at)
        return at

    @property
    def closed_days(self) -> frozenset[date]:
        """All days of all outages."""
        return frozenset(
            first + timedelta(days=day) for first, last in self.outages for day in range((last - first).days + 1)
        )


def midnight(day: date) -> int:
    """The first second of a day in UTC."""
    return to_instant(datetime(day.year, day.month, day.day, tzinfo=UTC))


def span(days: Days) -> tuple[int, int]:
    """The first second of the first day and of the day after the last, in UTC."""
    first, last = days
    return midnight(first), midnight(last) + DAY
