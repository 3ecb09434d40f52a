"""Interval map: the most specific range is found however deep it is nested, held against looking at every range."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.attribute.networks import (
    NO_MATCH,
    V4,
    V6,
    IntervalMap,
    Keys,
    RangeIndex,
    flatten,
    pack,
    share_changed,
    unpack,
)

SPACE = 64
ranges = st.lists(st.tuples(st.integers(0, SPACE - 1), st.integers(0, SPACE - 1), st.integers(0, 5)), max_size=12).map(
    lambda rows: [(min(a, b), max(a, b), value) for a, b, value in rows]
)


# Where the small numbers of the tests lie: at the end of each address space, which has no address behind it, and
# around an IPv6 address that ends in zeros.
PLACES = [(V4, 2**32 - SPACE), (V6, 2**128 - SPACE), (V6, 2**64 - SPACE // 2)]


def steps(family: int, base: int, rows: list[tuple[int, int, int]]) -> IntervalMap:
    return flatten(family, index(family, base, rows))


def index(family: int, base: int, rows: list[tuple[int, int, int]]) -> RangeIndex:
    first, last = (keys(family, base, [row[end] for row in rows]) for end in (0, 1))
    return RangeIndex.build(first, last, np.array([row[2] for row in rows], dtype=np.int64))


def keys(family: int, base: int, numbers: list[int]) -> Keys:
    placed = [base + number for number in numbers]
    return np.array(placed, np.int64) if family == V4 else np.array([n.to_bytes(16) for n in placed], "S16")


def looked_up(rows: list[tuple[int, int, int]], number: int) -> int:
    """Of the ranges around it the one that starts last, of these the one that ends first, of these the last given."""
    around = [
        (first, -last, place, value) for place, (first, last, value) in enumerate(rows) if first <= number <= last
    ]
    return max(around)[3] if around else NO_MATCH


@pytest.mark.parametrize(("family", "base"), PLACES)
@given(rows=ranges)
def test_each_address_is_its_most_specific_range_s(family: int, base: int, rows: list[tuple[int, int, int]]) -> None:
    everywhere = list(range(SPACE))
    expected = [looked_up(rows, number) for number in everywhere]
    assert index(family, base, rows).find(keys(family, base, everywhere)).tolist() == expected
    assert steps(family, base, rows).find(keys(family, base, everywhere)).tolist() == expected


@pytest.mark.parametrize(("family", "base"), PLACES)
@given(rows=ranges)
def test_steps_are_as_few_as_can_be_and_survive_packing(
    family: int, base: int, rows: list[tuple[int, int, int]]
) -> None:
    found = steps(family, base, rows)
    assert (found.value[1:] != found.value[:-1]).all()
    again = unpack(family, pack(found))
    assert (again.positions, again.value.tolist()) == (found.positions, found.value.tolist())


@given(before=ranges, after=ranges)
def test_share_changed(before: list[tuple[int, int, int]], after: list[tuple[int, int, int]]) -> None:
    pairs = [(looked_up(before, number), looked_up(after, number)) for number in range(SPACE)]
    held = [pair for pair in pairs if pair != (NO_MATCH, NO_MATCH)]
    expected = sum(a != b for a, b in held) / len(held) if held else None
    assert share_changed(steps(*PLACES[0], before), steps(*PLACES[0], after)) == (
        None if expected is None else pytest.approx(expected)
    )


def test_a_thousand_ranges_in_each_other() -> None:
    rows = [(number, 2000 - number, number) for number in range(1000)]
    whole = RangeIndex.build(*(np.array(column) for column in zip(*rows, strict=True)))
    found = flatten(V4, whole)
    assert found.find(np.array([0, 999, 1000, 1001, 1002, 2000, 2001])).tolist() == [0, 999, 999, 999, 998, 0, NO_MATCH]
    assert found.ranges == 1999
