"""Sorting, grouping and rounding: whatever the width of the keys and the order of the rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.estimators.arrays import group_by, sort_order
from monitor.estimators.rounding import round_array, round_number

ROWS = st.lists(st.tuples(st.integers(0, 2**40), st.integers(0, 3), st.integers(0, 5)), max_size=40)


@given(ROWS, st.sampled_from([1, 2**20]))
def test_rows_are_ordered_and_added_up_however_wide_their_keys_are(rows: list[tuple[int, int, int]], wide: int) -> None:
    """Packed into one number or, wider than that, in several; a single one may be as wide as it likes."""
    first, second, third = (np.array([row[place] for row in rows], dtype=np.int64) for place in range(3))
    columns = (first * wide, second * wide, third * wide)
    expected = sorted(range(len(rows)), key=lambda row: (rows[row][0], rows[row][1], rows[row][2]))
    assert sort_order(*columns).tolist() == expected
    keys, (total,) = group_by(columns, [third])
    found = dict(zip(zip(*(key.tolist() for key in keys), strict=True), total.tolist(), strict=True))
    sums: dict[tuple[int, ...], int] = {}
    for row in rows:
        key = (row[0] * wide, row[1] * wide, row[2] * wide)
        sums[key] = sums.get(key, 0) + row[2]
    assert found == dict(sorted(sums.items()))
    assert list(found) == sorted(sums)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True, width=64), max_size=20))
def test_numbers_rounded_together_are_those_of_round_number(values: list[float]) -> None:
    for found, expected in zip(
        round_array(np.array(values, dtype=np.float64)).tolist(), map(round_number, values), strict=True
    ):
        assert found == pytest.approx(expected, rel=2e-10) if expected is not None else not np.isfinite(found)
