"""Case mix: what is expected of a company, by hand and from the model's own equations; its dispersion."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from scipy import optimize

from monitor.supplements.case_mix import _Patterns, dispersion

A, B, C = 1, 2, 3


def patterns(*rows: tuple[int, int, int, int, int]) -> _Patterns:
    """Rows (company, hour block, gap in minutes, items, late) that are alike in all else."""
    names = ("company", "block", "gap_minutes", "items", "ones")
    columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    size = len(rows)
    same = {"weekday": [0] * size, "repeated": [0] * size, "kind": ["hotline_notice"] * size}
    return _Patterns.of(pa.table(columns | same | {"site_type": ["unknown"] * size}))


def test_with_cases_all_alike_it_is_the_share_late_of_the_others() -> None:
    found = patterns((A, 0, 120, 20, 15), (B, 0, 120, 40, 20), (C, 0, 120, 40, 0))
    assert found.expected(A) == pytest.approx((20 * 0.25, 20 * 0.25 * 0.75))
    assert found.expected(C) == pytest.approx((40 * 35 / 60, 40 * 35 / 60 * 25 / 60))


def test_a_column_that_matters_is_learnt_from_the_others_alone() -> None:
    """B has 50 items at either hour, 10 and 40 of them late: two columns (one an hour), +1 and -1 standardised.

    With coefficient b on each, mu = expit(+-2b), and 100 (0.8 - mu(2b)) = b. A's own items say nothing.
    """
    found = patterns((A, 0, 120, 10, 10), (B, 0, 120, 50, 10), (B, 14_400, 120, 50, 40))
    b = optimize.brentq(lambda b: 100 * (0.8 - 1 / (1 + math.exp(-2 * b))) - b, 0, 2, xtol=1e-15)
    expected = found.expected(A)
    assert expected is not None
    assert expected[0] == pytest.approx(10 / (1 + math.exp(2 * b)), abs=1e-6)
    assert 2.0 < expected[0] < 2.2  # 20 % of 10, drawn a little towards half by the penalty


def test_an_hour_at_which_no_other_company_was_noticed_is_no_reason_to_expect_more() -> None:
    """The model knows no such column: it expects of A what the others do on the whole."""
    found = patterns((A, 28_800, 120, 10, 10), (B, 0, 120, 50, 10))
    assert found.expected(A) == pytest.approx((2.0, 1.6))


def test_a_gap_that_is_not_known_is_the_median_of_those_that_are() -> None:
    """B: short gaps are late, long ones not. A's gaps are not known: as B's median of 60 minutes."""
    rows = ((B, 0, 60, 30, 15), (B, 0, 15, 20, 18), (B, 0, 240, 20, 2))
    known, unknown = patterns((A, 0, 60, 10, 5), *rows), patterns((A, 0, -1, 10, 5), *rows)
    assert unknown.expected(A) == pytest.approx(known.expected(A))


def test_gaps_below_a_quarter_of_an_hour_are_one() -> None:
    rows = ((B, 0, 60, 30, 15), (B, 0, 15, 20, 18))
    assert patterns((A, 0, 1, 10, 5), *rows).expected(A) == pytest.approx(
        patterns((A, 0, 15, 10, 5), *rows).expected(A)
    )


def test_a_company_alone_has_nothing_to_be_compared_with() -> None:
    assert patterns((A, 0, 60, 10, 5)).expected(A) is None


def test_the_expected_of_a_model_fitted_on_all_would_add_up_but_leaving_one_out_does_not_hide_an_outlier() -> None:
    """A is late with all of 100, B and C with none of 100 each: fitted on all, A would expect 33; it expects 0."""
    found = patterns((A, 0, 60, 100, 100), (B, 0, 60, 100, 0), (C, 0, 60, 100, 0))
    expected = found.expected(A)
    assert expected is not None
    assert expected[0] < 0.5


@pytest.mark.parametrize(
    ("z", "expected"),
    [
        ([], None),
        ([2.0], 4.0),
        ([1.0, -1.0, 3.0], 11 / 3),
        ([0.0] * 4 + [-1.0, 1.0] * 2 + [9.0, -9.0], (6 * 1.0) / 10),  # 10 %: one on each side, set to the next
    ],
)
def test_dispersion_is_winsorised(z: list[float], expected: float | None) -> None:
    assert dispersion(z) == (None if expected is None else pytest.approx(expected))


def test_dispersion_of_chance_is_what_winsorising_leaves_of_it() -> None:
    """Of a normal z the mean of min(|z|, 1.2816)^2 is 0.66; with fewer than ten companies nothing is cut: 1."""
    z = np.random.default_rng(7).normal(size=2000)
    assert dispersion(z.tolist()) == pytest.approx(0.66, abs=0.02)
    few = [dispersion(each.tolist()) for each in np.random.default_rng(8).normal(size=(500, 9))]
    assert np.mean([value for value in few if value is not None]) == pytest.approx(1, abs=0.05)
