"""The share removed by a deadline given what was seen: by hand, and against sums over all cells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.estimators.arrays import Floats, Integers
from monitor.estimators.competing_risks import CENSORED, RELOCATED, REMOVED, CompetingRisks, competing_risks
from monitor.estimators.share_by_deadline import shares_by_deadline

# (group, left, width, cause, deadline)
ROWS = st.lists(
    st.tuples(
        st.integers(0, 2), st.integers(0, 12), st.integers(0, 6), st.sampled_from([CENSORED, REMOVED, RELOCATED]),
        st.integers(0, 15),
    ),
    min_size=1, max_size=30,
)  # fmt: skip


Columns = tuple[Integers, Floats, Floats, Integers, Floats]


def estimated(rows: list[tuple[int, int, int, int, int]]) -> tuple[CompetingRisks, Columns]:
    group, left, width, cause, deadline = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    begin, end = left.astype(float), (left + width).astype(float)
    found = competing_risks(group, begin, end, cause, np.ones(len(rows), np.int64), 3)
    return found, (group, begin, end, cause, deadline.astype(float))


@given(ROWS)
def test_it_is_the_mass_of_the_cells_that_the_row_allows(rows: list[tuple[int, int, int, int, int]]) -> None:
    found, columns = estimated(rows)
    a, b = shares_by_deadline(found, *columns)
    for row, (group, left, width, cause, deadline) in enumerate(rows):
        own = (found.group == group) & (found.mass > 0)
        right = np.inf if cause == CENSORED else left + width
        point = cause != CENSORED and width == 0
        inside = (found.right <= right) & (
            (found.left == left) & (found.right == left) if point else found.right > left
        )
        allowed = own & inside & ((found.cause == cause) | (cause == CENSORED))
        total, due = found.mass[allowed].sum(), allowed & (found.time <= deadline)
        assert a[row] == pytest.approx(found.mass[due & (found.cause == REMOVED)].sum() / total, abs=1e-9)
        assert b[row] == pytest.approx(1 - found.mass[due & (found.cause == RELOCATED)].sum() / total, abs=1e-9)


def test_by_hand() -> None:
    """Removed in (0, 4] and (8, 10], moved in (2, 4], open at 1 h: a third each removed by 4, moved, removed by 10."""
    rows = [(0, 0, 4, REMOVED, 24), (0, 8, 2, REMOVED, 9), (0, 2, 2, RELOCATED, 3), (0, 1, 0, CENSORED, 5)]
    found, columns = estimated(rows)
    a, b = shares_by_deadline(found, *columns)
    assert (a[0], b[0]) == (1, 1)
    assert (a[1], b[1]) == (1, 1)  # its middle is 9, which is by the deadline
    assert (a[2], b[2]) == (0, 0)  # its middle is 3
    assert a[3] == pytest.approx(1 / 3)
    assert b[3] == pytest.approx(2 / 3)
