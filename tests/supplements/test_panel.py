"""The estimated share on time of rule R6, by hand and by what must hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.estimators.competing_risks import CENSORED, RELOCATED, REMOVED, competing_risks
from monitor.supplements.panel import share_on_time

Row = tuple[float, float, int, int]  # L, R, cause, how many
DEADLINE = 24.0


def on_time(rows: list[Row], deadlines: list[float] | None = None) -> float:
    left, right, cause, items = (np.array([row[place] for row in rows]) for place in range(4))
    found = competing_risks(np.zeros(len(rows), np.int64), left, right, cause, items, 1)
    own = np.array(deadlines or [DEADLINE] * len(rows))
    seen = left.astype(float), right.astype(float), cause.astype(np.int64), own
    return float(share_on_time(found, np.zeros(len(rows), np.int64), seen, items.astype(np.int64))[0])


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(0, 2, REMOVED, 3), (26, 28, REMOVED, 1)], 3 / 4),
        ([(0, 2, REMOVED, 1), (0, 3, RELOCATED, 1)], 1.0),  # what moved in time counts neither way
        ([(0, 2, REMOVED, 1), (26, 30, RELOCATED, 1)], 1 / 2),  # moved too late: late here
        ([(0, 2, REMOVED, 1), (30, 30, CENSORED, 1)], 1 / 2),  # there still
        ([(0, 30, REMOVED, 1), (0, 2, REMOVED, 1), (26, 28, REMOVED, 1)], 1 / 2),  # open: half of it by the others
        ([(0, 2, RELOCATED, 4)], float("nan")),  # nothing counts
    ],
)
def test_by_hand(rows: list[Row], expected: float) -> None:
    assert on_time(rows) == pytest.approx(expected, nan_ok=True)


def test_each_episode_is_judged_by_its_own_deadline() -> None:
    """Gone after 6 h: in time with 24 hours, not with an order's hour."""
    assert on_time([(5, 7, REMOVED, 1), (5, 7, REMOVED, 1)], [24.0, 1.0]) == pytest.approx(0.5)


ends = st.tuples(
    st.integers(0, 40), st.integers(1, 30), st.sampled_from([CENSORED, REMOVED, REMOVED, RELOCATED]), st.integers(1, 5)
)


@settings(max_examples=60)
@given(st.lists(ends, min_size=1, max_size=15))
def test_with_one_deadline_it_is_the_estimated_incidence(drawn: list[tuple[int, int, int, int]]) -> None:
    """The estimate of maximum likelihood is its own mean over what was seen: p = F_removed(D) / (1 - F_moved(D))."""
    rows = [(float(left), float(left + width), cause, items) for left, width, cause, items in drawn]
    left, right, cause, items = (np.array([row[place] for row in rows]) for place in range(4))
    found = competing_risks(np.zeros(len(rows), np.int64), left, right, cause, items, 1)
    removed, moved = (float(found.incidence(which, np.array([DEADLINE]))[0, 0]) for which in (REMOVED, RELOCATED))
    if moved < 1 - 1e-6:
        assert on_time(rows) == pytest.approx(removed / (1 - moved), abs=1e-6)
