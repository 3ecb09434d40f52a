"""Turnbull's estimate: by hand, and by the conditions that only the maximum of the likelihood meets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.score.hessian import Hessian
from monitor.score.turnbull import turnbull

INF = float("inf")
Row = tuple[int, float, float, int]
ROWS = st.lists(
    st.tuples(
        st.integers(0, 2), st.integers(0, 12).map(float), st.one_of(st.integers(0, 6).map(float), st.just(INF)),
        st.integers(1, 50),
    ).map(lambda row: (row[0], row[1], row[1] + row[2], row[3])),
    min_size=1,
    max_size=40,
)  # fmt: skip


def columns(rows: list[Row]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    group, left, right, weight = zip(*rows, strict=True)
    return np.array(group), np.array(left, dtype=float), np.array(right, dtype=float), np.array(weight)


def test_by_hand() -> None:
    """(0, 2] twice, (1, 3] once, beyond 4 once: 3/4 in (1, 2], placed at 1.5, and 1/4 never seen to end."""
    found = turnbull(*columns([(0, 0.0, 2.0, 2), (0, 1.0, 3.0, 1), (0, 4.0, INF, 1)]), 1)
    assert found.survival(np.array([1.4, 1.5, 100.0]))[0] == pytest.approx([1.0, 0.25, 0.25])
    assert found.quantile(0.5)[0] == 1.5
    assert np.isnan(found.quantile(0.1)[0])


def test_exact_and_censored_times_alone_give_kaplan_meier() -> None:
    """Removed at 1, 3 and 3; outstanding at 2 and 5: S = 4/5 after 1, 4/5 * 1/3 after 3."""
    rows = [(0, 1.0, 1.0, 1), (0, 2.0, INF, 1), (0, 3.0, 3.0, 2), (0, 5.0, INF, 1)]
    assert turnbull(*columns(rows), 1).survival(np.array([1.0, 2.9, 3.0]))[0] == pytest.approx([0.8, 0.8, 0.8 / 3])


@given(ROWS)
def test_no_other_mass_makes_the_observations_more_likely(rows: list[Row]) -> None:
    """At the maximum the likelihood rises in no cell, and every group's mass is 1 (Gentleman, Geyer 1994)."""
    group, left, right, weight = columns(rows)
    found = turnbull(group, left, right, weight, 3)
    for number in set(group.tolist()):
        own, cells = group == number, found.group == number
        low, high, mass = found.left[cells], found.right[cells], found.mass[cells]
        exact = (left == right)[own, None]
        point = (low == high) & (low == left[own, None])
        covers = np.where(exact, point, (low >= left[own, None]) & (high <= right[own, None]) & ~point)
        slope = (weight[own] / weight[own].sum() / (covers @ mass)) @ covers - 1
        assert mass.sum() == pytest.approx(1.0, abs=1e-9)
        assert slope.max() < 1e-8


@given(ROWS)
def test_groups_do_not_know_of_each_other(rows: list[Row]) -> None:
    times = np.arange(20, dtype=float)
    together = turnbull(*columns(rows), 3).survival(times)
    for number in {row[0] for row in rows}:
        alone = turnbull(*columns([(0, *row[1:]) for row in rows if row[0] == number]), 1).survival(times)
        assert together[number] == pytest.approx(alone[0], abs=1e-9)


def test_a_time_that_ends_before_it_begins_is_named() -> None:
    with pytest.raises(ValueError, match="row 1: the time ends before it begins"):
        turnbull(*columns([(0, 0.0, 1.0, 1), (0, 2.0, 1.0, 1)]), 1)


@given(ROWS)
def test_the_band_and_the_sparse_matrix_give_one_answer(rows: list[Row]) -> None:
    """As do odd intervals that make the band too wide."""
    times = np.arange(20, dtype=float)
    found = turnbull(*columns(rows), 3).survival(times)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("monitor.score.hessian._WIDEST", 0)
        assert turnbull(*columns(rows), 3).survival(times) == pytest.approx(found, abs=1e-9)


def test_the_step_solves_the_hessian() -> None:
    """Two blocks, a band with a border to the last variable of each: numpy's dense solution of the same matrix."""
    low, high = np.array([0, 0, 1, 3]), np.array([1, 2, 2, 4])
    hessian = Hessian(np.array([5.0, 6.0, 7.0, 3.0, 4.0]), low, high, np.array([-1.0, -2.0, -0.5, -1.5]))
    dense = np.diag(hessian.diagonal)
    dense[low, high] = dense[high, low] = hessian.entries
    values, last = np.array([1.0, -2.0, 3.0, 0.5, 2.0]), np.array([False, False, True, False, True])
    assert hessian.solve(values, last) == pytest.approx(np.linalg.solve(dense, values), rel=1e-12)
