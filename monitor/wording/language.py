"""The languages of what people read: wording by gettext, numbers, dates and lists by Babel; no number is a dash.

A `Language` is one object that does both, and is given to whatever makes text: pages, report, pictures and files. The
English sentence stands in the code where it is used and is what gettext looks up; the other languages are in
`monitor/translations/*.po` (CONTRIBUTING.md says how they are made). A constant that is translated where it is shown
is a `Message`.
"""

from __future__ import annotations

import gettext
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent
from markupsafe import Markup, escape

import monitor
from monitor.instants import is_quarter
from monitor.score.table import AgeCount

MISSING = "–"
_FLOAT_ERROR = 1e-9  # far below one episode of all there are
NBSP = "\u00a0"  # keeps a number and its unit on one line
CATALOGUES = Path(monitor.__file__).parent / "translations"
_RANGE = re.compile(r"^(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})$")


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence in English that is translated where it is shown; `context` where one text has two meanings."""

    text: str
    context: str | None = None


@dataclass(frozen=True, slots=True)
class Plural:
    """The same of a number of things, `{n}`: a sentence for one and a sentence for others."""

    one: str
    others: str

    @property
    def forms(self) -> tuple[str, str]:
        """As `ngettext` takes them."""
        return self.one, self.others


@dataclass(frozen=True, slots=True)
class Language:
    """One language: its code, its name in itself, and the locale that its numbers and dates follow.

    It reads as its code. The values of a sentence are given by name and stand in it as `{name}`.
    """

    code: Literal["nl", "en"]
    name: str
    locale: str

    def __str__(self) -> str:
        """The code: of addresses, attributes and file names."""
        return self.code

    def gettext(self, message: str | Message, **values: object) -> str:
        """A sentence in this language, with its values filled in."""
        return _filled(_translated(message, self.code), values)

    def ngettext(self, singular: str, plural: str, n: int, /, **values: object) -> str:
        """The same of a number of things, `{n}`, which reads as `count` writes it."""
        text = _catalogue(self.code).ngettext(singular, plural, n)
        return _filled(text, {"n": self.count(n), **values})

    def markup(self, message: str | Message, **values: object) -> Markup:
        """A sentence for HTML and XML: the wording is plain text, so it is escaped, and so are values but markup."""
        return Markup(_filled(escape(_translated(message, self.code)), values))  # noqa: S704  # escaped

    def nmarkup(self, singular: str, plural: str, n: int, /, **values: object) -> Markup:
        """The same of a number of things."""
        text = escape(_catalogue(self.code).ngettext(singular, plural, n))
        return Markup(_filled(text, {"n": self.count(n), **values}))  # noqa: S704  # escaped

    def count(self, value: int | None) -> str:
        """`12.345` in Dutch, `12,345` in English."""
        return MISSING if value is None else _decimal(str(value), 0, self.locale)

    def decimal(self, value: float | None, digits: int = 1) -> str:
        """A number with a fixed number of decimals and the thousands marked."""
        return MISSING if value is None else _decimal(f"{value:.{digits}f}", digits, self.locale)

    def ratio(self, value: float | None) -> str:
        """A number that may be small: one decimal from 1 on, else its first two digits; only 0 reads as 0."""
        return self.decimal(value, 1 if not value or value >= 1 else 1 - math.floor(math.log10(value)))

    def share(self, value: float | None) -> str:
        """A share as a percentage of one decimal; `100%` and `0%` only where they are exact, apart from float sums."""
        if value is None:
            return MISSING
        value = _clipped(value)
        if value in (0, 1):
            return _percent(f"{value * 100:.0f}", 0, self.locale)
        return _percent(f"{min(max(value * 100, 0.1), 99.9):.1f}", 1, self.locale)

    def percent(self, value: float) -> str:
        """A chosen share, such as a norm: without decimals where it has none."""
        if round(value * 100, 6).is_integer():
            return _percent(f"{value * 100:.0f}", 0, self.locale)
        return self.share(value)

    def share_range(self, low: float | None, high: float | None) -> str:
        """Two shares as a range, the lower first, or as one where they read alike; a dash where either is unknown."""
        if low is None or high is None:
            return MISSING
        first, last = map(self.share, sorted((low, high)))
        return first if first == last else f"{first}{NBSP}{MISSING}{NBSP}{last}"

    def hours(self, value: float | None) -> str:
        """A duration: `4,2 uur` / `4.2 hours`, whole from a thousand; a dash where it is not known."""
        if value is None:
            return MISSING
        return self.in_hours(self.decimal(value, 1 if value < 1000 else 0), one=value == 1)

    def deadline(self, value: float) -> str:
        """A deadline in whole hours where it is whole."""
        return self.in_hours(f"{value:.0f}", one=value == 1) if value.is_integer() else self.hours(value)

    def in_hours(self, numbers: str, *, one: bool = False) -> str:
        """Numbers that are written out, with their unit kept on one line with the last; `one`: it is 1."""
        return _together(self.ngettext("{n} hour", "{n} hours", 1 if one else 2, n="{n}")).format(n=numbers)

    def reached(self, value: float | None) -> str:
        """A quantile of the time to removal; None means that it was not reached."""
        return self.gettext("not reached") if value is None else self.hours(value)

    def hours_range(self, low: float | None, high: float | None) -> str:
        """The interval of a quantile; an upper end of None is open, a lower end of None unknown."""
        if low is None and high is None:
            return MISSING
        low, high = (None if value is None else max(value, 0.0) for value in (low, high))
        if high is None:
            return self.gettext("more than {hours}", hours=self.hours(low))
        if low is None:
            return self.gettext("less than {hours}", hours=self.hours(high))
        low, high = sorted((low, high))
        return f"{self.decimal(low, 1 if high < 1000 else 0)}{MISSING}{self.hours(high)}"

    def age(self, value: float | None) -> str:
        """An age: in hours under four days, else in whole days."""
        if value is None or value < 96:
            return self.hours(value)
        return _together(self.ngettext("{n} day", "{n} days", int(value // 24)))

    def age_group(self, age: AgeCount) -> str:
        """`24 tot 48 uur`, `2 tot 7 dagen`, `30 dagen of meer`."""
        unit = 24 if age.from_hours >= 48 else 1
        first = f"{age.from_hours / unit:g}"
        if age.to_hours is None:
            text = Message("{first} hours or more") if unit == 1 else Message("{first} days or more")
            return self.gettext(text, first=first)
        text = Message("{first} to {last} hours") if unit == 1 else Message("{first} to {last} days")
        return self.gettext(text, first=first, last=f"{age.to_hours / unit:g}")

    def listed(self, parts: Sequence[str]) -> str:
        """`a`, `a en b`, `a, b en c`."""
        return format_list(parts, locale=self.locale)

    def day(self, value: date) -> str:
        """`1 juli 2026` / `1 July 2026`."""
        return format_date(value, f"d{NBSP}MMMM y", locale=self.locale)

    def instant(self, value: str | datetime) -> str:
        """An ISO 8601 instant as day and time in UTC."""
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        return f"{self.day(moment.date())}, {moment:%H:%M}{NBSP}UTC"

    def period(self, value: str) -> str:
        """`2026Q2` or `2026-03-11..2026-04-11` in words; anything else as it is."""
        if is_quarter(value):
            return self.gettext(_QUARTERS[int(value[-1]) - 1], year=value[:4])
        if found := _RANGE.match(value):
            first, last = (self.day(date.fromisoformat(part)) for part in found.groups())
            return self.gettext("{first} to {last}", first=first, last=last)
        return value

    def short_period(self, value: str) -> str:
        """A period for a link: `2026-Q2`, or its dates in words."""
        return f"{value[:4]}-{value[4:]}" if is_quarter(value) else self.period(value)


# Translators: a no-break space keeps a numeral with the word after it.
_QUARTERS = (
    Message("first quarter of {year}"),
    Message("second quarter of {year}"),
    Message("third quarter of {year}"),
    Message("fourth quarter of {year}"),
)
NL = Language("nl", "Nederlands", "nl_NL")
EN = Language("en", "English", "en_GB")
LANGUAGES = (NL, EN)
# What templates call by its bare name: how a `Language` writes numbers, dates and periods.
FORMATS = (
    "count",
    "decimal",
    "ratio",
    "share",
    "percent",
    "share_range",
    "hours",
    "deadline",
    "reached",
    "hours_range",
    "age",
    "day",
    "instant",
    "period",
    "short_period",
)


@cache
def _catalogue(code: str) -> gettext.NullTranslations:
    """The compiled catalogue; English has none, for its sentences are those of the code."""
    if code == EN.code:
        return gettext.NullTranslations()
    with (CATALOGUES / f"{code}.mo").open("rb") as file:
        return gettext.GNUTranslations(file)


def _translated(message: str | Message, code: str) -> str:
    catalogue = _catalogue(code)
    if isinstance(message, str):
        return catalogue.gettext(message)
    if message.context is None:
        return catalogue.gettext(message.text)
    return catalogue.pgettext(message.context, message.text)


def _filled(text: str, values: dict[str, object]) -> str:
    """A sentence without values may have braces of its own."""
    return text.format(**values) if values else text


def _clipped(share: float) -> float:
    """A share within 0 and 1, and exactly one of them where it differs by no more than a sum of floats does."""
    within = min(max(share, 0.0), 1.0)
    nearest = float(round(within))
    return nearest if abs(within - nearest) < _FLOAT_ERROR else within


def _together(text: str) -> str:
    return text.replace(" ", NBSP)


@lru_cache(maxsize=1 << 14)
def _decimal(text: str, digits: int, locale: str) -> str:
    """Digits that are rounded already, as the locale writes them: Babel rounds the decimal form of a binary number."""
    return format_decimal(Decimal(text), _pattern(digits), Locale.parse(locale))


@lru_cache(maxsize=1 << 14)
def _percent(text: str, digits: int, locale: str) -> str:
    return format_percent(Decimal(text).scaleb(-2), f"{_pattern(digits)}%", Locale.parse(locale))


def _pattern(digits: int) -> str:
    return "#,##0" + ("." + "0" * digits if digits else "")
