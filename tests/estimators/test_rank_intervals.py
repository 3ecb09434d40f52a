"""Rank intervals and bands: by hand, against R's table of the studentized range, and what they promise."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchmarks.study_ranks import study
from monitor.estimators.confidence import wilson_interval
from monitor.estimators.rank_intervals import (
    RankIntervals,
    Reading,
    arcsine_scale,
    band_letters,
    effective_sample_size_from_interval,
    rank_intervals,
    rank_intervals_of_readings,
    studentized_range,
)

Floats = npt.NDArray[np.float64]
FIELDS = st.lists(st.tuples(st.floats(0, 3.14), st.floats(0.01, 1)), max_size=30).map(sorted)


def columns(rows: list[tuple[float, float]]) -> tuple[Floats, Floats]:
    return np.array([theta for theta, _ in rows]), np.array([se for _, se in rows])


def certainly_differ(rows: list[tuple[float, float]], i: int, j: int) -> bool:
    """Tukey's rule for one pair, written out."""
    (one, one_se), (other, other_se) = rows[i], rows[j]
    q = studentized_range(len(rows), 0.95)
    return abs(one - other) > q / math.sqrt(2) * math.hypot(one_se, other_se)


def written(found: RankIntervals) -> list[tuple[int, int, str]]:
    return [
        (int(low), int(high), band_letters(int(band)))
        for low, high, band in zip(found.low, found.high, found.band, strict=True)
    ]


# R 4.2.2: sprintf("%.9f", qtukey(0.95, k, Inf))
@pytest.mark.parametrize(
    ("k", "q"),
    [(2, 2.771807649), (3, 3.314493158), (10, 4.474124471), (40, 5.497935327), (500, 7.005572303)],
)
def test_studentized_range_as_r_prints_it(k: int, q: float) -> None:
    assert studentized_range(k, 0.95) == pytest.approx(q, abs=1e-6)


# exact to the last digit: 2 is sqrt(2) times the normal quantile; the others by mpmath's quadrature with 40 digits
@pytest.mark.parametrize(
    ("k", "confidence", "q"),
    [
        (2, 0.95, 2.771807648699355),
        (3, 0.95, 3.31449315539812),
        (40, 0.95, 5.497935262740746),
        (40, 0.99, 6.091626232003839),
        (500, 0.95, 7.005572612690582),
        (5000, 0.95, 8.157226964923582),
    ],
)
def test_studentized_range_is_exact(k: int, confidence: float, q: float) -> None:
    assert studentized_range(k, confidence) == pytest.approx(q, rel=1e-12)


@pytest.mark.parametrize("k", [2, 3, 4, 7, 16, 39, 60, 100, 500])
def test_studentized_range_as_scipy_has_it(k: int) -> None:
    assert studentized_range(k, 0.95) == pytest.approx(stats.studentized_range.ppf(0.95, k, np.inf), rel=1e-11)


def test_equal_errors_by_hand() -> None:
    """q = 3.633 for four (any table), errors 0.1: certain beyond 3.633 / sqrt(2) * sqrt(0.02) = 0.3633.

    First and third (0.5), first and fourth, second and fourth (0.6), third and fourth (0.4) differ; 0.3 and 0.2 say
    nothing. So the second may be first or third; band B opens at the third for the first's sake, C at the fourth.
    """
    found = rank_intervals(np.array([0.0, 0.3, 0.5, 0.9]), np.full(4, 0.1), 0.95)
    assert written(found) == [(1, 2, "A"), (1, 3, "A"), (2, 3, "B"), (4, 4, "C")]


def test_unequal_errors_by_hand() -> None:
    """With 0.4 the third's comparisons need 3.633 / sqrt(2) * sqrt(0.17) = 1.059: it may hold any place."""
    found = rank_intervals(np.array([0.0, 0.3, 0.5, 0.9]), np.array([0.1, 0.1, 0.4, 0.1]), 0.95)
    assert written(found) == [(1, 3, "A"), (1, 3, "A"), (1, 4, "A"), (3, 4, "B")]


def test_nobody_and_one_company() -> None:
    assert written(rank_intervals(np.array([]), np.array([]), 0.95)) == []
    assert written(rank_intervals(np.array([1.0]), np.array([0.0]), 0.95)) == [(1, 1, "A")]


def test_a_difference_against_the_order_is_not_counted() -> None:
    assert written(rank_intervals(np.array([3.0, 0.0]), np.array([0.1, 0.1]), 0.95)) == [(1, 2, "A"), (1, 2, "A")]


@given(FIELDS)
def test_an_interval_counts_the_certain_differences_and_holds_the_own_place(rows: list[tuple[float, float]]) -> None:
    found = rank_intervals(*columns(rows), 0.95)
    for i in range(len(rows)):
        before = sum(certainly_differ(rows, i, j) for j in range(i))
        after = sum(certainly_differ(rows, i, j) for j in range(i + 1, len(rows)))
        assert (found.low[i], found.high[i]) == (1 + before, len(rows) - after)
        assert found.low[i] <= i + 1 <= found.high[i]


@given(FIELDS)
def test_no_two_in_a_band_differ_and_each_band_is_begun_by_one_who_does(rows: list[tuple[float, float]]) -> None:
    band = rank_intervals(*columns(rows), 0.95).band.tolist()
    for i in range(len(rows)):
        own = [j for j in range(i) if band[j] == band[i]]
        assert not any(certainly_differ(rows, i, j) for j in own)
        if not own and i:
            assert band[i] == band[i - 1] + 1
            assert any(certainly_differ(rows, i, j) for j in range(i) if band[j] == band[i] - 1)


@pytest.mark.parametrize(
    ("band", "name"),
    [(0, "A"), (1, "B"), (25, "Z"), (26, "AA"), (27, "AB"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA")],
)
def test_names_of_bands(band: int, name: str) -> None:
    assert band_letters(band) == name


@pytest.mark.parametrize(
    ("p", "low", "high", "mature", "n"),
    [
        (1.0, 10 / 13.841458820694124, 1.0, 40, 10.0),  # Wilson's limit for p = 1: n / (n + 1.959964^2)
        (0.0, 0.0, 3.841458820694124 / 13.841458820694124, 40, 10.0),
        (0.8, 0.5, 0.95, 40, 10.670718946372567),  # 3.8414588 * 0.25 / 0.09
        (0.2, 0.05, 0.5, 40, 10.670718946372567),  # the same from the other end
        (0.8, 0.5, 0.95, 7, 7.0),  # at most one an episode
        (0.8, 0.8, 0.8, 7, 7.0),
        (0.99, 0.0, 1.0, 7, 0.0),
        (0.8, math.nan, 0.95, 7, 0.0),
    ],
)
def test_observations_that_an_interval_is_worth(p: float, low: float, high: float, mature: int, n: float) -> None:
    shares, lows, highs, numbers = (np.array([value], dtype=np.float64) for value in (p, low, high, mature))
    assert effective_sample_size_from_interval(shares, lows, highs, numbers, 0.95)[0] == pytest.approx(n, rel=1e-12)


@given(st.floats(0, 1), st.floats(1, 1e4))
def test_an_interval_of_wilson_is_worth_its_own_number(p: float, n: float) -> None:
    low, high = wilson_interval(np.array([p]), np.array([n]), 0.95)
    assert effective_sample_size_from_interval(np.array([p]), low, high, np.array([1e9]), 0.95)[0] == pytest.approx(
        n, rel=1e-6
    )


def test_the_arcsine_scale_leaves_no_share_certain() -> None:
    """1 of 1 becomes 3/4, 2 asin(sqrt(3/4)) = 2 pi / 3; nothing known is 1/2; 0 mirrors 1."""
    theta, se = arcsine_scale(np.array([1.0, 0.9, 0.0]), np.array([1.0, 0.0, 1.0]))
    assert theta == pytest.approx([2 * math.pi / 3, math.pi / 2, math.pi / 3])
    assert se == pytest.approx([1 / math.sqrt(2), 1.0, 1 / math.sqrt(2)])


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 500), st.floats(0, 500))
def test_drawing_in_never_turns_an_order_into_its_certain_opposite(p: float, q: float, n: float, m: float) -> None:
    worse, better = sorted((p, q))
    theta, se = arcsine_scale(np.array([worse, better]), np.array([n, m]))
    assert theta[0] - theta[1] <= studentized_range(2, 0.95) / math.sqrt(2) * np.hypot(*se)


def test_true_ranks_are_covered_with_clusters_and_not_without() -> None:
    """60 replicates a world: 95 % covered at least, where ignoring the sites fails in nearly all."""
    coverage = {(row.world, row.rule): row.coverage for row in study(60, 7)}
    published = [value for (_, rule), value in coverage.items() if rule.startswith("as published")]
    ignored = [v for (world, rule), v in coverage.items() if rule == "clustering ignored" and world.correlation]
    assert len(published) == 8
    assert min(published) >= 0.95
    assert len(ignored) == 4
    assert max(ignored) <= 0.4


def readings(low: list[float], high: list[float], width: float) -> RankIntervals:
    """Companies whose share lies between two readings, each with a limit that far from it."""
    wide = np.full(len(low), width)
    return rank_intervals_of_readings(Reading(np.array(high), wide), Reading(np.array(low), wide), 0.95)


def test_what_the_checks_left_open_never_tells_two_apart() -> None:
    """20 % to 90 % and 60 %: the first may be better, however little its limits are away."""
    found = readings([0.2, 0.6], [0.9, 0.6], 0.001)
    assert (found.low.tolist(), found.high.tolist(), found.band.tolist()) == ([1, 1], [2, 2], [0, 0])


def test_of_two_companies_the_difference_is_that_of_two_shares() -> None:
    """For two q / sqrt 2 is z: apart where the difference exceeds the root of both widths squared, 0.1 sqrt 2."""
    apart, alike = readings([0.5, 0.642], [0.5, 0.642], 0.1), readings([0.5, 0.641], [0.5, 0.641], 0.1)
    assert (apart.low.tolist(), apart.high.tolist(), apart.band.tolist()) == ([1, 2], [1, 2], [0, 1])
    assert alike.high.tolist() == [2, 2]
