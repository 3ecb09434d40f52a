"""Numbers, times and periods as people read them, in Dutch or English; no number is a dash, never a zero."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime

from monitor.score.table import AgeCount
from monitor.wording.words import Language, Text

MISSING = "–"
NARROW = "\u00a0"  # keeps a number and its unit on one line
_MONTHS = {
    "nl": "januari,februari,maart,april,mei,juni,juli,augustus,september,oktober,november,december",
    "en": "January,February,March,April,May,June,July,August,September,October,November,December",
}
_QUARTER = re.compile(r"^(\d{4})Q([1-4])$")
_RANGE = re.compile(r"^(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})$")
_ENGLISH_QUARTERS = ("first", "second", "third", "fourth")


def count(value: int | None, language: Language) -> str:
    """`12.345` in Dutch, `12,345` in English."""
    return MISSING if value is None else _localise(f"{value:,}", language)


def decimal(value: float | None, language: Language, digits: int = 1) -> str:
    """A number with a fixed number of decimals and the thousands marked."""
    return MISSING if value is None else _localise(f"{value:,.{digits}f}", language)


def ratio(value: float | None, language: Language) -> str:
    """A number that may be small: one decimal from 1 on, else its first two digits; only 0 reads as 0."""
    return decimal(value, language, 1 if not value or value >= 1 else 1 - math.floor(math.log10(value)))


def share(value: float | None, language: Language) -> str:
    """A share as a percentage of one decimal; `100%` and `0%` only where they are exact."""
    if value is None:
        return MISSING
    if value in (0, 1):
        return f"{value:.0%}"
    return decimal(min(max(value * 100, 0.1), 99.9), language) + "%"


def percent(value: float, language: Language) -> str:
    """A chosen share, such as a norm: without decimals where it has none."""
    return f"{value:.0%}" if round(value * 100, 6).is_integer() else share(value, language)


def share_range(low: float | None, high: float | None, language: Language) -> str:
    """Two shares as a range, or as one where they read the same; a dash where either is not known."""
    if low is None or high is None:
        return MISSING
    first, last = share(low, language), share(high, language)
    return first if first == last else f"{first}{NARROW}{MISSING}{NARROW}{last}"


def hours(value: float | None, language: Language) -> str:
    """A duration: `4,2 uur` / `4.2 hours`, whole from a thousand; a dash where it is not known."""
    if value is None:
        return MISSING
    return f"{decimal(value, language, 1 if value < 1000 else 0)}{NARROW}{hour_word(value, language)}"


def hour_word(value: float, language: Language) -> str:
    """`uur`, or `hour` / `hours`."""
    if language == "nl":
        return "uur"
    return "hour" if value == 1 else "hours"


def deadline(value: float, language: Language) -> str:
    """A deadline in whole hours where it is whole."""
    if not value.is_integer():
        return hours(value, language)
    return f"{value:.0f}{NARROW}{hour_word(value, language)}"


def reached(value: float | None, language: Language) -> str:
    """A quantile of the time to removal; None means that it was not reached."""
    return not_reached(language) if value is None else hours(value, language)


def not_reached(language: Language) -> str:
    """The words for a quantile that was not reached."""
    return "niet bereikt" if language == "nl" else "not reached"


def hours_range(low: float | None, high: float | None, language: Language) -> str:
    """The interval of a quantile; an upper end of None is open, a lower end of None unknown."""
    if low is None and high is None:
        return MISSING
    above, below = ("meer dan", "minder dan") if language == "nl" else ("more than", "less than")
    if high is None:
        return f"{above} {hours(low, language)}"
    if low is None:
        return f"{below} {hours(high, language)}"
    return f"{decimal(low, language)}{MISSING}{hours(high, language)}"


def age(value: float | None, language: Language) -> str:
    """An age: in hours under four days, else in whole days."""
    if value is None or value < 96:
        return hours(value, language)
    return f"{count(int(value // 24), language)}{NARROW}{'dagen' if language == 'nl' else 'days'}"


def age_words(age: AgeCount, language: Language) -> str:
    """`24 tot 48 uur`, `2 tot 7 dagen`, `30 dagen of meer`."""
    unit = 24 if age.from_hours >= 48 else 1
    words = {1: Text("uur", "hours"), 24: Text("dagen", "days")}[unit][language]
    first = f"{age.from_hours / unit:g}"
    if age.to_hours is None:
        return f"{first} {words} {Text('of meer', 'or more')[language]}"
    return f"{first} {Text('tot', 'to')[language]} {age.to_hours / unit:g} {words}"


def day(value: date, language: Language) -> str:
    """`1 juli 2026` / `1 July 2026`."""
    return f"{value.day}{NARROW}{_MONTHS[language].split(',')[value.month - 1]} {value.year}"


def instant(value: str | datetime, language: Language) -> str:
    """An ISO 8601 instant as day and time in UTC."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return f"{day(moment.date(), language)}, {moment:%H:%M}{NARROW}UTC"


def period(value: str, language: Language) -> str:
    """`2026Q2` or `2026-03-11..2026-04-11` in words; anything else as it is."""
    if found := _QUARTER.match(value):
        year, number = found[1], int(found[2])
        if language == "nl":
            return f"{number}e{NARROW}kwartaal {year}"
        return f"{_ENGLISH_QUARTERS[number - 1]} quarter of {year}"
    if found := _RANGE.match(value):
        first, last = (day(date.fromisoformat(part), language) for part in found.groups())
        return f"{first} {'tot' if language == 'nl' else 'to'} {last}"
    return value


def short_period(value: str, language: Language) -> str:
    """A period for a link: `2026-Q2`, or its dates in words."""
    return f"{value[:4]}-{value[4:]}" if _QUARTER.match(value) else period(value, language)


def _localise(text: str, language: Language) -> str:
    return text.translate(str.maketrans(",.", ".,")) if language == "nl" else text
