"""Logistic regression with a ridge penalty: by hand, and by its own score equations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from monitor.estimators.ridge_logistic import fit_ridge_logistic


def test_two_groups_by_hand() -> None:
    """The column is +1 or -1 once standardised, so the intercept is 0 and b solves 20 (0.8 - mu(b)) = b."""
    found = fit_ridge_logistic(np.array([[1.0], [0.0]]), np.array([10.0, 10.0]), np.array([8.0, 2.0]))
    by_hand = optimize.brentq(lambda b: 20 * (0.8 - 1 / (1 + math.exp(-b))) - b, 0, 2, xtol=1e-15)
    assert (found.mean[0], found.deviation[0]) == (0.5, 0.5)
    assert found.intercept == pytest.approx(0, abs=1e-9)
    assert found.coefficients[0] == pytest.approx(by_hand, abs=1e-9)
    assert by_hand == pytest.approx(1.0779, abs=1e-4)  # mu is 0.7461; without penalty ln 4 = 1.386
    assert found.predict(np.array([[1.0], [0.0]])).sum() == pytest.approx(1, abs=1e-9)


def test_columns_that_separate_do_no_harm() -> None:
    """All ones where the column is 1, none where it is 0: b solves 20 (1 - mu(b)) = b, and is finite."""
    found = fit_ridge_logistic(np.array([[1.0], [0.0]]), np.array([10.0, 10.0]), np.array([10.0, 0.0]))
    by_hand = optimize.brentq(lambda b: 20 * (1 - 1 / (1 + math.exp(-b))) - b, 0, 9, xtol=1e-15)
    assert found.coefficients[0] == pytest.approx(by_hand, abs=1e-9)


def test_a_constant_column_says_nothing() -> None:
    found = fit_ridge_logistic(np.array([[3.0], [3.0]]), np.array([4.0, 6.0]), np.array([1.0, 1.0]))
    assert found.predict(np.array([[3.0], [99.0]])).tolist() == pytest.approx([0.2, 0.2], abs=1e-12)
    assert found.coefficients.tolist() == [0.0]


@pytest.mark.parametrize(("ones", "expected"), [(0.0, 0.5 / 11), (10.0, 1 - 0.5 / 11)])
def test_all_alike(ones: float, expected: float) -> None:
    found = fit_ridge_logistic(np.array([[1.0], [0.0]]), np.array([5.0, 5.0]), np.array([ones / 2, ones / 2]))
    assert found.predict(np.array([[1.0]]))[0] == pytest.approx(expected)


def test_nothing_to_fit() -> None:
    with pytest.raises(ValueError, match="nothing to fit"):
        fit_ridge_logistic(np.zeros((0, 1)), np.zeros(0), np.zeros(0))


rows = st.lists(
    st.tuples(
        st.lists(st.floats(-5, 5).map(lambda x: round(x, 2)), min_size=3, max_size=3),
        st.integers(1, 30).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))),
    ),
    min_size=2,
    max_size=12,
)


@given(rows, st.sampled_from([0.1, 1.0, 10.0]))
def test_the_score_equations_hold(drawn: list[tuple[list[float], tuple[int, int]]], penalty: float) -> None:
    """The sum of y - n mu is 0; that of z (y - n mu) is the penalty times b."""
    columns = np.array([columns for columns, _ in drawn])
    items, ones = (np.array([float(counts[place]) for _, counts in drawn]) for place in (0, 1))
    if ones.sum() in (0, items.sum()):
        return
    found = fit_ridge_logistic(columns, items, ones, penalty)
    error = ones - items * found.predict(columns)
    z = (columns - found.mean) / found.deviation
    assert error.sum() == pytest.approx(0, abs=1e-6)
    assert z.T @ error == pytest.approx(penalty * found.coefficients, abs=1e-6)
