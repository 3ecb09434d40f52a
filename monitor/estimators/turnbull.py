"""Turnbull's estimate of S(t) from interval-censored times, for many groups at once.

B. W. Turnbull, JRSS B 38 (1976): mass sits on the innermost (Turnbull) intervals only, here called cells; times being
censored but never truncated, the masses are unique. They are found by projected Newton steps (D. P. Bertsekas, SIAM J.
Control Optim. 20, 1982) on a support that grows where the likelihood still rises (Y. Wang, CSDA 52, 2007): a large
company would take EM thousands of steps. The search ends when the conditions of the maximum are met, not when steps get
small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from monitor.estimators.arrays import AnyIntegers, Booleans, Floats, Integers, group_starts, sum_by_index
from monitor.estimators.cholesky import Envelope, empty_envelope, solve
from monitor.estimators.compiled import compiled
from monitor.estimators.rounding import TIE_TOLERANCE

_EM_STEPS = 6  # cheap first steps, so that Newton's start where the likelihood is smooth
NEWTON_STEPS = 300  # 5 to 40 are usual
HALVINGS = 40
CONVERGED = 1e-12  # how far from the conditions of the maximum a group may stop
TOLERATED = 1e-9  # and how far if rounding allows no better
NOISE = 1e-13  # relative change of the likelihood that may be rounding
NEGLIGIBLE = 1e-10  # mass that is dropped at once where the likelihood falls in it


@dataclass(frozen=True, slots=True)
class Turnbull:
    """Cells of all groups in order of group and time: mass `mass[k]` of `group[k]` lies in (left[k], right[k]].

    left == right is one exact time, right == inf the mass never seen to end: S(infinity). Times as they were given.
    """

    groups: int
    group: Integers
    left: Floats
    right: Floats
    mass: Floats

    @property
    def time(self) -> Floats:
        """Where a cell's mass is placed: its middle, as R's `survfit` does; inf for the mass that never ends."""
        return np.where(np.isfinite(self.right), (self.left + np.minimum(self.right, np.finfo(float).max)) / 2, np.inf)

    def survival(self, times: Floats) -> Floats:
        """S at each time, as an array (groups, len(times)); 1 for a group without observations."""
        order = np.argsort(times, kind="stable")
        begun = np.searchsorted(np.asarray(times)[order], self.time)  # how many of the times come before the mass
        width = len(order) + 1
        mass = sum_by_index(self.group * width + begun, self.mass, self.groups * width).reshape(self.groups, width)
        result = np.ones((self.groups, len(order)))
        result[:, order] = np.minimum(np.cumsum(mass[:, :0:-1], axis=1)[:, ::-1], 1.0)
        result[np.bincount(self.group, minlength=self.groups) == 0] = 1.0
        return result

    @classmethod
    def concatenate(cls, parts: Sequence[Turnbull]) -> Turnbull:
        """The groups of all parts, in their order."""
        before = np.cumsum([0, *(part.groups for part in parts)])
        group = [part.group + start for part, start in zip(parts, before[:-1], strict=True)]
        columns = (np.concatenate([getattr(part, name) for part in parts]) for name in ("left", "right", "mass"))
        return cls(int(before[-1]), np.concatenate(group), *columns)

    def quantile(self, share: float) -> Floats:
        """Per group the smallest time with S <= share (+ TIE_TOLERANCE); nan where it is not reached."""
        time, slots = self.time, np.arange(len(self.group)) + self.group
        left = 1.0 - _cumulative_mass(self.mass, self.group, self.groups)[slots + 1]
        at = np.flatnonzero((left <= share + TIE_TOLERANCE) & np.isfinite(time))[::-1]
        result = np.full(self.groups, np.nan)
        result[self.group[at]] = time[at]
        return result


def turnbull(group: Integers, left: Floats, right: Floats, weight: Integers, groups: int) -> Turnbull:
    """Estimate from `weight` observations known to lie in (left, right].

    left == right is an exact time, right == inf one still outstanding at left. The arrays have one entry a row, in
    any order; `group` is from 0 to `groups` - 1; rows of weight 0 say nothing. Ends and exact times that tie are
    those of R's `Surv(left, right, type="interval2")`: an exact time t lies in (s, t] and not in (t, u].
    Raises ValueError naming the first row that cannot be; ArithmeticError if no maximum is found.
    """
    group, weight = np.asarray(group, np.int64), np.asarray(weight, np.int64)
    left, right = np.asarray(left, np.float64), np.asarray(right, np.float64)
    _check_rows(group, left, right, weight, groups)
    if not _is_sorted(group, left, right, weight):
        some = np.flatnonzero(weight > 0)
        rows = some[np.lexsort((right[some], left[some], group[some]))]
        group, left, right, weight = group[rows], left[rows], right[rows], weight[rows]
    begins = group_starts(group)
    cells, begin, end, mass = _estimate(np.append(begins, len(group)), left, right, weight)
    failed = np.flatnonzero(cells < 0)
    if failed.size:
        raise ArithmeticError(f"group {group[begins[failed[0]]]}: no maximum is found")
    return Turnbull(groups, np.repeat(group[begins], cells), begin, end, mass)


@compiled
def _is_sorted(group: Integers, left: Floats, right: Floats, weight: Integers) -> bool:
    """Whether the rows are sorted, and none is without weight: then they need not be sorted again."""
    for row in range(len(group)):
        if weight[row] == 0:
            return False
        if row and (group[row - 1], left[row - 1], right[row - 1]) > (group[row], left[row], right[row]):
            return False
    return True


@compiled
def _estimate(
    begins: Integers, left: Floats, right: Floats, weight: Integers
) -> tuple[Integers, Floats, Floats, Floats]:
    """How many cells each group has (-1: no maximum is found), then all their ends and masses; rows are sorted."""
    cells = np.empty(len(begins) - 1, np.int64)
    begin, end, mass, stored = np.empty(len(left)), np.empty(len(left)), np.empty(len(left)), 0
    for group in range(len(cells)):
        own = slice(begins[group], begins[group + 1])
        intervals = turnbull_intervals(left[own], right[own], weight[own])
        found, is_most = optimise(intervals)
        after = stored + len(found)
        begin[stored:after], end[stored:after], mass[stored:after] = intervals.left, intervals.right, found
        cells[group], stored = len(found) if is_most else -1, after
    return cells, begin[:stored].copy(), end[:stored].copy(), mass[:stored].copy()


def _check_rows(group: Integers, left: Floats, right: Floats, weight: Integers, groups: int) -> None:
    faults = {
        "the time ends before it begins": ~(left <= right),
        "the time does not begin": ~np.isfinite(left),
        "the weight is not a count": weight < 0,
        "there is no such group": (group < 0) | (group >= groups),
    }
    for fault, where in faults.items():
        if where.any():
            raise ValueError(f"row {np.flatnonzero(where)[0]}: {fault}")


def _cumulative_mass(mass: Floats, cell: Integers, groups: int) -> Floats:
    """F at every boundary between cells: a group of m cells has m + 1, from 0 to its sum of mass.

    Each group starts again from 0, as one running sum over thousands of groups would cost the small masses digits.
    """
    steps = np.zeros(len(mass) + groups)
    steps[np.arange(len(mass)) + cell + 1] = mass
    sizes = np.bincount(cell, minlength=groups)
    starts = np.cumsum(sizes + 1)[:-1]
    steps[starts] = -sum_by_index(cell, mass, groups)[:-1]
    sums: Floats = np.cumsum(steps)
    return sums


class TurnbullIntervals(NamedTuple):
    """Observations by cells: row i has mass in the cells from `first[i]` to before `last[i]`; weights sum to 1.

    Cell k is (left[k], right[k]], or the one time where both are the same.
    """

    first: Integers
    last: Integers
    weight: Floats
    left: Floats
    right: Floats


@compiled
def turnbull_intervals(left: Floats, right: Floats, weight: Integers) -> TurnbullIntervals:
    """From rows sorted by `left`, then `right`: a cell is a beginning that is followed by an end.

    Of what is at one time, an exact time comes first, then what ends, then what begins after it.
    """
    rows, cells, begun, latest = len(left), 0, False, 0.0
    first, last = np.empty(rows, np.int64), np.empty(rows, np.int64)
    begin, end = np.empty(rows), np.empty(rows)
    following = 0
    for row in np.argsort(right):
        until = right[row]
        while following < rows and _begins_before_end(left[following], right[following], until):
            first[following], latest, begun = cells, left[following], True
            following += 1
        if begun:
            begin[cells], end[cells], begun = latest, until, False
            cells += 1
        last[row] = cells
    return TurnbullIntervals(first, last, weight / weight.sum(), begin[:cells].copy(), end[:cells].copy())


@compiled
def _begins_before_end(left: float, right: float, until: float) -> bool:
    """Whether an observation begins before another ends."""
    return left < until or (left == until and left == right)


@compiled
def optimise(intervals: TurnbullIntervals) -> tuple[Floats, bool]:
    """The mass of each cell, and whether the conditions of the maximum are met."""
    mass, before = _start(intervals), np.inf
    for _ in range(NEWTON_STEPS):
        covered = _interval_mass(intervals, mass)
        gradient = _gradient(intervals, covered)
        residual = kkt_residual(mass, gradient)
        if residual <= CONVERGED or (residual <= TOLERATED and residual > before / 2):
            return mass / mass.sum(), True
        before = residual
        direction = _direction(intervals, mass, covered, gradient)
        mass = _line_search(intervals, mass, gradient, direction, log_likelihood(intervals.weight, mass, covered))
    return mass, False


@compiled
def _start(intervals: TurnbullIntervals) -> Floats:
    """A few steps of EM from equal masses on the fewest cells that every row has one of (greedy, by right ends)."""
    cells, latest = len(intervals.left), -1
    begins = np.full(cells + 1, -1)
    for row in range(len(intervals.first)):
        begins[intervals.last[row]] = max(begins[intervals.last[row]], intervals.first[row])
    mass = np.zeros(cells)
    for end in range(1, cells + 1):
        if begins[end] > latest:
            latest = end - 1
            mass[latest] = 1.0
    mass /= mass.sum()
    for _ in range(_EM_STEPS):
        mass *= 1.0 + _gradient(intervals, _interval_mass(intervals, mass))
    return mass


@compiled
def _interval_mass(intervals: TurnbullIntervals, mass: Floats) -> Floats:
    """The mass in each row's interval."""
    sums = np.zeros(len(mass) + 1)
    for cell in range(len(mass)):
        sums[cell + 1] = sums[cell] + mass[cell]
    result = np.empty(len(intervals.first))
    for row in range(len(result)):
        result[row] = sums[intervals.last[row]] - sums[intervals.first[row]]
    return result


@compiled
def _gradient(intervals: TurnbullIntervals, covered: Floats) -> Floats:
    """Per cell, the derivative of `log_likelihood`: at the maximum 0 where there is mass, and nowhere above 0."""
    change = np.zeros(len(intervals.left) + 1)
    for row in range(len(covered)):
        share = intervals.weight[row] / covered[row]
        change[intervals.first[row]] += share
        change[intervals.last[row]] -= share
    result, sum_ = np.empty(len(intervals.left)), 0.0
    for cell in range(len(result)):
        sum_ += change[cell]
        result[cell] = sum_ - 1.0
    return result


@compiled
def log_likelihood(weight: Floats, mass: Floats, covered: Floats) -> float:
    """The mean log likelihood less the sum of mass: its maximum over mass >= 0 has the sum 1."""
    value = -float(mass.sum())
    for row in range(len(covered)):
        if not covered[row] > 0.0:
            return -np.inf
        value += weight[row] * np.log(covered[row])
    return value


@compiled
def kkt_residual(mass: Floats, gradient: Floats) -> float:
    """How far the Karush-Kuhn-Tucker conditions are from met: gradient <= 0, mass >= 0, one of them 0."""
    most = 0.0
    for cell in range(len(mass)):
        most = max(most, gradient[cell] if gradient[cell] > 0.0 else min(mass[cell], -gradient[cell]))
    return most


@compiled
def mark_free(mass: Floats, gradient: Floats, begin: int, end: int, free: Booleans) -> None:
    """Mark the cells from `begin` to before `end` whose mass may move: all mass but what is about to vanish, and
    between each two cells that have some the one with the steepest gradient.
    """
    steepest, most = -1, 0.0
    for cell in range(begin, end):
        if mass[cell] > 0.0:
            free[cell] = not vanishes(mass[cell], gradient[cell])
            if steepest >= 0:
                free[steepest] = True
            steepest, most = -1, 0.0
        elif gradient[cell] > most:
            steepest, most = cell, gradient[cell]
    if steepest >= 0:
        free[steepest] = True


@compiled
def vanishes(mass: float, gradient: float) -> bool:
    """Whether mass is about to vanish."""
    return mass <= NEGLIGIBLE and gradient < 0.0


@compiled
def _direction(intervals: TurnbullIntervals, mass: Floats, covered: Floats, gradient: Floats) -> Floats:
    """Newton's step of the masses that may move; mass that is about to vanish does."""
    free = np.zeros(len(mass), np.bool_)
    mark_free(mass, gradient, 0, len(mass), free)
    result = np.where(free, 0.0, -mass)
    places = np.flatnonzero(free)
    result[places] = _newton_step(intervals, covered, gradient, places, np.cumsum(free))
    return result


@compiled
def _newton_step(
    intervals: TurnbullIntervals, covered: Floats, gradient: Floats, places: Integers, rank: AnyIntegers
) -> Floats:
    """The step of the free masses, solved for their running sum just after each: there the Hessian is sparse.

    `places` are their cells, `rank` how many of them there are up to each cell.
    """
    size, rows = len(places), len(covered)
    slope = gradient[places]
    slope[:-1] -= gradient[places[1:]]
    low, high, curvature = np.empty(rows, np.int64), np.empty(rows, np.int64), np.empty(rows)
    for row in range(rows):
        first = intervals.first[row]
        low[row] = rank[first - 1] - 1 if first else -1
        high[row] = rank[intervals.last[row] - 1] - 1
        curvature[row] = intervals.weight[row] / covered[row] ** 2
    step = solve(hessian(low, high, curvature, size), slope)
    step[1:] -= step[:-1].copy()
    return step


@compiled
def _line_search(
    intervals: TurnbullIntervals, mass: Floats, gradient: Floats, direction: Floats, value: float
) -> Floats:
    """The longest of the halved steps, cut off at 0, that gains enough (Armijo); else a step of EM, which gains.

    No step at all gains nothing, for ever.
    """
    least, length = value - NOISE * (1.0 + abs(value)), 1.0
    for _ in range(HALVINGS if direction.any() else 0):
        tried = np.maximum(mass + length * direction, 0.0)
        promised = max((gradient * (tried - mass)).sum(), 0.0)
        if log_likelihood(intervals.weight, tried, _interval_mass(intervals, tried)) >= least + 1e-4 * promised:
            return tried
        length /= 2.0
    return mass * (1.0 + gradient)


@compiled
def hessian(low: Integers, high: Integers, curvature: Floats, size: int) -> Envelope:
    """The sum over rows of `curvature` (e_high - e_low)(e_high - e_low)', in which a `low` of -1 has no e_low.

    Rows with high == low, which no variable touches, are left out. Checks are hours apart: an interval spans a few
    masses only, or goes on to the last one, which never ends. So few entries lie between the first of a row and its
    diagonal, but in the last row.
    """
    begin = np.arange(size)
    for row in range(len(curvature)):
        if 0 <= low[row] < begin[high[row]]:
            begin[high[row]] = low[row]
    at, entry = empty_envelope(begin)
    for row in range(len(curvature)):
        i, j = high[row], low[row]
        if i != j:
            entry[at[i] + i] += curvature[row]
        if 0 <= j < i:
            entry[at[j] + j] += curvature[row]
            entry[at[i] + j] -= curvature[row]
    return Envelope(begin, at, entry)
