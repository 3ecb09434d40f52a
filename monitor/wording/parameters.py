"""The parameters of the method with their meaning, for the method page and the report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import monitor
from monitor.score.methods import Method
from monitor.wording.language import EN, NBSP, NL, Language, Message
from monitor.wording.words import KINDS, Words

PARAMETERS: Mapping[str, Words] = MappingProxyType(
    {
        "deadlines_hours": Words(
            Message("Removal deadline"),
            Message(
                "The material must be gone within this time after the notice. Where a notice sets a deadline of"
                " its own, that one holds."
            ),
        ),
        "scored_kinds": Words(
            Message("Kinds of notice that count"),
            Message("Only these notices start an episode that is in the figures."),
        ),
        "stale_after_hours": Words(
            Message("Unverified after"),
            Message(
                "Where nobody has seen the material online for this long, we do not assume that it is still"
                " there. The episode then counts up to the last time it was seen online."
            ),
        ),
        "reappear_within_hours": Words(
            Message("Reappeared within"),
            Message(
                "Where material is online again at the same company within this time, it was not removed and"
                " the episode goes on."
            ),
        ),
        "minimum_episodes": Words(
            Message("Fewest episodes"),
            Message("A company with fewer episodes gets no rank and no judgement."),
        ),
        "minimum_sites": Words(
            Message("Fewest sites"),
            Message(
                "A company with fewer sites gets no rank and no judgement: one action could then decide everything."
            ),
        ),
        "publish_below": Words(
            Message("No figures under"),
            Message("Of a company with fewer episodes than this, the site shows no figures."),
        ),
        "target": Words(
            Message("Norm"),
            Message("The share on time that a company is held against."),
        ),
        "confidence": Words(
            Message("Confidence"),
            Message(
                "How surely an interval must hold the true value. It takes into account that material on one"
                " site often disappears together."
            ),
        ),
        "survival_hours": Words(
            Message("Times in the tables"),
            Message("At these hours after the notice the table says how much was not yet removed."),
        ),
        "restricted_mean_hours": Words(
            Message("Window of the mean time"),
            Message("The mean time online is taken over this time after the notice."),
        ),
        "relocation_hours": Words(
            Message("Times for relocation"),
            Message("At these hours after the notice we work out which part had moved elsewhere."),
        ),
        "time_grid": Words(
            Message("Grain of time"),
            Message(
                "With very many episodes, times are rounded up to this step for the curve. On time and late are"
                " counted without rounding."
            ),
        ),
        "age_bounds_hours": Words(
            Message("Bounds of the age groups"),
            Message("Outstanding episodes are put in these groups by time since the notice."),
        ),
        "competing_risks": Words(
            Message("Removal and relocation compete"),
            Message(
                "Removed, relocated and still online are the whole together. Limits know the site and the day of"
                " the notice. The estimate orders, and meeting the norm needs proof, as being below it does."
            ),
        ),
        "interval_grid": Words(
            Message("Grain of time in the estimate"),
            Message(
                "With very many distinct intervals, times are rounded to this step for the estimate. Curves and"
                " counts are always exact."
            ),
        ),
        "pausing": Words(
            Message("What stops a clock"),
            Message("Only what is on the side of the hotline or the monitor stops the clock."),
        ),
        "minimum_followed": Words(
            Message("Followed"),
            Message("Such a part of the episodes must have been followed to the deadline to meet the norm."),
        ),
        "unreachable_share": Words(
            Message("Unreachable"),
            Message("Unreachable is who certainly refuses or does not receive more than this part of the notices."),
        ),
        "unreachable_notices": Words(
            Message("Notices for that judgement"),
            Message("With fewer notices that is not said."),
        ),
        "unreachable_sites": Words(
            Message("Sites for that judgement"),
            Message("With fewer sites that is not said."),
        ),
        "false_discovery_rate": Words(
            Message("False alarms"),
            Message("At most this part of the companies with the extra mark below the norm is there by chance."),
        ),
    }
)
_SHARES = {"target", "confidence", "minimum_followed", "unreachable_share", "false_discovery_rate"}
_UNITS = {
    "minimum_episodes": Message("episodes"),
    "minimum_sites": Message("sites"),
    "publish_below": Message("episodes"),
    "unreachable_notices": Message("notices"),
    "unreachable_sites": Message("sites"),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a method in one language; `value` has a line for each of several values."""

    key: str
    name: str
    value: tuple[str, ...]
    help: str


def described(record: Method, language: Language) -> tuple[Parameter, ...]:
    """Every parameter of a method; one without words is shown under its own name, never left out."""
    values = {key: value for key, value in record.parameters().items() if key != "version"}
    return tuple(_parameter(key, value, language) for key, value in values.items())


def _parameter(key: str, value: Any, language: Language) -> Parameter:
    words = PARAMETERS.get(key)
    name, meaning = (language.gettext(words.name), language.gettext(words.help)) if words else (key, "")
    return Parameter(key, name, _lines(key, value, language), meaning)


def _lines(key: str, value: Any, language: Language) -> tuple[str, ...]:
    if isinstance(value, Mapping):
        return tuple(f"{_kind(kind, language)}: {language.deadline(float(v))}" for kind, v in value.items())
    if key in _GRIDS:
        return _grid(value, _GRIDS[key], language)
    if isinstance(value, bool):
        return (language.gettext("yes" if value else "no"),)
    if isinstance(value, tuple) and all(isinstance(item, str) for item in value):
        return tuple(_kind(item, language) for item in value)
    if isinstance(value, tuple) and all(isinstance(item, int | float) for item in value):
        return (language.in_hours(", ".join(f"{item:g}" for item in value)),)
    if key in _SHARES:
        return (language.percent(value),)
    if key in _UNITS:
        return (f"{value:g}{NBSP}{language.gettext(_UNITS[key])}",)
    return (language.deadline(float(value)),) if key.endswith("_hours") else (str(value),)


_GRIDS: Mapping[str, Message] = MappingProxyType(
    {"time_grid": Message("episodes"), "interval_grid": Message("distinct intervals")}
)


def _grid(value: tuple[tuple[int, int], ...], of: Message, language: Language) -> tuple[str, ...]:
    lines = []
    for position, (most, seconds) in enumerate(value, 1):
        step = language.ngettext("{n} second", "{n} seconds", seconds) if seconds else language.gettext("no rounding")
        last = position == len(value)
        words = Message("above that: {step}") if last else Message("up to {most} {of}: {step}")
        lines.append(language.gettext(words, most=language.count(most), of=language.gettext(of), step=step))
    return tuple(lines)


def _kind(kind: str, language: Language) -> str:
    known = KINDS.get(str(kind))
    return language.gettext(known) if known else str(kind)


NAMES: Mapping[Language, str] = MappingProxyType({EN: "method.md", NL: "method.nl.md"})
_DOCUMENTS = Path(monitor.__file__).parents[1] / "docs"


def method_files(record: Method) -> dict[str, bytes]:
    """The texts in both languages, and the parameters as JSON with their fingerprint."""
    data = {"method": record.version, "parameters": record.parameters(), "sha256": record.parameter_hash()}
    texts = {name: method_text(record, language).encode() for language, name in NAMES.items()}
    return {**texts, "method.json": f"{json.dumps(data, indent=1, sort_keys=True)}\n".encode()}


def method_text(record: Method, language: Language, documents: Path = _DOCUMENTS) -> str:
    """The document of the method; its parameters with their meaning where the document is about another version."""
    heading = language.gettext("# The method, version {version}", version=record.version)
    file = documents / NAMES[language]
    if file.is_file():
        text = file.read_text("utf-8")
        if text.startswith(f"{heading}\n"):
            return text
    said = language.gettext("Everything that can move a figure is below. The table was made with these values.")
    lines = [heading, "", said]
    for item in described(record, language):
        lines += ["", f"## {item.name} (`{item.key}`)", "", item.help, "", *(f"- {value}" for value in item.value)]
    return "\n".join(lines) + "\n"
