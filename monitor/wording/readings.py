"""What is said of a published figure, and how a value of each type reads: the same on page, in report and elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from monitor.score.table import AllCases, Backlog, Bounds, Estimate, HourlyShare, Quantile, Reason, Unreachable
from monitor.wording.language import MISSING, Language, Message
from monitor.wording.words import DIRECTIONS, STANDING_WORDS, Words, reason_words

# How a value reads, how it sorts, and which columns of a file it fills (monitor.tables.columns).
Type = Literal[
    "text", "flag", "standing", "rank", "count", "hours", "age", "decimal", "ratio", "share", "quantile", "bounds",
    "curve", "ages", "relocation", "change", "hourly", "unreachable", "backlog", "reasons",
    "percent", "range", "direction",
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
    """From the strict reading to the lenient one, of an `OnTime` or of the network, with the interval of the latter.

    Since method 2026.2 the estimate comes first, and the interval is the outer one: from the lower limit of the strict
    reading to the upper limit of the lenient one.
    """
    strict, lenient = value.strict, value.lenient
    both = language.share_range(strict.p, lenient.p)
    if not hasattr(value, "estimate"):
        return Reading(both, language.share_range(lenient.low, lenient.high))
    estimate = language.share(value.estimate)
    return Reading(
        both if estimate in (MISSING, both) else f"{estimate} ({both})",
        language.share_range(strict.low, lenient.high),
    )


def _hourly(value: tuple[HourlyShare, ...], language: Language) -> Reading:
    """A share after each number of hours."""
    return Reading("; ".join(f"{language.deadline(each.hours)}: {language.share(each.p)}" for each in value) or MISSING)


def _all_cases(value: AllCases, language: Language) -> Reading:
    return Reading(language.share_range(value.low, value.high))


def _unreachable(value: Unreachable, language: Language) -> Reading:
    """How many notices, and which part; and that no contact is known, where that is so."""
    said = [
        language.gettext(
            "{share} ({refused} of {notices})",
            share=language.share(value.p),
            refused=language.count(value.refused),
            notices=language.count(value.notices),
        )
        if value.notices
        else MISSING
    ]
    said += [language.gettext("no contact known")] if value.no_contact else []
    return Reading("; ".join(said), language.share_range(value.low, value.high))


def _backlog(value: Backlog, language: Language) -> Reading:
    counts = {name: language.count(getattr(value, name)) for name in _OPEN}
    said = language.gettext(
        "{outstanding} outstanding, of which {overdue} overdue and {possibly_overdue} possibly overdue; {unverified}"
        " unverified",
        **counts,
    )
    if value.oldest_hours is None:
        return Reading(said)
    return Reading(language.gettext("{said}; the oldest: {age}", said=said, age=language.age(value.oldest_hours)))


_OPEN = ("outstanding", "overdue", "possibly_overdue", "unverified")


def _reasons(value: tuple[Reason, ...], language: Language) -> Reading:
    return Reading(" ".join(reason_words(value, language)) or MISSING)


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
        "percent": lambda value, language: Reading(language.share(value)),
        "range": _all_cases,
        "hourly": _hourly,
        "unreachable": _unreachable,
        "backlog": _backlog,
        "direction": lambda value, language: Reading(language.gettext(DIRECTIONS[value]) if value else MISSING),
        "reasons": _reasons,
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
    where they are not `name` and `help`. `since` is what it says under method 2026.2, where that is something else.
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
    since: Message | None = None

    def meaning(self, competing_risks: bool | None) -> Message:
        """What it says: under method 2026.2, in which removal and relocation compete, or before."""
        return self.since or self.help if competing_risks else self.help

    def of(self, item: Any) -> Any:
        """Its value in an `Estimate`, or in a row where it is part of the identity; None where it is not known."""
        return self.get(item) if self.get else getattr(item, self.field)

    def in_release(self, item: Any) -> bool:
        """Whether the release of an estimate or a row has it at all; its value may still not be known."""
        return not self.later or getattr(item, self.later, None) is not None

    def read(self, item: Any, language: Language) -> Reading:
        """Its value in words, with its interval."""
        return self.read_value(item if self.type == "rank" else self.of(item), language)

    def read_value(self, value: Any, language: Language) -> Reading:
        """A value of it in words, of whatever it is."""
        return READERS[self.type](value, language)
