"""What moved the network's share on time between two releases: behaviour, mix, companies that came and went.

The lenient share over mature episodes is P = sum of w p over companies: w a company's part of the episodes, p its own
share. Griliches and Regev (Journal of Econometrics 65, 1995) split its change with averages of both dates:

    behaviour   w' (p2 - p1)            of companies in both releases; w', p', P' are averages of the two
    mix         (w2 - w1) (p' - P')     of the same
    arrivals    w2 (p2 - P')            departures   -w1 (p1 - P')

It is exact, has no term left over, and changes only its sign when the releases change places. Splits with the weights
of the first date (Foster, Haltiwanger and Krizan 2001) do neither, those around an unweighted mean (Melitz and
Polanec 2015) let a company of thirty episodes count for as much as one of ten thousand.

Everything is made of what both releases publish, so nothing that is withheld can follow from it (docs/adr/0008).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from monitor.comparison.share_change import Direction
from monitor.disclosure.network import CompetingNetwork, Network
from monitor.disclosure.rows import PublicTable
from monitor.errors import MonitorError
from monitor.instants import parse_period
from monitor.score.table import CompetingOnTime, OnTime, Share

Obstacle = Literal["method", "overlap", "empty"]
Basis = Literal["network", "named"]
Kind = Literal["stayed", "arrived", "left"]
_UNKNOWN = Share(None, None, None, None)
_BALANCED = 1e-12  # what rounding leaves of weights that add up to nothing
_GAP_CHANGED = math.log(1.25)


def gap_changed(before: float | None, after: float | None) -> bool:
    """Whether the median recheck gap, in hours, changed by over 25 %: then behaviour cannot be told from observation.

    Where it is not known of both dates, it may have changed. Two gaps of 0 are equal.
    """
    if before is None or after is None:
        return True
    if not before or not after:
        return before != after
    return abs(math.log(after / before)) > _GAP_CHANGED + 1e-12


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one company did to the network's share; `behaviour` is None for one that is in one release only."""

    company: str
    name: str
    kind: Kind
    behaviour: float | None
    weight: float  # its mix, or its arrival or departure

    @property
    def total(self) -> float:
        """By how much the network's share rose because of it."""
        return (self.behaviour or 0.0) + self.weight


@dataclass(frozen=True, slots=True)
class Late:
    """Late episodes among the mature ones, and what changed their number: more episodes, or more of them late."""

    before: int
    after: int
    by_volume: float
    by_rate: float


@dataclass(frozen=True, slots=True)
class Decomposition:
    """The change of the share on time as the sum of five parts, all fractions of one (0.01: one percentage point).

    The share is that of the network as it is published. Where only one of the two releases publishes a network with
    the companies that are withheld, it is that of the companies with figures (`basis`).

    `low` and `high` bound the behaviour, `mix_low` and `mix_high` the mix, with 95 % confidence; None where a share
    that they depend on has no interval. `unnamed` is what has no name in both releases: companies whose figures are
    withheld, and what is unattributed.
    """

    basis: Basis
    before: float
    after: float
    behaviour: float
    low: float | None
    high: float | None
    mix: float
    mix_low: float | None
    mix_high: float | None
    arrivals: float
    departures: float
    unnamed: float
    late: Late
    companies: tuple[Contribution, ...]  # that which moved the share most first

    @property
    def change(self) -> float:
        """By how much the share rose."""
        return self.after - self.before

    @property
    def behaviour_direction(self) -> Direction:
        """Of the behaviour of the companies, told only where its interval is on one side of 0."""
        if self.low is None or self.high is None:
            return "open"
        return "better" if self.low > 0 else "worse" if self.high < 0 else "open"


@dataclass(frozen=True, slots=True)
class Step:
    """From one release to the next: what moved the share, or why that cannot be said."""

    old: PublicTable
    new: PublicTable
    found: Decomposition | None
    obstacle: Obstacle | None


@dataclass(frozen=True, slots=True)
class Side:
    """Mature and late episodes of a company, or of all, at one of two dates; at least one is mature."""

    mature: int
    late: int
    lenient: Share
    strict: Share | None = None  # under method 2026.2, whose limits hold whatever the checks did not see

    @property
    def p(self) -> float:
        """The lenient share on time."""
        return 1 - self.late / self.mature

    @property
    def limits(self) -> tuple[float, float] | None:
        """Those of the share with 95 % confidence where they are known, the lower one of the strict reading, if any."""
        low, high = (self.strict or self.lenient).low, self.lenient.high
        return None if low is None or high is None else (low, high)

    @property
    def lowest(self) -> float:
        """The share where all doubt counts against the company."""
        return self.p if self.strict is None or self.strict.p is None else self.strict.p


@dataclass(frozen=True, slots=True)
class Pair:
    """A company at both dates; None where it has no mature episode."""

    company: str
    name: str
    before: Side | None
    after: Side | None


def steps(tables: Iterable[PublicTable]) -> tuple[Step, ...]:
    """Each table against the one before it, in the order given."""
    return tuple(step(old, new) for old, new in pairwise(tables))


def step(old: PublicTable, new: PublicTable) -> Step:
    """The change between two releases, decomposed where that can be done."""
    hindrance = obstacle(old, new)
    return Step(old, new, None if hindrance else decompose(old, new), hindrance)


def obstacle(old: PublicTable, new: PublicTable) -> Obstacle | None:
    """Why the change between two releases cannot be decomposed, or None where it can.

    Another method or deadline moves shares by itself. Two versions of one period share their episodes.
    """
    if old.method != new.method or old.network.deadline_hours != new.network.deadline_hours:
        return "method"
    if _overlap(old.period, new.period):
        return "overlap"
    return None if all(_wholes(old, new)) else "empty"


def decompose(old: PublicTable, new: PublicTable) -> Decomposition:
    """The change of the share from one release to the other; raises MonitorError where there is an obstacle."""
    before, after = _wholes(old, new)
    hindrance = obstacle(old, new)
    if before is None or after is None or hindrance:
        raise MonitorError(f"the change cannot be decomposed: {hindrance}")
    return split(tuple(_pairs(old, new)), before, after, _basis(old, new))


def split(pairs: Sequence[Pair], before: Side, after: Side, basis: Basis) -> Decomposition:
    """The change from `before` to `after`, both of the whole, by the companies in `pairs`."""
    parts = tuple(_contribution(pair, before, after) for pair in pairs)
    behaviour, mix = math.fsum(part.behaviour or 0.0 for part in parts), _sum(parts, "stayed")
    low, high = _limits(behaviour, _behaviour_terms(pairs, before, after))
    mix_low, mix_high = _limits(mix, _mix_terms(pairs, before, after))
    return Decomposition(
        basis=basis,
        before=before.p,
        after=after.p,
        behaviour=behaviour,
        low=low,
        high=high,
        mix=mix,
        mix_low=mix_low,
        mix_high=mix_high,
        arrivals=_sum(parts, "arrived"),
        departures=_sum(parts, "left"),
        unnamed=_unnamed(pairs, before, after),
        late=_late(before, after),
        companies=tuple(sorted(parts, key=lambda part: (-abs(part.total), part.company))),
    )


def _overlap(one: str, other: str) -> bool:
    first, second = parse_period(one), parse_period(other)
    return first.start < second.end and second.start < first.end


def _basis(old: PublicTable, new: PublicTable) -> Basis:
    return "network" if old.network.gives_way == new.network.gives_way else "named"


def _wholes(old: PublicTable, new: PublicTable) -> tuple[Side | None, Side | None]:
    if _basis(old, new) == "named":
        return _together(old), _together(new)
    one, other = (_side(table.network) for table in (old, new))
    return one, other


def _together(table: PublicTable) -> Side | None:
    """All companies with figures."""
    named = [side for side in _named(table).values() if side]
    mature, late = sum(side.mature for side in named), sum(side.late for side in named)
    return Side(mature, late, _UNKNOWN) if mature else None


def _side(timing: OnTime | Network) -> Side | None:
    """The late ones follow from the share, which has ten digits."""
    mature, lenient = timing.mature, timing.lenient
    if not mature or lenient.p is None:
        return None
    strict = timing.strict if isinstance(timing, CompetingOnTime | CompetingNetwork) else None
    return Side(mature, round((1 - lenient.p) * mature), lenient, strict)


def _pairs(old: PublicTable, new: PublicTable) -> Iterator[Pair]:
    """Companies with figures in both releases, and those with figures in one that the other does not know.

    A company that is withheld in one of them has no name in either, unless that whole leaves its episodes out.
    """
    first, second = _named(old), _named(new)
    alone = _basis(old, new) == "named"
    apart = _apart(first, new, alone=alone) | _apart(second, old, alone=alone)
    names = {row.company: row.name for row in (*old.rows, *new.rows)}
    for key in names:
        before, after = first.get(key), second.get(key)
        if (before or after) and (key in apart or (key in first and key in second)):
            yield Pair(key, names[key], before, after)


def _named(table: PublicTable) -> Mapping[str, Side | None]:
    """The companies with figures, with None for one without a mature episode."""
    shown = ((row.company, row.figures.on_time) for row in table.rows if row.figures)
    return {key: _side(timing) for key, timing in shown}


def _apart(keys: Iterable[str], table: PublicTable, *, alone: bool) -> set[str]:
    """Those of the keys whose episodes cannot be in the other table's whole without a name."""
    rows = {row.company: row.figures for row in table.rows}
    left_out = alone or table.network.gives_way
    return {key for key in keys if key not in rows or (rows[key] is None and left_out)}


def _contribution(pair: Pair, before: Side, after: Side) -> Contribution:
    middle = (before.p + after.p) / 2
    one, two = pair.before, pair.after
    was = one.mature / before.mature if one else 0.0
    now = two.mature / after.mature if two else 0.0
    if one and two:
        behaviour, mix = (was + now) / 2 * (two.p - one.p), (now - was) * ((one.p + two.p) / 2 - middle)
        return Contribution(pair.company, pair.name, "stayed", behaviour, mix)
    if two:
        return Contribution(pair.company, pair.name, "arrived", None, now * (two.p - middle))
    assert one, "a pair has a side"
    return Contribution(pair.company, pair.name, "left", None, -was * (one.p - middle))


def _sum(parts: Sequence[Contribution], kind: Kind) -> float:
    return math.fsum(part.weight for part in parts if part.kind == kind)


def _unnamed(pairs: Sequence[Pair], before: Side, after: Side) -> float:
    """What the rest did as a whole: who is in it differs, so behaviour cannot be told from mix."""
    middle = (before.p + after.p) / 2
    rests = (_rest(before, [pair.before for pair in pairs]), _rest(after, [pair.after for pair in pairs]))
    was, now = ((mature * (1 - middle) - late) / whole.mature
                for (mature, late), whole in zip(rests, (before, after), strict=True))  # fmt: skip
    return now - was


def _rest(whole: Side, named: Sequence[Side | None]) -> tuple[int, int]:
    """Mature and late episodes that no company with a name has."""
    known = [side for side in named if side]
    return whole.mature - sum(side.mature for side in known), whole.late - sum(side.late for side in known)


def _limits(value: float, terms: Sequence[tuple[float, Side]]) -> tuple[float | None, float | None]:
    """95 % limits of a sum of shares times weights, from the limits of the shares; the weights are taken as they are.

    Zou and Donner (Statistics in Medicine 27, 2008): each limit of a sum lies as far off as the root of the squared
    distances to the limits of its terms. For one company of weight 1 it is Newcombe's interval of a difference (1998).
    Standard errors are too small with few sites, and 0 for a share of 0 or 1; the limits were made for that.

    Under method 2026.2 each end takes the readings of the shares that move it outwards: what the checks did not see
    adds up, and does not average out (docs/adr/0042). A change of a share lies within -1 and 1, and so do its limits.
    """
    down, up, doubt_down, doubt_up = [], [], 0.0, 0.0
    for weight, side in terms:
        if side.limits is None:
            return None, None
        to_low, to_high = abs(weight) * (side.lowest - side.limits[0]), abs(weight) * (side.limits[1] - side.p)
        doubt = abs(weight) * (side.p - side.lowest)
        down.append(to_low if weight > 0 else to_high)
        up.append(to_high if weight > 0 else to_low)
        doubt_down += doubt if weight > 0 else 0.0
        doubt_up += doubt if weight < 0 else 0.0
    if not down:
        return None, None
    return max(value - doubt_down - math.hypot(*down), -1.0), min(value + doubt_up + math.hypot(*up), 1.0)


def _behaviour_terms(pairs: Sequence[Pair], before: Side, after: Side) -> list[tuple[float, Side]]:
    terms = []
    for one, two in ((pair.before, pair.after) for pair in pairs):
        if one and two:
            weight = (one.mature / before.mature + two.mature / after.mature) / 2
            terms += [(-weight, one), (weight, two)]
    return terms


def _mix_terms(pairs: Sequence[Pair], before: Side, after: Side) -> list[tuple[float, Side]]:
    """The network's own shares count as far as the weights of those that stayed do not balance: others came or went."""
    terms, balance = list[tuple[float, Side]](), 0.0
    for one, two in ((pair.before, pair.after) for pair in pairs):
        if one and two:
            weight = two.mature / after.mature - one.mature / before.mature
            terms += [(weight / 2, one), (weight / 2, two)]
            balance += weight
    if terms and abs(balance) > _BALANCED:
        terms += [(-balance / 2, before), (-balance / 2, after)]
    return terms


def _late(before: Side, after: Side) -> Late:
    """The same split for a product of two: each factor's change times the average of the other."""
    rate_before, rate_after = 1 - before.p, 1 - after.p
    volume = (after.mature - before.mature) * (rate_before + rate_after) / 2
    rate = (rate_after - rate_before) * (before.mature + after.mature) / 2
    return Late(before.late, after.late, volume, rate)
