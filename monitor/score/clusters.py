"""Episodes counted by site, by day of the notice and by both, in the engine, for shares with two-way variance.

What is read is small: how many clusters of each make-up a unit has, and the clusters one by one only where the checks
leave an episode open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
from ibis import _

from monitor.estimators.arrays import Integers
from monitor.estimators.clustered_share import Clusters
from monitor.score.engine import (
    Engine,
    Expr,
    bool_to_int,
    drop,
    fetch,
    integer_table,
    keep,
    put,
    to_microseconds,
    to_numpy,
)
from monitor.score.methods import is_late, is_mature, is_on_time
from monitor.score.units import Units

KEYS: Mapping[str, tuple[str, ...]] = {"site": ("site",), "day": ("day",), "both": ("site", "day")}
_COUNTS = ("episodes", "mature", "on_time", "late", "open", "sent", "refused")
NEVER = -1
Columns = dict[str, Integers]


@dataclass(frozen=True)
class ClusterCounts:
    """Of one way to cluster: `timing` has rows of `count` clusters of a unit (mature, on_time, late; whether any of
    their episodes is `open`), `sent` likewise (sent, refused); `open_clusters` those with an open episode one by one.
    """

    units: int
    timing: Columns
    sent: Columns
    open_clusters: Columns

    def clusters(self, ones: str) -> Clusters:
        """By mature episodes, of which `ones` are on time or late; or by notices sent, of which `refused`."""
        rows, size = (self.sent, "sent") if ones == "refused" else (self.timing, "mature")
        return Clusters.counted(self.units, rows["unit"], rows[size], rows[ones], rows["count"])


@dataclass(frozen=True)
class Counted:
    """The clusters of each kind (KEYS), per unit its sites and the sum of their squared episodes, and `open_rows`.

    `open_rows`: mature episodes that are neither on time nor late nor moved in time, as rows of `weight` alike: place
    of the company, site, day, left, right, relocated (NEVER: not), deadline, in microseconds.
    """

    by: Mapping[str, ClusterCounts]
    sites: Integers
    squares: Integers
    open_rows: Columns


def count_clusters(engine: Engine, scored: Expr, units: Units, deadline: Any) -> Counted:
    """Count `scored` episodes and undelivered items; `deadline` in hours, an expression."""
    own = _table(engine, units, np.arange(len(units.companies)), units.own)
    shared = _table(engine, units, *units.shared)
    pairs = keep(_pairs(scored, deadline))
    by, tables = {}, {}
    for kind, keys in KEYS.items():
        tables[kind] = keep(_unit_clusters(pairs, own, shared, keys))
        by[kind] = _read(engine, tables[kind], units.count, keys)
    sizes = _columns(engine, _site_sizes(tables["site"]))
    sites, squares = np.zeros(units.count, np.int64), np.zeros(units.count, np.int64)
    sites[sizes["unit"]], squares[sizes["unit"]] = sizes["sites"], sizes["squares"]
    open_rows = _columns(engine, _open_rows(scored.join(own, "company"), deadline))
    drop(pairs, *tables.values(), own, shared)
    return Counted(by, sites, squares, open_rows)


def _table(engine: Engine, units: Units, places: Integers, unit: Integers) -> Expr:
    columns = {"company": units.companies[places], "unit": unit.astype(np.int64)}
    return put(engine, "units", integer_table(columns))


def _columns(engine: Engine, expression: Expr) -> Columns:
    table = fetch(engine, expression)
    return {name: to_numpy(table[name]) for name in table.column_names}


def count_of(condition: Any) -> Any:
    """How many rows a condition holds in."""
    return bool_to_int(condition).sum()


def timing_conditions(deadline: Any) -> dict[str, Any]:
    """Which episodes are mature, on time, late, and moved in time; the others of the mature ones are open."""
    mature = is_mature(_.followed_h, deadline)
    return {
        "mature": mature,
        "on_time": mature & is_on_time(_.first_offline_h, deadline),
        "late": mature & is_late(_.last_online_h, deadline),
        "moved_in_time": mature & _.first_offline_h.isnull() & (_.relocated_h <= deadline),
    }


def _pairs(scored: Expr, deadline: Any) -> Expr:
    timing = {name: count_of(condition) for name, condition in timing_conditions(deadline).items()}
    rows = scored.group_by(["company", "site", "day"]).aggregate(
        episodes=count_of(_.undelivered == 0),
        sent=(_.notice_days + _.refused).sum(),
        refused=_.refused.sum(),
        **timing,
    )
    return rows.mutate(open=_.mature - _.on_time - _.late - _.moved_in_time).drop("moved_in_time")


def _unit_clusters(pairs: Expr, own: Expr, shared: Expr, keys: tuple[str, ...]) -> Expr:
    sums = {name: _[name].sum().cast("int64") for name in _COUNTS}
    rows = pairs if len(keys) > 1 else pairs.group_by(["company", *keys]).aggregate(**sums)
    names = ("unit", *keys, *_COUNTS)
    together = rows.join(shared, "company").group_by(["unit", *keys]).aggregate(**sums)
    mine = rows.join(own, "company").mutate(**{name: _[name].cast("int64") for name in _COUNTS})
    return ibis.union(mine.select(*names), together.select(*names))


def _read(engine: Engine, table: Expr, units: int, keys: tuple[str, ...]) -> ClusterCounts:
    timing = table.filter(_.mature > 0).mutate(is_open=bool_to_int(_.open > 0))
    timing = timing.group_by(["unit", "mature", "on_time", "late", "is_open"]).aggregate(count=_.count())
    sent = table.filter(_.sent > 0).group_by(["unit", "sent", "refused"]).aggregate(count=_.count())
    one_by_one = table.filter(_.open > 0).select("unit", *keys, "on_time", "late")
    return ClusterCounts(units, *(_columns(engine, rows) for rows in (timing, sent, one_by_one)))


def _site_sizes(sites: Expr) -> Expr:
    rows = sites.filter(_.episodes > 0)
    squares = (rows.episodes * rows.episodes).sum().cast("int64")
    return rows.group_by("unit").aggregate(sites=rows.count(), squares=squares)


def _open_rows(scored: Expr, deadline: Any) -> Expr:
    timing = timing_conditions(deadline)
    known = [timing[name].fill_null(False) for name in ("on_time", "late", "moved_in_time")]
    rows = scored.filter(timing["mature"] & ~known[0] & ~known[1] & ~known[2])
    rows = rows.select(
        "unit",
        "site",
        "day",
        left=to_microseconds(rows.last_online_h),
        right=to_microseconds(rows.first_offline_h).coalesce(NEVER),
        relocated=to_microseconds(rows.relocated_h).coalesce(NEVER),
        deadline=to_microseconds(deadline),
    )
    return rows.group_by(rows.columns).aggregate(weight=_.count())
