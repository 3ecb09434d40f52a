"""Shares with two-way variance (rules R1 to R7 of method 2026.2), of all units of a table at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitor.estimators.arrays import AnyIntegers, Booleans, Floats, group_starts, sort_order
from monitor.estimators.clustered_share import Sizes, TwoWayShares, sizes, two_way_shares
from monitor.score.clusters import KEYS, ClusterCounts, Columns, Counted
from monitor.score.removal import OpenRows

_NO_VARIANCE = 1e-20  # what rounding leaves of a variance that is 0


def effective_clusters(counted: Counted) -> Floats:
    """G of the mature episodes of each unit: the smaller of that of sites and that of days."""
    return np.fmin(*(sizes(counted.by[kind].clusters("late")).effective for kind in ("site", "day")))


def shares_of(counted: Counted, ones: str, confidence: float, eligible: Booleans | None) -> TwoWayShares:
    """The share `ones` (on_time or late of the mature, refused of the notices sent) of each unit."""
    site, day, both = (counted.by[kind].clusters(ones) for kind in KEYS)
    return two_way_shares(site, day, both, confidence, eligible)


@dataclass(frozen=True)
class EstimatedShares:
    """Of each unit the estimate of the share on time, and how many independent episodes it is worth (nan: none)."""

    p: Floats
    n_eff: Floats


def estimate_shares(counted: Counted, rows: OpenRows, a: Floats, b: Floats) -> EstimatedShares:
    """The estimate p = sum a / sum b, a and b known of every episode but the open `rows`, and its n_eff."""
    of_sites = counted.by["site"]
    totals = {name: sizes(of_sites.clusters(name)) for name in ("on_time", "late")}
    units, weight = of_sites.units, rows.weight.astype(float)
    above = totals["on_time"].k + np.bincount(rows.unit, weight * a, units)
    below = totals["on_time"].k + totals["late"].k + np.bincount(rows.unit, weight * b, units)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.where(below > 0, above / below, np.nan)
        by = {kind: _variance(counted.by[kind], KEYS[kind], rows, weight * a, weight * b, p) for kind in KEYS}
        variance = np.fmax(np.fmax(by["site"], by["day"]), by["site"] + by["day"] - by["both"]) / below**2
        worth = p * (1 - p) / variance
    effective = effective_clusters(counted)
    certain = (variance < _NO_VARIANCE) | (p <= 0.0) | (p >= 1.0)
    n_eff = np.where(certain, effective, np.clip(worth, effective, totals["late"].n))
    return EstimatedShares(p, np.where(np.isnan(p), np.nan, n_eff))


def _variance(counts: ClusterCounts, keys: tuple[str, ...], rows: OpenRows, a: Floats, b: Floats, p: Floats) -> Floats:
    """C / (C - 1) times the sum over clusters of (sum of a - p b)^2; 0 with a single cluster."""
    timing = counts.timing
    error = timing["on_time"] * (1 - p[timing["unit"]]) - timing["late"] * p[timing["unit"]]
    closed = timing["is_open"] == 0
    squares = np.bincount(timing["unit"][closed], (timing["count"] * error**2)[closed], counts.units)
    unit, error = _open_errors(counts.open_clusters, keys, rows, a, b, p)
    squares = squares + np.bincount(unit, error**2, counts.units)
    clusters = np.bincount(timing["unit"], timing["count"], counts.units)
    return np.where(clusters > 1, clusters / np.maximum(clusters - 1, 1), 0.0) * squares


def _open_errors(
    clusters: Columns, keys: tuple[str, ...], rows: OpenRows, a: Floats, b: Floats, p: Floats
) -> tuple[AnyIntegers, Floats]:
    """Of each cluster with an open episode its unit, and the sum of a - p b over all its episodes."""
    order = sort_order(clusters["unit"], *(clusters[key] for key in keys))
    unit, on_time, late = (clusters[name][order] for name in ("unit", "on_time", "late"))
    columns = [rows.unit, *(getattr(rows, key) for key in keys)]
    of_rows = sort_order(*columns)
    starts = group_starts(*(column[of_rows] for column in columns))
    more = (a - p[rows.unit] * b)[of_rows]
    sums = np.add.reduceat(more, starts) if starts.size else np.zeros(0)
    return unit, on_time * (1 - p[unit]) - late * p[unit] + sums


def notices_sent(counted: Counted) -> Sizes:
    """Of each unit the notices sent, those refused, and on how many sites."""
    return sizes(counted.by["site"].clusters("refused"))
