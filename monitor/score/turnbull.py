"""Turnbull's estimate of S(t) from interval-censored times, for many groups at once.

B. W. Turnbull, JRSS B 38 (1976): mass sits on the innermost intervals ("cells") only; times being censored but never
truncated, the masses are unique.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitor.score.compiled import compiled
from monitor.score.digits import TIE
from monitor.score.innermost import innermost
from monitor.score.likelihood import most_likely
from monitor.score.sorting import Floats, Integers, starts, totals


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
        mass = totals(self.group * width + begun, self.mass, self.groups * width).reshape(self.groups, width)
        result = np.ones((self.groups, len(order)))
        result[:, order] = np.minimum(np.cumsum(mass[:, :0:-1], axis=1)[:, ::-1], 1.0)
        result[np.bincount(self.group, minlength=self.groups) == 0] = 1.0
        return result

    @classmethod
    def of(cls, parts: Sequence[Turnbull]) -> Turnbull:
        """The groups of all parts, in their order."""
        before = np.cumsum([0, *(part.groups for part in parts)])
        group = [part.group + start for part, start in zip(parts, before[:-1], strict=True)]
        columns = (np.concatenate([getattr(part, name) for part in parts]) for name in ("left", "right", "mass"))
        return cls(int(before[-1]), np.concatenate(group), *columns)

    def quantile(self, share: float) -> Floats:
        """Per group the smallest time with S <= share (+ TIE); nan where it is not reached."""
        time, slots = self.time, np.arange(len(self.group)) + self.group
        left = 1.0 - _sums(self.mass, self.group, self.groups)[slots + 1]
        at = np.flatnonzero((left <= share + TIE) & np.isfinite(time))[::-1]
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
    _check(group, left, right, weight, groups)
    if not _is_ready(group, left, right, weight):
        some = np.flatnonzero(weight > 0)
        rows = some[np.lexsort((right[some], left[some], group[some]))]
        group, left, right, weight = group[rows], left[rows], right[rows], weight[rows]
    begins = starts(group)
    cells, begin, end, mass = _estimate(np.append(begins, len(group)), left, right, weight)
    failed = np.flatnonzero(cells < 0)
    if failed.size:
        raise ArithmeticError(f"group {group[begins[failed[0]]]}: no maximum is found")
    return Turnbull(groups, np.repeat(group[begins], cells), begin, end, mass)


@compiled
def _is_ready(group: Integers, left: Floats, right: Floats, weight: Integers) -> bool:
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
        problem = innermost(left[own], right[own], weight[own])
        found, is_most = most_likely(problem)
        after = stored + len(found)
        begin[stored:after], end[stored:after], mass[stored:after] = problem.left, problem.right, found
        cells[group], stored = len(found) if is_most else -1, after
    return cells, begin[:stored].copy(), end[:stored].copy(), mass[:stored].copy()


def _check(group: Integers, left: Floats, right: Floats, weight: Integers, groups: int) -> None:
    faults = {
        "the time ends before it begins": ~(left <= right),
        "the time does not begin": ~np.isfinite(left),
        "the weight is not a count": weight < 0,
        "there is no such group": (group < 0) | (group >= groups),
    }
    for fault, where in faults.items():
        if where.any():
            raise ValueError(f"row {np.flatnonzero(where)[0]}: {fault}")


def _sums(mass: Floats, cell: Integers, groups: int) -> Floats:
    """F at every boundary between cells: a group of m cells has m + 1, from 0 to its sum of mass.

    Each group starts again from 0, as one running sum over thousands of groups would cost the small masses digits.
    """
    steps = np.zeros(len(mass) + groups)
    steps[np.arange(len(mass)) + cell + 1] = mass
    sizes = np.bincount(cell, minlength=groups)
    starts = np.cumsum(sizes + 1)[:-1]
    steps[starts] = -totals(cell, mass, groups)[:-1]
    sums: Floats = np.cumsum(steps)
    return sums
