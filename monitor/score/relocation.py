"""Cumulative incidence of relocation (Aalen-Johansen), removal competing, with clustered infinitesimal jackknife.

R: `survfit(Surv(t, factor) ~ 1, cluster=)`, its state for relocation. With S(t-) the share that neither went nor moved,
F(t) = sum over u <= t of S(u-) dk(u) / Y(u), dk the relocations. An episode's influence on F(tau), up to T and tau, is

    S(T-) 1[moved] / Y(T) - 1[ended] (F(tau) - F(T)) / (Y - d)(T) - G1 + F(tau) G2 - G3,

G1, G2, G3 the sums of S(u-) dk / Y^2, d / (Y (Y - d)) and d F / (Y (Y - d)).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ibis import _

from monitor.score.cells import Exits
from monitor.score.compiled import compiled
from monitor.score.counts import NETWORK
from monitor.score.curves import sites_of, step_at
from monitor.score.engine import Expr
from monitor.score.sorting import Floats, Integers, added, starts
from monitor.score.whole import TICKS, rounded_up, ticks


class Incidence(NamedTuple):
    """(horizons, companies) arrays of F and its variance; `moving`: S(t-) / Y at the time of each row of the Exits."""

    value: Floats
    variance: Floats
    moving: Floats


class _Steps(NamedTuple):
    """At each time of a company: `moving`, 1 / (Y - d) (0 where nobody is left), and F, G1, G2 and G3 after it."""

    time: Integers
    moving: Floats
    inverse: Floats
    f: Floats
    g1: Floats
    g2: Floats
    g3: Floats


@compiled
def incidence(exits: Exits, horizons: Integers) -> Incidence:
    """The incidence by each of the horizons (ticks), from `cells.either`; 0 without an error where nothing moved."""
    companies = len(exits.begins) - 1
    found = Incidence(
        np.zeros((len(horizons), companies)), np.zeros((len(horizons), companies)), np.zeros(len(exits.time))
    )
    for company in range(companies):
        begin, end = exits.begins[company], exits.begins[company + 1]
        if not exits.moves[begin:end].any():
            continue
        steps, at = _steps(exits, begin, end)
        found.moving[begin:end] = steps.moving[at]
        sites = exits.site[begin:end].max() + 1
        for place, horizon in enumerate(horizons):
            last = np.searchsorted(steps.time, horizon, side="right") - 1
            if last >= 0:
                found.value[place, company] = steps.f[last]
                found.variance[place, company] = _variance(exits, begin, end, steps, at, last, sites)
    return found


@compiled
def _steps(exits: Exits, begin: int, end: int) -> tuple[_Steps, Integers]:
    """The steps of one company, and to which of them each of its rows belongs."""
    at, steps = np.empty(end - begin, np.int64), 0
    result, times = np.empty((6, end - begin)), np.empty(end - begin, np.int64)
    at_risk, log, before = sites_of(exits, begin, end).sum(), 0.0, 1.0
    f, g1, g2, g3, row = 0.0, 0.0, 0.0, 0.0, begin
    while row < end:
        after, gone, events = step_at(exits, row, end)
        left, moved = at_risk - events, exits.moves[row:after].sum()
        moving, inverse = before / at_risk, 1.0 / left if left > 0.0 else 0.0
        f, g1 = f + moving * moved, g1 + moving * moved / at_risk
        bend = events * inverse / at_risk
        g2, g3 = g2 + bend, g3 + bend * f
        times[steps], result[:, steps] = exits.time[row] * exits.unit, (moving, inverse, f, g1, g2, g3)
        at[row - begin : after - begin] = steps
        log += np.log(left / at_risk) if left > 0.0 else 0.0
        before, at_risk, row, steps = np.exp(log), at_risk - gone, after, steps + 1
    part = result[:, :steps]
    return _Steps(times[:steps], part[0], part[1], part[2], part[3], part[4], part[5]), at


@compiled
def _variance(exits: Exits, begin: int, end: int, steps: _Steps, at: Integers, last: int, sites: int) -> float:
    """At the step `last`: squares of the sums of influence over each site, added up."""
    psi, f, g2 = np.zeros(sites), steps.f[last], steps.g2[last]
    beyond = -steps.g1[last] + f * g2 - steps.g3[last]
    for row in range(begin, end):
        step, site = at[row - begin], exits.site[row]
        if step > last:
            psi[site] += exits.ends[row] * beyond
            continue
        psi[site] += exits.moves[row] * steps.moving[step]
        psi[site] -= exits.events[row] * steps.inverse[step] * (f - steps.f[step])
        psi[site] += exits.ends[row] * (f * steps.g2[step] - steps.g1[step] - steps.g3[step])
    return float((psi * psi).sum())


def moves(scored: Expr, sizes: Expr, grid: int) -> Expr:
    """(company, t, country, k): how many moved at each time (ticks), by company and for NETWORK, as in the cells."""
    moved = scored.filter(_.relocated_h.notnull() & _.first_offline_h.isnull())
    moved = moved.select("company", t=ticks(_.relocated_h), country=_.destination.coalesce(""))
    every = moved.mutate(company=ibis.literal(NETWORK, "int64"), grid=ibis.literal(grid, "int64"))
    rows = ibis.union(moved.join(sizes.select("company", "grid"), "company").select(every.columns), every)
    rows = rows.mutate(t=(_.grid == 0).ifelse(_.t, rounded_up(_.t, ibis.greatest(_.grid, 1))))
    return rows.group_by(["company", "t", "country"]).aggregate(k=_.count())


def by_country(
    found: Incidence, exits: Exits, companies: Integers, table: pa.Table, hours: Sequence[float]
) -> dict[tuple[int, str], tuple[int, list[float]]]:
    """By (company, country) the relocations in all, and the incidence at each of `hours`; `table` from `moves`."""
    table = table.filter(pc.is_in(table["company"], value_set=pa.array(companies)))
    rows = table.sort_by([(name, "ascending") for name in ("company", "country", "t")])
    times, k = (rows[name].to_numpy() for name in ("t", "k"))
    company = np.searchsorted(companies, rows["company"].to_numpy())
    country = rows["country"].dictionary_encode().combine_chunks()
    part = found.moving[_row_of(exits, company, times)] * k
    begins = starts(company, country.indices.to_numpy())
    parts = [np.where(times <= round(h * TICKS), part, 0.0) for h in hours]
    values = np.stack([np.add.reduceat(each, begins) for each in parts], axis=1).tolist() if len(begins) else []
    keys = zip(companies[company[begins]].tolist(), rows["country"].take(begins).to_pylist(), strict=True)
    counts = added(k, begins).tolist()
    return dict(zip(keys, zip(counts, values, strict=True), strict=True))


def _row_of(exits: Exits, company: Integers, times: Integers) -> Integers:
    """The first row of the Exits at each company and time; there is one."""
    most = int(exits.time.max(initial=0)) + 1
    owner = np.repeat(np.arange(len(exits.begins) - 1), np.diff(exits.begins))
    return np.searchsorted(owner * most + exits.time, company * most + times // exits.unit)
