"""The scored episodes as arrays, read once from the engine, and counted by site, by day of the notice and by both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
from ibis import _

from monitor.estimators.arrays import (
    AnyIntegers,
    Booleans,
    Floats,
    Integers,
    count_rows,
    group_starts,
    pack_keys,
    sorted_rows,
)
from monitor.estimators.clustered_share import Clusters
from monitor.estimators.compiled import compiled
from monitor.estimators.numbering import number_values
from monitor.score.engine import (
    Engine,
    Expr,
    bool_to_int,
    fetch,
    integer_table,
    put,
    to_microseconds,
    to_numpy,
)
from monitor.score.methods import is_late, is_mature, is_on_time
from monitor.score.units import Units

KEYS: Mapping[str, tuple[str, ...]] = {"site": ("site",), "day": ("day",), "both": ("site", "day")}
NEVER = -1
Columns = dict[str, Integers]
# What is known of an episode against its deadline; an undelivered item has none.
UNDELIVERED, _NOT_MATURE, OPEN, _MOVED_IN_TIME, _ON_TIME, _LATE = range(6)
_EPISODES, _MATURE, _ON_TIME_COUNT, _LATE_COUNT, _STILL_OPEN, _SENT, _REFUSED = range(7)  # columns of counts


@dataclass(frozen=True)
class EpisodeRows:
    """One row an episode or undelivered item: place of the company in `Units`, `state`, site and day (from 0).

    `left`, `right`, `relocated` in microseconds, NEVER where it was not. `sent` and `refused` count the days with a
    notice. `deadline`: that of the open episodes alone, in their order, in microseconds.
    """

    place: AnyIntegers
    site: AnyIntegers
    day: AnyIntegers
    state: AnyIntegers
    left: AnyIntegers
    right: AnyIntegers
    relocated: AnyIntegers
    sent: AnyIntegers
    refused: AnyIntegers
    deadline: Integers


def read_rows(engine: Engine, scored: Expr, units: Units, deadline: Any) -> EpisodeRows:
    """The `scored` episodes and undelivered items; `deadline` in hours, an expression."""
    places: dict[str, AnyIntegers] = {
        "company": units.companies,
        "place": np.arange(len(units.companies), dtype=np.int32),
    }
    rows = scored.join(put(engine, "places", integer_table(places)), "company")
    timing = timing_conditions(deadline)
    states = (("late", _LATE), ("on_time", _ON_TIME), ("moved_in_time", _MOVED_IN_TIME), ("mature", OPEN))
    state = ibis.cases(
        (_.undelivered > 0, UNDELIVERED), *((timing[name], code) for name, code in states), else_=_NOT_MATURE
    )
    table = fetch(
        engine,
        rows.select(
            "place",
            "site",
            day=_.day.cast("int32"),
            state=state.cast("int8"),
            left=to_microseconds(_.last_online_h).coalesce(NEVER),
            right=to_microseconds(_.first_offline_h).coalesce(NEVER),
            relocated=_.first_offline_h.isnull()
            .ifelse(to_microseconds(_.relocated_h), ibis.null("int64"))
            .coalesce(NEVER),
            sent=(_.notice_days + _.refused).cast("int32"),
            refused=_.refused.cast("int32"),
            deadline=to_microseconds(deadline),
        ),
    )
    columns: dict[str, AnyIntegers] = {}
    for name in table.column_names:  # each is released as soon as it is read
        columns[name] = to_numpy(table[name])
        table = table.drop_columns(name)
        if name in ("site", "day"):
            columns[name] = number_values(columns[name])[1]
    columns["deadline"] = columns["deadline"][columns["state"] == OPEN]
    pa.default_memory_pool().release_unused()
    return EpisodeRows(**columns)


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
    """The clusters of each kind (KEYS), per unit its sites, its episodes and the sum of the squares of its sites'
    episodes, and `open_rows`.

    `open_rows`: mature episodes that are neither on time nor late nor moved in time, as rows of `weight` alike: unit of
    the company, site, day, left, right, relocated (NEVER: not), deadline, in microseconds.
    """

    by: Mapping[str, ClusterCounts]
    sites: Integers
    episodes: Integers
    squares: Integers
    open_rows: Columns

    @property
    def effective_sites(self) -> Floats:
        """n^2 / sum of n_c^2 over the sites of each unit; nan without episodes."""
        with np.errstate(invalid="ignore"):
            return self.episodes.astype(np.float64) ** 2 / self.squares


@dataclass(frozen=True)
class _Table:
    """Clusters of units: the unit and the key columns of each, and its `counts` (clusters, 7)."""

    unit: AnyIntegers
    keys: tuple[AnyIntegers, ...]
    counts: AnyIntegers

    def where(self, chosen: Booleans) -> _Table:
        """Some of the clusters."""
        return _Table(self.unit[chosen], tuple(key[chosen] for key in self.keys), self.counts[chosen])


def count_clusters(rows: EpisodeRows, units: Units) -> Counted:
    """Count the episodes and undelivered items of all units."""
    columns = (rows.place, rows.site, rows.day, rows.state, rows.sent, rows.refused)
    place, site, day, counts = _pairs(*sorted_rows(*columns))
    of_sites = _runs(place, site, counts)
    often = np.bincount(of_sites.keys[0]) > 1  # sites at several companies
    own = {
        "site": of_sites,
        "day": _summed(place, (day,), counts),
        "both": _Table(place, (site, day), counts),
    }
    by, sizes = {}, np.zeros((3, units.count), np.int64)
    for kind, table in own.items():
        tables = [replace(table, unit=table.unit + 1)]
        for unit, mask in units.masks:
            chosen = table if mask.all() else table.where(mask[table.unit])
            tables.extend(_together(replace(chosen, unit=np.full(len(chosen.unit), unit)), often, kind))
        by[kind] = _read(tables, units.count, KEYS[kind])
        if kind == "site":
            sizes = _sizes(tables, units.count)
    return Counted(by, sizes[0], sizes[1], sizes[2], _open_rows(rows))


def _together(table: _Table, often: Booleans, kind: str) -> list[_Table]:
    """The clusters of several companies as those of one unit: only what is at several of them has to be added up."""
    if kind == "day":
        return [_summed(table.unit, table.keys, table.counts)]
    shared = often[table.keys[0]]
    if not shared.any():
        return [table]
    several = table.where(shared)
    return [table.where(~shared), _summed(several.unit, several.keys, several.counts)]


def _runs(place: AnyIntegers, site: AnyIntegers, counts: AnyIntegers) -> _Table:
    """The sites of each company, from rows sorted by both."""
    starts = group_starts(place, site)
    summed = np.add.reduceat(counts, starts, axis=0) if starts.size else counts
    return _Table(place[starts], (site[starts],), summed)


def _sizes(sites: Sequence[_Table], units: int) -> Integers:
    """Of each unit its sites, its episodes, and the sum of the squares of its sites' episodes."""
    unit = np.concatenate([table.unit for table in sites])
    episodes = np.concatenate([table.counts[:, _EPISODES] for table in sites]).astype(np.float64)
    each = (episodes > 0, episodes, episodes * episodes)
    return np.stack([np.bincount(unit, values, units).astype(np.int64) for values in each])


@compiled
def _pairs(
    place: AnyIntegers, site: AnyIntegers, day: AnyIntegers, state: AnyIntegers, sent: AnyIntegers, refused: AnyIntegers
) -> tuple[AnyIntegers, AnyIntegers, AnyIntegers, AnyIntegers]:
    """From sorted rows each combination of place, site and day, and its counts."""
    pairs = 0
    for row in range(len(place)):
        if row == 0 or day[row] != day[row - 1] or site[row] != site[row - 1] or place[row] != place[row - 1]:
            pairs += 1
    of_place, of_site, of_day = np.empty(pairs, np.int32), np.empty(pairs, np.int32), np.empty(pairs, np.int32)
    counts, pair = np.zeros((pairs, 7), np.int32), -1
    for row in range(len(place)):
        if row == 0 or day[row] != day[row - 1] or site[row] != site[row - 1] or place[row] != place[row - 1]:
            pair += 1
            of_place[pair], of_site[pair], of_day[pair] = place[row], site[row], day[row]
        counts[pair, _EPISODES] += state[row] != UNDELIVERED
        counts[pair, _MATURE] += state[row] >= OPEN
        counts[pair, _ON_TIME_COUNT] += state[row] == _ON_TIME
        counts[pair, _LATE_COUNT] += state[row] == _LATE
        counts[pair, _STILL_OPEN] += state[row] == OPEN
        counts[pair, _SENT] += sent[row]
        counts[pair, _REFUSED] += refused[row]
    return of_place, of_site, of_day, counts


def _summed(unit: AnyIntegers, keys: tuple[AnyIntegers, ...], counts: AnyIntegers) -> _Table:
    """The rows of the same unit and keys as one; sums of whole numbers, so that their order is of no effect."""
    found, number = number_values(pack_keys(unit, *keys))
    first = _first_rows(number, len(found))
    return _Table(unit[first], tuple(key[first] for key in keys), _sums(number, counts, len(found)))


@compiled
def _first_rows(number: AnyIntegers, size: int) -> Integers:
    result = np.empty(size, np.int64)
    for row in range(len(number) - 1, -1, -1):
        result[number[row]] = row
    return result


@compiled
def _sums(number: AnyIntegers, counts: AnyIntegers, size: int) -> AnyIntegers:
    result = np.zeros((size, counts.shape[1]), counts.dtype)
    for row in range(len(number)):
        for column in range(counts.shape[1]):
            result[number[row], column] += counts[row, column]
    return result


def _read(tables: Sequence[_Table], units: int, names: tuple[str, ...]) -> ClusterCounts:
    unit = np.concatenate([table.unit for table in tables]).astype(np.int64)
    counts = np.concatenate([table.counts for table in tables])
    some, is_open = counts[:, _MATURE] > 0, (counts[:, _STILL_OPEN] > 0).astype(np.int64)
    timing = [unit, *(counts[:, column] for column in (_MATURE, _ON_TIME_COUNT, _LATE_COUNT)), is_open]
    found, count = count_rows(*(column[some] for column in timing))
    named = dict(zip(("unit", "mature", "on_time", "late", "is_open", "count"), (*found, count), strict=True))
    noticed = counts[:, _SENT] > 0
    (of_unit, sent, refused), number = count_rows(*(c[noticed] for c in (unit, counts[:, _SENT], counts[:, _REFUSED])))
    keys = {name: np.concatenate([table.keys[place] for table in tables]) for place, name in enumerate(names)}
    still = is_open > 0
    columns = {"unit": unit, **keys, "on_time": counts[:, _ON_TIME_COUNT], "late": counts[:, _LATE_COUNT]}
    return ClusterCounts(
        units,
        _integers(named),
        _integers({"unit": of_unit, "sent": sent, "refused": refused, "count": number}),
        _integers({name: column[still] for name, column in columns.items()}),
    )


def _integers(columns: Mapping[str, AnyIntegers]) -> Columns:
    return {name: column.astype(np.int64) for name, column in columns.items()}


def _open_rows(rows: EpisodeRows) -> Columns:
    chosen = np.flatnonzero(rows.state == OPEN)
    columns = {name: getattr(rows, name)[chosen] for name in ("site", "day", "left", "right", "relocated")}
    columns |= {"unit": rows.place[chosen] + 1, "deadline": rows.deadline, "weight": np.ones(len(chosen), np.int64)}
    return _integers(columns)


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
