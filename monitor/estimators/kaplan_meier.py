"""Kaplan-Meier curves, their variance clustered by site, and what is read off them, for many companies at once.

The variance is the infinitesimal jackknife summed over sites (R: `survfit(..., cluster=, robust=TRUE)`). A site's
influence at t is -S(t) (A(t) - H(t) Y(t)): A sums d/(Y-d) - H over the ends of its own episodes up to t, Y counts its
episodes still at risk. Both change only at the site's own times, so the sums over sites of A^2, A Y and Y^2 do too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from monitor.estimators.arrays import Floats, Integers
from monitor.estimators.compiled import compiled
from monitor.estimators.risk_set import RiskSet, next_time, site_sizes
from monitor.estimators.rounding import TIE_TOLERANCE

_WIDEST = 50.0  # of a log(-log) interval: beyond, its limits are 0 and 1 whatever it is
QUANTILE_LEVELS = (0.5, 0.1)  # S at the median and at the 90th percentile of the time to the event


class KaplanMeier(NamedTuple):
    """Of each company (rows): S and its variance at the times asked for, the area under S, and quantiles' limits.

    `low` and `high` (QUANTILE_LEVELS a row): the first time at which the lower, and the upper, 95 % limit of S is at
    most the level, in microseconds; nan where it never is. `area` in microseconds; nan without episodes.
    """

    survival: Floats
    variance: Floats
    area: Floats
    low: Floats
    high: Floats


class _InfluenceSums(NamedTuple):
    """Over the sites of a company, of A^2, A Y and Y^2."""

    aa: float
    ay: float
    yy: float


@compiled
def kaplan_meier(risk_set: RiskSet, times: Integers, until: int, z: float) -> KaplanMeier:
    """The curves at `times` (microseconds, ascending), with the area up to `until`; z limits an interval."""
    companies = len(risk_set.begins) - 1
    found = KaplanMeier(
        np.ones((companies, len(times))),
        np.zeros((companies, len(times))),
        np.full(companies, np.nan),
        np.full((companies, len(QUANTILE_LEVELS)), np.nan),
        np.full((companies, len(QUANTILE_LEVELS)), np.nan),
    )
    for company in range(companies):
        begin, end = risk_set.begins[company], risk_set.begins[company + 1]
        if begin < end:
            _estimate_company(risk_set, begin, end, company, found, times, until, z)
    return found


@compiled
def _estimate_company(
    risk_set: RiskSet, begin: int, end: int, company: int, found: KaplanMeier, times: Integers, until: int, z: float
) -> None:
    """Walk through the times of one company; of the episodes that end at a time, those by the event come first."""
    y = site_sizes(risk_set, begin, end)
    a, sums = np.zeros(len(y)), _InfluenceSums(0.0, 0.0, (y * y).sum())
    at_risk, log, hazard, s, variance, area = y.sum(), 0.0, 0.0, 1.0, 0.0, 0.0
    row, time, place = begin, 0, 0
    while row < end:
        now = risk_set.time[row] * risk_set.unit
        area += s * (min(now, until) - min(time, until))
        time = now
        while place < len(times) and times[place] < time:
            found.survival[company, place], found.variance[company, place] = s, variance
            place += 1
        after, leaving, events = next_time(risk_set, row, end)
        left = at_risk - events
        inverse = 1.0 / left if left > 0.0 else 0.0
        hazard += events * inverse / at_risk
        for own in range(row, after):
            by_event = risk_set.events[own] * inverse
            sums = _update_influence(sums, a, y, risk_set.site[own], risk_set.leaving[own], by_event, hazard)
        log += np.log(left / at_risk) if left > 0.0 else 0.0
        s = np.exp(log) if left > 0.0 else 0.0  # nobody is left: only ever at a company's last time
        variance = s * s * max(sums.aa - 2.0 * hazard * sums.ay + hazard * hazard * sums.yy, 0.0)
        if s < 1.0:
            _record_quantile_limits(found, company, time, s, log, z * np.sqrt(variance))
        at_risk -= leaving
        row = after
    found.survival[company, place:], found.variance[company, place:] = s, variance
    found.area[company] = area + s * (until - min(time, until))


@compiled
def _update_influence(
    sums: _InfluenceSums, a: Floats, y: Floats, site: int, leaving: int, by_event: float, hazard: float
) -> _InfluenceSums:
    """The sums, A and Y after some of a site's episodes have left the risk set."""
    a_before, y_before = a[site], y[site]
    a_after, y_after = a_before + by_event - leaving * hazard, y_before - leaving
    a[site], y[site] = a_after, y_after
    return _InfluenceSums(
        sums.aa + (a_after * a_after - a_before * a_before),
        sums.ay + (a_after * y_after - a_before * y_before),
        sums.yy + (y_after * y_after - y_before * y_before),
    )


@compiled
def _record_quantile_limits(
    found: KaplanMeier, company: int, time: int, s: float, log: float, half_width: float
) -> None:
    """Where a log(-log) limit reaches a level for the first time; where S is 0, its lower limit is 0, its upper 1."""
    for place, level in enumerate(QUANTILE_LEVELS):
        if not np.isnan(found.high[company, place]):
            continue
        threshold = -np.log(level + TIE_TOLERANCE)  # exp(-x) is at most the level where x is at least this
        factor = np.exp(min(half_width / (s * -log), _WIDEST)) if s > 0.0 else np.inf
        if np.isnan(found.low[company, place]) and (s == 0.0 or -log * factor >= threshold):
            found.low[company, place] = time
        if s > 0.0 and -log / factor >= threshold:
            found.high[company, place] = time
