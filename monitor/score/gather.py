"""Running the expressions: from episodes in an engine to aligned numpy arrays, one entry a company."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from ibis import _

from monitor.score import clustered, counts, relocation, survival
from monitor.score.counts import NETWORK
from monitor.score.engine import Engine, Expr, drop, keep, put
from monitor.score.methods import Method
from monitor.score.turnbull import Turnbull, turnbull
from monitor.score.whole import TICKS, rounded_down, rounded_up, ticks

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
_SECOND = TICKS // 3600


@dataclass(frozen=True)
class Curve:
    """One Kaplan-Meier curve of every company: (companies, hours + 1) arrays, and its readings by name, in hours."""

    survival: Floats
    variance: Floats
    readings: dict[str, Floats]


@dataclass(frozen=True)
class Moves:
    """Relocation: per horizon its incidence and variance by company, and the same by (company, country)."""

    incidence: list[Floats]
    variance: list[Floats]
    by_country: dict[tuple[int, str], tuple[int, list[float]]]


@dataclass(frozen=True)
class Gathered:
    """All figures of all companies, in the order of `companies` (the first is NETWORK)."""

    companies: Integers
    counts: dict[str, Floats]
    lenient: Curve
    strict: Curve
    npmle: Turnbull
    moves: Moves


def gather(engine: Engine, scored: Expr, every: Expr, method: Method, also: Sequence[int] = ()) -> Gathered:
    """Estimate from `scored` episodes (of the period) and `every` episode (for what is outstanding).

    Both have company and site as integers (0: nobody) and the columns of `monitor.score.episodes.episodes`.
    """
    totals = _arrays(engine, counts.company_counts(counts.site_counts(scored)))
    open_ones = _arrays(engine, counts.outstanding_counts(every, method))
    companies = np.union1d(np.union1d(totals["company"], open_ones["company"]), [NETWORK, *also]).astype(np.int64)
    merged = _aligned(companies, totals, 0.0) | _aligned(companies, open_ones, 0.0)
    merged["oldest_hours"] = _aligned(companies, open_ones, np.nan)["oldest_hours"]
    merged["exposure_hours"] = (merged["exposure_s"] + merged["exposure_rest"] / _SECOND) / 3600
    sizes = _Sizes(engine, companies, merged["episodes"], method.grid_seconds(merged["episodes"]) * _SECOND)
    return Gathered(
        companies,
        merged,
        _curve(engine, survival.lenient(scored), sizes, method),
        _curve(engine, survival.strict(scored), sizes, method),
        _turnbull(engine, scored, sizes),
        _moves(engine, scored, sizes, merged["relocated"], method),
    )


@dataclass(frozen=True)
class _Sizes:
    """Per company the number of its episodes and its grid in ticks."""

    engine: Engine
    companies: Integers
    episodes: Floats
    grid: Integers

    def table(self, **more: Floats) -> Expr:
        columns = {"company": self.companies, "episodes": self.episodes.astype(np.int64), "grid": self.grid}
        return put(self.engine, "sizes", pa.table(columns | more))

    def scaled(self, curve: Expr) -> Expr:
        """The table with a power of two by which a sum of steps can be multiplied and still be a whole number."""
        most = _aligned(self.companies, _arrays(self.engine, clustered.bound(curve)), 2.0)["most"]
        return self.table(scale=2.0 ** (60 - np.ceil(np.log2(most))))


def _arrays(engine: Engine, expression: Expr) -> dict[str, npt.NDArray[Any]]:
    table = engine.to_pyarrow(expression)
    return {name: table[name].to_numpy() for name in table.column_names}


def _aligned(companies: Integers, columns: dict[str, npt.NDArray[Any]], missing: float) -> dict[str, Floats]:
    """Each column in the order of `companies`, `missing` where a company has no row."""
    at = np.searchsorted(companies, columns["company"])
    result = {}
    for name, values in columns.items():
        if name != "company":
            result[name] = np.full(len(companies), missing, dtype=np.float64)
            result[name][at] = values
    return result


def _curve(engine: Engine, spans: Expr, sizes: _Sizes, method: Method) -> Curve:
    until = round(method.restricted_mean_hours * TICKS)
    curve = keep(survival.survival(survival.times(spans), sizes.table(), until))
    points = clustered.variance(spans, curve, sizes.scaled(curve))
    hours = int(max(method.restricted_mean_hours, *method.survival_hours))
    found = _arrays(engine, clustered.hourly(points, hours))
    limits = _aligned(sizes.companies, _arrays(engine, clustered.limits(points, method)), np.nan)
    area = _aligned(sizes.companies, _arrays(engine, survival.area(curve, until)), np.nan)
    readings = {name: values / TICKS for name, values in limits.items()}
    drop(curve, points)
    readings["restricted_mean"] = survival.area_ticks(area["area"], area["first"]) / TICKS
    return Curve(
        _filled(sizes.companies, hours, found, "survival", 1.0),
        _filled(sizes.companies, hours, found, "variance", 0.0),
        readings,
    )


def _filled(companies: Integers, hours: int, points: dict[str, npt.NDArray[Any]], name: str, before: float) -> Floats:
    """Step function at hours 0, 1, ..., carrying each value on until the next change."""
    values = np.full((len(companies), hours + 1), np.nan)
    values[:, 0] = before
    values[np.searchsorted(companies, points["company"]), points["hour"]] = points[name]
    last = np.maximum.accumulate(np.where(np.isnan(values), 0, np.arange(hours + 1)), axis=1)
    filled: Floats = np.take_along_axis(values, last, axis=1)
    return filled


def _turnbull(engine: Engine, scored: Expr, sizes: _Sizes) -> Turnbull:
    """Turnbull's estimate on a grid that grows with the number of episodes: exact where that is affordable."""
    spans = scored.select("company", left=ticks(_.last_online_h), right=ticks(_.first_offline_h).coalesce(-1))
    pairs = _on_grid(spans.join(sizes.table().select("company", "grid"), "company").mutate(one=1))
    network = _on_grid(pairs.mutate(grid=int(sizes.grid[0]), company=ibis.literal(NETWORK, "int64"), one=_.weight))
    columns = ("company", "left", "right", "weight")
    table = _arrays(engine, ibis.union(pairs.select(*columns), network.select(*columns)))
    left = table["left"] / float(TICKS)
    right = np.where(table["right"] < 0, np.inf, table["right"] / float(TICKS))
    order = np.lexsort((right, left, table["company"]))
    group = np.searchsorted(sizes.companies, table["company"])[order]
    return turnbull(group, left[order], right[order], table["weight"][order], len(sizes.companies))


def _on_grid(spans: Expr) -> Expr:
    """How many `one`s there are by company and interval, the intervals widened to the grid; right -1: no end."""
    wide = ibis.greatest(spans.grid, 1)
    right = (spans.right < 0).ifelse(-1, rounded_up(spans.right, wide))
    rows = spans.mutate(left=rounded_down(spans.left, wide), right=right)
    return rows.group_by(["company", "left", "right"]).aggregate(weight=_.one.sum())


def _moves(engine: Engine, scored: Expr, sizes: _Sizes, relocated: Floats, method: Method) -> Moves:
    """Nothing is computed where nothing was relocated: every incidence is 0, without an error."""
    hours = method.relocation_hours
    nothing = np.zeros(len(sizes.companies))
    if not relocated.any():
        return Moves([nothing for _ in hours], [nothing for _ in hours], {})
    ends = relocation.exits(scored)
    every = keep(survival.survival(survival.times(ends), sizes.table(), 0))
    moved = keep(relocation.moves(ends))
    curve = keep(relocation.incidence(every, moved))
    scaled = sizes.scaled(every)
    found = [_arrays(engine, relocation.variance(ends, curve, scaled, h)) for h in hours]
    aligned = [_aligned(sizes.companies, columns, 0.0) for columns in found]
    rows = engine.to_pyarrow(relocation.by_country(every, moved, hours)).to_pylist()
    drop(every, moved, curve)
    countries = {
        (row["company"], row["country"]): (row["k"], [row[f"i{n}"] / relocation.UNIT for n in range(len(hours))])
        for row in rows
    }
    return Moves([a["f"] for a in aligned], [a["v"] for a in aligned], countries)
