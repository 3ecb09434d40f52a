"""The hotline's clock: local time as it prints it, the hours in which it sends, the moments it exports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from monitor.instants import DAY, HOUR, to_datetime, to_instant
from monitor.simulate.routine import Flags, Instants, midnight

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
