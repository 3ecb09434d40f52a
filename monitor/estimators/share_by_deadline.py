"""The share removed by a deadline, given what was seen of each episode and the estimate of its company.

a = P(removed, T <= D | what was seen), b = 1 - P(relocated, T <= D | what was seen): the masses of the cells that an
episode allows, a cell counted where its middle is at most D. Their sums are those of the estimate p = sum a / sum b:
what moved in time counts neither way.
"""

from __future__ import annotations

import numpy as np

from monitor.estimators.arrays import Booleans, Floats, Integers, group_starts
from monitor.estimators.competing_risks import CENSORED, RELOCATED, REMOVED, CompetingRisks
from monitor.estimators.compiled import compiled


def shares_by_deadline(
    found: CompetingRisks, group: Integers, left: Floats, right: Floats, cause: Integers, deadline: Floats
) -> tuple[Floats, Floats]:
    """(a, b) of rows in any order, each of a group of `found`; times as it has them.

    A row ended by a cause in (left, right] (left == right: at that time), or had not ended at left (CENSORED).
    """
    begins = np.searchsorted(found.group, np.arange(found.groups + 1))
    ones = begins[:-1] + np.bincount(found.group[found.cause == REMOVED], minlength=found.groups)
    twos = ones + np.bincount(found.group[found.cause == RELOCATED], minlength=found.groups)
    is_open, is_moved = cause == CENSORED, cause == RELOCATED
    columns = (group, left, right, is_open, is_moved, deadline)
    return _shares(begins, ones, twos, found.right, found.time, found.mass, *columns)


@compiled
def _shares(
    begins: Integers,
    ones: Integers,
    twos: Integers,
    ends: Floats,
    times: Floats,
    mass: Floats,
    group: Integers,
    left: Floats,
    right: Floats,
    is_open: Booleans,
    is_moved: Booleans,
    deadline: Floats,
) -> tuple[Floats, Floats]:
    """Cells of a group: those of removal up to `ones`, of relocation up to `twos`, then what is still there."""
    before = np.zeros(len(mass) + len(ones))  # the mass of the cells of a group before each, one place more a group
    for own in range(len(ones)):
        for cell in range(begins[own], begins[own + 1]):
            before[cell + own + 1] = before[cell + own] + mass[cell]
    a, b = np.empty(len(group)), np.empty(len(group))
    for row in range(len(group)):
        own, allowed, in_one, in_two = group[row], 0.0, 0.0, 0.0
        begin, one, two = begins[own], ones[own], twos[own]
        if not is_moved[row]:
            first, last = _allowed(ends, begin, one, left[row], right[row], is_open[row])
            due = begin + np.searchsorted(times[begin:one], deadline[row], side="right")
            allowed += before[last + own] - before[first + own]
            in_one = before[min(max(due, first), last) + own] - before[first + own]
        if is_moved[row] or is_open[row]:
            first, last = _allowed(ends, one, two, left[row], right[row], is_open[row])
            due = one + np.searchsorted(times[one:two], deadline[row], side="right")
            allowed += before[last + own] - before[first + own]
            in_two = before[min(max(due, first), last) + own] - before[first + own]
        if is_open[row]:
            allowed += before[begins[own + 1] + own] - before[two + own]
        a[row], b[row] = in_one / allowed, 1.0 - in_two / allowed
    return a, b


@compiled
def _allowed(ends: Floats, begin: int, end: int, left: float, right: float, open_ended: bool) -> tuple[int, int]:
    """The cells of a cause that lie in (left, right], or after left where the row is open-ended."""
    if not open_ended and left == right:  # one time: the cell that is that time, which ends there
        point = begin + int(np.searchsorted(ends[begin:end], right, side="left"))
        return point, point + 1
    first = begin + int(np.searchsorted(ends[begin:end], left, side="right"))
    if open_ended:
        return first, end
    return first, begin + int(np.searchsorted(ends[begin:end], right, side="right"))


def relocated_by_destination(
    found: CompetingRisks,
    group: Integers,
    destination: Integers,
    left: Floats,
    right: Floats,
    weight: Integers,
    horizons: Floats,
) -> tuple[Integers, Integers, Floats]:
    """Of each (group, destination) that rows have: both, and F of relocation there at the horizons, a row each.

    Rows, sorted by group and destination, were relocated in (left, right], `weight` episodes each. The mass of a cell
    is divided as the chances of the episodes to lie in it: all destinations of a group add up to its F of relocation.
    """
    starts = group_starts(group, destination)
    slot = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(group))))
    begins = np.searchsorted(found.group, np.arange(found.groups + 1))
    ones = begins[:-1] + np.bincount(found.group[found.cause == REMOVED], minlength=found.groups)
    twos = ones + np.bincount(found.group[found.cause == RELOCATED], minlength=found.groups)
    rows = np.searchsorted(group, np.arange(found.groups + 1))
    columns = (rows, slot, left, right, weight, horizons, len(starts))
    return group[starts], destination[starts], _divided(ones, twos, found.right, found.time, found.mass, *columns)


@compiled
def _divided(
    ones: Integers,
    twos: Integers,
    ends: Floats,
    times: Floats,
    mass: Floats,
    rows: Integers,
    slot: Integers,
    left: Floats,
    right: Floats,
    weight: Integers,
    horizons: Floats,
    slots: int,
) -> Floats:
    result = np.zeros((slots, len(horizons)))
    for own in range(len(ones)):
        begin, end = rows[own], rows[own + 1]
        if begin == end:
            continue
        one, two, lowest = ones[own], twos[own], slot[begin]
        chances = np.zeros((slot[end - 1] - lowest + 1, two - one))
        for row in range(begin, end):
            first, last = _allowed(ends, one, two, left[row], right[row], False)
            allowed = mass[first:last].sum()
            for cell in range(first, last):
                chances[slot[row] - lowest, cell - one] += weight[row] * mass[cell] / allowed
        for cell in range(one, two):
            total = chances[:, cell - one].sum()
            if total > 0.0:
                for place in range(len(horizons)):
                    if times[cell] <= horizons[place]:
                        result[lowest : lowest + len(chances), place] += mass[cell] * chances[:, cell - one] / total
    return result
