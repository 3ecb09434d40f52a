"""From episodes in an engine to all estimates, as numpy arrays with one entry a company."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from monitor.score import cells, counts, relocation
from monitor.score.counts import NETWORK
from monitor.score.engine import Engine, Expr, put
from monitor.score.methods import Method
from monitor.score.sorting import Floats, Integers
from monitor.score.timed import Timed, joined, timed
from monitor.score.whole import TICKS

_SECOND = TICKS // 3600
_AT_ONCE, _CELLS = 2, 500_000  # parts side by side, and rows in each: what is quick and takes little memory


@dataclass(frozen=True)
class Gathered:
    """All figures of all companies, in the order of `companies` (the first is NETWORK)."""

    companies: Integers
    counts: dict[str, Floats]
    timed: Timed


def gather(engine: Engine, scored: Expr, every: Expr, method: Method, also: Sequence[int] = ()) -> Gathered:
    """Estimate from `scored` episodes (of the period) and `every` episode (for what is outstanding).

    Both have company and site as integers (0: nobody) and the columns of `monitor.score.episodes.episodes`.
    """
    companies, counted = _counted(engine, scored, every, method, also)
    grid = method.grid_seconds(counted["episodes"]) * _SECOND
    place = np.arange(-1, len(companies) - 1, dtype=np.int32)  # that of NETWORK, which comes first, is not asked for
    sizes = put(engine, "sizes", pa.table({"company": companies, "grid": grid, "place": place}))
    moved = engine.to_pyarrow(relocation.moves(scored, sizes, int(grid[0]))) if counted["relocated"].any() else None
    own = cells.read(engine, cells.rows(scored, sizes), grid)

    def network() -> Timed:
        return timed(cells.network(own, int(grid[0])), companies[:1], grid[:1], moved, method)

    def part(some: slice) -> Timed:
        return timed(own.part(some), companies[1:][some], grid[1:][some], moved, method)

    with ThreadPoolExecutor(_AT_ONCE) as pool:  # what is compiled, and much of numpy, lets the other work meanwhile
        first = pool.submit(network)
        rest = pool.map(part, own.parts(_CELLS))
        return Gathered(companies, counted, joined([first.result(), *rest]))


def _counted(
    engine: Engine, scored: Expr, every: Expr, method: Method, also: Sequence[int]
) -> tuple[Integers, dict[str, Floats]]:
    """The companies there are, and what is counted of each."""
    totals = arrays(engine, counts.company_counts(counts.site_counts(scored)))
    open_ones = arrays(engine, counts.outstanding_counts(every, method))
    companies = np.union1d(np.union1d(totals["company"], open_ones["company"]), [NETWORK, *also]).astype(np.int64)
    merged = aligned(companies, totals, 0.0) | aligned(companies, open_ones, 0.0)
    merged["oldest_hours"] = aligned(companies, open_ones, np.nan)["oldest_hours"]
    merged["exposure_hours"] = (merged["exposure_s"] + merged["exposure_rest"] / _SECOND) / 3600
    return companies, merged


def arrays(engine: Engine, expression: Expr) -> dict[str, npt.NDArray[Any]]:
    """The columns of an expression."""
    table = engine.to_pyarrow(expression)
    return {name: table[name].to_numpy() for name in table.column_names}


def aligned(companies: Integers, columns: dict[str, npt.NDArray[Any]], missing: float) -> dict[str, Floats]:
    """Each column in the order of `companies` (sorted), `missing` where one has no row; rows of others are left out."""
    asked = np.isin(columns["company"], companies)
    at = np.searchsorted(companies, columns["company"][asked])
    result = {}
    for name, values in columns.items():
        if name != "company":
            result[name] = np.full(len(companies), missing, dtype=np.float64)
            result[name][at] = values[asked]
    return result
