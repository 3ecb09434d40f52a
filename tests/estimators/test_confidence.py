"""Intervals of shares and of survival: formulas written out, and what they promise at the ends."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.estimators.confidence import logit_interval, loglog_interval, share_interval, wilson_interval

Z = 1.959963984540054


def test_wilson_by_hand() -> None:
    """Of 10 trials none, all, and half: n / (n + z^2) at the ends; 1/2 -+ z / sqrt(n + z^2) / 2 in the middle."""
    low, high = wilson_interval(np.array([0.0, 1.0, 0.5]), np.full(3, 10.0), 0.95)
    end, half = 10 / (10 + Z**2), Z / math.sqrt(10 + Z**2) / 2
    assert low == pytest.approx([0.0, end, 0.5 - half])
    assert high == pytest.approx([1 - end, 1.0, 0.5 + half])


def test_logit_by_hand() -> None:
    """At 1/2 the scale's slope is 4: expit(-+ 4 t se), t(10) = 2.228138852."""
    low, high = logit_interval(np.array([0.5]), np.array([0.1]), np.array([10.0]), 0.95)
    assert low[0] == pytest.approx(1 / (1 + math.exp(4 * 2.228138852 * 0.1)))
    assert high[0] == pytest.approx(1 - low[0])


def test_loglog_by_hand() -> None:
    """S = 1/e: log S is -1, so the limits are exp(-exp(-+ z se e))."""
    s = math.exp(-1)
    low, high = loglog_interval(np.array([s, 1.0, 0.0]), np.full(3, 0.05), 0.95)
    width = Z * 0.05 * math.e
    assert (low[0], high[0]) == (pytest.approx(math.exp(-math.exp(width))), pytest.approx(math.exp(-math.exp(-width))))
    assert np.isnan([*low[1:], *high[1:]]).all()


@given(st.floats(0.01, 0.99), st.floats(0.0, 0.3), st.integers(2, 200), st.floats(1.0, 200.0))
def test_no_interval_of_a_share_is_narrower_than_with_nothing_late(
    p: float, se: float, sites: int, effective: float
) -> None:
    share, error, count, clusters = (np.array([value]) for value in (p, se, float(sites), effective))
    low, high = share_interval(share, error, count, clusters, 0.95)
    certain_low, _ = wilson_interval(np.array([1.0]), np.array([float(sites)]), 0.95)
    _, certain_high = wilson_interval(np.array([0.0]), np.array([float(sites)]), 0.95)
    assert low[0] <= certain_low[0] + 1e-12
    assert high[0] >= certain_high[0] - 1e-12
    assert low[0] - 1e-12 <= p <= high[0] + 1e-12
