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
from monitor.charts.frame import Cell, Chart
from monitor.charts.outcomes import outstanding_by_age
from monitor.comparison.trend import network_trend
from monitor.disclosure.rows import PublicTable
from monitor.figures import KEY_FIGURES, UNMEASURED
from monitor.tables.sentences import FigureLine
from monitor.wording.language import MISSING, Language, Message
from monitor.wording.readings import Figure, Reading
from monitor.wording.words import Words
from reports.sections import listed


@dataclass(frozen=True, slots=True)
class KeyFigure(FigureLine):
    """A figure in words with what it was in the release before."""

    before: str


def key_figures(table: PublicTable, before: PublicTable | None, language: Language) -> tuple[KeyFigure, ...]:
    """All companies together; a count that may not be shown says so."""
    pairs = ((figure, _read(table, figure, language)) for figure in KEY_FIGURES if table.network.has(figure))
    return tuple(
        KeyFigure(
            key=figure.key,
            name=language.gettext(figure.name),
            value=said.value,
            interval=said.interval,
            help=language.gettext(figure.meaning(table.method.competing_risks)),
            before=_read(before, figure, language).value if before and before.network.has(figure) else MISSING,
        )
        for figure, said in pairs
    )


def _read(table: PublicTable, figure: Figure, language: Language) -> Reading:
    if figure.total:
        return Reading(shown(table.network.value(figure), language))
    return table.network.read(figure, language)


def shown(count: int | None, language: Language) -> str:
    """A count of the network, or the words that it is not shown."""
    return language.gettext("not shown") if count is None else language.count(count)


@dataclass(frozen=True, slots=True)
class OpenLine:
    """Something that could not be measured: its name, how often, and what was done with it."""

    name: str
    number: str
    meaning: str


_UNATTRIBUTED = Words(
    Message("Not attributed"),
    Message("Episodes that could not be attributed to any company. They count for no company."),
)


def unmeasured(table: PublicTable, language: Language) -> tuple[OpenLine, ...]:
    """What the figures leave open, for all companies together."""
    network = table.network
    lines = [(Words(figure.name, figure.help), network.value(figure)) for figure in UNMEASURED]
    lines.append((_UNATTRIBUTED, table.unattributed.episodes))
    return tuple(
        OpenLine(language.gettext(words.name), shown(n, language), language.gettext(words.help)) for words, n in lines
    )


def pictures(table: PublicTable, earlier: Sequence[PublicTable], language: Language) -> Mapping[str, Chart]:
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
        return MISSING
    if isinstance(value, str):
        return value
    return language.count(value) if isinstance(value, int) else language.decimal(value)


def numeric(figure: Chart) -> tuple[bool, ...]:
    """Which columns of a picture's table hold numbers; the first names the row, so it never does."""
    columns = zip(*figure.rows, strict=True)
    return (False, *[any(isinstance(value, int | float) for value in column) for column in columns][1:])
