"""Instants: whole seconds since 1970-01-01T00:00:00Z in the core, aware datetimes at its edges; and periods of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from monitor.errors import MonitorError

# Instants: whole seconds since 1970-01-01T00:00:00Z in the core, aware datetimes at its edges.

HOUR = 3600
DAY = 24 * HOUR

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(
    r"(\d{4})(-?)(\d{2})\2(\d{2})[Tt ]"  # 2026-04-10 or 20260410
    r"(\d{2})(:?)(\d{2})(?:\6(\d{2})(?:[.,]\d{1,18})?)?"  # 12:07, 12:07:25, 12:07:25.5, or without colons
    r" ?(?:([Zz]|UTC|GMT)|([+\u2212-])(\d{2})(?::?(\d{2}))?)?"
    r"(?:\[[\w./+=-]{1,64}\])*",  # the zone by its name besides, or a calendar (RFC 9557)
    re.ASCII,
)
_LEAP_SECOND = 60


class NotATimeError(ValueError):
    """A text that is no time with a zone; `reason` is `not_a_time` or `time_without_zone`."""

    def __init__(self, reason: str) -> None:
        """Why, as a code; never what stands in the text."""
        super().__init__(reason)
        self.reason = reason


def to_instant(moment: datetime) -> int:
    """Whole seconds since the epoch of an aware datetime (fractions are dropped); naive time is refused."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone: say which zone it is in")
    return int(moment.timestamp() // 1)


def to_datetime(instant: int) -> datetime:
    """The aware UTC datetime of an instant."""
    return datetime.fromtimestamp(instant, UTC)


def iso(instant: int) -> str:
    """`2026-04-10T16:31:23Z`."""
    return to_datetime(instant).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_instant(text: str) -> int:
    """The instant of a time with its zone: RFC 3339, and the variants of ISO 8601 that can mean one thing only.

    `t`, `T` or a space before the time; seconds may be left out, and fractions (with a point or comma) are dropped; the
    zone is `Z`, `z`, `UTC`, `GMT`, `+02`, `+0200` or `+02:00`, also after a space; what follows it in square brackets
    (`+02:00[Europe/Amsterdam]`) is not read; dashes and colons may be left out (`20260410T120725Z`). A leap second
    (`23:59:60Z`) is the first second of the next day. `24:00` is refused: programs write it for either end of a day.
    Raises NotATimeError.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise NotATimeError("not_a_time")
    year, _, month, day, hour, _, minute, second, utc, sign, hours, minutes = match.groups()
    is_leap = second == str(_LEAP_SECOND)
    try:
        clock = datetime(
            int(year), int(month), int(day), int(hour), int(minute), 59 if is_leap else int(second or 0), tzinfo=UTC
        )
        offset = time(int(hours or 0), int(minutes or 0))
    except ValueError:
        raise NotATimeError("not_a_time") from None
    if utc is None and sign is None:
        raise NotATimeError("time_without_zone")
    east = (offset.hour * 60 + offset.minute) * 60 * (1 if sign == "+" else -1)
    instant = to_instant(clock) - east
    if is_leap and instant % DAY != DAY - 1:
        raise NotATimeError("not_a_time")
    return instant + is_leap


def parse_instant(text: str) -> int:
    """Read a time with its zone as `read_instant` does, or a date (its first second in UTC).

    Raises MonitorError where the text is no such thing, or has a time without a zone.
    """
    try:
        return read_instant(f"{text}T00:00:00Z" if _DATE.fullmatch(text) else text)
    except NotATimeError as error:
        if error.reason == "time_without_zone":
            text = f"{text!r} has no zone: end it in Z for UTC, or in an offset such as +02:00"
            raise MonitorError(text) from error
        raise MonitorError(f"{text!r} is not an ISO 8601 time that exists, such as 2026-04-10T16:31:23Z") from error


# Reporting periods: a quarter (`2026Q2`) or two dates (`2026-03-11..2026-04-11`), in UTC, the end not included.

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


def quarters(first: str, last: str) -> tuple[str, ...]:
    """All quarters from the first to the last."""
    return tuple(map(quarter_label, range(quarter_number(first), quarter_number(last) + 1)))


def quarters_between(first: str, last: str) -> tuple[str, ...]:
    """The quarters between two; none where either period is no quarter."""
    return quarters(first, last)[1:-1] if is_quarter(first) and is_quarter(last) else ()


def quarter_label(number: int) -> str:
    """The quarter with that number."""
    return f"{number // 4:04}Q{number % 4 + 1}"


def quarter_of(instant: int) -> Period:
    """The quarter (UTC) that an instant lies in."""
    day = datetime.fromtimestamp(instant, UTC).date()
    return parse_period(f"{day.year:04}Q{(day.month + 2) // 3}")


def preceding_period(period: Period) -> Period:
    """The quarter before a quarter; of two dates as many days that end where the period begins."""
    if is_quarter(period.label):
        return parse_period(quarter_label(quarter_number(period.label) - 1))
    begins = 2 * period.start - period.end
    days = (datetime.fromtimestamp(at, UTC).date().isoformat() for at in (begins, period.start))
    return Period("..".join(days), begins, period.start)


def _midnight(day: date) -> int:
    return to_instant(datetime(day.year, day.month, day.day, tzinfo=UTC))
