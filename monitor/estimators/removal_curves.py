"""Aalen-Johansen curves of removal, relocation competing, with clustered infinitesimal jackknife, for many companies.

With S(t-) the share that neither was removed nor moved, F(t) = sum over u <= t of S(u-) d1(u) / Y(u), d1 the removals,
d all ends and Y those at risk. A site's influence on F(t) is A - F B - Y_c (g - F h): A sums S(u-)[removed] / Y +
F [ended] / (Y - d) - g and B sums [ended] / (Y - d) - h over the site's own ends up to t, Y_c counts its episodes at
risk, h = sum of d / (Y (Y - d)) and g = sum of S(u-) d1 / Y^2 + d F / (Y (Y - d)). Where nothing moved F is one minus
the Kaplan-Meier curve, with the variance of R's `survfit(..., cluster=, robust=TRUE)`.

The sums over sites of A^2, A B, ... change at a site's own times only, which makes a variance at every time cheap; but
their rounding is not small where the variance is 0. So they only say where a limit cannot cross a level; where it can,
and at the times asked for, the influences themselves are squared and added up.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from monitor.estimators.arrays import Floats, Integers
from monitor.estimators.compiled import compiled
from monitor.estimators.risk_set import RiskSet, next_time, site_sizes
from monitor.estimators.rounding import LEVEL_TOLERANCE

QUANTILE_LEVELS = (0.5, 0.1)  # of the share not removed, at the median and at the 90th percentile
_WIDEST = 50.0  # of a log(-log) interval: beyond, its limits are 0 and 1 whatever it is
_NO_VARIANCE = 1e-20  # what rounding leaves of influences that are all 0
_UNSURE = 1e-8  # a variance from sums below this may be rounding
_NEAR = 0.01  # how far from a level a limit may be wrong by it
_ZERO = 1e-12  # of a share


class RemovalCurves(NamedTuple):
    """Of each company (rows): F of removal with its variance, and F of relocation, at the times asked for.

    `moved` and `moved_variance`: F of relocation with its variance at the horizons asked for. `area` is that under the
    share still there; `low` and `high` (QUANTILE_LEVELS a row) the first time at which the lower, and the upper, limit
    of 1 - F of removal is at most the level; microseconds, nan where there is none.
    """

    removed: Floats
    variance: Floats
    relocated: Floats
    moved: Floats
    moved_variance: Floats
    area: Floats
    low: Floats
    high: Floats


class _Sums(NamedTuple):
    """Over the sites of a company, of the products of A, B and Y."""

    aa: float
    ab: float
    bb: float
    ay: float
    by: float
    yy: float


@compiled
def removal_curves(
    risk_set: RiskSet, times: Integers, horizons: Integers, until: int, quantile: Floats
) -> RemovalCurves:
    """The curves at `times` and `horizons` (microseconds, ascending), with the area up to `until`.

    `quantile`: of each company that of Student's t, for its limits. Without episodes the curves are 0, the rest nan.
    """
    companies = len(risk_set.begins) - 1
    found = RemovalCurves(
        np.zeros((companies, len(times))),
        np.zeros((companies, len(times))),
        np.zeros((companies, len(times))),
        np.zeros((companies, len(horizons))),
        np.zeros((companies, len(horizons))),
        np.full(companies, np.nan),
        np.full((companies, len(QUANTILE_LEVELS)), np.nan),
        np.full((companies, len(QUANTILE_LEVELS)), np.nan),
    )
    for company in range(companies):
        begin, end = risk_set.begins[company], risk_set.begins[company + 1]
        if begin < end:
            _estimate_company(risk_set, begin, end, company, found, times, until, quantile[company])
            if risk_set.relocations[begin:end].any():
                _estimate_relocation(risk_set, begin, end, company, found, horizons)
    return found


@compiled
def _estimate_company(
    risk_set: RiskSet, begin: int, end: int, company: int, found: RemovalCurves, times: Integers, until: int, q: float
) -> None:
    """Walk through the times of one company; of the episodes that end at a time, those by an event come first."""
    y = site_sizes(risk_set, begin, end)
    a, b, sums = np.zeros(len(y)), np.zeros(len(y)), _Sums(0.0, 0.0, 0.0, 0.0, 0.0, (y * y).sum())
    at_risk, s, f, moved, g1, g3, h, area = y.sum(), 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    row, time, place, searching = begin, 0, 0, True
    while row < end:
        now = risk_set.time[row] * risk_set.unit
        if not searching and place == len(times) and time >= until:
            break  # all that is asked for is known
        area += s * (min(now, until) - min(time, until))
        if place < len(times) and times[place] < now:
            variance = _variance(a, b, y, f, g1 + g3, h)
            while place < len(times) and times[place] < now:
                found.removed[company, place], found.relocated[company, place] = f, moved
                found.variance[company, place] = variance
                place += 1
        time = now
        after, leaving, events = next_time(risk_set, row, end)
        relocations = risk_set.relocations[row:after].sum()
        left, rate = at_risk - events, s / at_risk
        inverse = 1.0 / left if left > 0.0 else 0.0
        f, moved = f + rate * (events - relocations), moved + rate * relocations
        s *= left / at_risk
        if left == 0.0 and moved == 0.0:
            f = 1.0
        step = events * inverse / at_risk
        g1, g3, h = g1 + rate * (events - relocations) / at_risk, g3 + step * f, h + step
        for own in range(row, after):
            ended, away = risk_set.events[own], risk_set.relocations[own]
            in_a = (ended - away) * rate + ended * f * inverse - risk_set.leaving[own] * (g1 + g3)
            in_b = ended * inverse - risk_set.leaving[own] * h
            if searching:
                sums = _update(sums, a, b, y, risk_set.site[own], risk_set.leaving[own], in_a, in_b)
            else:
                site = risk_set.site[own]
                a[site], b[site], y[site] = a[site] + in_a, b[site] + in_b, y[site] - risk_set.leaving[own]
        at_risk -= leaving
        row = after
        if searching:
            _record_limits(found, company, time, f, q, sums, a, b, y, g1 + g3, h)
            searching = bool(np.isnan(found.low[company].sum() + found.high[company].sum()))
    variance = _variance(a, b, y, f, g1 + g3, h)
    found.removed[company, place:], found.relocated[company, place:] = f, moved
    found.variance[company, place:] = variance
    found.area[company] = area + s * (until - min(time, until))


@compiled
def _estimate_relocation(
    risk_set: RiskSet, begin: int, end: int, company: int, found: RemovalCurves, horizons: Integers
) -> None:
    """F of relocation at the horizons with its variance: as that of removal, the two causes in each other's place."""
    y = site_sizes(risk_set, begin, end)
    a, b = np.zeros(len(y)), np.zeros(len(y))
    at_risk, s, f, g, h, row, place = y.sum(), 1.0, 0.0, 0.0, 0.0, begin, 0
    others = False
    while row < end:
        now = risk_set.time[row] * risk_set.unit
        while place < len(horizons) and horizons[place] < now:
            found.moved[company, place], found.moved_variance[company, place] = f, _variance(a, b, y, f, g, h)
            place += 1
        if place == len(horizons):
            return
        after, leaving, events = next_time(risk_set, row, end)
        relocations = risk_set.relocations[row:after].sum()
        left, rate = at_risk - events, s / at_risk
        inverse = 1.0 / left if left > 0.0 else 0.0
        f, s, others = f + rate * relocations, s * (left / at_risk), others or relocations < events
        if left == 0.0 and not others:
            f = 1.0
        step = events * inverse / at_risk
        g, h = g + rate * relocations / at_risk + step * f, h + step
        for own in range(row, after):
            site, away = risk_set.site[own], risk_set.leaving[own]
            a[site] += risk_set.relocations[own] * rate + risk_set.events[own] * f * inverse - away * g
            b[site] += risk_set.events[own] * inverse - away * h
            y[site] -= away
        at_risk -= leaving
        row = after
    found.moved[company, place:], found.moved_variance[company, place:] = f, _variance(a, b, y, f, g, h)


@compiled
def _update(sums: _Sums, a: Floats, b: Floats, y: Floats, site: int, leaving: int, in_a: float, in_b: float) -> _Sums:
    """The sums, A, B and Y after some of a site's episodes have left the risk set."""
    a0, b0, y0 = a[site], b[site], y[site]
    a1, b1, y1 = a0 + in_a, b0 + in_b, y0 - leaving
    a[site], b[site], y[site] = a1, b1, y1
    return _Sums(
        sums.aa + (a1 * a1 - a0 * a0),
        sums.ab + (a1 * b1 - a0 * b0),
        sums.bb + (b1 * b1 - b0 * b0),
        sums.ay + (a1 * y1 - a0 * y0),
        sums.by + (b1 * y1 - b0 * y0),
        sums.yy + (y1 * y1 - y0 * y0),
    )


@compiled
def _variance(a: Floats, b: Floats, y: Floats, f: float, g: float, h: float) -> float:
    """The squares of the influence of each site, added up; 0 where rounding alone is left."""
    result, rest = 0.0, g - f * h
    for site in range(len(y)):
        influence = a[site] - f * b[site] - y[site] * rest
        result += influence * influence
    return result if result >= _NO_VARIANCE else 0.0


@compiled
def _record_limits(
    found: RemovalCurves,
    company: int,
    time: int,
    f: float,
    q: float,
    sums: _Sums,
    a: Floats,
    b: Floats,
    y: Floats,
    g: float,
    h: float,
) -> None:
    """Where a limit of the share not removed reaches a level for the first time."""
    share, rest = 1.0 - f, g - f * h
    if share >= 1.0:
        return
    if share <= _ZERO:  # the limits are 0 and 1
        for place in range(len(QUANTILE_LEVELS)):
            if np.isnan(found.low[company, place]):
                found.low[company, place] = time
        return
    variance = sums.aa - 2.0 * f * sums.ab + f * f * sums.bb
    variance = max(variance - 2.0 * rest * (sums.ay - f * sums.by) + rest * rest * sums.yy, 0.0)
    low, high = _limits(share, variance, q)
    exact = False
    for place, level in enumerate(QUANTILE_LEVELS):
        wants_low, wants_high = np.isnan(found.low[company, place]), np.isnan(found.high[company, place])
        near_low, near_high = abs(low - level) < 1e-4, abs(high - level) < 1e-4
        unsure = variance < _UNSURE and abs(share - level) < _NEAR
        if not exact and ((wants_low and near_low) or (wants_high and near_high) or unsure):
            low, high = _limits(share, _variance(a, b, y, f, g, h), q)
            exact = True
        if wants_low and low <= level + LEVEL_TOLERANCE:
            found.low[company, place] = time
        if wants_high and high <= level + LEVEL_TOLERANCE:
            found.high[company, place] = time


@compiled
def _limits(share: float, variance: float, q: float) -> tuple[float, float]:
    """On the log(-log) scale, of a share between 0 and 1; itself where the variance is 0."""
    log = -np.log(share)
    factor = np.exp(min(q * np.sqrt(variance) / (share * log), _WIDEST))
    return float(np.exp(-log * factor)), float(np.exp(-log / factor))
