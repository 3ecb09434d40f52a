"""Cumulative incidence of relocation (Aalen-Johansen), removal competing, with clustered infinitesimal jackknife.

R: `survfit(Surv(t, factor) ~ 1, cluster=)`, its state for relocation. With S(t-) the share that neither went nor moved,
F(t) = sum over u <= t of S(u-) dk(u) / Y(u), dk the relocations. An episode's influence on F(tau), up to T and tau, is

    S(T-) 1[moved] / Y(T) - 1[ended] (F(tau) - F(T)) / (Y - d)(T) - G1 + F(tau) G2 - G3,

G1, G2, G3 the sums of S(u-) dk / Y^2, d / (Y (Y - d)) and d F / (Y (Y - d)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ibis import _

from monitor.score.counts import NETWORK
from monitor.score.engine import Expr
from monitor.score.sorting import Floats, Integers, starts
from monitor.score.survival import Steps
from monitor.score.whole import TICKS, rounded_up, ticks


@dataclass(frozen=True)
class Incidence:
    """The all-cause curve with F, G1, G2 and G3 after each step; `moving`: S(t-) / Y."""

    steps: Steps
    moving: Floats
    f: Floats
    g1: Floats
    g2: Floats
    g3: Floats

    @classmethod
    def of(cls, steps: Steps) -> Incidence:
        """From the curve of all exits."""
        moved = np.add.reduceat(steps.ends.moves[steps.rows], steps.begins).astype(np.float64)
        moving = steps.before / steps.at_risk
        f = steps.running(moving * moved)
        bend = steps.events * steps.inverse / steps.at_risk
        return cls(
            steps, moving, f, steps.running(moving * moved / steps.at_risk), steps.hazard, steps.running(bend * f)
        )

    def at(self, hours: float) -> tuple[Floats, Floats]:
        """Per company F at `hours`, and its variance; both 0 where nothing moved by then."""
        last = self.steps.latest(np.array([round(hours * TICKS)]))[:, 0]
        f, h1, h2, h3 = (_at(values, last) for values in (self.f, self.g1, self.g2, self.g3))
        steps = self.steps
        early, company = steps.time <= round(hours * TICKS), steps.company
        moving = np.where(early, self.moving, 0.0)
        ending = np.where(early, -steps.inverse * (f[company] - self.f), 0.0)
        beyond = (-h1 + f * h2 - h3)[company]
        staying = np.where(early, -self.g1 + f[company] * self.g2 - self.g3, beyond)
        return f, self._variance(moving, ending, staying)

    def _variance(self, moving: Floats, ending: Floats, staying: Floats) -> Floats:
        """Squares of the sums over each site, added up by company."""
        ends, at = self.steps.ends, self.steps.step
        psi = np.empty(len(at))
        moves, events, every = (values[self.steps.rows] for values in (ends.moves, ends.events, ends.ends))
        psi[self.steps.rows] = moves * moving[at] + events * ending[at] + every * staying[at]
        sites = starts(ends.company, ends.site)
        squares = np.add.reduceat(psi, sites) ** 2
        return np.asarray(np.bincount(ends.company[sites], squares, ends.companies), dtype=np.float64)


def _at(values: Floats, place: Integers) -> Floats:
    """The value at each place; 0 where there is none."""
    return np.append(values, 0.0)[place]


def moves(scored: Expr, sizes: Expr, grid: int) -> Expr:
    """(company, t, country, k): how many moved at each time (ticks), by company and for NETWORK, as in the cells."""
    moved = scored.filter(_.relocated_h.notnull() & _.first_offline_h.isnull())
    moved = moved.select("company", t=ticks(_.relocated_h), country=_.destination.coalesce(""))
    every = moved.mutate(company=ibis.literal(NETWORK, "int64"), grid=ibis.literal(grid, "int64"))
    rows = ibis.union(moved.join(sizes.select("company", "grid"), "company").select(every.columns), every)
    rows = rows.mutate(t=(_.grid == 0).ifelse(_.t, rounded_up(_.t, ibis.greatest(_.grid, 1))))
    return rows.group_by(["company", "t", "country"]).aggregate(k=_.count())


def by_country(
    incidence: Incidence, companies: Integers, table: pa.Table, hours: Sequence[float]
) -> dict[tuple[int, str], tuple[int, list[float]]]:
    """By (company, country) the relocations in all, and the incidence at each of `hours`; `table` from `moves`."""
    table = table.filter(pc.is_in(table["company"], value_set=pa.array(companies)))
    rows = table.sort_by([(name, "ascending") for name in ("company", "t", "country")])
    times, k = (rows[name].to_numpy() for name in ("t", "k"))
    company = rows["company"].to_numpy()
    part = incidence.moving[_step_of(incidence.steps, np.searchsorted(companies, company), times)] * k
    parts = np.stack([k, *(np.where(times <= round(h * TICKS), part, 0.0) for h in hours)], axis=1)
    found: dict[tuple[int, str], list[float]] = {}
    for key, row in zip(zip(company.tolist(), rows["country"].to_pylist(), strict=True), parts.tolist(), strict=True):
        found[key] = [a + b for a, b in zip(found.get(key, [0.0] * len(row)), row, strict=True)]
    return {key: (int(count), values) for key, (count, *values) in found.items()}


def _step_of(steps: Steps, company: Integers, times: Integers) -> Integers:
    """The step of each company and time; there is one, and the rows are sorted by company."""
    result = np.empty(len(times), dtype=np.int64)
    for begin, end in steps.stretches():
        rows = slice(*np.searchsorted(company, [steps.company[begin], steps.company[begin] + 1]))
        result[rows] = begin + np.searchsorted(steps.time[begin:end], times[rows])
    return result
