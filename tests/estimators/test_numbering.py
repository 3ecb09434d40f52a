"""Numbers of distinct values, and rows sorted and counted as packed numbers, against numpy's own."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.estimators.arrays import count_rows, sorted_rows
from monitor.estimators.numbering import number_values

BITS = st.sampled_from([1, 8, 40])  # two columns of 40 do not fit one number


@given(st.lists(st.integers(-(2**62), 2**62), max_size=60))
def test_values_are_numbered_in_their_order(values: list[int]) -> None:
    column = np.array(values, np.int64)
    distinct, number = number_values(column)
    expected, inverse = np.unique(column, return_inverse=True)
    assert (distinct.tolist(), number.tolist()) == (expected.tolist(), inverse.tolist())


def test_more_values_than_the_table_begins_with_are_numbered_too() -> None:
    column = np.random.default_rng(1).permutation(np.repeat(np.arange(5_000) * 1024, 3))
    distinct, number = number_values(column)
    assert np.array_equal(distinct, np.arange(5_000) * 1024)
    assert np.array_equal(distinct[number], column)


@given(st.data(), BITS)
def test_rows_are_sorted_and_counted_whether_they_fit_one_number_or_not(data: st.DataObject, bits: int) -> None:
    pairs = data.draw(st.lists(st.tuples(st.integers(0, 2**bits - 1), st.integers(0, 2**bits - 1)), max_size=30))
    pairs += pairs[:5]
    one, two = (np.array([pair[place] for pair in pairs], np.int64) for place in (0, 1))
    found = sorted_rows(one, two)
    assert list(zip(*(column.tolist() for column in found), strict=True)) == sorted(pairs)
    keys, count = count_rows(one, two)
    counted = dict(zip(zip(*(key.tolist() for key in keys), strict=True), count.tolist(), strict=True))
    assert counted == {pair: pairs.count(pair) for pair in pairs}
