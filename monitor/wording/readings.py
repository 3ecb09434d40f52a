"""What is said of a published figure, and how a value of each type reads: the same on page, in report and elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from monitor.score.table import Bounds, Estimate, Quantile
from monitor.wording.language import MISSING, Language, Message
from monitor.wording.words import STANDING_WORDS, Words

# How a value reads, how it sorts, and which columns of a file it fills (monitor.tables.columns).
Type = Literal[
    "text", "flag", "standing", "rank", "count", "hours", "age", "decimal", "ratio", "share", "quantile", "bounds",
    "curve", "ages", "relocation", "change", "hourly", "unreachable", "backlog", "reasons",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """A value as people read it, and its 95 % interval (a dash where it has none)."""

    value: str
    interval: str = MISSING


def rank_words(item: Estimate | None) -> str:
    """`4 (3–6)`: the rank with its interval; a dash where there is none."""
    if item is None or item.rank is None:
        return MISSING
    if item.rank_low is None or item.rank_high is None:
        return str(item.rank)
    return f"{item.rank} ({item.rank_low}{MISSING}{item.rank_high})"


def _share(value: Any, language: Language) -> Reading:
    """From the strict reading to the lenient one, of an `OnTime` or of the network, with the interval of the latter."""
    lenient = value.lenient
    return Reading(
        language.share_range(value.strict.p, lenient.p),
        language.share_range(lenient.low, lenient.high),
    )


def _quantile(value: Quantile, language: Language) -> Reading:
    interval = language.hours_range(value.low, value.high)
    return Reading(language.reached(value.value), interval)


def _bounds(value: Bounds, language: Language) -> Reading:
    """From the one reading to the other, as one number where they read the same."""
    if value.lenient is None or value.strict is None:
        return Reading(MISSING)
    low, high = sorted((value.lenient, value.strict))
    if language.decimal(low) == language.decimal(high):
        return Reading(language.hours(low))
    return Reading(f"{language.decimal(low)}{MISSING}{language.hours(high)}")


_YES_NO = {True: Message("yes"), False: Message("no")}
READERS: Mapping[Type, Callable[[Any, Language], Reading]] = MappingProxyType(
    {
        "text": lambda value, language: Reading(value or MISSING),  # noqa: ARG005
        "flag": lambda value, language: Reading(language.gettext(_YES_NO[value])),
        "standing": lambda value, language: Reading(
            language.gettext(STANDING_WORDS[value].label) if value else MISSING
        ),
        "rank": lambda item, language: Reading(rank_words(item)),  # noqa: ARG005
        "count": lambda value, language: Reading(language.count(value)),
        "hours": lambda value, language: Reading(language.hours(value)),
        "age": lambda value, language: Reading(language.age(value)),
        "decimal": lambda value, language: Reading(language.decimal(value)),
        "ratio": lambda value, language: Reading(language.ratio(value)),
        "share": _share,
        "quantile": _quantile,
        "bounds": _bounds,
    }
)
Order = Literal["asc", "desc"]
# identity: said of every company, also of one without figures. figure: withheld with the company. total: the sum over
# companies is published too, as far as it tells nothing of a company without figures (monitor.disclosure.suppression).
Disclosure = Literal["identity", "figure", "total"]
# Totals of one group are suppressed together: what is made from the times of the network's episodes; and of those of
# volume any two give the third.
Group = Literal["timing", "volume"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One published figure: what it is called and means, where its value is, how it reads, and what may be told of it.

    `field` is its name in JSON, and how the names of its columns in CSV begin; empty where it is a part of another or
    made of two releases. `later` is the field of a company that holds it in a release: None, and in none of the files,
    in a release made before there was such a field. `total` is its name among the sums over companies. `unit` is what
    it counts or measures. `sort` is the order that a reader sees first. `in_files` and `in_api` are its words there,
    where they are not `name` and `help`.
    """

    key: str
    type: Type
    name: Message
    help: Message
    field: str = ""
    later: str = ""
    unit: Message | None = None
    get: Callable[[Any], Any] | None = None
    disclosure: Disclosure = "figure"
    total: str = ""
    groups: tuple[Group, ...] = ()
    sort: Order | None = None
    in_files: Words | None = None
    in_api: Message | None = None

    def of(self, item: Any) -> Any:
        """Its value in an `Estimate`, or in a row where it is part of the identity; None where it is not known."""
        return self.get(item) if self.get else getattr(item, self.field)

    def in_release(self, item: Any) -> bool:
        """Whether the release of an estimate or a row has it at all; its value may still not be known."""
        return not self.later or getattr(item, self.later, None) is not None

    def read(self, item: Any, language: Language) -> Reading:
        """Its value in words, with its interval."""
        return READERS[self.type](item if self.type == "rank" else self.of(item), language)
