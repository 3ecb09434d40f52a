"""Two-way clustered shares: by hand, against the formula written out, and what their limits promise."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from monitor.estimators.clustered_share import (
    Clusters,
    independent_items,
    pooled_correlation,
    share_limits,
    sizes,
    two_way_variance,
    wilson_at,
)
from monitor.estimators.confidence import wilson_interval

Item = tuple[int, int, int, int]  # company, site, day, one or zero
ITEMS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(0, 3), st.integers(0, 1)), min_size=1, max_size=60
)


def clustered(items: list[Item], *by: int) -> Clusters:
    """The clusters of the items by site (1), day (2) or both."""
    found: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for item in items:
        found[item[0], *(item[place] for place in by)].append(item[3])
    company, size, ones = zip(*((key[0], len(own), sum(own)) for key, own in found.items()), strict=True)
    return Clusters.of(3, np.array(company), np.array(size), np.array(ones))


def written_out(items: list[Item], *by: int) -> Fraction:
    """V of method-rules R1, item by item."""
    n, k = len(items), sum(item[3] for item in items)
    residuals: dict[tuple[int, ...], Fraction] = defaultdict(Fraction)
    for item in items:
        residuals[tuple(item[place] for place in by)] += item[3] - Fraction(k, n)
    clusters = len(residuals)
    if clusters == 1:
        return Fraction(0)
    return Fraction(clusters, clusters - 1) * sum(value**2 for value in residuals.values()) / n**2


def test_by_hand() -> None:
    """Two sites of two items, all of one late: p = 1/2, the residuals of the sites are 1 and -1, V = 2 * 2 / 16."""
    items = [(0, 0, 0, 1), (0, 0, 1, 1), (0, 1, 0, 0), (0, 1, 1, 0)]
    site, day, both = clustered(items, 1), clustered(items, 2), clustered(items, 1, 2)
    assert two_way_variance(site, day, both)[0] == 0.25
    assert np.isnan(two_way_variance(site, day, both)[1])
    assert sizes(site).effective[0] == 2.0
    assert pooled_correlation(site, np.array([True, False, False])) == 1.0
    assert pooled_correlation(day, np.array([True, False, False])) == 0.0


@given(ITEMS)
def test_variance_is_the_formula_written_out(items: list[Item]) -> None:
    found = two_way_variance(clustered(items, 1), clustered(items, 2), clustered(items, 1, 2))
    for company in {item[0] for item in items}:
        own = [item for item in items if item[0] == company]
        site, day, both = written_out(own, 1), written_out(own, 2), written_out(own, 1, 2)
        expected = float(max(site, day, site + day - both))
        assert found[company] == pytest.approx(expected, rel=1e-12, abs=0)  # 0 is exactly 0


def test_correlation_of_unequal_clusters() -> None:
    """Sites of 3, 2 and 1 items with 3, 0 and 1 late: analysis of variance by hand.

    p = 4/6; MSB = (3 (1/3)^2 + 2 (2/3)^2 + (1/3)^2) / 2 = 2/3; MSW = 0: the correlation is 1. With one of the two late:
    p = 5/6; MSB = (3/36 + 2/9 + 1/36) / 2 = 1/6; MSW = (1/2) / 3 = 1/6: the correlation is 0.
    """
    counted = np.array([True])

    def of(*ones: int) -> float:
        return pooled_correlation(Clusters.of(1, np.zeros(3, int), np.array([3, 2, 1]), np.array(ones)), counted)

    assert of(3, 0, 1) == 1.0
    assert of(3, 1, 1) == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize(
    ("size", "ones", "counted"),
    [([1, 1], [0, 1], True), ([5], [2], True), ([3, 3], [0, 0], True), ([3, 3], [1, 2], False)],
    ids=["one item a site", "one site", "all alike", "nobody counted"],
)
def test_correlation_is_one_where_nothing_can_be_said(size: list[int], ones: list[int], counted: bool) -> None:
    clusters = Clusters.of(1, np.zeros(len(size), int), np.array(size), np.array(ones))
    assert pooled_correlation(clusters, np.array([counted])) == 1.0


@given(ITEMS, st.floats(0, 1), st.floats(0, 1))
def test_limits_are_never_narrower_than_wilsons_for_the_independent_items(
    items: list[Item], rho_site: float, rho_day: float
) -> None:
    site, day, both = clustered(items, 1), clustered(items, 2), clustered(items, 1, 2)
    by_site, by_day = sizes(site), sizes(day)
    with np.errstate(invalid="ignore"):
        p = by_site.k / by_site.n
    worth = independent_items(by_site, by_day, rho_site, rho_day)
    variance = two_way_variance(site, day, both)
    low, high = share_limits(p, variance, worth, np.minimum(by_site.effective, by_day.effective), 0.95)
    floor_low, floor_high = wilson_interval(p, worth, 0.95)
    some = by_site.n > 0
    assert (worth[some] <= by_site.clusters[some]).all()
    assert (low[some] <= floor_low[some]).all()
    assert (high[some] >= floor_high[some]).all()
    assert (low[some] <= p[some]).all()
    assert (high[some] >= p[some]).all()
    assert (high[some] > low[some]).all()  # no interval has the width 0


def test_thirty_five_sites_are_the_least_that_prove_ninety_percent() -> None:
    for number, proven in ((34, False), (35, True)):
        low, _ = share_limits(
            np.array([1.0]), np.array([0.0]), np.array([float(number)]), np.array([float(number)]), 0.95
        )
        assert (low[0] >= 0.9) == proven


def test_limits_with_a_variance() -> None:
    """p = 0.8 with V = 0.004, worth 40 items; G = 20, so t on 10 degrees: Wilson's formula with t = 2.228138852."""
    low, high = share_limits(np.array([0.8]), np.array([0.004]), np.array([200.0]), np.array([20.0]), 0.95)
    t = stats.t.ppf(0.975, 10)
    assert t == pytest.approx(2.228138851986274, abs=1e-12)
    roots = np.roots([1 + t * t / 40, -(1.6 + t * t / 40), 0.64])  # (p - x)^2 = t^2 x (1 - x) / 40
    assert [low[0], high[0]] == pytest.approx(sorted(roots), abs=1e-12)


def test_order_of_the_rows_is_of_no_effect() -> None:
    rng = np.random.default_rng(5)
    company, size = rng.integers(0, 3, 400), rng.integers(1, 9, 400)
    ones = rng.binomial(size, 0.3)
    again = rng.permutation(400)
    one, other = Clusters.of(3, company, size, ones), Clusters.of(3, company[again], size[again], ones[again])
    assert two_way_variance(one, one, one).tolist() == two_way_variance(other, other, other).tolist()
    assert pooled_correlation(one, np.ones(3, bool)) == pooled_correlation(other, np.ones(3, bool))


def test_wilson_is_that_of_r() -> None:
    """R: prop.test(8, 10, correct = FALSE)$conf.int = 0.4901625, 0.9433178."""
    low, high = wilson_at(np.array([0.8]), np.array([10.0]), np.array([1.959963984540054]))
    assert [low[0], high[0]] == pytest.approx([0.4901625, 0.9433178], abs=1e-7)
