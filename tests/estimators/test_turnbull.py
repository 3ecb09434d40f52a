"""Turnbull's estimate: by hand, and by the conditions that only the maximum of the likelihood meets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.estimators.cholesky import solve
from monitor.estimators.turnbull import hessian, turnbull

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


ENTRIES = st.lists(
    st.tuples(st.integers(-1, 7), st.integers(0, 7), st.floats(0.01, 100.0)).map(
        lambda row: (min(row[0], row[1]), row[1], row[2])
    ),
    max_size=30,
)


@given(ENTRIES, st.lists(st.floats(-10.0, 10.0), min_size=8, max_size=8))
def test_the_step_solves_the_hessian(entries: list[tuple[int, int, float]], values: list[float]) -> None:
    """However far the entries are from the diagonal: numpy's solution of the same matrix in full."""
    entries = [*entries, *((-1, place, 1.0) for place in range(8))]  # positive definite
    dense = np.zeros((8, 8))
    for first, last, bend in entries:
        change = np.eye(8)[last] - (np.eye(8)[first] if first >= 0 else 0.0)
        dense += bend * np.outer(change, change)
    low, high, bends = (np.array(column) for column in zip(*entries, strict=True))
    found = solve(hessian(low, high, bends, 8), np.array(values))
    assert found == pytest.approx(np.linalg.solve(dense, values), rel=1e-8, abs=1e-8)


def test_where_there_is_no_step_nothing_moves() -> None:
    """A matrix that is not positive definite, whatever is added to its diagonal."""
    matrix = hessian(np.array([-1]), np.array([0]), np.array([-1.0]), 1)
    assert solve(matrix, np.array([3.0])).tolist() == [0.0]


def test_rows_of_no_weight_say_nothing_and_the_order_of_rows_does_not_matter() -> None:
    rows = [(1, 0.0, 2.0, 2), (0, 5.0, 5.0, 1), (1, 1.0, 3.0, 1), (1, 9.0, 9.5, 0), (1, 4.0, INF, 1), (0, 3.0, 4.0, 3)]
    found = turnbull(*columns(rows), 2)
    other = turnbull(*columns(sorted(row for row in rows if row[3])), 2)
    for name in ("group", "left", "right", "mass"):
        assert getattr(found, name).tolist() == getattr(other, name).tolist()
    assert found.group.tolist() == [0, 0, 1, 1]
    assert found.mass.tolist() == pytest.approx([0.75, 0.25, 0.75, 0.25])
