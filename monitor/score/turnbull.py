"""Turnbull's estimate of S(t) from interval-censored times, for many groups at once.

B. W. Turnbull, JRSS B 38 (1976). Mass is placed at the midpoint of its interval, as R's `survfit` with
`Surv(l, r, type="interval2")` does. EM on prefix sums, accelerated by SQUAREM (Varadhan, Roland 2008).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_EXACT, _RIGHT, _LEFT = range(3)  # order of endpoints of one value: [t, then ] , then (
TIE = 1e-10


@dataclass(frozen=True)
class Turnbull:
    """Mass by cell: its group, the time it is placed at (inf: never removed), and how much; sorted by both."""

    groups: int
    group: Integers
    time: Floats
    mass: Floats

    def survival(self, times: Floats) -> Floats:
        """S at each time: (groups, len(times)); 1 for a group without observations."""
        result = np.empty((self.groups, len(times)))
        for column, time in enumerate(times):
            later = self.time > time
            result[:, column] = np.bincount(self.group[later], self.mass[later], self.groups)
        result[np.bincount(self.group, minlength=self.groups) == 0] = 1.0
        return result

    def quantile(self, share: float) -> Floats:
        """Per group the smallest time with S <= share; nan where it is not reached."""
        running = np.cumsum(self.mass)
        starts = np.searchsorted(self.group, np.arange(self.groups))
        before = np.concatenate([[0.0], running])[starts]
        left = 1.0 - (running - before[self.group])
        reached = (left <= share + TIE) & np.isfinite(self.time)
        result = np.full(self.groups, np.nan)
        at = np.flatnonzero(reached)[::-1]
        result[self.group[at]] = self.time[at]
        return result


def turnbull(group: Integers, left: Floats, right: Floats, weight: Integers, groups: int) -> Turnbull:
    """Estimate from `weight` observations known to lie in (left, right], exact where left == right, censored
    where right is inf. `group` is from 0 to `groups` - 1. Raises ValueError naming a row with left > right."""
    left, right = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    wrong = np.flatnonzero(~(left <= right))
    if len(wrong):
        raise ValueError(f"row {wrong[0]}: the time ends before it begins")
    cells, low, high = _cells(np.asarray(group, dtype=np.int64), left, right)
    mass = _maximise(cells.group, low, high, np.asarray(weight, dtype=np.float64), groups)
    with np.errstate(invalid="ignore"):
        middle = np.where(np.isfinite(cells.right), (cells.left + cells.right) / 2, np.inf)
    return Turnbull(groups, cells.group, middle, mass)


@dataclass(frozen=True)
class _Cells:
    group: Integers
    left: Floats
    right: Floats


def _cells(group: Integers, left: Floats, right: Floats) -> tuple[_Cells, Integers, Integers]:
    """The innermost intervals, and for each observation its first cell and one past its last."""
    n = len(left)
    kinds = np.concatenate([np.where(left == right, _EXACT, _LEFT), np.full(n, _RIGHT)])
    values = np.concatenate([left, right])
    owners = np.concatenate([group, group])
    order = np.lexsort((kinds, values, owners))
    is_right = kinds[order] == _RIGHT
    starts = np.flatnonzero(~is_right[:-1] & is_right[1:] & (owners[order][:-1] == owners[order][1:]))
    cells = _Cells(owners[order][starts], values[order][starts], values[order][starts + 1])
    seen = np.zeros(2 * n + 1, dtype=np.int64)
    seen[starts + 1] = 1
    passed = np.cumsum(seen)  # cells begun strictly before a place in the order
    place = np.empty(2 * n, dtype=np.int64)
    place[order] = np.arange(2 * n)
    return cells, passed[place[:n]], passed[place[n:]]


def _maximise(group: Integers, low: Integers, high: Integers, weight: Floats, groups: int) -> Floats:
    """The masses that make the observations most likely."""
    cells = len(group)
    total = np.bincount(group[low], weight, groups)[group]
    sizes = np.bincount(group, minlength=groups)[group]
    mass = 1.0 / sizes

    def step(p: Floats) -> tuple[Floats, float]:
        prefix = np.concatenate([[0.0], np.cumsum(p)])
        share = weight / np.maximum(prefix[high] - prefix[low], 1e-300)
        change = np.bincount(low, share, cells + 1) - np.bincount(high, share, cells + 1)
        slope = np.cumsum(change)[:cells] / total
        return p * slope, float(np.max(slope, initial=1.0) - 1.0)

    for _ in range(3000):
        first, gap = step(mass)
        if gap < 1e-10:
            break
        second, _gap = step(first)
        mass = _accelerated(mass, first, second, group, groups)
    return mass


def _accelerated(mass: Floats, first: Floats, second: Floats, group: Integers, groups: int) -> Floats:
    """SQUAREM per group; a group whose extrapolation leaves the simplex takes the plain second step."""
    r, v = first - mass, (second - first) - (first - mass)
    rr, vv = np.bincount(group, r * r, groups), np.bincount(group, v * v, groups)
    with np.errstate(divide="ignore", invalid="ignore"):
        alpha = np.where(vv > 0, -np.sqrt(rr / vv), -1.0)
    alpha = np.minimum(alpha, -1.0)[group]
    tried = mass - 2 * alpha * r + alpha * alpha * v
    bad = np.bincount(group, tried <= 0, groups)[group] > 0
    tried = np.where(bad, second, tried)
    normalised: Floats = tried / np.bincount(group, tried, groups)[group]
    return normalised
