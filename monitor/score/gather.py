"""Running the expressions: from episodes in an engine to aligned numpy arrays, one entry a company."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
from ibis import _

from monitor.score import counts, curves
from monitor.score.counts import NETWORK
from monitor.score.engine import Engine, Expr
from monitor.score.methods import Method
from monitor.score.turnbull import Turnbull, turnbull

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Curve:
    """One Kaplan-Meier curve of every company: (companies, hours + 1) arrays, and its readings by name."""

    survival: Floats
    variance: Floats
    readings: dict[str, Floats]


@dataclass(frozen=True)
class Gathered:
    """All figures of all companies, in the order of `companies` (the first is NETWORK)."""

    companies: Integers
    counts: dict[str, Floats]
    lenient: Curve
    strict: Curve
    npmle: Turnbull


def gather(engine: Engine, scored: Expr, every: Expr, method: Method, also: Sequence[int] = ()) -> Gathered:
    """Estimate from `scored` episodes (of the period) and `every` episode (for what is outstanding).

    Both have company and site as integers (0: nobody) and the columns of `monitor.score.episodes.episodes`.
    """
    totals = _arrays(engine, counts.company_counts(counts.site_counts(scored)))
    open_ones = _arrays(engine, counts.outstanding_counts(every, method))
    companies = np.union1d(np.union1d(totals["company"], open_ones["company"]), [NETWORK, *also]).astype(np.int64)
    merged = _aligned(companies, totals, 0.0) | _aligned(companies, open_ones, 0.0)
    merged["oldest_hours"] = _aligned(companies, open_ones, np.nan)["oldest_hours"]
    return Gathered(
        companies,
        merged,
        _curve(engine, curves.lenient(scored), companies, method),
        _curve(engine, curves.strict(scored), companies, method),
        _turnbull(engine, scored, companies, merged["episodes"], method),
    )


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


def _curve(engine: Engine, spans: Expr, companies: Integers, method: Method) -> Curve:
    curve = engine.create_table(f"curve_{ibis.util.guid()}", curves.kaplan_meier(spans), temp=True)
    hours = int(max(method.restricted_mean_hours, *method.survival_hours))
    points = _arrays(engine, curves.hourly(curve, hours))
    survival = _filled(companies, hours, points, "survival", 1.0)
    variance = _filled(companies, hours, points, "variance", 0.0)
    return Curve(survival, variance, _aligned(companies, _arrays(engine, curves.readings(curve, method)), np.nan))


def _filled(companies: Integers, hours: int, points: dict[str, npt.NDArray[Any]], name: str, before: float) -> Floats:
    """Step function at hours 0, 1, ..., carrying each value on until the next change."""
    values = np.full((len(companies), hours + 1), np.nan)
    values[:, 0] = before
    values[np.searchsorted(companies, points["company"]), points["hour"]] = points[name]
    last = np.maximum.accumulate(np.where(np.isnan(values), 0, np.arange(hours + 1)), axis=1)
    filled: Floats = np.take_along_axis(values, last, axis=1)
    return filled


def _turnbull(engine: Engine, scored: Expr, companies: Integers, episodes: Floats, method: Method) -> Turnbull:
    """Turnbull's estimate on a grid that grows with the number of episodes: exact where that is affordable."""
    sizes = ibis.memtable({"company": companies, "grid_h": method.grid_hours(episodes)})
    columns = ("company", "last_online_h", "first_offline_h")
    own = scored.select(*columns)
    both = ibis.union(own, own.mutate(company=ibis.literal(NETWORK, "int64")).select(*columns))
    gridded = both.join(sizes, "company")
    exact = gridded.grid_h <= 0.0
    grid = exact.ifelse(1.0, gridded.grid_h)
    pairs = gridded.select(
        "company",
        left=exact.ifelse(gridded.last_online_h, (gridded.last_online_h / grid).floor() * grid),
        right=exact.ifelse(gridded.first_offline_h, (gridded.first_offline_h / grid).ceil() * grid),
    )
    table = _arrays(engine, pairs.group_by(["company", "left", "right"]).aggregate(weight=_.count()))
    right = np.where(np.isnan(table["right"].astype(np.float64)), np.inf, table["right"].astype(np.float64))
    order = np.lexsort((right, table["left"], table["company"]))
    group = np.searchsorted(companies, table["company"])[order]
    return turnbull(group, table["left"][order], right[order], table["weight"][order], len(companies))
