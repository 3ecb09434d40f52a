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
from monitor.wording import formatting
from monitor.wording.formatting import deadline
from monitor.wording.words import KINDS, Language, Text, Words

PARAMETERS: Mapping[str, Words] = MappingProxyType(
    {
        "deadlines_hours": Words(
            Text("Verwijdertermijn", "Removal deadline"),
            Text(
                "Binnen deze tijd na de melding moet het materiaal weg zijn. Noemt een melding zelf een termijn, dan"
                " geldt die.",
                "The material must be gone within this time after the notice. Where a notice sets a deadline of its"
                " own, that one holds.",
            ),
        ),
        "scored_kinds": Words(
            Text("Soorten meldingen die meetellen", "Kinds of notice that count"),
            Text(
                "Alleen deze meldingen beginnen een episode die in de cijfers staat.",
                "Only these notices start an episode that is in the figures.",
            ),
        ),
        "stale_after_hours": Words(
            Text("Niet meer gecontroleerd na", "Unverified after"),
            Text(
                "Is materiaal zo lang niet meer online gezien, dan nemen wij niet aan dat het er nog staat. De episode"
                " telt dan tot de laatste keer dat het online gezien is.",
                "Where nobody has seen the material online for this long, we do not assume that it is still there."
                " The episode then counts up to the last time it was seen online.",
            ),
        ),
        "reappear_within_hours": Words(
            Text("Opnieuw online binnen", "Reappeared within"),
            Text(
                "Staat materiaal binnen deze tijd weer online bij hetzelfde bedrijf, dan was het niet verwijderd en"
                " loopt de episode door.",
                "Where material is online again at the same company within this time, it was not removed and the"
                " episode goes on.",
            ),
        ),
        "minimum_episodes": Words(
            Text("Minste aantal episodes", "Fewest episodes"),
            Text(
                "Een bedrijf met minder episodes krijgt geen plaats en geen oordeel.",
                "A company with fewer episodes gets no rank and no judgement.",
            ),
        ),
        "minimum_sites": Words(
            Text("Minste aantal sites", "Fewest sites"),
            Text(
                "Een bedrijf met minder sites krijgt geen plaats en geen oordeel: één handeling kan dan alles bepalen.",
                "A company with fewer sites gets no rank and no judgement: one action could then decide everything.",
            ),
        ),
        "publish_below": Words(
            Text("Geen cijfers onder", "No figures under"),
            Text(
                "Van een bedrijf met minder episodes dan dit staan er geen cijfers op de site.",
                "Of a company with fewer episodes than this, the site shows no figures.",
            ),
        ),
        "target": Words(
            Text("Norm", "Norm"),
            Text(
                "Het aandeel op tijd waaraan een bedrijf wordt afgemeten.",
                "The share on time that a company is held against.",
            ),
        ),
        "confidence": Words(
            Text("Betrouwbaarheid", "Confidence"),
            Text(
                "Zo zeker moet een interval de echte waarde bevatten. Er wordt rekening mee gehouden dat materiaal op"
                " één site vaak tegelijk verdwijnt.",
                "How surely an interval must hold the true value. It takes into account that material on one site"
                " often disappears together.",
            ),
        ),
        "survival_hours": Words(
            Text("Tijdstippen in de tabellen", "Times in the tables"),
            Text(
                "Op deze uren na de melding staat in de tabel hoeveel er nog niet verwijderd was.",
                "At these hours after the notice the table says how much was not yet removed.",
            ),
        ),
        "restricted_mean_hours": Words(
            Text("Venster van de gemiddelde tijd", "Window of the mean time"),
            Text(
                "De gemiddelde tijd online wordt over deze tijd na de melding berekend.",
                "The mean time online is taken over this time after the notice.",
            ),
        ),
        "relocation_hours": Words(
            Text("Tijdstippen voor verplaatsing", "Times for relocation"),
            Text(
                "Op deze uren na de melding berekenen wij welk deel naar een andere plek verhuisd was.",
                "At these hours after the notice we work out which part had moved elsewhere.",
            ),
        ),
        "time_grid": Words(
            Text("Fijnheid van de tijd", "Grain of time"),
            Text(
                "Bij zeer veel episodes worden tijden voor de curve naar boven afgerond op deze stap. Op tijd en te"
                " laat worden geteld zonder afronding.",
                "With very many episodes, times are rounded up to this step for the curve. On time and late are"
                " counted without rounding.",
            ),
        ),
        "age_bounds_hours": Words(
            Text("Grenzen van de leeftijdsgroepen", "Bounds of the age groups"),
            Text(
                "Openstaande episodes worden naar tijd sinds de melding in deze groepen verdeeld.",
                "Outstanding episodes are put in these groups by time since the notice.",
            ),
        ),
        "competing_risks": Words(
            Text("Verwijdering en verplaatsing concurreren", "Removal and relocation compete"),
            Text(
                "Verwijderd, verplaatst en nog online zijn samen het geheel. Grenzen kennen de site en de dag van de"
                " melding. De schatting bepaalt de volgorde, en een norm halen vraagt bewijs, net als eronder blijven.",
                "Removed, relocated and still online are the whole together. Limits know the site and the day of the"
                " notice. The estimate orders, and meeting the norm needs proof, as being below it does.",
            ),
        ),
        "interval_grid": Words(
            Text("Fijnheid van de tijd in de schatting", "Grain of time in the estimate"),
            Text(
                "Bij zeer veel verschillende intervallen worden tijden voor de schatting op deze stap afgerond. Curven"
                " en aantallen zijn altijd exact.",
                "With very many distinct intervals, times are rounded to this step for the estimate. Curves and counts"
                " are always exact.",
            ),
        ),
        "pausing": Words(
            Text("Wat een klok stilzet", "What stops a clock"),
            Text(
                "Alleen wat aan de kant van het meldpunt of de monitor ligt, zet de klok stil.",
                "Only what is on the side of the hotline or the monitor stops the clock.",
            ),
        ),
        "minimum_followed": Words(
            Text("Gevolgd", "Followed"),
            Text(
                "Zo groot deel van de episodes moet tot de termijn gevolgd zijn om aan de norm te voldoen.",
                "Such a part of the episodes must have been followed to the deadline to meet the norm.",
            ),
        ),
        "unreachable_share": Words(
            Text("Onbereikbaar", "Unreachable"),
            Text(
                "Onbereikbaar is wie zeker meer dan dit deel van de meldingen weigert of niet ontvangt.",
                "Unreachable is who certainly refuses or does not receive more than this part of the notices.",
            ),
        ),
        "unreachable_notices": Words(
            Text("Meldingen voor dat oordeel", "Notices for that judgement"),
            Text("Met minder meldingen wordt dat niet gezegd.", "With fewer notices that is not said."),
        ),
        "unreachable_sites": Words(
            Text("Sites voor dat oordeel", "Sites for that judgement"),
            Text("Met minder sites wordt dat niet gezegd.", "With fewer sites that is not said."),
        ),
        "false_discovery_rate": Words(
            Text("Vals alarm", "False alarms"),
            Text(
                "Hooguit dit deel van de bedrijven met het extra teken onder de norm staat er door toeval.",
                "At most this part of the companies with the extra mark below the norm is there by chance.",
            ),
        ),
    }
)
_SHARES = {"target", "confidence", "minimum_followed", "unreachable_share", "false_discovery_rate"}
_UNITS = {
    "minimum_episodes": Text("episodes", "episodes"),
    "minimum_sites": Text("sites", "sites"),
    "publish_below": Text("episodes", "episodes"),
    "unreachable_notices": Text("meldingen", "notices"),
    "unreachable_sites": Text("sites", "sites"),
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
    name, meaning = (words.name[language], words.help[language]) if words else (key, "")
    return Parameter(key, name, _lines(key, value, language), meaning)


def _lines(key: str, value: Any, language: Language) -> tuple[str, ...]:
    if isinstance(value, Mapping):
        return tuple(f"{_kind(kind, language)}: {deadline(float(v), language)}" for kind, v in value.items())
    if key in _GRIDS:
        return _grid(value, _GRIDS[key], language)
    if isinstance(value, bool):
        return (_YES[language] if value else _NO[language],)
    if isinstance(value, tuple) and all(isinstance(item, str) for item in value):
        return tuple(_kind(item, language) for item in value)
    if isinstance(value, tuple) and all(isinstance(item, int | float) for item in value):
        return (f"{', '.join(f'{item:g}' for item in value)}{formatting.NARROW}{Text('uur', 'hours')[language]}",)
    if key in _SHARES:
        return (formatting.percent(value, language),)
    if key in _UNITS:
        return (f"{value:g}{formatting.NARROW}{_UNITS[key][language]}",)
    return (deadline(float(value), language),) if key.endswith("_hours") else (str(value),)


_YES, _NO = Text("ja", "yes"), Text("nee", "no")
_UP_TO = Text("tot {most} {of}: {step}", "up to {most} {of}: {step}")
_GRIDS: Mapping[str, Text] = MappingProxyType(
    {
        "time_grid": Text("episodes", "episodes"),
        "interval_grid": Text("verschillende intervallen", "distinct intervals"),
    }
)
_STEP = Text("{n} seconden", "{n} seconds")
_EXACT = Text("geen afronding", "no rounding")
_MORE = Text("daarboven: {step}", "above that: {step}")


def _grid(value: tuple[tuple[int, int], ...], of: Text, language: Language) -> tuple[str, ...]:
    lines = []
    for position, (most, seconds) in enumerate(value, 1):
        step = _STEP[language].format(n=formatting.count(seconds, language)) if seconds else _EXACT[language]
        words = _MORE if position == len(value) else _UP_TO
        lines.append(words[language].format(most=formatting.count(most, language), of=of[language], step=step))
    return tuple(lines)


def _kind(kind: str, language: Language) -> str:
    known = KINDS.get(str(kind))
    return known[language] if known else str(kind)


NAMES: Mapping[Language, str] = MappingProxyType({"en": "method.md", "nl": "method.nl.md"})
_DOCUMENTS = Path(monitor.__file__).parents[1] / "docs"
_HEADING = Text("# De methode, versie {version}", "# The method, version {version}")
_INTRODUCTION = Text(
    "Alles wat een cijfer kan veranderen staat hieronder. Met deze waarden is de tabel gemaakt.",
    "Everything that can move a figure is below. The table was made with these values.",
)


def method_files(record: Method) -> dict[str, bytes]:
    """The texts in both languages, and the parameters as JSON with their fingerprint."""
    data = {"method": record.version, "parameters": record.parameters(), "sha256": record.parameter_hash()}
    texts = {name: method_text(record, language).encode() for language, name in NAMES.items()}
    return {**texts, "method.json": f"{json.dumps(data, indent=1, sort_keys=True)}\n".encode()}


def method_text(record: Method, language: Language, documents: Path = _DOCUMENTS) -> str:
    """The document of the method; its parameters with their meaning where the document is about another version."""
    heading, file = _HEADING[language].format(version=record.version), documents / NAMES[language]
    if file.is_file():
        text = file.read_text("utf-8")
        if text.startswith(f"{heading}\n"):
            return text
    lines = [heading, "", _INTRODUCTION[language]]
    for item in described(record, language):
        lines += ["", f"## {item.name} (`{item.key}`)", "", item.help, "", *(f"- {value}" for value in item.value)]
    return "\n".join(lines) + "\n"
