"""What every column of the open data says, in Dutch and English, with its type: one table for all files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Literal

from monitor.errors import MonitorError
from monitor.figures import FIGURES, FILED, LATENESS, TOTALS
from monitor.wording.readings import Figure, Type
from monitor.wording.words import Text, Words

Kind = Literal["string", "integer", "number", "boolean", "datetime"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file: its name, its Frictionless type and what it says."""

    name: str
    kind: Kind
    words: Words


def column(name: str) -> Column:
    """The column of that name; raises MonitorError where nobody has said what it means."""
    if name in _SAID:
        return Column(name, *_SAID[name])
    for pattern, describe in _PATTERNS:
        if match := pattern.fullmatch(name):
            return Column(name, *describe(*match.groups()))
    raise MonitorError(f"the column {name!r} of the open data has no description; add it to monitor/tables/columns.py")


Said = tuple[Kind, Words]


def _said(kind: Kind, nl: str, en: str, help_nl: str, help_en: str) -> Said:
    return kind, Words(Text(nl, en), Text(help_nl, help_en))


_BESIDE: Mapping[str, Said] = {
    "figures": _said(
        "string", "Soort regel", "Kind of line",
        "shown: met cijfers. withheld: zonder. pooled: wat niet bij naam staat, samen. unattributed: bij geen bedrijf.",
        "shown: with figures. withheld: without. pooled: what is not named, together. unattributed: at no company.",
    ),
    "hours": _said(
        "number", "Uren na de melding", "Hours after the notice",
        "Het tijdstip waarop de curve wordt afgelezen.", "The time at which the curve is read.",
    ),
    "gives_way": _said(
        "boolean", "Zonder bedrijven zonder cijfers", "Without companies without figures",
        "true: alles op deze regel behalve de aantallen is berekend zonder de bedrijven zonder cijfers.",
        "true: all on this line but the counts is made without the companies without figures.",
    ),
    "kind": _said(
        "string", "Soort regel", "Kind of line",
        "In totals.csv: shown, withheld, unattributed en network (alles). In standstills.csv: gap of standstill.",
        "In totals.csv: shown, withheld, unattributed and network (all). In standstills.csv: gap or standstill.",
    ),
    "members": _said(
        "string", "Leden", "Members", "Kenmerken van de bedrijven in de groep.", "Keys of the companies in the group.",
    ),
    "companies": _said("integer", "Bedrijven", "Companies", "Aantal bedrijven.", "Number of companies."),
    "origin": _said(
        "string", "Van welk bedrijf", "From which company",
        "Kenmerk van het bedrijf waar het materiaal weg ging.", "Key of the company the material left.",
    ),
    "destination_company": _said(
        "string", "Naar welk bedrijf", "To which company",
        "Kenmerk van het bedrijf waar het materiaal heen ging; leeg: niet bekend, of niet bij naam te noemen.",
        "Key of the company the material went to; empty where it is not known or may not be named.",
    ),
    "destination_country": _said(
        "string", "Naar welk land", "To which country",
        "Land waar het materiaal heen ging (ISO 3166); leeg waar dat niet bekend is.",
        "Country the material went to (ISO 3166); empty where it is not known.",
    ),
    "source": _said("string", "Bron", "Source", "Wie de leveringen deed.", "Who made the deliveries."),
    "deliveries": _said(
        "integer", "Leveringen", "Deliveries",
        "Aantal leveringen in de periode.", "Number of deliveries in the period.",
    ),
    "first": _said("datetime", "Eerste levering", "First delivery", "Eerste in de periode.", "First in the period."),
    "last": _said("datetime", "Laatste levering", "Last delivery", "Laatste in de periode.", "Last in the period."),
    "longest_gap_hours": _said(
        "number", "Langste stilte in uren", "Longest gap in hours",
        "De langste tijd zonder levering.", "The longest time without a delivery.",
    ),
    "quarantined": _said(
        "number", "Aandeel onbruikbare rijen", "Share of unusable rows",
        "Deel van de rijen dat niet te verwerken was (0 tot 1).", "Part of the rows that could not be taken (0 to 1).",
    ),
    "starts": _said("datetime", "Begin", "Start", "Vanaf dit moment.", "From this moment."),
    "ends": _said("datetime", "Einde", "End", "Tot dit moment; leeg: nog niet.", "To this moment; empty: not yet."),
    "pause": _said("string", "Oorzaak", "Cause", "Wat er stilstond.", "What stood still."),
    "reason": _said("string", "Toelichting", "Reason", "Waarom, of welke bron.", "Why, or which source."),
}  # fmt: skip
_OF_EPISODES: Mapping[str, Said] = {
    "site": _said(
        "integer", "Nummer van de site", "Number of the site",
        "Willekeurig nummer; gelijk voor materiaal op dezelfde site in dit bestand. Leeg: begonnen voor de periode.",
        "Arbitrary number; the same for material on one site in this file. Empty: begun before the period.",
    ),
    "scored": _said(
        "boolean", "Telt mee in de periode", "Counts in the period",
        "true: begonnen in de periode. false: eerder begonnen en nog niet weg.",
        "true: begun in the period. false: begun before and not yet gone.",
    ),
    "last_online_h": _said(
        "number", "Laatst online gezien, uren", "Last seen online, hours",
        "Uren na de melding dat het materiaal voor het laatst online was gezien.",
        "Hours after the notice at which the material was last seen online.",
    ),
    "first_offline_h": _said(
        "number", "Eerst offline gezien, uren", "First seen offline, hours",
        "Uren na de melding dat het materiaal voor het eerst offline was bevestigd; leeg: niet verwijderd.",
        "Hours after the notice at which the material was first confirmed offline; empty: not removed.",
    ),
    "relocated_h": _said(
        "number", "Verplaatst, uren", "Relocated, hours",
        "Uren na de melding dat het materiaal verhuisd bleek.", "Hours after the notice at which it was seen moved.",
    ),
    "destination": _said(
        "string", "Land van bestemming", "Country of destination",
        "Waar het materiaal heen verhuisde (ISO 3166).", "Where the material moved to (ISO 3166).",
    ),
    "followed_h": _said(
        "number", "Gevolgd, uren", "Followed, hours",
        "Zo lang is de episode gevolgd, niet nauwkeuriger dan de cijfers nodig hebben.",
        "How long the episode was followed, no more exact than the figures need.",
    ),
    "deadline_h": _said("number", "Termijn, uren", "Deadline, hours", "De eigen termijn.", "Its own deadline."),
    "notice_day": _said(
        "integer", "Nummer van de dag", "Number of the day",
        "Willekeurig nummer van de dag van de melding (UTC); gelijk voor meldingen van een dag in dit bestand.",
        "Arbitrary number of the day of the notice (UTC); the same for notices of one day in this file.",
    ),
    "wall_h": _said(
        "number", "Ouderdom, uren", "Age, hours",
        "Uren sinds de melding, met de tijd dat de klok stilstond; niet nauwkeuriger dan de cijfers nodig hebben.",
        "Hours since the notice, paused time included; no more exact than the figures need.",
    ),
    "since_online_h": _said(
        "number", "Sinds laatst online, uren", "Since last online, hours",
        "Of het lang geleden is dat het materiaal online werd gezien.",
        "Whether it is long ago that the material was seen online.",
    ),
    "notice_days": _said(
        "integer", "Dagen met een melding", "Days with a notice",
        "Op zoveel dagen (UTC) kwam een melding aan.", "On so many days (UTC) a notice arrived.",
    ),
    "undelivered": _said(
        "integer", "Niet afgeleverd", "Undelivered",
        "1: een item waarvan elke melding terugkwam; het heeft geen tijden.",
        "1: an item of which every notice came back; it has no times.",
    ),
    "no_contact": _said(
        "integer", "Geen contact bekend", "No contact known",
        "1: op de peildatum was geen contact van het bedrijf bekend.",
        "1: no contact of the company was known on the reference date.",
    ),
    "group": _said(
        "string", "Groep", "Group",
        "Kenmerk van het bedrijf dat de groep beheerst; leeg: in geen groep.",
        "Key of the company that controls the group; empty: in no group.",
    ),
    "end": _said(
        "string", "Hoe het eindigde", "How it ended",
        "removed, relocated, outstanding of unverified; zonder naam alleen removed of not_removed.",
        "removed, relocated, outstanding or unverified; without a name only removed or not_removed.",
    ),
}  # fmt: skip
_READINGS = {
    "lenient": Text("gunstige lezing", "lenient reading"),
    "strict": Text("strenge lezing", "strict reading"),
    "npmle": Text("schatting van Turnbull", "estimate of Turnbull"),
}
_PARTS = {
    "p": Text("aandeel van 0 tot 1", "share from 0 to 1"),
    "value": Text("schatting; leeg: niet bereikt", "estimate; empty: not reached"),
    "se": Text("standaardfout", "standard error"),
    "low": Text("ondergrens van het 95%-interval", "lower bound of the 95% interval"),
    "high": Text("bovengrens van het 95%-interval", "upper bound of the 95% interval"),
}


def _number(words: Words, *details: Text) -> Said:
    """A figure with what this column says of it in its name."""
    nl, en = ("; ".join(detail[language] for detail in details) for language in ("nl", "en"))
    return "number", Words(Text(f"{words.name.nl}: {nl}", f"{words.name.en}: {en}"), words.help)


def _at(hours: str) -> Text:
    return Text(f"{hours} uur na de melding", f"{hours} {'hour' if hours == '1' else 'hours'} after the notice")


def _survival(words: Words, hours: str | None, reading: str, error: str | None) -> Said:
    details = [_at(hours)] if hours else []
    return _number(words, *details, _READINGS[reading], *([_PARTS["se"]] if error else []))


def _older(words: Words, hours: str) -> Said:
    name = Text(f"{words.name.nl}: vanaf {hours} uur oud", f"{words.name.en}: from {hours} hours old")
    return "integer", Words(name, words.help)


def _whither(place: str) -> Text:
    known = {"any": Text("waarheen ook", "to anywhere"), "unknown": Text("onbekend waarheen", "not known where to")}
    return known.get(place) or Text(f"naar {place}", f"to {place}")


def _relocated(_words: Words, place: str) -> Said:
    words, to = FIGURES["relocated"], _whither(place)
    return "integer", Words(Text(f"{words.name.nl}: {to.nl}", f"{words.name.en}: {to.en}"), words.help)


def _beside(words: Words, name: Text) -> Words:
    return Words(Text(f"{words.name.nl}: {name.nl}", f"{words.name.en}: {name.en}"), words.help)


def _reason(words: Words, code: str, part: str) -> Words:
    what = Text("aantal", "number") if part == "count" else Text("waarvan of waartegen", "of what or against what")
    return _beside(words, Text(f"{code}, {what.nl}", f"{code}, {what.en}"))


_HOURS = Text("uren", "hours")
_ESTIMATE = Text("schatting, tussen beide lezingen", "estimate, between both readings")
_OVER_ALL_CASES = Text("over alle gevallen", "over all cases")
_BOUNDS = {"low": Text("ondergrens", "lower bound"), "high": Text("bovengrens", "upper bound")}
_OLDER = _said(
    "integer", "Episodes ouder dan hun termijn", "Episodes older than their deadline",
    "Naar de gewone klok.", "By the wall clock.",
)  # fmt: skip
_FOLLOWED = _said(
    "number", "Gevolgd", "Followed",
    "Deel daarvan dat tot de termijn kon worden gevolgd.", "Part of these that could be followed to the deadline.",
)  # fmt: skip
_ALL_CASES = _said(
    "integer", "Alle gevallen", "All cases",
    "Episodes ouder dan hun termijn, en items waarvan geen melding aankwam.",
    "Episodes older than their deadline, and items of which no notice arrived.",
)  # fmt: skip
_NO_CONTACT = _said(
    "boolean", "Geen contact bekend", "No contact known",
    "Op de peildatum was geen contact van het bedrijf bekend.", "No contact of the company was known at that date.",
)  # fmt: skip
_DEADLINE = _said(
    "number", "Termijn in uren", "Deadline in hours",
    "Binnen zoveel uur na de melding moet het materiaal weg zijn.",
    "The material must be gone within so many hours after the notice.",
)  # fmt: skip
_MATURE = _said(
    "integer", "Episodes waarvan de termijn voorbij is", "Episodes whose deadline has passed",
    "Op tijd, te laat en onbepaald samen.", "On time, late and undetermined together.",
)  # fmt: skip
Describe = Callable[..., Said]


def _plain(kind: Kind) -> Sequence[tuple[str, Describe]]:
    return (("", lambda words: (kind, words)),)


# By the type of a figure: how its columns go on after its name, and what each says.
_COLUMNS: Mapping[Type, Sequence[tuple[str, Describe]]] = {
    **dict.fromkeys(("text", "standing"), _plain("string")),
    "flag": _plain("boolean"),
    **dict.fromkeys(("count", "rank"), _plain("integer")),
    **dict.fromkeys(("hours", "age", "decimal", "ratio"), _plain("number")),
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
        (
            "_(outstanding|overdue|possibly_overdue|unverified)",
            lambda words, name: ("integer", _beside(words, FIGURES[name].name)),
        ),
        ("_oldest_hours", lambda words: ("number", _beside(words, FIGURES["oldest"].name))),
    ),
    "reasons": ((r"_([a-z_]+)_(count|of)", lambda words, code, part: ("number", _reason(words, code, part))),),
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
