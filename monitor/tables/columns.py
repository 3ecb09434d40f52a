"""What every column of the open data says, with its type: one table for all files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Literal

from monitor.errors import MonitorError
from monitor.figures import FIGURES, FILED, LATENESS, TOTALS
from monitor.wording.language import Language, Message
from monitor.wording.readings import Figure, Type
from monitor.wording.words import Words

Kind = Literal["string", "integer", "number", "boolean", "datetime"]
Detail = Callable[[Language], str]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file: its name, its Frictionless type and what it says."""

    name: str
    kind: Kind
    words: Words
    details: tuple[Detail, ...] = ()

    def title(self, language: Language) -> str:
        """What it holds: the name of the figure and, where it has several columns, what this one says of it."""
        name = language.gettext(self.words.name)
        return f"{name}: {'; '.join(detail(language) for detail in self.details)}" if self.details else name

    def description(self, language: Language) -> str:
        """What it means."""
        return language.gettext(self.words.help)


def column(name: str) -> Column:
    """The column of that name; raises MonitorError where nobody has said what it means."""
    if name in _SAID:
        return Column(name, *_SAID[name])
    for pattern, describe in _PATTERNS:
        if match := pattern.fullmatch(name):
            return Column(name, *describe(*match.groups()))
    raise MonitorError(f"the column {name!r} of the open data has no description; add it to monitor/tables/columns.py")


Said = tuple[Kind, Words] | tuple[Kind, Words, tuple[Detail, ...]]


def _said(kind: Kind, name: Message, help: Message) -> Said:  # noqa: A002
    return kind, Words(name, help)


_BESIDE: Mapping[str, Said] = {
    "figures": _said(
        "string",
        Message("Kind of line"),
        Message(
            "shown: with figures. withheld: without. pooled: what is not named, together. unattributed: at no company."
            " group: controls companies of this list, and is not on it itself."
        ),
    ),
    "hours": _said("number", Message("Hours after the notice"), Message("The time at which the curve is read.")),
    "gives_way": _said(
        "boolean",
        Message("Without companies without figures"),
        Message("true: all on this line but the counts is made without the companies without figures."),
    ),
    "kind": _said(
        "string",
        Message("Kind of line"),
        Message(
            "In totals.csv: shown, withheld, unattributed and network (all). In standstills.csv: gap or standstill."
        ),
    ),
    "period": _said("string", Message("Quarter"), Message("The quarter, in UTC: 2026Q2.")),
    "method": _said("string", Message("Method"), Message("The version of the method that says it.")),
    "members": _said("string", Message("Members"), Message("Keys of the companies in the group.")),
    "companies": _said("integer", Message("Companies"), Message("Number of companies.")),
    "origin": _said("string", Message("From which company"), Message("Key of the company the material left.")),
    "destination_company": _said(
        "string",
        Message("To which company"),
        Message("Key of the company the material went to; empty where it is not known or may not be named."),
    ),
    "destination_country": _said(
        "string",
        Message("To which country"),
        Message("Country the material went to (ISO 3166); empty where it is not known."),
    ),
    "source": _said("string", Message("Source"), Message("Who made the deliveries.")),
    "deliveries": _said("integer", Message("Deliveries"), Message("Number of deliveries in the period.")),
    "first": _said("datetime", Message("First delivery"), Message("First in the period.")),
    "last": _said("datetime", Message("Last delivery"), Message("Last in the period.")),
    "longest_gap_hours": _said(
        "number", Message("Longest gap in hours"), Message("The longest time without a delivery.")
    ),
    "quarantined": _said(
        "number", Message("Share of unusable rows"), Message("Part of the rows that could not be taken (0 to 1).")
    ),
    "starts": _said("datetime", Message("Start"), Message("From this moment.")),
    "ends": _said("datetime", Message("End"), Message("To this moment; empty: not yet.")),
    "pause": _said("string", Message("Cause"), Message("What stood still.")),
    "reason": _said("string", Message("Reason"), Message("Why, or which source.")),
}
_OF_EPISODES: Mapping[str, Said] = {
    "site": _said(
        "integer",
        Message("Number of the site"),
        Message("Arbitrary number; the same for material on one site in this file. Empty: begun before the period."),
    ),
    "scored": _said(
        "boolean",
        Message("Counts in the period"),
        Message("true: begun in the period. false: begun before and not yet gone."),
    ),
    "last_online_h": _said(
        "number",
        Message("Last seen online, hours"),
        Message("Hours after the notice at which the material was last seen online."),
    ),
    "first_offline_h": _said(
        "number",
        Message("First seen offline, hours"),
        Message("Hours after the notice at which the material was first confirmed offline; empty: not removed."),
    ),
    "relocated_h": _said(
        "number", Message("Relocated, hours"), Message("Hours after the notice at which it was seen moved.")
    ),
    "destination": _said(
        "string", Message("Country of destination"), Message("Where the material moved to (ISO 3166).")
    ),
    "followed_h": _said(
        "number",
        Message("Followed, hours"),
        Message("How long the episode was followed, no more exact than the figures need."),
    ),
    "deadline_h": _said("number", Message("Deadline, hours"), Message("Its own deadline.")),
    "notice_day": _said(
        "integer",
        Message("Number of the day"),
        Message("Arbitrary number of the day of the notice (UTC); the same for notices of one day in this file."),
    ),
    "wall_h": _said(
        "number",
        Message("Age, hours"),
        Message("Hours since the notice, paused time included; no more exact than the figures need."),
    ),
    "since_online_h": _said(
        "number",
        Message("Since last online, hours"),
        Message("Whether it is long ago that the material was seen online."),
    ),
    "notice_days": _said("integer", Message("Days with a notice"), Message("On so many days (UTC) a notice arrived.")),
    "undelivered": _said(
        "integer", Message("Undelivered"), Message("1: an item of which every notice came back; it has no times.")
    ),
    "no_contact": _said(
        "integer", Message("No contact known"), Message("1: no contact of the company was known on the reference date.")
    ),
    "group": _said(
        "string", Message("Group"), Message("Key of the company that controls the group; empty: in no group.")
    ),
    "end": _said(
        "string",
        Message("How it ended"),
        Message("removed, relocated, outstanding or unverified; without a name only removed or not_removed."),
    ),
}
_READINGS = {
    "lenient": Message("lenient reading"),
    "strict": Message("strict reading"),
    "npmle": Message("estimate of Turnbull"),
}
_PARTS = {
    "p": Message("share from 0 to 1"),
    "value": Message("estimate; empty: not reached"),
    "se": Message("standard error"),
    "low": Message("lower bound of the 95% interval"),
    "high": Message("upper bound of the 95% interval"),
}


def _of(message: Message, **values: object) -> Detail:
    return lambda language: language.gettext(message, **values)


def _number(words: Words, *details: Message | Detail) -> Said:
    """A figure with what this column says of it in its name."""
    return "number", words, tuple(_of(each) if isinstance(each, Message) else each for each in details)


def _at(hours: str) -> Detail:
    return lambda language: language.ngettext(
        "{n} hour after the notice", "{n} hours after the notice", int(hours), n=hours
    )


def _survival(words: Words, hours: str | None, reading: str, error: str | None) -> Said:
    details = [_at(hours)] if hours else []
    return _number(words, *details, _READINGS[reading], *([_PARTS["se"]] if error else []))


def _older(words: Words, hours: str) -> Said:
    return "integer", words, (_of(Message("from {hours} hours old"), hours=hours),)


def _whither(place: str) -> Detail:
    known = {"any": Message("to anywhere"), "unknown": Message("not known where to")}
    return _of(known[place]) if place in known else _of(Message("to {place}"), place=place)


def _relocated(_: Words, place: str) -> Said:
    return "integer", _words(FIGURES["relocated"]), (_whither(place),)


def _of_backlog(words: Words, name: str) -> Said:
    return ("number" if name == "oldest" else "integer"), words, (_of(FIGURES[name].name),)


def _reason(words: Words, code: str, part: str) -> Said:
    what = Message("number") if part == "count" else Message("of what or against what")
    return "number", words, (lambda language: f"{code}, {language.gettext(what)}",)


_HOURS = Message("hours", "unit of a figure")
_ESTIMATE = Message("estimate, between both readings")
_OVER_ALL_CASES = Message("over all cases")
_BOUNDS = {"low": Message("lower bound"), "high": Message("upper bound")}
_OLDER = _said("integer", Message("Episodes older than their deadline"), Message("By the wall clock."))
_FOLLOWED = _said("number", Message("Followed"), Message("Part of these that could be followed to the deadline."))
_ALL_CASES = _said(
    "integer",
    Message("All cases"),
    Message("Episodes older than their deadline, and items of which no notice arrived."),
)
_NO_CONTACT = _said(
    "boolean", Message("No contact known"), Message("No contact of the company was known at that date.")
)
_DEADLINE = _said(
    "number", Message("Deadline in hours"), Message("The material must be gone within so many hours after the notice.")
)
_MATURE = _said(
    "integer", Message("Episodes whose deadline has passed"), Message("On time, late and undetermined together.")
)
Describe = Callable[..., Said]


def _plain(kind: Kind) -> Sequence[tuple[str, Describe]]:
    return (("", lambda words: (kind, words)),)


# By the type of a figure: how its columns go on after its name, and what each says.
_COLUMNS: Mapping[Type, Sequence[tuple[str, Describe]]] = {
    **dict.fromkeys(("text", "standing", "direction"), _plain("string")),
    "flag": _plain("boolean"),
    **dict.fromkeys(("count", "rank"), _plain("integer")),
    **dict.fromkeys(("hours", "age", "decimal", "ratio", "percent"), _plain("number")),
    "share": (
        ("_deadline_hours", lambda _: _DEADLINE),
        ("_mature", lambda _: _MATURE),
        (f"_({'|'.join(LATENESS)})", lambda _, name: ("integer", _words(LATENESS[name]))),
        (
            "_(lenient|strict)_(p|se|low|high)",
            lambda words, reading, part: _number(words, _READINGS[reading], _PARTS[part]),
        ),
        ("_estimate", lambda words: _number(words, _ESTIMATE)),
        ("_older", lambda _: _OLDER),
        ("_followed", lambda _: _FOLLOWED),
        ("_all_cases_cases", lambda _: _ALL_CASES),
        ("_all_cases_(low|high)", lambda words, part: _number(words, _OVER_ALL_CASES, _BOUNDS[part])),
    ),
    "hourly": ((r"_(\d+)h_p", lambda words, hours: _number(words, _at(hours))),),
    "unreachable": (
        ("_(notices|refused|sites)", lambda _, name: ("integer", _words(FIGURES[name]))),
        ("_(p|low|high)", lambda words, part: _number(words, _PARTS[part])),
        ("_no_contact", lambda _: _NO_CONTACT),
    ),
    "backlog": (
        ("_(outstanding|overdue|possibly_overdue|unverified)", _of_backlog),
        ("_(oldest)_hours", _of_backlog),
    ),
    "reasons": ((r"_([a-z_]+)_(count|of)", _reason),),
    "quantile": (("_(value|low|high)", lambda words, part: _number(words, _HOURS, _PARTS[part])),),
    "bounds": (("_(lenient|strict)", lambda words, reading: _number(words, _HOURS, _READINGS[reading])),),
    "curve": ((r"_(\d+)h_(npmle|lenient|strict)(_se)?", _survival),),
    "ages": ((r"_(\d+)h_episodes", _older),),
    "relocation": (
        ("_(any|unknown|[A-Z]{2})_episodes", _relocated),
        (
            r"_(any|unknown|[A-Z]{2})_incidence_(\d+)h_(p|se|low|high)",
            lambda words, place, hours, part: _number(words, _whither(place), _at(hours), _PARTS[part]),
        ),
    ),
}


def _words(figure: Figure) -> Words:
    return figure.in_files or Words(figure.name, figure.help)


_OF_TOTALS: Mapping[str, Said] = {figure.total: ("integer", _words(figure)) for figure in TOTALS}
_SAID: Mapping[str, Said] = MappingProxyType({**_OF_TOTALS, **_BESIDE, **_OF_EPISODES})
_PATTERNS: tuple[tuple[re.Pattern[str], Describe], ...] = (
    *(
        (re.compile(figure.field + suffix), partial(describe, _words(figure)))
        for figure in FILED
        for suffix, describe in _COLUMNS[figure.type]
    ),
    (re.compile(r"()(npmle|lenient|strict)(_se)?"), partial(_survival, _words(FIGURES["survival"]))),
)
