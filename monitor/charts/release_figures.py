"""The pictures of a release that are drawn once, when it is published; that of the ranks depends on the page."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.charts.companies import all_companies_figure
from monitor.charts.flows import flow_figure
from monitor.charts.frame import Chart
from monitor.charts.funnel import funnel_figure
from monitor.charts.norms import norms_figure
from monitor.charts.outcomes import age_figure, outstanding_by_age
from monitor.disclosure.rows import PublicTable
from monitor.wording.language import Language


def release_figures(table: PublicTable, language: Language) -> Mapping[str, Chart]:
    """By name those there is something to show in; the rows of the table have their curves."""
    ages = outstanding_by_age(table.rows)
    drawn = [
        funnel_figure(table, language),
        all_companies_figure(table, language),
        age_figure(ages, table.network.deadline_hours, language),
    ]
    if table.flows is not None:
        drawn.append(flow_figure(table.flows, company_names(table), language))
    if table.norms is not None:
        drawn.append(norms_figure(table.norms, language))
    return {figure.name: figure for figure in drawn}


def company_names(table: PublicTable) -> dict[str, str]:
    """The names of a table's companies by key."""
    return {row.company: row.name for row in table.rows}
