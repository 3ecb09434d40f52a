"""Shares of items that fall together twice, by site and by day: variance, effective numbers, limits.

URLs of one site are removed by one action of one operator, and the notices of one day meet one weekend. So the variance
is that of two-way clustering (Cameron, Gelbach, Miller, J. Business Econ. Statist. 29, 2011), the degrees of freedom
come from the effective number of clusters (Carter, Schnepel, Steigerwald, Rev. Econ. Statist. 99, 2017), and no limits
are narrower than Wilson's for the number of independent items that pooled intra-class correlations leave.

What matters of the clusters of a company is how many there are of each size with each number of ones. That is a small
table whatever the number of items, and everything here is computed from it, whole numbers as such: the order of the
rows, and the engine that counted them, are of no effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import special

from monitor.estimators.arrays import AnyIntegers, Booleans, Floats, Integers, group_by
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

    def total(self, values: Floats | Integers) -> Floats:
        """The sum of a value of each row, as often as there are such clusters, by company."""
        return np.asarray(np.bincount(self.company, self.number * values, self.companies), np.float64)


def _variance(clusters: Clusters) -> Floats:
    """C / (C - 1) times the sum over clusters of (n s - k m)^2, over n^4; 0 with a single cluster.

    n s - k m is a whole number, so a variance of 0 is exactly that.
    """
    found = sizes(clusters)
    n, k = (values.astype(np.int64)[clusters.company] for values in (found.n, found.k))
    errors = (n * clusters.ones - k * clusters.size).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(found.clusters > 1, found.clusters / (found.clusters - 1), 0.0)
        return factor * clusters.total(errors**2) / found.n**4


def two_way_variance(site: Clusters, day: Clusters, both: Clusters) -> Floats:
    """Of the share of each company: max(V_site, V_day, V_site + V_day - V_both); exactly 0 where all agree.

    `both` are the distinct pairs of site and day. nan for a company without items.
    """
    by_site, by_day, by_both = _variance(site), _variance(day), _variance(both)
    return np.maximum(np.maximum(by_site, by_day), by_site + by_day - by_both)


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
    size = clusters.size.astype(np.float64)
    one, total = np.ones(len(size)), clusters.total
    return Sizes(total(size), total(clusters.ones), total(one), total(size**2))


def pooled_correlation(clusters: Clusters, counted: Booleans) -> float:
    """The intra-class correlation of the property within clusters, over the companies that are counted, in [0, 1].

    From the analysis of variance (Donner, Int. Statist. Rev. 54, 1986). 1 where nothing can be said of it: no such
    company, one item a cluster everywhere, one cluster a company everywhere, or no variation at all.
    """
    found = sizes(clusters)
    some = counted & (found.n > 0)
    degrees_between = float((found.clusters[some] - 1).sum())
    degrees_within = float((found.n[some] - found.clusters[some]).sum())
    if degrees_between == 0 or degrees_within == 0:
        return 1.0
    n, k = (values.astype(np.int64)[clusters.company] for values in (found.n, found.k))
    errors, size = (n * clusters.ones - k * clusters.size).astype(np.float64), clusters.size.astype(np.float64)
    between = clusters.total(errors**2 / (size * n.astype(np.float64) ** 2))
    within = clusters.total(clusters.ones * (clusters.size - clusters.ones) / size)
    msb, msw = float(between[some].sum()) / degrees_between, float(within[some].sum()) / degrees_within
    unequal = float((found.n[some] - found.squares[some] / found.n[some]).sum()) / degrees_between
    denominator = msb + (unequal - 1) * msw
    if denominator == 0.0:
        return 1.0
    return min(max((msb - msw) / denominator, 0.0), 1.0)


def independent_items(site: Sizes, day: Sizes, rho_site: float | Floats, rho_day: float | Floats) -> Floats:
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


@dataclass(frozen=True)
class TwoWayShares:
    """Of each company (arrays; nan without items): a share, its standard error and limits, and what they rest on.

    `independent`: how many independent items the share is worth. `degrees`: of freedom, of Student's t.
    """

    p: Floats
    se: Floats
    low: Floats
    high: Floats
    independent: Floats
    degrees: Floats

    @property
    def complement(self) -> TwoWayShares:
        """The share of the others."""
        return TwoWayShares(1 - self.p, self.se, 1 - self.high, 1 - self.low, self.independent, self.degrees)


def two_way_shares(
    site: Clusters, day: Clusters, both: Clusters, confidence: float, eligible: Booleans | None
) -> TwoWayShares:
    """The share of each company, clustered by site and by day; `both` are the distinct pairs.

    The intra-class correlations are pooled over the `eligible` companies; without such they are taken to be 1.
    """
    of_sites, of_days = sizes(site), sizes(day)
    variance = two_way_variance(site, day, both)
    rho = [1.0 if eligible is None else pooled_correlation(clusters, eligible) for clusters in (site, day)]
    with np.errstate(invalid="ignore"):
        p = of_sites.k / of_sites.n
    independent = independent_items(of_sites, of_days, *rho)
    effective = np.fmin(of_sites.effective, of_days.effective)
    low, high = share_limits(p, variance, independent, effective, confidence)
    nothing = np.isnan(p)
    low, high = np.where(nothing, np.nan, low), np.where(nothing, np.nan, high)
    return TwoWayShares(p, np.sqrt(variance), low, high, independent, np.maximum(effective / 2, 1.0))


def wilson_at(p: Floats, m: Floats, q: Floats) -> tuple[Floats, Floats]:
    """Wilson's limits of a share p of m trials for a quantile q of the standardised error (JASA 22, 1927)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = p + q * q / (2 * m)
        half = q * np.sqrt(p * (1 - p) / m + q * q / (4 * m * m))
        whole = 1 + q * q / m
        return (middle - half) / whole, (middle + half) / whole
