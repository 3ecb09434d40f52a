"""Other norms: the companies of a table, ranked as they would be if every episode had another deadline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from monitor.score.assemble import timings
from monitor.score.counts import overdue_under, timing_under
from monitor.score.engine import Engine, Expr
from monitor.score.gather import aligned, arrays
from monitor.score.methods import Method
from monitor.score.rank import ranked
from monitor.score.sorting import Floats
from monitor.score.table import DEADLINES_HOURS, Estimate, Norm, NormLine


def norms(
    engine: Engine, scored: Expr, every: Expr, estimates: Mapping[int, Estimate], method: Method
) -> tuple[Norm, ...]:
    """One norm for each of DEADLINES_HOURS: the companies of `estimates` (by number) with other counts, ranked anew.

    `scored` and `every` episode are those that the estimates were gathered from. What is mature, on time, late and
    overdue is counted again; nothing else follows from the deadline. Raises ArithmeticError as `ranked` does.
    """
    companies = np.array(sorted(estimates), dtype=np.int64)
    counts = aligned(companies, arrays(engine, timing_under(scored, DEADLINES_HOURS)), 0.0)
    counts |= aligned(companies, arrays(engine, overdue_under(every, DEADLINES_HOURS)), 0.0)
    listed = [estimates[number] for number in companies.tolist()]
    return tuple(_norm(hours, _at(place, counts), listed, method) for place, hours in enumerate(DEADLINES_HOURS))


def _at(place: int, counts: Mapping[str, Floats]) -> dict[str, Floats]:
    """The counts under one of the deadlines, by their usual names."""
    suffix = f"_at{place}"
    return {name.removesuffix(suffix): values for name, values in counts.items() if name.endswith(suffix)}


def _norm(hours: float, counts: Mapping[str, Floats], estimates: Sequence[Estimate], method: Method) -> Norm:
    overdue = counts["overdue"].astype(int).tolist()
    under = zip(estimates, timings(counts, hours, method), overdue, strict=True)
    companies = [replace(estimate, on_time=on_time, overdue=late) for estimate, on_time, late in under]
    return Norm(hours, tuple(map(_line, ranked(companies, method))))


def _line(e: Estimate) -> NormLine:
    return NormLine(e.company, e.on_time, e.score, e.rank, e.rank_low, e.rank_high, e.band, e.standing)
