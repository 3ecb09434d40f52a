"""What the curves need of each episode: company, site and times. Large companies' times are rounded up to a grid."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import ibis
import numpy as np
import pyarrow as pa
from ibis import _

from monitor.score.compiled import compiled
from monitor.score.engine import Engine, Expr
from monitor.score.sorting import Flags, Integers, Whole, order, starts, stretches
from monitor.score.whole import ticks

NEVER = -1  # what has no end


@dataclass(frozen=True)
class Cells:
    """Rows of `weight` episodes, sorted by company (an index) and site, with times in units of `unit` ticks.

    `left`: last seen online; `begin`: the same, rounded down; `right`: first seen offline, `moved`: relocated; or
    NEVER. Ends are still to be rounded up to multiples of `width`, `begin` down. In a part and in the network's, sites
    are numbered from 0 in each company.
    """

    companies: int
    unit: int
    company: Whole
    site: Whole
    left: Whole
    begin: Whole
    right: Whole
    moved: Whole
    weight: Whole
    width: int = 1

    def up(self, times: Whole) -> Whole:
        """Times of ends on the grid."""
        return times if self.width == 1 else np.where(times == NEVER, NEVER, -(-times // self.width) * self.width)

    def parts(self, most: int) -> Iterator[slice]:
        """Consecutive companies with about `most` cells at a time: memory stays bounded."""
        begins = np.searchsorted(self.company, np.arange(self.companies))
        return itertools.starmap(slice, stretches(starts(begins // most), self.companies))

    def part(self, some: slice) -> Cells:
        """Consecutive companies with all their cells."""
        rows = slice(*np.searchsorted(self.company, [some.start, some.stop]))
        columns = {name: getattr(self, name)[rows] for name in _COLUMNS}
        columns["company"] = columns["company"] - some.start
        columns["site"] = _numbered(columns["company"], columns["site"])
        return replace(self, companies=some.stop - some.start, **columns)


_COLUMNS = ("company", "site", "left", "begin", "right", "moved", "weight")


class Exits(NamedTuple):
    """How episodes end, by company, time (`unit` ticks) and site: `ends`, `events` by the event, `moves` moving.

    Company k has the rows from `begins[k]` to before `begins[k + 1]`.
    """

    unit: int
    begins: Integers
    time: Whole
    site: Whole
    ends: Whole
    events: Whole
    moves: Whole


def _exits(cells: Cells, time: Whole, event: Flags, moved: Flags) -> Exits:
    """With one `time` a row of the cells, and whether that is the event, and moving."""
    columns = _in_order(cells.company, cells.up(time), cells.site, cells.weight, event, moved)
    return _merged(cells.companies, cells.unit, *columns)


def _in_order(company: Whole, time: Whole, site: Whole, *others: Whole) -> list[Whole]:
    rows = order(company, time, site)
    return [column[rows] for column in (company, time, site, *others)]


@compiled
def _merged(
    companies: int, unit: int, company: Whole, time: Whole, site: Whole, weight: Whole, event: Flags, moved: Flags
) -> Exits:
    """Sorted rows of the same company, time and site as one: in the place of the first rows, as there may be many."""
    begins, last = np.zeros(companies + 1, np.int64), -1
    events, moves = np.zeros_like(weight), np.zeros_like(weight)
    for row in range(len(time)):
        before, gone = max(row - 1, 0), weight[row]
        is_same = company[row] == company[before] and time[row] == time[before] and site[row] == site[before]
        if row == 0 or not is_same:
            last += 1
            time[last], site[last], weight[last] = time[row], site[row], 0
            begins[company[row] + 1] += 1
        weight[last] += gone
        events[last] += gone * event[row]
        moves[last] += gone * moved[row]
    size = last + 1
    return Exits(unit, np.cumsum(begins), time[:size], site[:size], weight[:size], events[:size], moves[:size])


def lenient(cells: Cells) -> Exits:
    """Removal at the last time seen online."""
    return _exits(cells, cells.left, cells.right != NEVER, np.zeros(len(cells.left), np.bool_))


def strict(cells: Cells) -> Exits:
    """Removal at the first time seen offline; else censored when last seen online."""
    removed = cells.right != NEVER
    return _exits(cells, np.where(removed, cells.right, cells.left), removed, np.zeros(len(removed), np.bool_))


def either(cells: Cells) -> Exits:
    """The first of removal and relocation, which is moving; else censored when last seen online."""
    removed, moved = cells.right != NEVER, (cells.moved != NEVER) & (cells.right == NEVER)
    end = np.where(removed, cells.right, np.where(moved, cells.moved, cells.left))
    return _exits(cells, end, removed | moved, moved)


def network(found: Cells, grid: int) -> Cells:
    """All of them taken as one company, on its grid (ticks, 0: exact), of which every company's is a part."""
    nobody = np.broadcast_to(np.int32(0), len(found.site))
    return replace(
        found, companies=1, company=nobody, site=_numbered_anew(found.site), width=max(grid // found.unit, 1)
    )


def _numbered_anew(site: Whole) -> Whole:
    """Sites numbered from 0, whatever companies they are of."""
    rows = order(site)
    result = np.empty(len(rows), np.int32)
    result[rows] = _numbered(np.zeros(len(rows), np.int32), site[rows])
    return result


@compiled
def _numbered(company: Whole, site: Whole) -> Whole:
    """Sites numbered from 0 in each company; rows sorted by both."""
    result, number = np.empty(len(site), np.int32), 0
    for row in range(len(site)):
        if row == 0 or company[row] != company[row - 1]:
            number = 0
        elif site[row] != site[row - 1]:
            number += 1
        result[row] = number
    return result


def rows(scored: Expr, sizes: Expr) -> tuple[Expr, Expr]:
    """The cells of companies with exact times, and of those with a grid; `sizes`: company, its place, grid (ticks)."""
    every = _timed(scored).join(sizes.select("company", "grid", "place"), "company")
    return _exact(every.filter(_.grid == 0)), _coarse(every.filter(_.grid > 0))


def _timed(scored: Expr) -> Expr:
    return scored.select(
        "company",
        "site",
        left=ticks(_.last_online_h),
        right=ticks(_.first_offline_h).coalesce(NEVER),
        moved=ticks(_.relocated_h).coalesce(NEVER),
    )


def _exact(rows: Expr) -> Expr:
    return rows.select("place", "site", "left", "right", "moved")


def _coarse(rows: Expr) -> Expr:
    """Times in steps of the grid. `over`: 1 where `left` was rounded up. Narrow columns are grouped faster."""
    rows = rows.mutate(grid=ibis.greatest(rows.grid, 1))  # where it is 0 there are no rows, but a division all the same

    def steps(time: Any) -> Any:
        return (time < 0).ifelse(NEVER, (time / rows.grid).ceil()).cast("int32")

    rows = rows.select(
        "place",
        "site",
        left=steps(rows.left),
        right=steps(rows.right),
        moved=steps(rows.moved),
        over=(rows.left % rows.grid > 0).ifelse(1, 0).cast("int8"),
    )
    return rows.group_by(rows.columns).aggregate(weight=_.count())


def read(engine: Engine, expressions: tuple[Expr, Expr], grid: Integers) -> Cells:
    """The rows of both expressions; `grid` begins with the network's, then has an entry for each place."""
    exact, coarse = (_columns(engine.to_pyarrow(expression)) for expression in expressions)
    unit = int(np.gcd.reduce([*(_common(exact[name]) for name in ("left", "right", "moved")), *grid])) or 1
    width = (grid[1:] // unit)[coarse["place"]]
    company = _together(exact.pop("place"), coarse["place"])
    site = _together(exact.pop("site"), coarse["site"])
    rows, left = order(company, site), exact.pop("left") // unit

    def sorted_by_site(exact: Integers, coarse: Integers) -> Whole:
        return _together(exact, coarse)[rows]

    end = sorted_by_site(left, coarse["left"] * width)
    begin = sorted_by_site(left, (coarse["left"] - coarse["over"]) * width) if coarse["over"].any() else end
    found = Cells(
        companies=len(grid) - 1,
        unit=unit,
        company=company[rows],
        site=site[rows],
        left=end,
        begin=begin,
        right=sorted_by_site(exact.pop("right") // unit, _steps(coarse["right"], width)),  # NEVER stays what it is
        moved=sorted_by_site(exact.pop("moved") // unit, _steps(coarse["moved"], width)),
        weight=sorted_by_site(np.ones(len(left), np.int32), coarse["weight"]),
    )
    pa.default_memory_pool().release_unused()  # what was read came through it, and is the largest of all
    return found


def _columns(table: pa.Table) -> dict[str, Integers]:
    columns = {}
    for name in table.column_names:  # each let go as soon as it is read
        columns[name] = table[name].to_numpy()
        table = table.drop_columns(name)
    return columns


def _common(times: Integers) -> int:
    """The largest number of which all times are multiples."""
    return int(np.gcd.reduce(times, where=times != NEVER, initial=0))


def _steps(values: Integers, width: Integers) -> Integers:
    return np.where(values == NEVER, NEVER, values * width)


def _together(exact: Integers, coarse: Integers) -> Whole:
    """One column, in half of the memory where that is enough, also for what it is rounded up to."""
    values = np.concatenate([exact, coarse]) if len(exact) and len(coarse) else exact if len(exact) else coarse
    return values.astype(np.int32) if values.max(initial=0) < 2**30 else values.astype(np.int64)
