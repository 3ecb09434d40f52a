"""What moved the network's share on time since the period before: the split of `monitor.comparison.decomposition`, made
from the facts, so that it knows the recheck gaps.

The gap of an episode is R - L on its own clock; a company's gap is the median over its ended episodes. Where the gap of
the network changed by over 25 %, a change of behaviour cannot be told from a change of observation, and none is told;
the same for each company with its own gap.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from ibis import _

from monitor.comparison.decomposition import Contribution, Decomposition, Pair, Side, gap_changed, split
from monitor.estimators.arrays import Integers
from monitor.estimators.rounding import round_number
from monitor.instants import Period, preceding_period
from monitor.score.aggregate import NETWORK
from monitor.score.engine import MICROSECONDS_PER_HOUR, bool_to_int, fetch, to_microseconds, to_numpy
from monitor.score.facts import UNATTRIBUTED
from monitor.score.methods import is_late, is_mature
from monitor.score.table import Share
from monitor.supplements.inputs import Inputs
from monitor.supplements.shares import ClusteredShare, clustered_shares, read_cells, weighted_median


@dataclass(frozen=True, slots=True)
class GapChange:
    """The median recheck gap in both periods, in hours (None: nothing ended); `changed`: by over 25 %."""

    before: float | None
    after: float | None
    changed: bool


@dataclass(frozen=True, slots=True)
class CompanyPart:
    """What one company did to the share; its behaviour is None where it is in one period only, or its gap changed."""

    company: str
    name: str
    kind: str
    behaviour: float | None
    weight: float
    gap: GapChange


@dataclass(frozen=True, slots=True)
class TrendStep:
    """From `before` to `after`: the parts of the change, fractions of one. `behaviour` and its limits are None where
    the recheck gap of the network changed: then `behaviour_or_observation` is what the two moved together.

    `parts` is None where one of the periods has no mature episode.
    """

    before: str
    after: str
    parts: Decomposition | None
    behaviour: float | None
    behaviour_low: float | None
    behaviour_high: float | None
    behaviour_or_observation: float | None
    gap: GapChange
    companies: tuple[CompanyPart, ...]


def trend_step(inputs: Inputs) -> TrendStep:
    """From the period before that of the request, of the same length, to it; both as of the reference date."""
    request = inputs.request
    earlier = preceding_period(request.period)
    before = inputs.at(replace(request, period=earlier)) if request.as_of >= earlier.start else None
    sides = [{} if each is None else _sides(each) for each in (before, inputs)]
    gaps = [{} if each is None else _gaps(each) for each in (before, inputs)]
    network_gap = _gap(gaps, NETWORK)
    wholes = [side.pop(NETWORK, None) for side in sides]
    if wholes[0] is None or wholes[1] is None:
        return _without_parts(earlier, request.period, network_gap)
    numbers = sorted({*sides[0], *sides[1]} - {UNATTRIBUTED})
    names = {inputs.named(number)[0]: number for number in numbers}
    pairs = [Pair(*inputs.named(number), sides[0].get(number), sides[1].get(number)) for number in numbers]
    parts = split(pairs, wholes[0], wholes[1], "network")
    told = not network_gap.changed
    return TrendStep(
        before=earlier.label,
        after=request.period.label,
        parts=parts,
        behaviour=parts.behaviour if told else None,
        behaviour_low=parts.low if told else None,
        behaviour_high=parts.high if told else None,
        behaviour_or_observation=None if told else parts.behaviour,
        gap=network_gap,
        companies=tuple(_part(each, _gap(gaps, names[each.company])) for each in parts.companies),
    )


def _without_parts(before: Period, after: Period, gap: GapChange) -> TrendStep:
    return TrendStep(before.label, after.label, None, None, None, None, None, gap, ())


def _part(found: Contribution, gap: GapChange) -> CompanyPart:
    behaviour = None if gap.changed else found.behaviour
    return CompanyPart(found.company, found.name, found.kind, behaviour, found.weight, gap)


def _gap(gaps: list[dict[int, float | None]], number: int) -> GapChange:
    before, after = (each.get(number) for each in gaps)
    return GapChange(before, after, gap_changed(before, after))


def _sides(inputs: Inputs) -> dict[int, Side]:
    """By company, UNATTRIBUTED and NETWORK: mature, late, and the lenient share with its limits."""
    mature = inputs.scored.filter(is_mature(_.followed_h, _.deadline_h))
    rows = mature.select("company", "site", at=_.start, one=is_late(_.last_online_h, _.deadline_h))
    late = clustered_shares(read_cells(inputs.engine, rows), inputs.rules)
    return {number: Side(each.items, each.ones, _lenient(each)) for number, each in late.items()}


def _lenient(late: ClusteredShare) -> Share:
    def other(value: float | None) -> float | None:
        return None if value is None else round_number(1 - value)

    return Share(other(late.p), None, other(late.high), other(late.low))


def _gaps(inputs: Inputs) -> dict[int, float | None]:
    """By company and for NETWORK the median gap in hours of the ended episodes of the period."""
    rows = inputs.scored.mutate(end=_.first_offline_h.coalesce(_.relocated_h))
    rows = rows.filter(_.end.notnull()).mutate(gap=to_microseconds(_.end - _.last_online_h))
    grouped = rows.group_by(["company", "gap"]).aggregate(episodes=bool_to_int(_.end.notnull()).sum())
    table = fetch(inputs.engine, grouped.order_by(["company", "gap"]))
    company, gap, episodes = (to_numpy(table[name]) for name in ("company", "gap", "episodes"))
    found = {NETWORK: _median_hours(gap, episodes)}
    for number in np.unique(company).tolist():
        own = company == number
        found[number] = _median_hours(gap[own], episodes[own])
    return found


def _median_hours(gap: Integers, episodes: Integers) -> float | None:
    found = weighted_median(gap.astype(np.float64), episodes)
    return None if found is None else round_number(found / MICROSECONDS_PER_HOUR)
