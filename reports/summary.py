"""All companies together in plain sentences made from the numbers, which say no more than these support."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.disclosure.rows import PublicTable
from monitor.score.table import Standing
from monitor.wording import formatting
from monitor.wording.formatting import deadline
from monitor.wording.words import STANDINGS, Language, Text

_COMPANIES = (Text("{n} bedrijf", "{n} company"), Text("{n} bedrijven", "{n} companies"))
_NOTICES = (Text("{n} melding", "{n} notice"), Text("{n} meldingen", "{n} notices"))
_EPISODES = (Text("{n} episode", "{n} episode"), Text("{n} episodes", "{n} episodes"))
_Noun = tuple[Text, Text]

_COUNTED = Text(
    "In deze periode zijn {notices} geteld, over {episodes}. Een episode is één stuk gemeld materiaal bij één bedrijf."
    " Dit verslag noemt {companies}.",
    "In this period {notices} were counted, about {episodes}. An episode is one piece of reported material at one"
    " company. This report names {companies}.",
)
_COUNTED_PART = Text(
    "Dit verslag noemt {companies}. Een deel van de totalen staat er niet in, omdat daaruit de cijfers van een bedrijf"
    " met minder dan {below} episodes af te leiden zijn.",
    "This report names {companies}. Some of the totals are left out, because the figures of a company with fewer than"
    " {below} episodes could be worked out from them.",
)
_RANGE = Text(
    "Van het gemelde materiaal was tussen {strict} en {lenient} op tijd weg, binnen {deadline} na de melding. Het is"
    " een bereik, omdat controles niet altijd laten zien of iets voor of na de termijn verdween.",
    "Of the reported material, between {strict} and {lenient} was gone in time, within {deadline} of the notice. It is"
    " a range, because checks do not always show whether something went before or after the deadline.",
)
_EXACT = Text(
    "Van het gemelde materiaal was {lenient} op tijd weg, binnen {deadline} na de melding.",
    "Of the reported material, {lenient} was gone in time, within {deadline} of the notice.",
)
_NO_DEADLINE = Text(
    "Van geen enkele episode is de termijn al voorbij; over op tijd of te laat valt nog niets te zeggen.",
    "The deadline of no episode has passed yet; nothing can be said about on time or late.",
)
_MEDIAN = Text(
    "Naar schatting was de helft van het gemelde materiaal weg binnen {median} na de melding.",
    "By estimate, half of the reported material was gone within {median} of the notice.",
)
_NO_MEDIAN = Text(
    "Binnen de gemeten tijd was naar schatting minder dan de helft van het gemelde materiaal weg.",
    "Within the time measured, by estimate less than half of the reported material was gone.",
)
_OUTSTANDING = Text(
    "Op de peildatum, {as_of}, was het aantal openstaande episodes {outstanding}. Bij {overdue} daarvan was de termijn"
    " voorbij.",
    "On the reference date, {as_of}, the number of outstanding episodes was {outstanding}. For {overdue} of these the"
    " deadline had passed.",
)
_ONLY_OUTSTANDING = Text(
    "Op de peildatum, {as_of}, was het aantal openstaande episodes {outstanding}.",
    "On the reference date, {as_of}, the number of outstanding episodes was {outstanding}.",
)


@dataclass(frozen=True, slots=True)
class StandingCount:
    """How many companies have a standing, in words."""

    standing: Standing
    label: str
    companies: str
    meaning: str


def amount(n: int, noun: _Noun, language: Language) -> str:
    """`1 company`, `12 companies`, with the number and its noun kept on one line."""
    text = noun[0 if n == 1 else 1][language].format(n=formatting.count(n, language))
    return text.replace(" ", formatting.NARROW)


def what_was_measured(table: PublicTable, language: Language) -> tuple[str, ...]:
    """All companies together in sentences: share on time, median, outstanding; what may not be shown is not said."""
    said = (_on_time(table, language), _median(table, language), _open(table, language))
    return tuple(sentence for sentence in said if sentence)


def counted(table: PublicTable, language: Language) -> str:
    """How much was counted in the period, and of how many companies."""
    counts = table.network.counts
    companies = amount(len(table.rows), _COMPANIES, language)
    notices, episodes = counts["notices"], counts["episodes"]
    if notices is None or episodes is None:
        return _COUNTED_PART[language].format(companies=companies, below=table.method.publish_below)
    values = {"notices": amount(notices, _NOTICES, language), "episodes": amount(episodes, _EPISODES, language)}
    return _COUNTED[language].format(companies=companies, **values)


def _on_time(table: PublicTable, language: Language) -> str:
    network = table.network
    if network.strict.p is None or network.lenient.p is None:
        return _NO_DEADLINE[language]
    strict, lenient = formatting.share(network.strict.p, language), formatting.share(network.lenient.p, language)
    words = _EXACT if strict == lenient else _RANGE
    limit = deadline(network.deadline_hours, language)
    return words[language].format(strict=strict, lenient=lenient, deadline=limit)


def _median(table: PublicTable, language: Language) -> str:
    value = table.network.median_hours.value
    if not any(point.npmle is not None for point in table.network.curve):
        return ""
    if value is None:
        return _NO_MEDIAN[language]
    return _MEDIAN[language].format(median=formatting.hours(value, language))


def _open(table: PublicTable, language: Language) -> str:
    outstanding, overdue = (table.network.counts[name] for name in ("outstanding", "overdue"))
    if outstanding is None:
        return ""
    values = {
        "as_of": formatting.instant(table.as_of, language),
        "outstanding": formatting.count(outstanding, language),
        "overdue": formatting.count(overdue, language),
    }
    return (_ONLY_OUTSTANDING if overdue is None or not outstanding else _OUTSTANDING)[language].format(**values)


def standing_counts(table: PublicTable, language: Language) -> tuple[StandingCount, ...]:
    """How many companies meet the norm, are below it, and so on; empty where the release judges nobody."""
    if not any(row.ranked and row.standing for row in table.rows):
        return ()
    return tuple(
        StandingCount(
            key,
            words.label[language],
            amount(sum(row.standing == key for row in table.rows), _COMPANIES, language),
            words.meaning[language],
        )
        for key, words in STANDINGS.items()
    )
