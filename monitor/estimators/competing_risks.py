"""How much was removed, how much relocated and how much is still there: interval-censored competing risks.

M. G. Hudgens, G. A. Satten, I. M. Longini, Biometrics 57 (2001): the nonparametric maximum likelihood estimate puts
mass on cells of each cause, which are the innermost intervals of that cause (Turnbull's, where one cause is all there
is), and on one cell "still there". It is found as `monitor.estimators.turnbull` finds its own: projected Newton steps
on a support that grows, ended by the conditions of the maximum. The steps are solved for running sums of the masses of
each cause, in the order of time over both: an observation then touches neighbours only, or goes on to the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from monitor.estimators.arrays import Booleans, Floats, Integers, group_starts, sum_by_index
from monitor.estimators.cholesky import Envelope, empty_envelope, solve
from monitor.estimators.compiled import compiled
from monitor.estimators.rounding import LEVEL_TOLERANCE
from monitor.estimators.turnbull import (
    CONVERGED,
    HALVINGS,
    NEGLIGIBLE,
    NEWTON_STEPS,
    NOISE,
    TOLERATED,
    kkt_residual,
    log_likelihood,
    mark_free,
    turnbull_intervals,
)

CENSORED, REMOVED, RELOCATED = 0, 1, 2  # how an episode ended: not, or by which cause
_EM_STEPS = 8  # cheap first steps, so that Newton's start where the likelihood is smooth


@dataclass(frozen=True, slots=True)
class CompetingRisks:
    """Cells of all groups, by group, cause and time: mass `mass[k]` of `cause[k]` lies in (left[k], right[k]].

    left == right is one exact time. The cell that is still there has the cause CENSORED and right == inf. The masses of
    a group sum to 1; a group without observations has no cell. Times as they were given.
    """

    groups: int
    group: Integers
    cause: Integers
    left: Floats
    right: Floats
    mass: Floats

    @property
    def time(self) -> Floats:
        """Where a cell's mass is placed: its middle; inf for what is still there."""
        return np.where(np.isfinite(self.right), (self.left + np.minimum(self.right, np.finfo(float).max)) / 2, np.inf)

    def incidence(self, cause: int, times: Floats) -> Floats:
        """F of a cause at each time, as an array (groups, len(times)); 0 for a group without observations."""
        own, order = self.cause == cause, np.argsort(times, kind="stable")
        begun = np.searchsorted(np.asarray(times)[order], self.time[own])  # the first of the times that has the mass
        width = len(order) + 1
        mass = sum_by_index(self.group[own] * width + begun, self.mass[own], self.groups * width)
        result = np.empty((self.groups, len(order)))
        result[:, order] = np.minimum(np.cumsum(mass.reshape(self.groups, width), axis=1)[:, :-1], 1.0)
        return result

    def quantile(self, cause: int, share: float) -> Floats:
        """Per group the smallest time with F of the cause >= share (- LEVEL_TOLERANCE); nan where it is not reached."""
        own, result = self.cause == cause, np.full(self.groups, np.nan)
        group, time, mass = self.group[own], self.time[own], self.mass[own]
        begins = group_starts(group)
        for begin, end in zip(begins.tolist(), np.append(begins, len(group))[1:].tolist(), strict=True):
            reached = np.flatnonzero(np.cumsum(mass[begin:end]) >= share - LEVEL_TOLERANCE)
            if reached.size:
                result[group[begin]] = time[begin + reached[0]]
        return result


def competing_risks(
    group: Integers, left: Floats, right: Floats, cause: Integers, weight: Integers, groups: int
) -> CompetingRisks:
    """Estimate from `weight` observations that ended by a cause in (left, right], or not until left (CENSORED).

    left == right is an exact time; the `right` of what is censored says nothing. The arrays have one entry a row, in
    any order; `group` is from 0 to `groups` - 1; rows of weight 0 say nothing. Raises ValueError naming the first row
    that cannot be; ArithmeticError if no maximum is found.
    """
    group, weight, cause = (np.asarray(column, np.int64) for column in (group, weight, cause))
    left = np.asarray(left, np.float64)
    right = np.where(cause == CENSORED, np.inf, np.asarray(right, np.float64))
    _check_rows(group, left, right, cause, weight, groups)
    some = np.flatnonzero(weight > 0)
    rows = some[np.lexsort((cause[some], right[some], left[some], group[some]))]
    group, left, right, cause, weight = group[rows], left[rows], right[rows], cause[rows], weight[rows]
    begins = group_starts(group)
    cells, causes, begin, end, mass = _estimate(np.append(begins, len(group)), left, right, cause, weight)
    failed = np.flatnonzero(cells < 0)
    if failed.size:
        raise ArithmeticError(f"group {group[begins[failed[0]]]}: no maximum is found")
    return CompetingRisks(groups, np.repeat(group[begins], cells), causes, begin, end, mass)


def _check_rows(group: Integers, left: Floats, right: Floats, cause: Integers, weight: Integers, groups: int) -> None:
    faults = {
        "the time ends before it begins": ~(left <= right),
        "the time does not begin": ~np.isfinite(left),
        "the time of an end is not known": (cause != CENSORED) & ~np.isfinite(right),
        "there is no such cause": (cause < CENSORED) | (cause > RELOCATED),
        "the weight is not a count": weight < 0,
        "there is no such group": (group < 0) | (group >= groups),
    }
    for fault, where in faults.items():
        if where.any():
            raise ValueError(f"row {np.flatnonzero(where)[0]}: {fault}")


class _Problem(NamedTuple):
    """The observations of one group by cells, which are stored by cause: `ones` of the first, `twos` of the second.

    A row that ended by a cause has mass in the cells from `first` to before `last` of that cause; a censored one in
    those of the first cause from `first` on, those of the second from `last` on, and in what is still there. `order` is
    the place of each cell in the order of time over both causes. Weights sum to 1.
    """

    cause: Integers
    first: Integers
    last: Integers
    weight: Floats
    ones: int
    twos: int
    remains: bool
    left: Floats
    right: Floats
    order: Integers


@compiled
def _estimate(
    begins: Integers, left: Floats, right: Floats, cause: Integers, weight: Integers
) -> tuple[Integers, Integers, Floats, Floats, Floats]:
    """How many cells each group has (-1: no maximum is found), then all their causes, ends and masses."""
    groups, room = len(begins) - 1, len(left) + len(begins)
    cells, causes = np.empty(groups, np.int64), np.empty(room, np.int64)
    begin, end, mass, stored = np.empty(room), np.empty(room), np.empty(room), 0
    for group in range(groups):
        own = slice(begins[group], begins[group + 1])
        problem = _cells(left[own], right[own], cause[own], weight[own])
        found, is_most = _optimise(problem)
        after = stored + len(found)
        begin[stored:after], end[stored:after], mass[stored:after] = problem.left, problem.right, found
        causes[stored:after] = CENSORED
        causes[stored : stored + problem.ones] = REMOVED
        causes[stored + problem.ones : stored + problem.ones + problem.twos] = RELOCATED
        cells[group], stored = len(found) if is_most else -1, after
    return cells, causes[:stored].copy(), begin[:stored].copy(), end[:stored].copy(), mass[:stored].copy()


@compiled
def _cells(left: Floats, right: Floats, cause: Integers, weight: Integers) -> _Problem:
    """From rows sorted by `left`, then `right`: the innermost intervals of each cause with what is censored."""
    remains = bool((cause == CENSORED).any())
    first, last = np.zeros(len(left), np.int64), np.zeros(len(left), np.int64)
    rows = np.flatnonzero(cause != RELOCATED)
    one = turnbull_intervals(left[rows], right[rows], weight[rows])
    ones = int(np.isfinite(one.right).sum())
    first[rows], last[rows] = np.minimum(one.first, ones), one.last
    rows = np.flatnonzero(cause != REMOVED)
    two = turnbull_intervals(left[rows], right[rows], weight[rows])
    twos = int(np.isfinite(two.right).sum())
    for place in range(len(rows)):
        row = rows[place]
        if cause[row] == CENSORED:
            last[row] = min(two.first[place], twos)
        else:
            first[row], last[row] = two.first[place], two.last[place]
    size = ones + twos
    begin, end = np.empty(size + remains), np.empty(size + remains)
    begin[:ones], end[:ones] = one.left[:ones], one.right[:ones]
    begin[ones:size], end[ones:size] = two.left[:twos], two.right[:twos]
    if remains:
        begin[size], end[size] = left[cause == CENSORED].max(), np.inf
    order = np.empty(size, np.int64)
    order[np.argsort(end[:size] + begin[:size], kind="mergesort")] = np.arange(size)
    total = weight.sum()
    return _Problem(cause, first, last, weight / total, ones, twos, remains, begin, end, order)


@compiled
def _optimise(problem: _Problem) -> tuple[Floats, bool]:
    """The mass of each cell, and whether the conditions of the maximum are met."""
    mass, before = _start(problem), np.inf
    for _ in range(NEWTON_STEPS):
        covered = _interval_mass(problem, mass)
        gradient = _gradient(problem, covered)
        residual = kkt_residual(mass, gradient)
        if residual <= CONVERGED or (residual <= TOLERATED and residual > before / 2):
            return mass / mass.sum(), True
        before = residual
        direction = _direction(problem, mass, covered, gradient)
        mass = _line_search(problem, mass, gradient, direction, log_likelihood(problem.weight, mass, covered))
    return mass, False


@compiled
def _start(problem: _Problem) -> Floats:
    """A few steps of EM from equal masses on the fewest cells that every row has one of (greedy, by right ends)."""
    ones, size = problem.ones, problem.ones + problem.twos
    begins = np.full(len(problem.left) + 2, -1)  # the latest beginning of what ends before each cell of its cause
    for row in range(len(problem.first)):
        if problem.cause[row] != CENSORED:
            end = problem.last[row] + (ones + 1 if problem.cause[row] == RELOCATED else 0)
            begins[end] = max(begins[end], problem.first[row])
    mass = np.zeros(len(problem.left))
    for begin, cells, at in ((0, ones, 0), (ones, problem.twos, ones + 1)):
        latest = -1
        for end in range(1, cells + 1):
            if begins[at + end] > latest:
                latest = end - 1
                mass[begin + latest] = 1.0
    if problem.remains:
        mass[size] = 1.0
    mass /= mass.sum()
    for _ in range(_EM_STEPS):
        mass = mass * (1.0 + _gradient(problem, _interval_mass(problem, mass)))
    return mass


@compiled
def _interval_mass(problem: _Problem, mass: Floats) -> Floats:
    """The mass in each row's cells. Tails are summed from their end: the mass late in time keeps its digits."""
    ones, size = problem.ones, problem.ones + problem.twos
    one, two = np.zeros(ones + 1), np.zeros(problem.twos + 1)
    for cell in range(ones):
        one[cell + 1] = one[cell] + mass[cell]
    for cell in range(problem.twos):
        two[cell + 1] = two[cell] + mass[ones + cell]
    tail_one, tail_two = np.zeros(ones + 1), np.zeros(problem.twos + 1)
    for cell in range(ones - 1, -1, -1):
        tail_one[cell] = tail_one[cell + 1] + mass[cell]
    for cell in range(problem.twos - 1, -1, -1):
        tail_two[cell] = tail_two[cell + 1] + mass[ones + cell]
    remaining = mass[size] if problem.remains else 0.0
    result = np.empty(len(problem.first))
    for row in range(len(result)):
        first, last = problem.first[row], problem.last[row]
        if problem.cause[row] == CENSORED:
            result[row] = tail_one[first] + tail_two[last] + remaining
        elif problem.cause[row] == REMOVED:
            result[row] = one[last] - one[first]
        else:
            result[row] = two[last] - two[first]
    return result


@compiled
def _gradient(problem: _Problem, covered: Floats) -> Floats:
    """Per cell, the derivative of `log_likelihood`: at the maximum 0 where there is mass, and nowhere above 0."""
    ones, size = problem.ones, problem.ones + problem.twos
    one, two, remaining = np.zeros(ones + 1), np.zeros(problem.twos + 1), 0.0
    for row in range(len(covered)):
        share = problem.weight[row] / covered[row]
        first, last = problem.first[row], problem.last[row]
        if problem.cause[row] == CENSORED:
            one[first] += share
            two[last] += share
            remaining += share
        elif problem.cause[row] == REMOVED:
            one[first] += share
            one[last] -= share
        else:
            two[first] += share
            two[last] -= share
    result, sum_ = np.empty(len(problem.left)), 0.0
    for cell in range(ones):
        sum_ += one[cell]
        result[cell] = sum_ - 1.0
    sum_ = 0.0
    for cell in range(problem.twos):
        sum_ += two[cell]
        result[ones + cell] = sum_ - 1.0
    if problem.remains:
        result[size] = remaining - 1.0
    return result


@compiled
def _free_masses(problem: _Problem, mass: Floats, gradient: Floats) -> Booleans:
    """Mass that may move, of each cause as `mark_free` has it; what is still there unless it is about to vanish."""
    result, size = np.zeros(len(mass), np.bool_), problem.ones + problem.twos
    mark_free(mass, gradient, 0, problem.ones, result)
    mark_free(mass, gradient, problem.ones, size, result)
    if problem.remains:
        result[size] = gradient[size] > 0.0 if mass[size] <= NEGLIGIBLE else True
    return result


@compiled
def _direction(problem: _Problem, mass: Floats, covered: Floats, gradient: Floats) -> Floats:
    """Newton's step of the masses that may move; mass that is about to vanish does."""
    free, size = _free_masses(problem, mass, gradient), problem.ones + problem.twos
    variable = np.full(len(mass), -1)  # of the running sum that a free mass ends, in the order of time
    in_order = np.empty(size, np.int64)
    in_order[problem.order] = np.arange(size)
    variables = 0
    for cell in in_order:
        if free[cell]:
            variable[cell] = variables
            variables += 1
    if problem.remains and free[size]:
        variable[size] = variables  # of the sum of all masses
        variables += 1
    before_one, before_two = _last_before(variable[: problem.ones]), _last_before(variable[problem.ones : size])
    entries, rows, signs = _entries(problem, before_one, before_two, variable[size] if problem.remains else -1)
    curvature = problem.weight / covered**2
    step = solve(_envelope(entries, rows, signs, curvature, variables), _slope(problem, gradient, variable, variables))
    result = np.where(free, 0.0, -mass)
    remaining = float(step[variable[size]]) if problem.remains and free[size] else 0.0
    for begin, end in ((0, problem.ones), (problem.ones, size)):
        sum_ = 0.0
        for place in range(begin, end):
            if free[place]:
                result[place] = step[variable[place]] - sum_
                sum_ = float(step[variable[place]])
        remaining -= sum_
    if problem.remains and free[size]:
        result[size] = remaining
    return result


@compiled
def _last_before(variable: Integers) -> Integers:
    """The last variable of a cause before each of its cells, and before its end; -1 where there is none."""
    result, last = np.empty(len(variable) + 1, np.int64), -1
    for cell in range(len(variable)):
        result[cell] = last
        if variable[cell] >= 0:
            last = variable[cell]
    result[len(variable)] = last
    return result


@compiled
def _slope(problem: _Problem, gradient: Floats, variable: Integers, variables: int) -> Floats:
    """The derivative by each running sum: what a mass gains less what the next of its cause, or the rest, loses."""
    size = problem.ones + problem.twos
    result = np.zeros(variables)
    rest = gradient[size] if problem.remains and variable[size] >= 0 else 0.0
    for begin, end in ((0, problem.ones), (problem.ones, size)):
        following = rest
        for cell in range(end - 1, begin - 1, -1):
            if variable[cell] >= 0:
                result[variable[cell]] = gradient[cell] - following
                following = gradient[cell]
    if problem.remains and variable[size] >= 0:
        result[variable[size]] = rest
    return result


@compiled
def _entries(
    problem: _Problem, before_one: Integers, before_two: Integers, total: int
) -> tuple[Integers, Integers, Integers]:
    """Which running sums a row's mass is the sum of, with their signs: how many of four places a row are used."""
    count = len(problem.cause)
    entries, rows, signs = np.empty(count, np.int64), np.empty((count, 4), np.int64), np.empty((count, 4), np.int64)
    for row in range(count):
        first, last, used = problem.first[row], problem.last[row], 0
        if problem.cause[row] == CENSORED:
            one, two = before_one[first], before_two[last]
            if total >= 0:
                used = _put(rows, signs, row, used, total, 1)
            else:
                used = _put_difference(rows, signs, row, used, before_one[-1], one)
                used = _put_difference(rows, signs, row, used, before_two[-1], two)
                entries[row] = used
                continue
            used = _put(rows, signs, row, used, one, -1)
            used = _put(rows, signs, row, used, two, -1)
        elif problem.cause[row] == REMOVED:
            used = _put_difference(rows, signs, row, used, before_one[last], before_one[first])
        else:
            used = _put_difference(rows, signs, row, used, before_two[last], before_two[first])
        entries[row] = used
    return entries, rows, signs


@compiled
def _put(rows: Integers, signs: Integers, row: int, used: int, variable: int, sign: int) -> int:
    """One running sum more in a row, where there is one."""
    if variable < 0:
        return used
    rows[row, used], signs[row, used] = variable, sign
    return used + 1


@compiled
def _put_difference(rows: Integers, signs: Integers, row: int, used: int, plus: int, minus: int) -> int:
    """A running sum less another; less itself it is nothing."""
    if plus == minus:
        return used
    return _put(rows, signs, row, _put(rows, signs, row, used, plus, 1), minus, -1)


@compiled
def _envelope(entries: Integers, rows: Integers, signs: Integers, curvature: Floats, size: int) -> Envelope:
    """The sum over rows of `curvature` v v', v having the signs of a row at its places."""
    begin = _first_entries(entries, rows, size)
    at, entry = empty_envelope(begin)
    for row in range(len(rows)):
        for place in range(entries[row]):
            i = rows[row, place]
            for other in range(entries[row]):
                j = rows[row, other]
                if j <= i:
                    entry[at[i] + j] += curvature[row] * signs[row, place] * signs[row, other]
    return Envelope(begin, at, entry)


@compiled
def _first_entries(entries: Integers, rows: Integers, size: int) -> Integers:
    """The first variable that some row has together with each."""
    begin = np.arange(size)
    for row in range(len(rows)):
        least = size
        for place in range(entries[row]):
            least = min(least, rows[row, place])
        for place in range(entries[row]):
            variable = rows[row, place]
            begin[variable] = min(begin[variable], least)
    return begin


@compiled
def _line_search(problem: _Problem, mass: Floats, gradient: Floats, direction: Floats, value: float) -> Floats:
    """The longest of the halved steps, cut off at 0, that gains enough (Armijo); else a step of EM, which gains."""
    least, length = value - NOISE * (1.0 + abs(value)), 1.0
    for _ in range(HALVINGS if direction.any() else 0):
        tried = np.maximum(mass + length * direction, 0.0)
        promised = max((gradient * (tried - mass)).sum(), 0.0)
        if log_likelihood(problem.weight, tried, _interval_mass(problem, tried)) >= least + 1e-4 * promised:
            return tried
        length /= 2.0
    return mass * (1.0 + gradient)
