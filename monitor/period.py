"""Reporting periods: a quarter (`2026Q2`) or two dates (`2026-03-11..2026-04-11`), in UTC, the end not included."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

from monitor.errors import MonitorError
from monitor.instants import to_instant

_QUARTER = re.compile(r"(\d{4})Q([1-4])")
_DATES = re.compile(r"(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})")


@dataclass(frozen=True)
class Period:
    """From `start` (included) to `end` (not included), epoch seconds; `label` as it is written."""

    label: str
    start: int
    end: int


def parse_period(text: str) -> Period:
    """Read a period; raises MonitorError that says how one is written."""
    if match := _QUARTER.fullmatch(text):
        year, quarter = int(match[1]), int(match[2])
        after = (year, 3 * quarter + 1) if quarter < 4 else (year + 1, 1)
        return Period(text, _midnight(date(year, 3 * quarter - 2, 1)), _midnight(date(*after, 1)))
    if match := _DATES.fullmatch(text):
        try:
            start, end = (date.fromisoformat(day) for day in match.groups())
        except ValueError as error:
            raise MonitorError(f"period {text!r}: {error}") from error
        if start < end:
            return Period(text, _midnight(start), _midnight(end))
        raise MonitorError(f"period {text!r} ends before it begins")
    raise MonitorError(f"{text!r} is no period; write 2026Q2 or 2026-03-11..2026-04-11 (last day not included)")


def _midnight(day: date) -> int:
    return to_instant(datetime(day.year, day.month, day.day, tzinfo=UTC))
