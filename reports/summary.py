"""All companies together in plain sentences made from the numbers, which say no more than these support."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.disclosure.network import CompetingNetwork
from monitor.disclosure.rows import PublicTable
from monitor.score.table import Standing
from monitor.wording.language import MISSING, NBSP, Language, Message
from monitor.wording.words import standings_of

_RANGE = Message(
    "Of the reported material, between {strict} and {lenient} was gone in time, within {deadline} of the notice. It is"
    " a range, because checks do not always show whether something went before or after the deadline."
)
_EXACT = Message("Of the reported material, {lenient} was gone in time, within {deadline} of the notice.")


@dataclass(frozen=True, slots=True)
class StandingCount:
    """How many companies have a standing, in words."""

    standing: Standing
    label: str
    companies: str
    meaning: str


def _companies(n: int, language: Language) -> str:
    return _on_one_line(language.ngettext("{n} company", "{n} companies", n))


def _on_one_line(text: str) -> str:
    """A number kept with its noun."""
    return text.replace(" ", NBSP)


def what_was_measured(table: PublicTable, language: Language) -> tuple[str, ...]:
    """All companies together in sentences: share on time, median, outstanding; what may not be shown is not said."""
    said = (_on_time(table, language), _median(table, language), _open(table, language))
    return tuple(sentence for sentence in said if sentence)


def counted(table: PublicTable, language: Language) -> str:
    """How much was counted in the period, and of how many companies."""
    counts = table.network.counts
    companies = _companies(len(table.rows), language)
    notices, episodes = counts["notices"], counts["episodes"]
    if notices is None or episodes is None:
        return language.gettext(
            "This report names {companies}. Some of the totals are left out, because the figures of a"
            " company with fewer than {below} episodes could be worked out from them.",
            companies=companies,
            below=table.method.publish_below,
        )
    return language.gettext(
        "In this period {notices} were counted, concerning {episodes}. An episode is one piece of reported"
        " material at one company. This report names {companies}.",
        companies=companies,
        notices=_on_one_line(language.ngettext("{n} notice", "{n} notices", notices)),
        episodes=_on_one_line(language.ngettext("{n} episode", "{n} episodes", episodes)),
    )


def _on_time(table: PublicTable, language: Language) -> str:
    network = table.network
    if network.strict.p is None or network.lenient.p is None:
        return language.gettext("The deadline of no episode has passed yet; nothing can be said about on time or late.")
    strict, lenient = language.share(network.strict.p), language.share(network.lenient.p)
    words = _EXACT if strict == lenient else _RANGE
    limit = language.deadline(network.deadline_hours)
    said = language.gettext(words, strict=strict, lenient=lenient, deadline=limit)
    estimate = network.estimate if isinstance(network, CompetingNetwork) else None
    if estimate is None or strict == lenient:
        return said
    return f"{said} {language.gettext('The estimate is {estimate}.', estimate=language.share(estimate))}"


def _median(table: PublicTable, language: Language) -> str:
    value = table.network.median_hours.value
    if not any(point.npmle is not None for point in table.network.curve):
        return ""
    if value is None:
        return language.gettext(
            "Within the time measured, by estimate less than half of the reported material was gone."
        )
    interval = language.hours_range(table.network.median_hours.low, table.network.median_hours.high)
    if interval == MISSING:
        return language.gettext(
            "By estimate, half of the reported material was gone within {median} of the notice.",
            median=language.hours(value),
        )
    return language.gettext(
        "By estimate, half of the reported material was gone within {median} of the notice (95% CI {interval}).",
        median=language.hours(value),
        interval=interval,
    )


def _open(table: PublicTable, language: Language) -> str:
    outstanding, overdue = (table.network.counts[name] for name in ("outstanding", "overdue"))
    if outstanding is None:
        return ""
    values = {
        "as_of": language.instant(table.as_of),
        "outstanding": language.count(outstanding),
        "overdue": language.count(overdue),
    }
    return language.gettext(
        "On the reference date, {as_of}, the number of outstanding episodes was {outstanding}."
        if overdue is None or not outstanding
        else "On the reference date, {as_of}, the number of outstanding episodes was {outstanding}. For"
        " {overdue} of these the deadline had passed.",
        **values,
    )


def standing_counts(table: PublicTable, language: Language) -> tuple[StandingCount, ...]:
    """How many companies meet the norm, are below it, and so on; empty where the release judges nobody."""
    if not any(row.ranked and row.standing for row in table.rows):
        return ()
    return tuple(
        StandingCount(
            key,
            language.gettext(words.label),
            _companies(sum(row.standing == key for row in table.rows), language),
            language.gettext(words.meaning),
        )
        for key, words in standings_of(table.method).items()
    )
