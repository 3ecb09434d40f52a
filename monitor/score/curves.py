"""Kaplan-Meier curves, their variance clustered by site, and what is read off them, for many companies at once.

The variance is the infinitesimal jackknife summed over sites (R: `survfit(..., cluster=, robust=TRUE)`). A site's
influence at t is -S(t) (A(t) - H(t) Y(t)): A sums d/(Y-d) - H over the ends of its own episodes up to t, Y counts its
episodes still at risk. Both change only at the site's own times, so the sums over sites of A^2, A Y and Y^2 do too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from monitor.score.cells import Exits
from monitor.score.compiled import compiled
from monitor.score.digits import TIE
from monitor.score.sorting import Floats, Integers

_WIDEST = 50.0  # of a log(-log) interval: beyond, its limits are 0 and 1 whatever it is
LEVELS = (0.5, 0.1)  # what of the curve the median and p90 leave


class Curves(NamedTuple):
    """Of each company (rows): S and its variance at the times asked for, the area under S, and quantiles' limits.

    `low` and `high` (LEVELS a row): the first time at which the lower, and the upper, 95 % limit of S is at most the
    level, in ticks; nan where it never is. `area` in ticks; nan without episodes.
    """

    survival: Floats
    variance: Floats
    area: Floats
    low: Floats
    high: Floats


class _Sums(NamedTuple):
    """Over the sites of a company, of A^2, A Y and Y^2."""

    aa: float
    ay: float
    yy: float


@compiled
def curves(exits: Exits, asked: Integers, until: int, z: float) -> Curves:
    """The curves at the times `asked` (ticks, ascending), with the area up to `until`; z limits an interval."""
    companies = len(exits.begins) - 1
    found = Curves(
        np.ones((companies, len(asked))),
        np.zeros((companies, len(asked))),
        np.full(companies, np.nan),
        np.full((companies, len(LEVELS)), np.nan),
        np.full((companies, len(LEVELS)), np.nan),
    )
    for company in range(companies):
        begin, end = exits.begins[company], exits.begins[company + 1]
        if begin < end:
            _curve(exits, begin, end, company, found, asked, until, z)
    return found


@compiled
def _curve(
    exits: Exits, begin: int, end: int, company: int, found: Curves, asked: Integers, until: int, z: float
) -> None:
    """Walk through the times of one company; of the episodes that end at a time, those by the event come first."""
    y = sites_of(exits, begin, end)
    a, sums = np.zeros(len(y)), _Sums(0.0, 0.0, (y * y).sum())
    at_risk, log, hazard, s, variance, area = y.sum(), 0.0, 0.0, 1.0, 0.0, 0.0
    row, time, place = begin, 0, 0
    while row < end:
        now = exits.time[row] * exits.unit
        area += s * (min(now, until) - min(time, until))
        time = now
        while place < len(asked) and asked[place] < time:
            found.survival[company, place], found.variance[company, place] = s, variance
            place += 1
        after, gone, events = step_at(exits, row, end)
        left = at_risk - events
        inverse = 1.0 / left if left > 0.0 else 0.0
        hazard += events * inverse / at_risk
        for own in range(row, after):
            sums = _moved_on(sums, a, y, exits.site[own], exits.ends[own], exits.events[own] * inverse, hazard)
        log += np.log(left / at_risk) if left > 0.0 else 0.0
        s = np.exp(log) if left > 0.0 else 0.0  # nobody is left: only ever at a company's last time
        variance = s * s * max(sums.aa - 2.0 * hazard * sums.ay + hazard * hazard * sums.yy, 0.0)
        if s < 1.0:
            _note_limits(found, company, time, s, log, z * np.sqrt(variance))
        at_risk -= gone
        row = after
    found.survival[company, place:], found.variance[company, place:] = s, variance
    found.area[company] = area + s * (until - min(time, until))


@compiled
def sites_of(exits: Exits, begin: int, end: int) -> Floats:
    """How many episodes each site of a company has."""
    result = np.zeros(exits.site[begin:end].max() + 1)
    for row in range(begin, end):
        result[exits.site[row]] += exits.ends[row]
    return result


@compiled
def step_at(exits: Exits, row: int, end: int) -> tuple[int, int, int]:
    """The row after the last one at the time of this one, and how many episodes end in between, and by the event."""
    time, gone, events = exits.time[row], 0, 0
    while row < end and exits.time[row] == time:
        gone += exits.ends[row]
        events += exits.events[row]
        row += 1
    return row, gone, events


@compiled
def _moved_on(sums: _Sums, a: Floats, y: Floats, site: int, gone: int, by_event: float, hazard: float) -> _Sums:
    """The sums, A and Y after some of a site's episodes have ended."""
    a_before, y_before = a[site], y[site]
    a_after, y_after = a_before + by_event - gone * hazard, y_before - gone
    a[site], y[site] = a_after, y_after
    return _Sums(
        sums.aa + (a_after * a_after - a_before * a_before),
        sums.ay + (a_after * y_after - a_before * y_before),
        sums.yy + (y_after * y_after - y_before * y_before),
    )


@compiled
def _note_limits(found: Curves, company: int, time: int, s: float, log: float, half: float) -> None:
    """Where a log(-log) limit reaches a level for the first time; where S is 0, its lower limit is 0, its upper 1."""
    for place, level in enumerate(LEVELS):
        if not np.isnan(found.high[company, place]):
            continue
        bend = -np.log(level + TIE)  # exp(-x) is at most the level where x is at least this
        stretch = np.exp(min(half / (s * -log), _WIDEST)) if s > 0.0 else np.inf
        if np.isnan(found.low[company, place]) and (s == 0.0 or -log * stretch >= bend):
            found.low[company, place] = time
        if s > 0.0 and -log / stretch >= bend:
            found.high[company, place] = time
