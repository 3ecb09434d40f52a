"""How a published value of each type reads, with its interval: the same on page, in report and in comparisons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from monitor.score.table import Bounds, Estimate, Quantile
from monitor.wording import formatting
from monitor.wording.words import STANDINGS, Language, Text

# How a value reads, how it sorts, and which columns of a file it fills (monitor.tables.columns).
Type = Literal[
    "text", "flag", "standing", "rank", "count", "hours", "age", "decimal", "ratio", "share", "quantile", "bounds",
    "curve", "ages", "relocation", "change",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """A value as people read it, and its 95 % interval (a dash where it has none)."""

    value: str
    interval: str = formatting.MISSING


def rank_words(item: Estimate | None) -> str:
    """`4 (3–6)`: the rank with its interval; a dash where there is none."""
    if item is None or item.rank is None:
        return formatting.MISSING
    if item.rank_low is None or item.rank_high is None:
        return str(item.rank)
    return f"{item.rank} ({item.rank_low}{formatting.MISSING}{item.rank_high})"


def _share(value: Any, language: Language) -> Reading:
    """From the strict reading to the lenient one, of an `OnTime` or of the network, with the interval of the latter."""
    lenient = value.lenient
    return Reading(
        formatting.share_range(value.strict.p, lenient.p, language),
        formatting.share_range(lenient.low, lenient.high, language),
    )


def _quantile(value: Quantile, language: Language) -> Reading:
    interval = formatting.hours_range(value.low, value.high, language)
    return Reading(formatting.reached(value.value, language), interval)


def _bounds(value: Bounds, language: Language) -> Reading:
    """From the one reading to the other, as one number where they read the same."""
    if value.lenient is None or value.strict is None:
        return Reading(formatting.MISSING)
    low, high = sorted((value.lenient, value.strict))
    if formatting.decimal(low, language) == formatting.decimal(high, language):
        return Reading(formatting.hours(low, language))
    return Reading(f"{formatting.decimal(low, language)}{formatting.MISSING}{formatting.hours(high, language)}")


_YES_NO = {True: Text("ja", "yes"), False: Text("nee", "no")}
READERS: Mapping[Type, Callable[[Any, Language], Reading]] = MappingProxyType(
    {
        "text": lambda value, language: Reading(value or formatting.MISSING),  # noqa: ARG005
        "flag": lambda value, language: Reading(_YES_NO[value][language]),
        "standing": lambda value, language: Reading(STANDINGS[value].label[language] if value else formatting.MISSING),
        "rank": lambda item, language: Reading(rank_words(item)),  # noqa: ARG005
        "count": lambda value, language: Reading(formatting.count(value, language)),
        "hours": lambda value, language: Reading(formatting.hours(value, language)),
        "age": lambda value, language: Reading(formatting.age(value, language)),
        "decimal": lambda value, language: Reading(formatting.decimal(value, language)),
        "ratio": lambda value, language: Reading(formatting.ratio(value, language)),
        "share": _share,
        "quantile": _quantile,
        "bounds": _bounds,
    }
)
