"""What the curves need of each episode: company, site and times. Large companies' times are rounded up to a grid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
from ibis import _

from monitor.score.engine import Engine, Expr
from monitor.score.sorting import Integers, Whole, grouped, order, starts, stretches
from monitor.score.whole import ticks

NEVER = -1  # what has no end
_NONE = np.int8(0)


@dataclass(frozen=True)
class Cells:
    """Rows of `weight` episodes with one company (an index), site, and times in units of `unit` ticks.

    `left`: last seen online; `begin`: the same, rounded down; `right`: first seen offline, `moved`: relocated; or NEVER
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

    def parts(self, most: int) -> Iterator[tuple[slice, Cells]]:
        """Consecutive companies with all their cells, about `most` at a time: memory stays bounded."""
        rows = order(self.company)
        sizes = np.bincount(self.company, minlength=self.companies)
        part = (np.cumsum(sizes) - sizes) // most
        ends = np.cumsum(sizes)
        for begin, end in stretches(starts(part), self.companies):
            some = rows[ends[begin] - sizes[begin] : ends[end - 1]]
            columns = {name: getattr(self, name)[some] for name in _COLUMNS}
            columns["company"] = columns["company"] - begin
            yield slice(begin, end), replace(self, companies=end - begin, **columns)


_COLUMNS = ("company", "site", "left", "begin", "right", "moved", "weight")


@dataclass(frozen=True)
class Ends:
    """How episodes end, sorted by company, site and time: of `ends` at a time `events` by the event, `moves` moving."""

    companies: int
    unit: int
    company: Integers
    site: Integers
    time: Integers
    ends: Integers
    events: Integers
    moves: Integers

    @classmethod
    def of(cls, cells: Cells, time: Whole, event: Whole, moved: Whole | np.int8) -> Ends:
        """With one `time` a row of the cells, and whether (0 or 1) that is the event, and moving."""
        weight = cells.weight
        keys, sums = grouped([cells.company, cells.site, time], [weight, weight * event, weight * moved])
        return cls(cells.companies, cells.unit, *keys, *sums)


def lenient(cells: Cells) -> Ends:
    """Removal at the last time seen online."""
    return Ends.of(cells, cells.left, _flag(cells.right != NEVER), _NONE)


def strict(cells: Cells) -> Ends:
    """Removal at the first time seen offline; else censored when last seen online."""
    removed = cells.right != NEVER
    return Ends.of(cells, np.where(removed, cells.right, cells.left), _flag(removed), _NONE)


def exits(cells: Cells) -> Ends:
    """The first of removal and relocation, which is moving; else censored when last seen online."""
    removed, moved = cells.right != NEVER, (cells.moved != NEVER) & (cells.right == NEVER)
    end = np.where(removed, cells.right, np.where(moved, cells.moved, cells.left))
    return Ends.of(cells, end, _flag(removed | moved), _flag(moved))


def _flag(condition: Any) -> Whole:
    return condition.astype(np.int8)  # type: ignore[no-any-return]


def network(found: Cells, grid: int) -> Cells:
    """All of them taken as one company, on its grid (ticks, 0: exact), of which every company's is a part."""
    width = max(grid // found.unit, 1)

    def up(times: Whole) -> Whole:
        return times if width == 1 else -(-times // width) * width

    nobody = np.zeros(len(found.company), dtype=np.int8)
    return replace(
        found, companies=1, company=nobody, left=up(found.left), begin=found.begin // width * width,
        right=np.where(found.right == NEVER, NEVER, up(found.right)),
        moved=np.where(found.moved == NEVER, NEVER, up(found.moved)),
    )  # fmt: skip


def rows(scored: Expr, sizes: Expr) -> tuple[Expr, Expr]:
    """The cells of the companies with exact times, and of those with a grid; `sizes` has company and grid (ticks)."""
    every = _timed(scored).join(sizes.select("company", "grid"), "company")
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
    return rows.select("company", "site", "left", "right", "moved")


def _coarse(rows: Expr) -> Expr:
    """Times in steps of the grid. `over`: 1 where `left` was rounded up. Narrow columns are grouped faster."""
    rows = rows.mutate(grid=ibis.greatest(rows.grid, 1))  # where it is 0 there are no rows, but a division all the same

    def steps(time: Any) -> Any:
        return (time < 0).ifelse(NEVER, (time / rows.grid).ceil()).cast("int32")

    rows = rows.select(
        "site",
        company=rows.company.cast("int32"),
        left=steps(rows.left),
        right=steps(rows.right),
        moved=steps(rows.moved),
        over=(rows.left % rows.grid > 0).ifelse(1, 0).cast("int8"),
    )
    return rows.group_by(rows.columns).aggregate(weight=_.count())


def read(engine: Engine, expressions: tuple[Expr, Expr], companies: Integers, grid: Integers) -> Cells:
    """The rows of both expressions; companies as their place in `companies`, which `grid` has an entry for."""
    exact, coarse = (_columns(engine.to_pyarrow(expression)) for expression in expressions)
    coarse["company"] = np.searchsorted(companies, coarse["company"])
    exact["company"] = np.searchsorted(companies, exact["company"])
    unit = (
        int(np.gcd.reduce([*(np.gcd.reduce(exact[name].clip(0)) for name in ("left", "right", "moved")), *grid])) or 1
    )
    width = (grid // unit)[coarse["company"]]
    return Cells(
        len(companies),
        unit,
        _together(exact["company"], coarse["company"]),
        _together(exact["site"], coarse["site"]),
        _together(exact["left"] // unit, coarse["left"] * width),
        _together(exact["left"] // unit, (coarse["left"] - coarse["over"]) * width),
        _together(_times(exact["right"], 1, unit), _times(coarse["right"], width, 1)),
        _together(_times(exact["moved"], 1, unit), _times(coarse["moved"], width, 1)),
        _together(np.ones(len(exact["site"]), dtype=np.int8), coarse["weight"]),
    )


def _columns(table: pa.Table) -> dict[str, Integers]:
    return {name: table[name].to_numpy() for name in table.column_names}


def _times(values: Integers, width: Integers | int, unit: int) -> Integers:
    return np.where(values == NEVER, NEVER, values * width // unit)


def _together(exact: Integers, coarse: Integers) -> Whole:
    """One column, in half of the memory where that is enough."""
    values = np.concatenate([exact, coarse])
    return values.astype(np.int32) if values.max(initial=0) < 2**31 else values.astype(np.int64)
