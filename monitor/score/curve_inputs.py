"""The curve inputs of all companies, read from an engine. Large companies' times are rounded up to a grid there."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pyarrow as pa
from ibis import _

from monitor.estimators.arrays import AnyIntegers, Integers, sort_order
from monitor.estimators.risk_set import NEVER, CurveInputs
from monitor.score.engine import Engine, Expr, fetch, to_microseconds, to_numpy

_TIMES = ("left", "right", "relocated")


def curve_rows(scored: Expr, grids: Expr) -> tuple[Expr, Expr]:
    """Rows of companies with exact times, and of those with a grid.

    `grids`: each company, its index, and its grid in microseconds (0: exact times).
    """
    every = _times(scored).join(grids.select("company", "grid", "index"), "company")
    return _exact_rows(every.filter(_.grid == 0)), _coarse_rows(every.filter(_.grid > 0))


def _times(scored: Expr) -> Expr:
    return scored.select(
        "company",
        "site",
        left=to_microseconds(_.last_online_h),
        right=to_microseconds(_.first_offline_h).coalesce(NEVER),
        relocated=to_microseconds(_.relocated_h).coalesce(NEVER),
    )


def _exact_rows(rows: Expr) -> Expr:
    return rows.select("index", "site", *_TIMES)


def _coarse_rows(rows: Expr) -> Expr:
    """Times in steps of the grid. `over`: 1 where `left` was rounded up. Narrow columns are grouped faster."""
    rows = rows.mutate(grid=ibis.greatest(rows.grid, 1))  # where it is 0 there are no rows, but a division all the same

    def steps(time: Any) -> Any:
        return (time < 0).ifelse(NEVER, (time / rows.grid).ceil()).cast("int32")

    rows = rows.select(
        "index",
        "site",
        left=steps(rows.left),
        right=steps(rows.right),
        relocated=steps(rows.relocated),
        over=(rows.left % rows.grid > 0).ifelse(1, 0).cast("int8"),
    )
    return rows.group_by(rows.columns).aggregate(weight=_.count())


def read_curve_inputs(engine: Engine, rows: tuple[Expr, Expr], grid: Integers) -> CurveInputs:
    """The rows of `curve_rows`; `grid` begins with the network's, then has an entry for each index."""
    exact, coarse = (_columns(fetch(engine, expression)) for expression in rows)
    unit = int(np.gcd.reduce([*(_common_divisor(exact[name]) for name in _TIMES), *grid])) or 1
    width = (grid[1:] // unit)[coarse["index"]]
    company = _concatenate(exact.pop("index"), coarse["index"])
    site = _concatenate(exact.pop("site"), coarse["site"])
    order, left = sort_order(company), exact.pop("left") // unit

    def by_company(exact: Integers, coarse: Integers) -> AnyIntegers:
        return _concatenate(exact, coarse)[order]

    end = by_company(left, coarse["left"] * width)
    begin = by_company(left, (coarse["left"] - coarse["over"]) * width) if coarse["over"].any() else end
    found = CurveInputs(
        companies=len(grid) - 1,
        unit=unit,
        company=company[order],
        site=site[order],
        left=end,
        begin=begin,
        right=by_company(exact.pop("right") // unit, _scale(coarse["right"], width)),  # NEVER stays what it is
        relocated=by_company(exact.pop("relocated") // unit, _scale(coarse["relocated"], width)),
        weight=by_company(np.ones(len(left), np.int32), coarse["weight"]),
    )
    pa.default_memory_pool().release_unused()  # what was read came through it, and is the largest of all
    return found


def _columns(table: pa.Table) -> dict[str, Integers]:
    columns = {}
    for name in table.column_names:  # each is released as soon as it is read
        columns[name] = to_numpy(table[name])
        table = table.drop_columns(name)
    return columns


def _common_divisor(times: Integers) -> int:
    """The largest number of which all times are multiples."""
    return int(np.gcd.reduce(times, where=times != NEVER, initial=0))


def _scale(values: Integers, width: Integers) -> Integers:
    return np.where(values == NEVER, NEVER, values * width)


def _concatenate(exact: Integers, coarse: Integers) -> AnyIntegers:
    """One column, in half of the memory where that is enough, also for what it is rounded up to."""
    values = np.concatenate([exact, coarse]) if len(exact) and len(coarse) else exact if len(exact) else coarse
    return values.astype(np.int32) if values.max(initial=0) < 2**30 else values.astype(np.int64)
