"""Shares of the companies with limits that are clustered by site and by day (rules R1 to R5 of the method)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from ibis import _

from monitor.estimators.arrays import AnyIntegers, Floats, Integers, group_by
from monitor.estimators.clustered_share import Clusters, sizes, two_way_shares
from monitor.estimators.rounding import round_number
from monitor.instants import DAY
from monitor.score.aggregate import NETWORK
from monitor.score.engine import Engine, Expr, bool_to_int, fetch, round_down, to_numpy
from monitor.score.facts import UNATTRIBUTED
from monitor.score.methods import Method


@dataclass(frozen=True, slots=True)
class ClusteredShare:
    """`ones` of `items` on so many `sites`; share and limits are None where there is no item."""

    items: int
    ones: int
    sites: int
    p: float | None
    low: float | None
    high: float | None


NOTHING = ClusteredShare(0, 0, 0, None, None, None)


class Cells(NamedTuple):
    """One row a (company, site, day): so many `items`, of which `ones` have the property. Companies are numbers."""

    company: Integers
    site: Integers
    day: Integers
    items: Integers
    ones: Integers

    def with_network(self) -> Cells:
        """The same rows, and once more those of all companies together under NETWORK."""
        (site, day), (items, ones) = group_by(_from_zero(self.site, self.day), (self.items, self.ones))
        network = Cells(np.full(len(site), NETWORK), site, day, items, ones)
        own = self._replace(site=_from_zero(self.site)[0], day=_from_zero(self.day)[0])
        return Cells(*(np.concatenate(pair) for pair in zip(own, network, strict=True)))


def read_cells(engine: Engine, rows: Expr) -> Cells:
    """The cells of rows with company, site, at (epoch s: its UTC date is the day) and `one` (boolean)."""
    days = rows.select("company", "site", day=round_down(_.at, DAY), one=bool_to_int(_.one))
    grouped = days.group_by(["company", "site", "day"]).aggregate(items=_.count(), ones=_.one.sum())
    return cells_of(fetch(engine, grouped.order_by(["company", "site", "day"])))


def cells_of(table: pa.Table) -> Cells:
    """The cells in a table with columns of those names."""
    return Cells(*(to_numpy(table[name]).astype(np.int64) for name in Cells._fields))


def clustered_shares(cells: Cells, method: Method) -> dict[int, ClusteredShare]:
    """By company number, and for NETWORK where there is any item at all.

    The intra-class correlations are pooled over the companies with as many items and sites as a rank takes, and hold
    for all others too; where there is no such company they are 1.
    """
    if not cells.items.size:
        return {}
    cells = cells.with_network()
    numbers, company = np.unique(cells.company, return_inverse=True)
    site, day, both = (_clusters(cells, company, len(numbers), *keys) for keys in _CLUSTERINGS)
    of_site = sizes(site)
    counted = (of_site.n >= method.minimum_episodes) & (of_site.clusters >= method.minimum_sites)
    counted &= (numbers != NETWORK) & (numbers != UNATTRIBUTED)
    found = two_way_shares(site, day, both, method.confidence, counted)
    counts = of_site.n, of_site.k, of_site.clusters
    rows = zip(numbers.tolist(), *counts, found.p, found.low, found.high, strict=True)
    return {
        number: ClusteredShare(int(n), int(k), int(sites), *map(round_number, map(float, limits)))
        for number, n, k, sites, *limits in rows
    }


_CLUSTERINGS = (("site",), ("day",), ("site", "day"))


def _clusters(cells: Cells, company: Integers, companies: int, *by: str) -> Clusters:
    keys = [np.asarray(company, np.int64), *_from_zero(*(getattr(cells, name) for name in by))]
    (of, *_rest), (items, ones) = group_by(keys, (cells.items, cells.ones))
    return Clusters.of(companies, of, items, ones)


def _from_zero(*columns: AnyIntegers) -> list[Integers]:
    """Each column as ranks from 0 on: sorting packs whole numbers that are not negative."""
    return [np.asarray(np.unique(column, return_inverse=True)[1], np.int64) for column in columns]


def weighted_median(values: Floats, counts: Integers) -> float | None:
    """The median of `counts` times each value; of an even number the mean of the two in the middle. None: no values."""
    total = int(counts.sum())
    if not total:
        return None
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(counts[order])
    middle = [float(values[order[np.searchsorted(reached, place, side="right")]]) for place in _middle(total)]
    return (middle[0] + middle[1]) / 2


def _middle(total: int) -> tuple[int, int]:
    return (total - 1) // 2, total // 2
