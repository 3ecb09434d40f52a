"""Shares, estimate and standings of method 2026.2 as loops over rows: what the counting in an engine must equal."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy import special

from monitor.estimators.competing_risks import CENSORED, RELOCATED, REMOVED, competing_risks

Z = float(special.ndtri(0.975))


@dataclass(frozen=True)
class Row:
    """An episode, or (`undelivered`) an item without one."""

    company: str
    group: str
    site: int
    day: int
    last: float | None
    offline: float | None
    moved: float | None
    deadline: float
    followed: float | None
    wall: float
    notices: int
    refused: int

    @property
    def undelivered(self) -> bool:
        return self.last is None

    @property
    def mature(self) -> bool:
        return self.followed is not None and self.followed >= self.deadline

    @property
    def on_time(self) -> bool:
        return self.mature and self.offline is not None and self.offline <= self.deadline

    @property
    def late(self) -> bool:
        return self.mature and self.last is not None and self.last > self.deadline


Weigh = Callable[[Row], tuple[float, float]]  # (size, ones) of a row


def clusters(rows: Sequence[Row], weigh: Weigh, key: Callable[[Row], object]) -> list[tuple[float, float]]:
    found: dict[object, list[float]] = defaultdict(lambda: [0, 0])
    for row in rows:
        size, ones = weigh(row)
        found[key(row)][0] += size
        found[key(row)][1] += ones
    return [(m, s) for m, s in found.values() if m]


KEYS: tuple[Callable[[Row], object], ...] = (lambda r: r.site, lambda r: r.day, lambda r: (r.site, r.day))


def variance(rows: Sequence[Row], weigh: Weigh) -> float:
    found = []
    for key in KEYS:
        parts = clusters(rows, weigh, key)
        n, k, c = sum(m for m, _ in parts), sum(s for _, s in parts), len(parts)
        squares = sum((n * s - k * m) ** 2 for m, s in parts)
        found.append(float(Fraction(c * int(squares), (c - 1) * int(n) ** 4)) if c > 1 else 0.0)
    return max(found[0], found[1], found[0] + found[1] - found[2])


def rho(companies: Sequence[Sequence[Row]], weigh: Weigh, key: Callable[[Row], object]) -> float:
    between = within = unequal = 0.0
    free_between = free_within = 0
    for rows in companies:
        parts = clusters(rows, weigh, key)
        n, k = sum(m for m, _ in parts), sum(s for _, s in parts)
        between += sum(m * (s / m - k / n) ** 2 for m, s in parts)
        within += sum(s * (1 - s / m) for m, s in parts)
        unequal += n - sum(m * m for m, _ in parts) / n
        free_between, free_within = free_between + len(parts) - 1, free_within + int(n) - len(parts)
    if not free_between or not free_within:
        return 1.0
    msb, msw = between / free_between, within / free_within
    below = msb + (unequal / free_between - 1) * msw
    return 1.0 if below == 0 else min(max((msb - msw) / below, 0.0), 1.0)


def wilson(p: float, m: float, q: float) -> tuple[float, float]:
    middle, half = p + q * q / (2 * m), q * math.sqrt(p * (1 - p) / m + q * q / (4 * m * m))
    return (middle - half) / (1 + q * q / m), (middle + half) / (1 + q * q / m)


def limits(rows: Sequence[Row], weigh: Weigh, rho_site: float, rho_day: float) -> tuple[float, float, float, float]:
    """p, its limits, and n_w."""
    of_sites, of_days = (clusters(rows, weigh, key) for key in KEYS[:2])
    n, k = sum(m for m, _ in of_sites), sum(s for _, s in of_sites)
    p, v = k / n, variance(rows, weigh)
    mean_site, mean_day = (sum(m * m for m, _ in parts) / n for parts in (of_sites, of_days))
    n_w = min(n / (1 + rho_site * (mean_site - 1) + rho_day * (mean_day - 1)), len(of_sites))
    low, high = wilson(p, n_w, Z)
    if v > 0:
        g = min(n * n / sum(m * m for m, _ in parts) for parts in (of_sites, of_days))
        t = float(special.stdtrit(max(g / 2, 1), 0.975))
        other = wilson(p, p * (1 - p) / v, t)
        low, high = min(low, other[0]), max(high, other[1])
    return p, 0.0 if p == 0 else low, 1.0 if p == 1 else high, n_w


def estimate(rows: Sequence[Row]) -> tuple[float, float]:
    """R6 and R7: the estimate and n_eff, both nan where nothing is left to estimate from."""
    mature = [row for row in rows if row.mature]
    causes = [REMOVED if r.offline is not None else RELOCATED if r.moved is not None else CENSORED for r in mature]
    left = np.array([r.last for r in mature], float)
    ends = [r.offline if r.offline is not None else r.moved if r.moved is not None else r.last for r in mature]
    right = np.array(ends, float)
    found = competing_risks(np.zeros(len(mature), int), left, right, np.array(causes), np.ones(len(mature), int), 1)
    a, b = [], []
    for row, cause in zip(mature, causes, strict=True):
        assert row.last is not None
        if row.on_time or row.late:
            a.append(float(row.on_time))
            b.append(1.0)
            continue
        if cause == RELOCATED and row.moved is not None and row.moved <= row.deadline:
            a.append(0.0)
            b.append(0.0)
            continue
        end = math.inf if cause == CENSORED else row.offline if cause == REMOVED else row.moved
        assert end is not None
        inside = (found.right > row.last) & (found.right <= end)
        inside &= (found.cause == cause) | (cause == CENSORED)
        due = inside & (found.time <= row.deadline)
        total = found.mass[inside].sum()
        a.append(float(found.mass[due & (found.cause == REMOVED)].sum() / total))
        b.append(1 - float(found.mass[due & (found.cause == RELOCATED)].sum() / total))
    if not sum(b):
        return math.nan, math.nan
    p = sum(a) / sum(b)
    errors = dict(zip(map(id, mature), (x - p * y for x, y in zip(a, b, strict=True)), strict=True))
    v = []
    for key in KEYS:
        sums: dict[object, float] = defaultdict(float)
        for row in mature:
            sums[key(row)] += errors[id(row)]
        c = len(sums)
        v.append(c / (c - 1) * sum(e * e for e in sums.values()) / sum(b) ** 2 if c > 1 else 0.0)
    worst = max(v[0], v[1], v[0] + v[1] - v[2])
    g = min(len(mature) ** 2 / sum(m * m for m, _ in clusters(mature, lambda _: (1, 0), key)) for key in KEYS[:2])
    if worst < 1e-20 or p in (0, 1):
        return p, g
    return p, min(max(p * (1 - p) / worst, g), len(mature))
