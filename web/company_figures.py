"""The pictures of one company, by the name that is their address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor import charts
from monitor.charts.frame import Figure
from monitor.comparison.trend import TrendPoint
from monitor.disclosure.rows import PublicTable, Row
from monitor.score.table import Flow
from monitor.wording.words import Language


def company_figures(
    row: Row, table: PublicTable, history: Sequence[TrendPoint], language: Language
) -> Mapping[str, Figure]:
    """Every picture there is something to show in: none of a company whose figures are withheld but its history."""
    drawn: list[Figure] = []
    if any(point.lenient for point in history):
        drawn += [figure(history, language, row.name) for figure in (charts.trend_figure, charts.median_figure)]
    if row.figures is not None:
        drawn += _of_figures(row, table, language)
    return {figure.name: figure for figure in drawn}


def _of_figures(row: Row, table: PublicTable, language: Language) -> list[Figure]:
    item = row.figures
    assert item is not None
    drawn = [charts.survival_figure(row, table.network, table.method, language)]
    if item.on_time.mature:
        drawn.append(charts.counts_figure(item.on_time, language))
    if item.outstanding and item.outstanding_by_age:
        drawn.append(charts.age_figure(item.outstanding_by_age, item.on_time.deadline_hours, language))
    if moves := flows_of(table, row.company):
        drawn.append(charts.flow_figure(moves, company_names(table), language))
    return drawn


def flows_of(table: PublicTable, key: str) -> tuple[Flow, ...]:
    """What moved from the company, and what moved to it."""
    return tuple(flow for flow in table.flows or () if key in (flow.origin, flow.destination))


def company_names(table: PublicTable) -> dict[str, str]:
    """The names of a table's companies by key."""
    return {row.company: row.name for row in table.rows}
