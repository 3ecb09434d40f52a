"""The figures of all companies together as lines of a table, beside those of the release before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.charts import (
    age_figure,
    flow_figure,
    funnel_figure,
    median_figure,
    network_figure,
    norms_figure,
    ranks_figure,
    trend_figure,
)
from monitor.charts.frame import Cell, Figure
from monitor.charts.outcomes import outstanding_by_age
from monitor.comparison.trend import network_trend
from monitor.disclosure.rows import PublicTable
from monitor.tables.figure_lines import bounds_words, quantile_words
from monitor.wording import formatting
from monitor.wording.words import FIGURES, LATENESS, Language, Text, Words
from reports.sections import listed
from reports.words import WORDS

_COUNTS = "episodes notices renotices outstanding overdue relocated reappeared".split()  # noqa: SIM905


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """One figure in words: its name, value, interval (or a dash), value in the release before, and meaning."""

    key: str
    name: str
    value: str
    interval: str
    before: str
    help: str


def key_figures(table: PublicTable, before: PublicTable | None, language: Language) -> tuple[KeyFigure, ...]:
    """All companies together; a count that may not be shown says so."""
    earlier = _values(before, language) if before else {}
    return tuple(
        KeyFigure(
            key,
            FIGURES[key].name[language],
            *pair,
            earlier.get(key, (formatting.MISSING,))[0],
            FIGURES[key].help[language],
        )
        for key, pair in _values(table, language).items()
    )


def _values(table: PublicTable, language: Language) -> Mapping[str, tuple[str, str]]:
    network = table.network
    values = {
        "on_time": (
            formatting.share_range(network.strict.p, network.lenient.p, language),
            formatting.share_range(network.lenient.low, network.lenient.high, language),
        ),
        "median": quantile_words(network.median_hours, language),
        "p90": quantile_words(network.p90_hours, language),
        "mean_online": (bounds_words(network.mean_online_hours_7d, language), formatting.MISSING),
    }
    return values | {name: (shown(network.counts[name], language), formatting.MISSING) for name in _COUNTS}


def shown(count: int | None, language: Language) -> str:
    """A count of the network, or the words that it is not shown."""
    return WORDS["not_shown"][language] if count is None else formatting.count(count, language)


@dataclass(frozen=True, slots=True)
class OpenLine:
    """Something that could not be measured: its name, how often, and what was done with it."""

    name: str
    number: str
    meaning: str


_UNATTRIBUTED = Words(
    Text("Niet toegerekend", "Not attributed"),
    Text(
        "Episodes die aan geen enkel bedrijf konden worden toegerekend. Zij tellen bij geen bedrijf mee.",
        "Episodes that could not be attributed to any company. They count for no company.",
    ),
)


def unmeasured(table: PublicTable, language: Language) -> tuple[OpenLine, ...]:
    """What the figures leave open, for all companies together."""
    counts = table.network.counts
    lines = (
        (LATENESS["undetermined"], counts["undetermined"]),
        (FIGURES["unverified"], counts["unverified"]),
        (FIGURES["refused"], counts["refused"]),
        (_UNATTRIBUTED, table.unattributed.episodes),
    )
    return tuple(OpenLine(words.name[language], shown(n, language), words.help[language]) for words, n in lines)


def pictures(table: PublicTable, earlier: Sequence[PublicTable], language: Language) -> Mapping[str, Figure]:
    """By name: those that the release has the figures for."""
    companies, ages = listed(table), outstanding_by_age(table.rows)
    made = {
        "network": network_figure(table.network, table.method, language),
        "ages": age_figure(ages, table.network.deadline_hours, language),
    }
    if companies.has_ranks:
        made["ranks"] = ranks_figure(companies.first, language)
        made["funnel"] = funnel_figure(table, language)
    if table.flows:
        names = {row.company: row.name for row in table.rows}
        made["flows"] = flow_figure(table.flows, names, language)
    if table.norms:
        made["norms"] = norms_figure(table.norms, language)
    if earlier:
        trend = network_trend((*earlier, table))
        made |= {"trend": trend_figure(trend, language), "median": median_figure(trend, language)}
    return made


def cell(value: Cell, language: Language) -> str:
    """A cell of a picture's table as people read it."""
    if value is None:
        return formatting.MISSING
    if isinstance(value, str):
        return value
    return formatting.count(value, language) if isinstance(value, int) else formatting.decimal(value, language)


def numeric(figure: Figure) -> tuple[bool, ...]:
    """Which columns of a picture's table hold numbers; the first names the row, so it never does."""
    columns = zip(*figure.rows, strict=True)
    return (False, *[any(isinstance(value, int | float) for value in column) for column in columns][1:])
