"""The pictures of the site and the report: pure functions from figures to SVG, the same on screen and on paper."""

from monitor.publish.charts.ages import age_chart, age_figure, age_words
from monitor.publish.charts.companies import all_companies_figure
from monitor.publish.charts.counts import counts_bar, counts_figure
from monitor.publish.charts.files import standalone
from monitor.publish.charts.flows import flow_figure
from monitor.publish.charts.frame import NARROW, WIDE
from monitor.publish.charts.funnel import funnel_figure
from monitor.publish.charts.median import median_figure
from monitor.publish.charts.norms import norms_figure
from monitor.publish.charts.ranks import ranks_figure
from monitor.publish.charts.survival import limits_at, network_figure, survival_chart, survival_figure
from monitor.publish.charts.trend import trend_figure

__all__ = [
    "NARROW",
    "WIDE",
    "age_chart",
    "age_figure",
    "age_words",
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
