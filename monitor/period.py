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


def is_quarter(label: str) -> bool:
    """Whether a period is a quarter such as `2026Q2`."""
    return _QUARTER.fullmatch(label) is not None


def quarter_number(label: str) -> int:
    """Quarters in their order: that after `2026Q2` has the next number."""
    year, quarter = label.split("Q")
    return 4 * int(year) + int(quarter) - 1


def quarter_label(number: int) -> str:
    """The quarter with that number."""
    return f"{number // 4:04}Q{number % 4 + 1}"


def preceding_period(period: Period) -> Period:
    """The quarter before a quarter; of two dates as many days that end where the period begins."""
    if is_quarter(period.label):
        return parse_period(quarter_label(quarter_number(period.label) - 1))
    begins = 2 * period.start - period.end
    days = (datetime.fromtimestamp(at, UTC).date().isoformat() for at in (begins, period.start))
    return Period("..".join(days), begins, period.start)


def _midnight(day: date) -> int:
    return to_instant(datetime(day.year, day.month, day.day, tzinfo=UTC))
