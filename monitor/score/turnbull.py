"""Turnbull's estimate of S(t) from interval-censored times, for many groups at once.

B. W. Turnbull, JRSS B 38 (1976): mass sits on the innermost intervals ("cells") only; times being censored but never
truncated, the masses are unique. They are found by projected Newton steps (D. P. Bertsekas, SIAM J. Control Optim.
20, 1982) on a support that grows where the likelihood still rises (Y. Wang, CSDA 52, 2007): a large company would
take EM thousands of steps. A group is done when it meets the conditions of the maximum, not when steps get small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitor.score.hessian import Hessian
from monitor.score.sorting import Flags, Floats, Integers, totals

TIE = 1e-10  # S this close to a share has reached it: what rounding leaves of an equality
_EXACT, _RIGHT, _LEFT = range(3)  # order of endpoints of one value: [t, then ] , then (
_EM_STEPS = 6  # cheap first steps, so that Newton's start where the likelihood is smooth
_NEWTON_STEPS = 300  # 5 to 40 are usual
_HALVINGS = 40
_CONVERGED = 1e-12  # how far from the conditions of the maximum a group may stop
_TOLERATED = 1e-9  # and how far if rounding allows no better
_NOISE = 1e-13  # relative change of the likelihood that may be rounding
_NEGLIGIBLE = 1e-10  # mass that is dropped at once where the likelihood falls in it


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
    group, counts = np.asarray(group, np.int64), np.asarray(weight, np.float64)
    left, right = np.asarray(left, np.float64), np.asarray(right, np.float64)
    _check(group, left, right, counts, groups)
    rows = counts > 0
    problem, ends = _problem(group[rows], left[rows], right[rows], counts[rows], groups)
    return Turnbull(groups, problem.cell, *ends, _maximise(problem))


def _check(group: Integers, left: Floats, right: Floats, weight: Floats, groups: int) -> None:
    faults = {
        "the time ends before it begins": ~(left <= right),
        "the time does not begin": ~np.isfinite(left),
        "the weight is not a count": ~((weight >= 0) & np.isfinite(weight)),
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


@dataclass(frozen=True, slots=True)
class _Problem:
    """Rows as pairs of boundaries: row i has the mass F[last[i]] - F[first[i]]. `weight` sums to 1 in a group."""

    groups: int
    cell: Integers  # group of each cell
    slot: Integers  # boundary at the left of each cell
    base: Integers  # first boundary of each group
    row: Integers  # group of each row
    first: Integers
    last: Integers
    weight: Floats

    def by_cell(self, values: Floats) -> Floats:
        """Sum over the cells of each group."""
        return totals(self.cell, values, self.groups)

    def covered(self, mass: Floats) -> Floats:
        """The mass in each row's interval."""
        sums = _sums(mass, self.cell, self.groups)
        return sums[self.last] - sums[self.first]

    def only(self, keep: Flags) -> tuple[_Problem, Flags]:
        """The problem of some groups, numbered anew, and which of the cells are theirs."""
        cells, rows, number = keep[self.cell], keep[self.row], np.cumsum(keep) - 1
        cell, row = number[self.cell[cells]], number[self.row[rows]]
        base = _boundaries(np.bincount(cell, minlength=int(keep.sum())))
        moved = base[row] - self.base[self.row[rows]]
        some = _Problem(
            groups=len(base),
            cell=cell,
            slot=np.arange(len(cell)) + cell,
            base=base,
            row=row,
            first=self.first[rows] + moved,
            last=self.last[rows] + moved,
            weight=self.weight[rows],
        )
        return some, cells

    def rise(self, mass: Floats) -> Floats:
        """Per cell, the derivative of `value`: at the maximum 0 where there is mass, and nowhere above 0."""
        share = self.weight / self.covered(mass)
        boundaries = len(self.cell) + self.groups
        change = totals(self.first, share, boundaries) - totals(self.last, share, boundaries)
        return np.cumsum(change)[self.slot] - 1.0

    def value(self, mass: Floats) -> Floats:
        """Per group, the mean log likelihood less the sum of mass: its maximum over mass >= 0 has the sum 1."""
        covered = self.covered(mass)
        log = np.log(covered, out=np.full(len(covered), -np.inf), where=covered > 0)
        return totals(self.row, self.weight * log, self.groups) - self.by_cell(mass)


def _problem(
    group: Integers, left: Floats, right: Floats, weight: Floats, groups: int
) -> tuple[_Problem, tuple[Floats, Floats]]:
    """The cells, their ends, and for each row its first boundary and its last.

    A cell begins at a beginning that is followed by an end; after it, in sorted order, is a new boundary.
    """
    n = len(left)
    kinds = np.concatenate([np.where(left == right, _EXACT, _LEFT), np.full(n, _RIGHT)])
    values, owners = np.concatenate([left, right]), np.concatenate([group, group])
    order = np.lexsort((kinds, values, owners))
    ending = kinds[order] == _RIGHT
    starts = np.flatnonzero(~ending[:-1] & ending[1:])  # a group's last end is followed by a beginning
    cell = owners[order][starts]
    seen = np.zeros(2 * n + 1, dtype=np.int64)
    seen[starts + 1] = 1
    passed = np.empty(2 * n, dtype=np.int64)
    passed[order] = np.cumsum(seen)[:-1]
    sizes = np.bincount(cell, minlength=groups)
    problem = _Problem(
        groups=groups,
        cell=cell,
        slot=np.arange(len(cell)) + cell,
        base=_boundaries(sizes),
        row=group,
        first=passed[:n] + group,
        last=passed[n:] + group,
        weight=weight / totals(group, weight, groups)[group],
    )
    return problem, (values[order][starts], values[order][starts + 1])


def _boundaries(sizes: Integers) -> Integers:
    """The first boundary of each group, given how many cells it has."""
    return np.cumsum(sizes + 1) - sizes - 1


def _maximise(problem: _Problem) -> Floats:
    """The masses that make the observations most likely."""
    mass, whole, result = _start(problem), problem, np.empty(len(problem.cell))
    cells, groups, before = np.arange(len(mass)), np.arange(problem.groups), np.full(problem.groups, np.inf)
    for _ in range(_NEWTON_STEPS):
        rise = problem.rise(mass)
        off = _violation(problem, mass, rise)
        done = (off <= _CONVERGED) | ((off <= _TOLERATED) & (off > before / 2))
        result[cells] = mass
        if done.all():
            return result / whole.by_cell(result)[whole.cell]
        if done.any():
            problem, kept = problem.only(~done)
            cells, mass, rise, groups, off = cells[kept], mass[kept], rise[kept], groups[~done], off[~done]
        before = off
        mass = _search(problem, mass, rise, _direction(problem, mass, rise))
    raise ArithmeticError(f"group {groups[0]}: no maximum in {_NEWTON_STEPS} steps")


def _start(problem: _Problem) -> Floats:
    """A few steps of EM from equal masses on the fewest cells that every row has one of (greedy, by right ends)."""
    begins = np.full(len(problem.cell) + 1, -1)
    np.maximum.at(begins, problem.last - problem.row, problem.first - problem.row)
    chosen, latest = [], -1
    for end, begin in enumerate(begins.tolist()):
        if begin > latest:
            latest = end - 1
            chosen.append(latest)
    mass: Floats = np.zeros(len(problem.cell))
    mass[chosen] = 1.0
    mass /= problem.by_cell(mass)[problem.cell]
    for _ in range(_EM_STEPS):
        mass = mass * (1.0 + problem.rise(mass))
    return mass


def _violation(problem: _Problem, mass: Floats, rise: Floats) -> Floats:
    """Per group, how far the conditions of the maximum are from met: rise <= 0, mass >= 0, one of them 0."""
    result = np.zeros(problem.groups)
    np.maximum.at(result, problem.cell, np.where(rise > 0, rise, np.minimum(mass, -rise)))
    return result


def _added(problem: _Problem, mass: Floats, rise: Floats) -> Flags:
    """Between each two cells with mass the one where the likelihood rises most, if it rises."""
    held = mass > 0
    begins = held.copy()
    begins[np.flatnonzero(np.diff(problem.cell, prepend=-1))] = True
    rise = np.where(held, -np.inf, rise)
    most = np.maximum.reduceat(rise, np.flatnonzero(begins))[np.cumsum(begins) - 1]
    result: Flags = (rise == most) & (rise > 0)
    return result


def _direction(problem: _Problem, mass: Floats, rise: Floats) -> Floats:
    """Newton's step of the masses that may move; mass that is about to vanish does."""
    vanishing = (mass > 0) & (mass <= _NEGLIGIBLE) & (rise < 0)
    free = ((mass > 0) & ~vanishing) | _added(problem, mass, rise)
    result = np.where(vanishing, -mass, 0.0)
    result[free] = _newton(problem, problem.covered(mass), rise, free)
    return result


def _newton(problem: _Problem, covered: Floats, rise: Floats, free: Flags) -> Floats:
    """The step of the free masses, solved for F just after each: there the Hessian is sparse, one block a group."""
    follows = np.diff(problem.cell[free], prepend=-1) == 0  # the free mass before is of the same group
    slope = rise[free]
    slope[:-1] -= np.where(follows[1:], rise[free][1:], 0.0)
    step = _hessian(problem, covered, free).solve(slope, np.append(~follows[1:], True))
    step[1:] -= np.where(follows[1:], step[:-1].copy(), 0.0)
    return step


def _hessian(problem: _Problem, covered: Floats, free: Flags) -> Hessian:
    size = int(free.sum())
    marks = np.zeros(len(problem.cell) + problem.groups + 1, dtype=np.int64)
    marks[problem.slot[free] + 1] = 1
    passed = np.cumsum(marks)
    low, high, base = passed[problem.first], passed[problem.last], passed[problem.base][problem.row]
    rows = high > low
    low, high, inner = low[rows] - 1, high[rows] - 1, (low > base)[rows]
    bend = problem.weight[rows] / covered[rows] ** 2
    diagonal = totals(high, bend, size) + totals(low[inner], bend[inner], size)
    diagonal *= 1 + 1e-14  # never exactly singular by rounding
    return Hessian(diagonal, low[inner], high[inner], -bend[inner])


def _search(problem: _Problem, mass: Floats, rise: Floats, direction: Floats) -> Floats:
    """The longest of the halved steps, cut off at 0, that gains enough (Armijo); else a step of EM, which gains."""
    result, cells = mass * (1.0 + rise), np.arange(len(mass))
    value = problem.value(mass)
    least, length = value - _NOISE * (1 + np.abs(value)), 1.0
    for _ in range(_HALVINGS):
        tried = np.maximum(mass + length * direction, 0.0)
        promised = np.maximum(problem.by_cell(rise * (tried - mass)), 0.0)
        taken = problem.value(tried) >= least + 1e-4 * promised
        result[cells[taken[problem.cell]]] = tried[taken[problem.cell]]
        if taken.all():
            break
        problem, kept = problem.only(~taken)
        cells, mass, rise, direction, least = cells[kept], mass[kept], rise[kept], direction[kept], least[~taken]
        length /= 2
    return result
