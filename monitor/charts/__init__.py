"""The pictures of the site and the report: pure functions from figures to SVG, the same on screen and on paper."""

from monitor.charts.companies import all_companies_figure
from monitor.charts.flows import flow_figure
from monitor.charts.frame import NARROW, WIDE, standalone
from monitor.charts.funnel import funnel_figure
from monitor.charts.median import median_figure
from monitor.charts.norms import norms_figure
from monitor.charts.outcomes import age_chart, age_figure, counts_bar, counts_figure
from monitor.charts.ranks import ranks_figure
from monitor.charts.survival import limits_at, network_figure, survival_chart, survival_figure
from monitor.charts.trend import trend_figure

__all__ = [
    "NARROW",
    "WIDE",
    "age_chart",
    "age_figure",
    "all_companies_figure",
    "counts_bar",
    "counts_figure",
    "flow_figure",
    "funnel_figure",
    "limits_at",
    "median_figure",
    "network_figure",
    "norms_figure",
    "ranks_figure",
    "standalone",
    "survival_chart",
    "survival_figure",
    "trend_figure",
]
