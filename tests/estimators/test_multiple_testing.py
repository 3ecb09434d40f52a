"""P-values of companies below the norm, and Benjamini and Hochberg's procedure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.estimators.multiple_testing import benjamini_hochberg, p_value_of_below

NONE = float("nan")


def test_the_example_of_the_authors() -> None:
    """Fifteen p-values of Benjamini and Hochberg 1995, section 4: at 5 % the first four are rejected."""
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590,
         1.0]  # fmt: skip
    turned = np.array(p[::-1])
    assert benjamini_hochberg(np.array(p), 0.05).tolist() == [True] * 4 + [False] * 11
    assert benjamini_hochberg(turned, 0.05).tolist() == [False] * 11 + [True] * 4


def test_what_is_not_known_is_not_rejected_but_counts() -> None:
    assert benjamini_hochberg(np.array([0.03, NONE]), 0.05).tolist() == [False, False]
    assert benjamini_hochberg(np.array([0.02, NONE]), 0.05).tolist() == [True, False]
    assert benjamini_hochberg(np.array([]), 0.05).tolist() == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_it_is_the_adjustment_of_r(p: list[float]) -> None:
    """p.adjust(p, "BH"): the running minimum from the largest of p n / rank."""
    values = np.array(p)
    order = np.argsort(-values, kind="stable")
    ranks = np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum.accumulate(values[order] * len(p) / ranks)
    found = benjamini_hochberg(values, 0.05)
    clear = np.abs(adjusted - 0.05) > 1e-12
    assert (found[clear] == (adjusted <= 0.05)[clear]).all()


def test_p_values() -> None:
    """20 % late against 10 %, 100 items: z = 0.1 / 0.03, so 4.290603e-04 (R: pnorm(-10/3)); with t it is larger."""
    late, variance = np.array([0.2, 0.2, 0.1, NONE]), np.array([0.0, 0.0016, 0.0, NONE])
    found = p_value_of_below(late, variance, np.full(4, 100.0), np.full(4, 12.0), 0.9)
    assert found[0] == pytest.approx(4.290603e-04, rel=1e-6)
    assert found[1] > found[0]
    assert found[2] == pytest.approx(0.5)
    assert np.isnan(found[3])
