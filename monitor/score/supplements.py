"""What a release holds beside its figures: flows of relocation, the ranking under other norms, announced addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from ibis import _
from sqlalchemy.orm import Session

from monitor.attribute.netblocks import announced
from monitor.estimators.arrays import Floats
from monitor.instants import to_datetime
from monitor.score.aggregate import align, overdue_under, timing_under, to_arrays
from monitor.score.competing import under_deadline
from monitor.score.engine import Engine, Expr, fetch
from monitor.score.estimate import count_on_time
from monitor.score.facts import UNATTRIBUTED
from monitor.score.methods import Method
from monitor.score.ranking import rank_companies
from monitor.score.standing import rank_competing
from monitor.score.table import DEADLINES_HOURS, CompetingEstimate, Estimate, Flow, Label, Norm, NormLine, sort_flows


def flows(engine: Engine, scored: Expr, labels: Mapping[int, Label]) -> tuple[Flow, ...]:
    """The flows of every company; those of one add up to its `relocated`. `scored` as for `monitor.score.aggregate`."""
    moved = scored.filter(_.relocated_h.notnull() & (_.company != UNATTRIBUTED))
    ends = moved.select("company", to=_.destination_company.coalesce(UNATTRIBUTED), country=_.destination.coalesce(""))
    rows = fetch(engine, ends.group_by(["company", "to", "country"]).aggregate(episodes=_.count())).to_pylist()

    def key(company: int) -> str:
        return labels[company].key if company in labels else str(company)

    return sort_flows(
        Flow(
            key(row["company"]), None if row["to"] == UNATTRIBUTED else key(row["to"]), row["country"], row["episodes"]
        )
        for row in rows
    )


def norms(
    engine: Engine, scored: Expr, every: Expr, estimates: Mapping[int, Estimate], method: Method
) -> tuple[Norm, ...]:
    """One norm for each of DEADLINES_HOURS: the companies of `estimates` (by number) with other counts, ranked anew.

    `scored` and `every` episode are those that the estimates were made from. What is mature, on time, late and
    overdue is counted again; nothing else follows from the deadline. Raises ArithmeticError as `rank_companies` does.
    """
    if method.competing_risks:
        known = {number: each for number, each in estimates.items() if isinstance(each, CompetingEstimate)}
        under = ((hours, under_deadline(engine, scored, every, known, hours, method)) for hours in DEADLINES_HOURS)
        return tuple(Norm(hours, tuple(map(_line, rank_competing(each, method)))) for hours, each in under)
    companies = np.array(sorted(estimates), dtype=np.int64)
    counts = align(companies, to_arrays(engine, timing_under(scored, DEADLINES_HOURS)), 0.0)
    counts |= align(companies, to_arrays(engine, overdue_under(every, DEADLINES_HOURS)), 0.0)
    listed = [estimates[number] for number in companies.tolist()]
    return tuple(_norm(hours, _at(place, counts), listed, method) for place, hours in enumerate(DEADLINES_HOURS))


def _at(place: int, counts: Mapping[str, Floats]) -> dict[str, Floats]:
    """The counts under one of the deadlines, by their usual names."""
    suffix = f"_at{place}"
    return {name.removesuffix(suffix): values for name, values in counts.items() if name.endswith(suffix)}


def _norm(hours: float, counts: Mapping[str, Floats], estimates: Sequence[Estimate], method: Method) -> Norm:
    overdue = counts["overdue"].astype(int).tolist()
    under = zip(estimates, count_on_time(counts, hours, method), overdue, strict=True)
    companies = [replace(estimate, on_time=on_time, overdue=late) for estimate, on_time, late in under]
    return Norm(hours, tuple(map(_line, rank_companies(companies, method))))


def _line(e: Estimate) -> NormLine:
    return NormLine(e.company, e.on_time, e.score, e.rank, e.rank_low, e.rank_high, e.band, e.standing)


def announced_ipv4(session: Session, known_at: int, as_of: int, labels: Mapping[int, Label]) -> dict[str, int]:
    """By key the IPv4 addresses on the day of `as_of`, 0 for a company with none; empty where no table tells."""
    found = announced(session, to_datetime(known_at), to_datetime(as_of).date())
    if all(size.v4 is None for size in found.values()):
        return {}
    sizes = {number: size.v4 or 0 for number, size in found.items()}
    return {label.key: sizes.get(number, 0) for number, label in labels.items()}
