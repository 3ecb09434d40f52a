"""Interval-censored competing risks: by hand, by the conditions of the maximum, and where it is another estimate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.estimators.arrays import Booleans, Integers
from monitor.estimators.competing_risks import CENSORED, RELOCATED, REMOVED, CompetingRisks, competing_risks
from monitor.estimators.turnbull import turnbull

Row = tuple[int, float, float, int, int]  # group, left, right, cause, weight
ROWS = st.lists(
    st.tuples(
        st.integers(0, 2), st.integers(0, 12).map(float), st.integers(0, 6).map(float), st.integers(0, 2),
        st.integers(1, 50),
    ).map(lambda row: (row[0], row[1], row[1] + row[2], row[3], row[4])),
    min_size=1,
    max_size=40,
)  # fmt: skip
TIMES = np.arange(25.0)


def estimated(rows: list[Row], groups: int = 1) -> CompetingRisks:
    group, left, right, cause, weight = (np.array(column) for column in zip(*rows, strict=True))
    return competing_risks(group, left, right, cause, weight, groups)


def test_by_hand() -> None:
    """Removed in (0, 2] twice, moved in (1, 3] once, there at 4 once: 1/2 at 1, 1/4 at 2, and 1/4 is still there."""
    found = estimated([(0, 0.0, 2.0, REMOVED, 2), (0, 1.0, 3.0, RELOCATED, 1), (0, 4.0, 0.0, CENSORED, 1)])
    assert found.cause.tolist() == [REMOVED, RELOCATED, CENSORED]
    assert found.mass == pytest.approx([0.5, 0.25, 0.25])
    assert found.incidence(REMOVED, np.array([0.9, 1.0, 50.0]))[0] == pytest.approx([0.0, 0.5, 0.5])
    assert found.incidence(RELOCATED, np.array([1.9, 2.0, 50.0]))[0] == pytest.approx([0.0, 0.25, 0.25])
    assert found.quantile(REMOVED, 0.5)[0] == 1.0
    assert np.isnan(found.quantile(REMOVED, 0.9)[0])


def test_exact_times_give_aalen_johansen() -> None:
    """Removed at 1, censored at 2, moved at 3, removed at 4: F = 1/4, then 3/4 * 1/2 moved, the rest removed."""
    rows = [
        (0, 1.0, 1.0, REMOVED, 1), (0, 2.0, 0.0, CENSORED, 1), (0, 3.0, 3.0, RELOCATED, 1), (0, 4.0, 4.0, REMOVED, 1),
    ]  # fmt: skip
    found = estimated(rows)
    assert found.incidence(REMOVED, np.array([1.0, 3.0, 4.0]))[0] == pytest.approx([0.25, 0.25, 0.625])
    assert found.incidence(RELOCATED, np.array([2.9, 3.0, 4.0]))[0] == pytest.approx([0.0, 0.375, 0.375])


def test_one_third_removed_and_two_thirds_moved_is_not_all_gone() -> None:
    found = estimated([(0, 0.0, 5.0, REMOVED, 1), (0, 0.0, 5.0, RELOCATED, 2)])
    assert found.incidence(REMOVED, np.array([5.0]))[0, 0] == pytest.approx(1 / 3)
    assert found.incidence(RELOCATED, np.array([5.0]))[0, 0] == pytest.approx(2 / 3)


def covers(row: Row, found: CompetingRisks, cells: Integers) -> Booleans:
    """Which cells an observation may have ended in."""
    _, left, right, cause, _ = row
    low, high, point = found.left[cells], found.right[cells], found.left[cells] == found.right[cells]
    if cause == CENSORED:
        open_ended: Booleans = (found.cause[cells] == CENSORED) | ((low >= left) & ~(point & (low == left)))
        return open_ended
    own = found.cause[cells] == cause
    inside: Booleans = point & (low == left) if left == right else (low >= left) & (high <= right)
    allowed: Booleans = own & inside & (left == right or ~(point & (low == left)))
    return allowed


@given(ROWS)
def test_no_other_mass_makes_the_observations_more_likely(rows: list[Row]) -> None:
    """Karush-Kuhn-Tucker: the likelihood rises in no cell and is level where there is mass; the masses sum to 1."""
    found = estimated(rows, 3)
    for number in {row[0] for row in rows}:
        own, cells = [row for row in rows if row[0] == number], found.group == number
        inside = np.array([covers(row, found, cells) for row in own])
        weight, mass = np.array([row[4] for row in own]), found.mass[cells]
        slope = (weight / weight.sum() / (inside @ mass)) @ inside - 1
        assert mass.sum() == pytest.approx(1.0, abs=1e-12)
        assert slope.max() <= 1e-9
        assert np.minimum(mass, -slope).max() <= 1e-9


@given(ROWS)
def test_removed_and_moved_and_still_there_are_one_at_every_hour(rows: list[Row]) -> None:
    found = estimated(rows, 3)
    both = found.incidence(REMOVED, TIMES) + found.incidence(RELOCATED, TIMES)
    assert (both <= 1 + 1e-12).all()
    there = [found.mass[(found.group == group) & (found.cause == CENSORED)].sum() for group in range(3)]
    for group in {row[0] for row in rows}:
        assert both[group, -1] + there[group] == pytest.approx(1.0)


@given(ROWS)
def test_where_nothing_moved_it_is_turnbulls(rows: list[Row]) -> None:
    rows = [(*row[:3], min(row[3], REMOVED), row[4]) for row in rows]
    group, left, right, cause, weight = (np.array(column) for column in zip(*rows, strict=True))
    one = turnbull(group, left, np.where(cause == CENSORED, np.inf, right), weight, 3)
    assert 1 - estimated(rows, 3).incidence(REMOVED, TIMES) == pytest.approx(one.survival(TIMES), abs=1e-9)


@given(ROWS)
def test_causes_are_alike(rows: list[Row]) -> None:
    turned = [(*row[:3], {REMOVED: RELOCATED, RELOCATED: REMOVED}.get(row[3], CENSORED), row[4]) for row in rows]
    one, other = estimated(rows, 3), estimated(turned, 3)
    assert one.incidence(REMOVED, TIMES) == pytest.approx(other.incidence(RELOCATED, TIMES), abs=1e-8)


@given(ROWS)
def test_order_of_the_rows_and_other_groups_are_of_no_effect(rows: list[Row]) -> None:
    together = estimated(rows[::-1], 3).incidence(REMOVED, TIMES)
    for number in {row[0] for row in rows}:
        alone = estimated([(0, *row[1:]) for row in rows if row[0] == number]).incidence(REMOVED, TIMES)
        assert together[number] == pytest.approx(alone[0], abs=1e-9)


def test_twenty_thousand_episodes_to_the_second() -> None:
    """Exact, without a grid: times of removal between checks, a third moved, some not ended."""
    rng, n = np.random.default_rng(1), 20_000
    time = rng.exponential(20 * 3600, n)
    left = np.floor(np.maximum(time - rng.choice([1, 2, 4, 5], n) * 3600 * rng.random(n), 0))
    cause = np.where(rng.random(n) < 0.1, CENSORED, np.where(rng.random(n) < 0.3, RELOCATED, REMOVED))
    found = competing_risks(np.zeros(n, int), left, np.floor(time), cause, np.ones(n, int), 1)
    assert len(found.mass) > 5_000
    removed = found.incidence(REMOVED, np.array([24 * 3600.0, 1e9]))[0]
    assert removed == pytest.approx([0.45, 0.69], abs=0.02)  # of what ended by 24 h, seven tenths were removed


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((0, 2.0, 1.0, REMOVED, 1), "row 1: the time ends before it begins"),
        ((0, 1.0, float("inf"), REMOVED, 1), "row 1: the time of an end is not known"),
        ((0, 1.0, 1.0, 3, 1), "row 1: there is no such cause"),
        ((1, 1.0, 1.0, REMOVED, 1), "row 1: there is no such group"),
        ((0, 1.0, 1.0, REMOVED, -1), "row 1: the weight is not a count"),
    ],
)
def test_what_cannot_be_is_named(row: Row, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        estimated([(0, 0.0, 1.0, REMOVED, 1), row])
