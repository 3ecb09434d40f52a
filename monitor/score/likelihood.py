"""The masses that make the interval-censored observations of one group most likely.

Projected Newton steps (D. P. Bertsekas, SIAM J. Control Optim. 20, 1982) on a support that grows where the likelihood
still rises (Y. Wang, CSDA 52, 2007): a large company would take EM thousands of steps. It is done when the conditions
of the maximum are met, not when steps get small.
"""

from __future__ import annotations

import numpy as np

from monitor.score.compiled import compiled
from monitor.score.hessian import hessian, solve
from monitor.score.innermost import Problem
from monitor.score.sorting import Flags, Floats, Integers, Whole

_EM_STEPS = 6  # cheap first steps, so that Newton's start where the likelihood is smooth
_NEWTON_STEPS = 300  # 5 to 40 are usual
_HALVINGS = 40
_CONVERGED = 1e-12  # how far from the conditions of the maximum a group may stop
_TOLERATED = 1e-9  # and how far if rounding allows no better
_NOISE = 1e-13  # relative change of the likelihood that may be rounding
_NEGLIGIBLE = 1e-10  # mass that is dropped at once where the likelihood falls in it


@compiled
def most_likely(problem: Problem) -> tuple[Floats, bool]:
    """The mass of each cell, and whether the conditions of the maximum are met."""
    mass, before = _start(problem), np.inf
    for _ in range(_NEWTON_STEPS):
        covered = _covered(problem, mass)
        rise = _rise(problem, covered)
        off = _violation(mass, rise)
        if off <= _CONVERGED or (off <= _TOLERATED and off > before / 2):
            return mass / mass.sum(), True
        before = off
        mass = _search(problem, mass, rise, _direction(problem, mass, covered, rise), _value(problem, mass, covered))
    return mass, False


@compiled
def _start(problem: Problem) -> Floats:
    """A few steps of EM from equal masses on the fewest cells that every row has one of (greedy, by right ends)."""
    cells, latest = len(problem.left), -1
    begins = np.full(cells + 1, -1)
    for row in range(len(problem.first)):
        begins[problem.last[row]] = max(begins[problem.last[row]], problem.first[row])
    mass = np.zeros(cells)
    for end in range(1, cells + 1):
        if begins[end] > latest:
            latest = end - 1
            mass[latest] = 1.0
    mass /= mass.sum()
    for _ in range(_EM_STEPS):
        mass *= 1.0 + _rise(problem, _covered(problem, mass))
    return mass


@compiled
def _covered(problem: Problem, mass: Floats) -> Floats:
    """The mass in each row's interval."""
    sums = np.zeros(len(mass) + 1)
    for cell in range(len(mass)):
        sums[cell + 1] = sums[cell] + mass[cell]
    result = np.empty(len(problem.first))
    for row in range(len(result)):
        result[row] = sums[problem.last[row]] - sums[problem.first[row]]
    return result


@compiled
def _rise(problem: Problem, covered: Floats) -> Floats:
    """Per cell, the derivative of `_value`: at the maximum 0 where there is mass, and nowhere above 0."""
    change = np.zeros(len(problem.left) + 1)
    for row in range(len(covered)):
        share = problem.weight[row] / covered[row]
        change[problem.first[row]] += share
        change[problem.last[row]] -= share
    result, sum_ = np.empty(len(problem.left)), 0.0
    for cell in range(len(result)):
        sum_ += change[cell]
        result[cell] = sum_ - 1.0
    return result


@compiled
def _value(problem: Problem, mass: Floats, covered: Floats) -> float:
    """The mean log likelihood less the sum of mass: its maximum over mass >= 0 has the sum 1."""
    value = -float(mass.sum())
    for row in range(len(covered)):
        if not covered[row] > 0.0:
            return -np.inf
        value += problem.weight[row] * np.log(covered[row])
    return value


@compiled
def _violation(mass: Floats, rise: Floats) -> float:
    """How far the conditions of the maximum are from met: rise <= 0, mass >= 0, one of them 0."""
    most = 0.0
    for cell in range(len(mass)):
        most = max(most, rise[cell] if rise[cell] > 0.0 else min(mass[cell], -rise[cell]))
    return most


@compiled
def _free(mass: Floats, rise: Floats) -> Flags:
    """Mass that may move: all but what is about to vanish, and between each two the cell with the steepest rise."""
    result = np.zeros(len(mass), np.bool_)
    steepest, most = -1, 0.0
    for cell in range(len(mass)):
        if mass[cell] > 0.0:
            result[cell] = not _vanishes(mass[cell], rise[cell])
            if steepest >= 0:
                result[steepest] = True
            steepest, most = -1, 0.0
        elif rise[cell] > most:
            steepest, most = cell, rise[cell]
    if steepest >= 0:
        result[steepest] = True
    return result


@compiled
def _vanishes(mass: float, rise: float) -> bool:
    return mass <= _NEGLIGIBLE and rise < 0.0


@compiled
def _direction(problem: Problem, mass: Floats, covered: Floats, rise: Floats) -> Floats:
    """Newton's step of the masses that may move; mass that is about to vanish does."""
    free = _free(mass, rise)
    result = np.where(free, 0.0, -mass)
    places = np.flatnonzero(free)
    result[places] = _newton(problem, covered, rise, places, np.cumsum(free))
    return result


@compiled
def _newton(problem: Problem, covered: Floats, rise: Floats, places: Integers, upto: Whole) -> Floats:
    """The step of the free masses, solved for their running sum just after each: there the Hessian is sparse.

    `places` are their cells, `upto` how many of them there are up to each cell.
    """
    size, rows = len(places), len(covered)
    slope = rise[places]
    slope[:-1] -= rise[places[1:]]
    low, high, bend = np.empty(rows, np.int64), np.empty(rows, np.int64), np.empty(rows)
    for row in range(rows):
        first = problem.first[row]
        low[row] = upto[first - 1] - 1 if first else -1
        high[row] = upto[problem.last[row] - 1] - 1
        bend[row] = problem.weight[row] / covered[row] ** 2
    step = solve(hessian(low, high, bend, size), slope)
    step[1:] -= step[:-1].copy()
    return step


@compiled
def _search(problem: Problem, mass: Floats, rise: Floats, direction: Floats, value: float) -> Floats:
    """The longest of the halved steps, cut off at 0, that gains enough (Armijo); else a step of EM, which gains.

    No step at all gains nothing, for ever.
    """
    least, length = value - _NOISE * (1.0 + abs(value)), 1.0
    for _ in range(_HALVINGS if direction.any() else 0):
        tried = np.maximum(mass + length * direction, 0.0)
        promised = max((rise * (tried - mass)).sum(), 0.0)
        if _value(problem, tried, _covered(problem, tried)) >= least + 1e-4 * promised:
            return tried
        length /= 2.0
    return mass * (1.0 + rise)
