"""Shares of items that fall together twice, by site and by day: variance, effective numbers, limits.

URLs of one site are removed by one action of one operator, and the notices of one day meet one weekend. So the variance
is that of two-way clustering (Cameron, Gelbach, Miller, J. Business Econ. Statist. 29, 2011), the degrees of freedom
come from the effective number of clusters (Carter, Schnepel, Steigerwald, Rev. Econ. Statist. 99, 2017), and no limits
are narrower than Wilson's for the number of independent items that pooled intra-class correlations leave.

What matters of the clusters of a company is how many there are of each size with each number of ones. That is a small
table whatever the number of items, and everything here is computed from it in whole numbers: the order of the rows, and
the engine that counted them, are of no effect.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from scipy import special

from monitor.estimators.arrays import AnyIntegers, Booleans, Floats, Integers, group_by, group_starts
from monitor.estimators.confidence import wilson_interval


class Clusters(NamedTuple):
    """`number` clusters of a company have `size` items, of which `ones` have the property; rows sorted by all three.

    `company` is an index from 0 to `companies` - 1.
    """

    companies: int
    company: Integers
    size: Integers
    ones: Integers
    number: Integers

    @classmethod
    def of(cls, companies: int, company: AnyIntegers, size: AnyIntegers, ones: AnyIntegers) -> Clusters:
        """From one row a cluster, in any order; those without items are left out."""
        return cls.counted(companies, company, size, ones, np.ones(len(size), np.int64))

    @classmethod
    def counted(
        cls, companies: int, company: AnyIntegers, size: AnyIntegers, ones: AnyIntegers, count: AnyIntegers
    ) -> Clusters:
        """From rows of `count` clusters each, in any order."""
        some = np.flatnonzero(size)
        keys = [np.asarray(column)[some] for column in (company, size, ones)]
        (units, sizes, with_it), (number,) = group_by(keys, [np.asarray(count)[some]])
        return cls(companies, units, sizes, with_it, number)

    def each(self) -> Iterator[tuple[int, list[tuple[int, int, int]]]]:
        """The companies that have clusters, each with its (size, ones, count)."""
        starts = group_starts(self.company)
        rows = list(zip(self.size.tolist(), self.ones.tolist(), self.number.tolist(), strict=True))
        for begin, end in zip(starts.tolist(), np.append(starts, len(rows))[1:].tolist(), strict=True):
            yield int(self.company[begin]), rows[begin:end]


class _Sums(NamedTuple):
    """Of a company: its items, those with the property, its clusters, and the sum of their squared sizes."""

    n: int
    k: int
    clusters: int
    squares: int


def _sums(rows: list[tuple[int, int, int]]) -> _Sums:
    return _Sums(
        sum(size * count for size, _, count in rows),
        sum(ones * count for _, ones, count in rows),
        sum(count for *_, count in rows),
        sum(size * size * count for size, _, count in rows),
    )


def _variance(rows: list[tuple[int, int, int]]) -> Fraction:
    """C / (C - 1) times the sum over clusters of (n s - k m)^2, over n^4; 0 with a single cluster."""
    n, k, clusters, _ = _sums(rows)
    if clusters < 2:
        return Fraction(0)
    squares = sum(count * (n * ones - k * size) ** 2 for size, ones, count in rows)
    return Fraction(clusters * squares, (clusters - 1) * n**4)


def two_way_variance(site: Clusters, day: Clusters, both: Clusters) -> Floats:
    """Of the share of each company: max(V_site, V_day, V_site + V_day - V_both); exactly 0 where all agree.

    `both` are the distinct pairs of site and day. nan for a company without items.
    """
    found = np.full(site.companies, np.nan)
    for (company, sites), (_, days), (_, pairs) in zip(site.each(), day.each(), both.each(), strict=True):
        by_site, by_day = _variance(sites), _variance(days)
        found[company] = float(max(by_site, by_day, by_site + by_day - _variance(pairs)))
    return found


@dataclass(frozen=True)
class Sizes:
    """Per company (arrays): items, those with the property, clusters, and the sum of their squared sizes."""

    n: Floats
    k: Floats
    clusters: Floats
    squares: Floats

    @property
    def effective(self) -> Floats:
        """G = n^2 / sum of m^2: as many clusters of equal size would say as much. nan without items."""
        with np.errstate(invalid="ignore"):
            return self.n**2 / self.squares


def sizes(clusters: Clusters) -> Sizes:
    """What there is of each company."""
    found = np.zeros((clusters.companies, 4))
    for company, rows in clusters.each():
        found[company] = _sums(rows)
    return Sizes(*found.T)


def pooled_correlation(clusters: Clusters, counted: Booleans) -> float:
    """The intra-class correlation of the property within clusters, over the companies that are counted, in [0, 1].

    From the analysis of variance (Donner, Int. Statist. Rev. 54, 1986). 1 where nothing can be said of it: no such
    company, one item a cluster everywhere, one cluster a company everywhere, or no variation at all.
    """
    between, within, unequal = list[float](), list[float](), list[float]()
    degrees_between = degrees_within = 0
    for company, rows in clusters.each():
        if not counted[company]:
            continue
        n, k, number, squares = _sums(rows)
        degrees_between += number - 1
        degrees_within += n - number
        unequal.append(float(n - Fraction(squares, n)))
        for size, ones, count in rows:
            between.append(float(Fraction(count * (n * ones - k * size) ** 2, size * n * n)))
            within.append(float(Fraction(count * ones * (size - ones), size)))
    if degrees_between == 0 or degrees_within == 0:
        return 1.0
    msb, msw = math.fsum(between) / degrees_between, math.fsum(within) / degrees_within
    denominator = msb + (math.fsum(unequal) / degrees_between - 1) * msw
    if denominator == 0.0:
        return 1.0
    return min(max((msb - msw) / denominator, 0.0), 1.0)


def independent_items(site: Sizes, day: Sizes, rho_site: float, rho_day: float) -> Floats:
    """How many independent items a share is worth under the pooled correlations: never more than there are sites."""
    with np.errstate(divide="ignore", invalid="ignore"):
        excess = rho_site * (site.squares / site.n - 1) + rho_day * (day.squares / day.n - 1)
        return np.minimum(site.n / (1 + excess), site.clusters)


def share_limits(
    p: Floats, variance: Floats, independent: Floats, effective: Floats, confidence: float
) -> tuple[Floats, Floats]:
    """Limits of shares p: the outer ones of two of Wilson's intervals. nan where p is nan.

    One is for `independent` items. The other, where the variance is above 0, for the p (1 - p) / variance items that
    would give it, with Student's t on max(effective / 2, 1) degrees; `effective` is the smaller G of sites and days.
    """
    low, high = wilson_interval(p, independent, confidence)
    spread = np.flatnonzero(variance > 0)
    t = special.stdtrit(np.maximum(effective[spread] / 2, 1.0), 0.5 + confidence / 2)
    worth = p[spread] * (1 - p[spread]) / variance[spread]
    low_t, high_t = wilson_at(p[spread], worth, t)
    low[spread], high[spread] = np.fmin(low[spread], low_t), np.fmax(high[spread], high_t)
    return np.where(p == 0.0, 0.0, low), np.where(p == 1.0, 1.0, high)


def wilson_at(p: Floats, m: Floats, q: Floats) -> tuple[Floats, Floats]:
    """Wilson's limits of a share p of m trials for a quantile q of the standardised error (JASA 22, 1927)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = p + q * q / (2 * m)
        half = q * np.sqrt(p * (1 - p) / m + q * q / (4 * m * m))
        whole = 1 + q * q / m
        return (middle - half) / whole, (middle + half) / whole
