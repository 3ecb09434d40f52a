"""The hotline's clock: local time as it prints it, the hours in which it sends, the moments it exports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from monitor.instants import DAY, HOUR, to_datetime, to_instant

if TYPE_CHECKING:
    from collections.abc import Iterator

ZONE = "Europe/Amsterdam"
TICK = 300  # the sending job runs every five minutes
QUEUE_CLEARED = 90 * 60  # what waited for the hours to open is sent within this time

_FRIDAY, _SATURDAY = 4, 5
_EPOCH_WEEKDAY = 3  # the day instants are counted from, a Thursday
_LEAD, _TAIL = timedelta(days=14), timedelta(days=60)


@dataclass(frozen=True)
class Hours:
    """When sending is open (from, up to and including), and how far the zone is ahead of UTC in each hour."""

    opens: Instants
    closes: Instants
    start: int
    ahead: Instants

    def next_sending(self, due: Instants, wait: Instants) -> Instants:
        """The first sending at or after `due`; what must wait for opening goes out `wait` seconds after it."""
        window = np.searchsorted(self.closes, due)
        moment = np.where(due >= self.opens[window], due, self.opens[window] + wait)
        return -(-moment // TICK) * TICK

    def windows(self, first: date, last: date) -> Instants:
        """Which windows open on those days."""
        low, high = np.searchsorted(self.opens, [midnight(first), midnight(last + timedelta(days=1))])
        return np.arange(low, high, dtype=np.int64)

    def local(self, at: Instants) -> Instants:
        """Instants shifted to the local clock, so that their days and hours are the local ones."""
        return at + self.ahead[(at - self.start) // HOUR]

    def on_friday(self, at: Instants) -> Flags:
        """Which instants fall on a Friday of the local clock."""
        weekday = (self.local(at) // DAY + _EPOCH_WEEKDAY) % 7
        return np.asarray(weekday == _FRIDAY)

    def stamps(self, at: Instants) -> list[str]:
        """Local times as the hotline prints them: `Y-m-d H:i:s`, no zone."""
        texts = np.datetime_as_string(self.local(at).astype("datetime64[s]"))
        if len(texts):
            texts.view("U1").reshape(len(texts), -1)[:, 10] = " "
        return list(texts.tolist())


def hours_between(first: date, last: date, closed_days: frozenset[date]) -> Hours:
    """The hours from two weeks before the first day to two months after the last."""
    zone = ZoneInfo(ZONE)
    start, end = midnight(first - _LEAD), midnight(last + _TAIL)
    windows = list(_windows(first - _LEAD, last + _TAIL, closed_days, zone))
    ahead = [to_datetime(hour).astimezone(zone).utcoffset() or timedelta() for hour in range(start, end, HOUR)]
    return Hours(
        np.array([opens for opens, _ in windows], np.int64),
        np.array([closes for _, closes in windows], np.int64),
        start,
        np.array([int(offset.total_seconds()) for offset in ahead], np.int64),
    )


def _windows(day: date, end: date, closed_days: frozenset[date], zone: ZoneInfo) -> Iterator[tuple[int, int]]:
    """Not at weekends or on listed days, not before 11:00 (12:00 after a blocked day), not late on Friday."""
    blocked_before = False
    while day < end:
        blocked = day.weekday() >= _SATURDAY or day in closed_days
        if not blocked:
            opens = time(12 if blocked_before else 11)
            closes = time(16, 50) if day.weekday() == _FRIDAY else time(21, 50)
            yield (
                to_instant(datetime.combine(day, opens, zone)),
                to_instant(datetime.combine(day, closes, zone)),
            )
        blocked_before = blocked
        day += timedelta(days=1)


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
