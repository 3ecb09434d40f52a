"""The weekly CUSUM: by hand, its limits, and how often it is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.cusum_limits import limit
from monitor.supplements.cusum import (
    CORRELATIONS,
    FALSE_SIGNALS,
    LIMITS,
    P0,
    SITES,
    increments,
    limit_for,
    walk,
    week_correlation,
)

LATE, ON_TIME = 0.5978370007556204, -0.09531017980432493  # ln(20/11) and ln(10/11)


def test_by_hand() -> None:
    """Late, late, on time, then nothing late for long: W falls to 0 and no further; a signal starts it anew."""
    late, sites = np.array([1.0, 1, 0, 0, 2]), np.array([1.0, 1, 1, 30, 4])
    path = list(walk(late, sites, 1.2))
    last = 2 * LATE + 2 * ON_TIME
    assert [w for w, _ in path] == pytest.approx([LATE, 2 * LATE, 2 * LATE + ON_TIME, 0, last])
    assert [signalled for _, signalled in path] == [False] * 5
    path = list(walk(late, sites, 1.1))
    assert [signalled for _, signalled in path] == [False, True, False, False, False]
    assert [w for w, _ in path][:3] == pytest.approx([LATE, 2 * LATE, 0])


def test_a_fraction_of_a_site_counts_as_such() -> None:
    assert increments(np.array([0.5]), np.array([1.0]))[0] == pytest.approx((LATE + ON_TIME) / 2)


@pytest.mark.parametrize(
    ("sites", "correlation", "expected"),
    [
        (10, 0.0, 4.6),
        (10, 0.05, 6.6),
        (10.5, 0.05, 9.6),  # the next larger number of sites
        (10, 0.051, 8.5),  # the next larger correlation
        (1, 1.0, 2.8),
        (2000, 0.01, 2 * 66.2),  # beyond the table in proportion
    ],
)
def test_the_limit_is_never_below_that_of_the_cell(sites: float, correlation: float, expected: float) -> None:
    assert limit_for(sites, correlation) == pytest.approx(expected)


def test_limits_grow_with_sites_and_correlation() -> None:
    table = np.array(LIMITS)
    assert table.shape == (len(SITES), len(CORRELATIONS))
    assert (np.diff(table, axis=0) >= 0).all()
    assert (np.diff(table, axis=1) >= 0).all()


@pytest.mark.parametrize(("sites", "correlation"), [(1, 0.0), (10, 0.05), (30, 0.2)])
def test_the_command_makes_the_table_again(sites: int, correlation: float) -> None:
    assert limit(sites, correlation) == LIMITS[SITES.index(sites)][CORRELATIONS.index(correlation)]


def test_false_signals_in_a_year_where_weeks_are_correlated() -> None:
    """Ten sites a week with a correlation of 0.05: the usual limit of 5 is passed in 14 % of years, ours in 5 %."""
    rng = np.random.default_rng(11)
    size = (1 - 0.05) / 0.05
    late = rng.binomial(10, rng.beta(P0 * size, (1 - P0) * size, (4000, 52))).astype(float)
    sites = np.full(52, 10.0)

    def signalled(limit: float) -> float:
        return float(np.mean([any(signal for _, signal in walk(year, sites, limit)) for year in late]))

    assert signalled(limit_for(10, 0.05)) <= FALSE_SIGNALS + 0.01
    assert signalled(5.0) > 0.1


def test_the_correlation_of_weeks_by_hand() -> None:
    """One company, weeks (1, 1) and (0, 0): all of the variation lies between weeks. (1, 0) and (0, 1): none does."""
    company, week = np.zeros(4, np.int64), np.array([0, 0, 1, 1])
    assert week_correlation(company, week, np.array([1.0, 1, 0, 0])) == 1.0
    assert week_correlation(company, week, np.array([1.0, 0, 0, 1])) == 0.0


def test_the_correlation_of_weeks_of_a_hand_worked_mixture() -> None:
    """Weeks (1, 1, 0) and (0, 0, 0): means 2/3 and 0, overall 1/3; MSB = 6/9, MSW = (2/3) / 4, n0 = 3."""
    late, week = np.array([1.0, 1, 0, 0, 0, 0]), np.repeat([0, 1], 3)
    found = week_correlation(np.zeros(6, np.int64), week, late)
    assert found == pytest.approx((2 / 3 - 1 / 6) / (2 / 3 + 2 / 6))


@pytest.mark.parametrize(
    ("week", "late"), [([], []), ([0, 0], [1.0, 0.0]), ([0, 1], [1.0, 0.0]), ([0, 0, 1, 1], [0.0] * 4)]
)
def test_nothing_is_known_of_the_correlation(week: list[int], late: list[float]) -> None:
    company = np.zeros(len(week), np.int64)
    assert week_correlation(company, np.array(week, np.int64), np.array(late)) is None
