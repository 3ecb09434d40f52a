"""The pictures of the report, and how the numbers of their tables are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
from monitor.wording import formatting
from monitor.wording.words import Language
from reports.companies import listed


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
