"""Cumulative incidence of relocation (Aalen-Johansen), removal competing, with clustered infinitesimal jackknife.

R: `survfit(Surv(t, factor) ~ 1, cluster=)`, its state for relocation. With S(t-) the share that neither was removed nor
moved, F(t) = sum over u <= t of S(u-) dk(u) / Y(u), dk the relocations. An episode's influence on F(tau), up to T and
tau, is

    S(T-) 1[moved] / Y(T) - 1[ended] (F(tau) - F(T)) / (Y - d)(T) - G1 + F(tau) G2 - G3,

G1, G2, G3 the sums of S(u-) dk / Y^2, d / (Y (Y - d)) and d F / (Y (Y - d)).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from monitor.estimators.arrays import AnyIntegers, Floats, Integers, group_starts, sum_groups
from monitor.estimators.compiled import compiled
from monitor.estimators.risk_set import RiskSet, next_time, site_sizes


class CumulativeIncidence(NamedTuple):
    """(horizons, companies) arrays of F and its variance; `rate`: S(t-) / Y at the time of each row of the risk set."""

    value: Floats
    variance: Floats
    rate: Floats


class _Steps(NamedTuple):
    """At each time of a company: `rate`, 1 / (Y - d) (0 where nobody is left), and F, G1, G2 and G3 after it."""

    time: Integers
    rate: Floats
    inverse: Floats
    f: Floats
    g1: Floats
    g2: Floats
    g3: Floats


@compiled
def aalen_johansen(risk_set: RiskSet, horizons: Integers) -> CumulativeIncidence:
    """The incidence by each horizon (microseconds), from `any_event`; 0 without an error where nothing moved."""
    companies = len(risk_set.begins) - 1
    found = CumulativeIncidence(
        np.zeros((len(horizons), companies)), np.zeros((len(horizons), companies)), np.zeros(len(risk_set.time))
    )
    for company in range(companies):
        begin, end = risk_set.begins[company], risk_set.begins[company + 1]
        if not risk_set.relocations[begin:end].any():
            continue
        steps, at = _steps(risk_set, begin, end)
        found.rate[begin:end] = steps.rate[at]
        sites = risk_set.site[begin:end].max() + 1
        for place, horizon in enumerate(horizons):
            last = np.searchsorted(steps.time, horizon, side="right") - 1
            if last >= 0:
                found.value[place, company] = steps.f[last]
                found.variance[place, company] = _variance(risk_set, begin, end, steps, at, last, sites)
    return found


@compiled
def _steps(risk_set: RiskSet, begin: int, end: int) -> tuple[_Steps, Integers]:
    """The steps of one company, and to which of them each of its rows belongs."""
    at, steps = np.empty(end - begin, np.int64), 0
    result, times = np.empty((6, end - begin)), np.empty(end - begin, np.int64)
    at_risk, log, before = site_sizes(risk_set, begin, end).sum(), 0.0, 1.0
    f, g1, g2, g3, row = 0.0, 0.0, 0.0, 0.0, begin
    while row < end:
        after, leaving, events = next_time(risk_set, row, end)
        left, relocations = at_risk - events, risk_set.relocations[row:after].sum()
        rate, inverse = before / at_risk, 1.0 / left if left > 0.0 else 0.0
        f, g1 = f + rate * relocations, g1 + rate * relocations / at_risk
        variance_step = events * inverse / at_risk
        g2, g3 = g2 + variance_step, g3 + variance_step * f
        times[steps], result[:, steps] = risk_set.time[row] * risk_set.unit, (rate, inverse, f, g1, g2, g3)
        at[row - begin : after - begin] = steps
        log += np.log(left / at_risk) if left > 0.0 else 0.0
        before, at_risk, row, steps = np.exp(log), at_risk - leaving, after, steps + 1
    part = result[:, :steps]
    return _Steps(times[:steps], part[0], part[1], part[2], part[3], part[4], part[5]), at


@compiled
def _variance(risk_set: RiskSet, begin: int, end: int, steps: _Steps, at: Integers, last: int, sites: int) -> float:
    """At the step `last`: squares of the sums of influence over each site, added up."""
    psi, f, g2 = np.zeros(sites), steps.f[last], steps.g2[last]
    beyond = -steps.g1[last] + f * g2 - steps.g3[last]
    for row in range(begin, end):
        step, site = at[row - begin], risk_set.site[row]
        if step > last:
            psi[site] += risk_set.leaving[row] * beyond
            continue
        psi[site] += risk_set.relocations[row] * steps.rate[step]
        psi[site] -= risk_set.events[row] * steps.inverse[step] * (f - steps.f[step])
        psi[site] += risk_set.leaving[row] * (f * steps.g2[step] - steps.g1[step] - steps.g3[step])
    return float((psi * psi).sum())


class IncidenceByCause(NamedTuple):
    """One row a company and cause that has relocations: how many, and (rows, horizons) the incidence."""

    company: Integers
    cause: AnyIntegers
    relocations: Integers
    incidence: Floats


def incidence_by_cause(
    found: CumulativeIncidence,
    risk_set: RiskSet,
    company: Integers,
    cause: AnyIntegers,
    time: Integers,
    relocations: Integers,
    horizons: Sequence[int],
) -> IncidenceByCause:
    """The incidence divided by cause (country): columns sorted by company (an index), cause and time (microseconds).

    Every row has a company and time of the risk set that `found` was estimated from.
    """
    part = found.rate[_row_of(risk_set, company, time)] * relocations
    starts = group_starts(company, cause)
    parts = [np.where(time <= horizon, part, 0.0) for horizon in horizons]
    incidence = (
        np.stack([np.add.reduceat(each, starts) for each in parts], axis=1)
        if len(starts)
        else np.zeros((0, len(horizons)))
    )
    return IncidenceByCause(company[starts], cause[starts], sum_groups(relocations, starts), incidence)


def _row_of(risk_set: RiskSet, company: Integers, time: Integers) -> Integers:
    """The first row of the risk set at each company and time; there is one."""
    most = int(risk_set.time.max(initial=0)) + 1
    owner = np.repeat(np.arange(len(risk_set.begins) - 1), np.diff(risk_set.begins))
    return np.searchsorted(owner * most + risk_set.time, company * most + time // risk_set.unit)
