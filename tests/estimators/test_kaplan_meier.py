"""Kaplan-Meier: curve, area and clustered variance of small samples by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.estimators.kaplan_meier import KaplanMeier, kaplan_meier
from monitor.estimators.risk_set import NEVER, CurveInputs, RiskSet, any_event, lenient, strict

Z = 1.959963984540054
Row = tuple[int, int, int, int]  # site, last seen online, first seen offline, relocated


def inputs(rows: Sequence[Row], unit: int = 1) -> CurveInputs:
    """Of one company; rows sorted by site."""
    site, left, right, relocated = (np.array(column, dtype=np.int64) for column in zip(*sorted(rows), strict=True))
    company, weight = np.zeros(len(rows), np.int64), np.ones(len(rows), np.int64)
    return CurveInputs(1, unit, company, site, left, left, right, relocated, weight)


def curve(risk_set: RiskSet, *times: int, until: int = 100) -> KaplanMeier:
    return kaplan_meier(risk_set, np.array(times, dtype=np.int64), until, Z)


def test_by_hand() -> None:
    """Removed at 1, 3 and 3; outstanding at 2 and 5: S = 4/5 after 1, 4/5 * 1/3 after 3; the area up to 4."""
    rows = [(0, 1, 1, NEVER), (1, 2, NEVER, NEVER), (2, 3, 3, NEVER), (3, 3, 3, NEVER), (4, 5, NEVER, NEVER)]
    found = curve(lenient(inputs(rows)), 0, 1, 2, 3, until=4)
    assert found.survival[0] == pytest.approx([1.0, 0.8, 0.8, 0.8 / 3])
    assert found.area[0] == pytest.approx(1 + 2 * 0.8 + 0.8 / 3)


def test_lenient_and_strict_end_at_either_side_of_the_bracket() -> None:
    rows = [(0, 1, 4, NEVER), (1, 2, NEVER, NEVER)]
    assert curve(lenient(inputs(rows)), 1, 3, 4).survival[0] == pytest.approx([0.5, 0.5, 0.5])
    assert curve(strict(inputs(rows)), 1, 3, 4).survival[0] == pytest.approx([1.0, 1.0, 0.0])


def test_relocation_is_an_event_only_where_nothing_was_removed() -> None:
    rows = [(0, 1, 2, 5), (1, 1, NEVER, 3), (2, 1, NEVER, NEVER)]
    found = any_event(inputs(rows))
    assert found.time.tolist() == [1, 2, 3]
    assert found.events.tolist() == [0, 1, 1]
    assert found.relocations.tolist() == [0, 0, 1]


@given(st.lists(st.integers(1, 50), min_size=2, max_size=30), st.integers(1, 4))
def test_without_censoring_the_variance_is_that_of_a_share_of_the_sites(times: list[int], copies: int) -> None:
    """S (1 - S) / n, n the number of sites, however many episodes alike each of them has."""
    rows = [(site, time, time, NEVER) for site, time in enumerate(times) for _ in range(copies)]
    found = curve(lenient(inputs(rows)), *range(51))
    share = np.array([np.mean(np.array(times) > time) for time in range(51)])
    assert found.survival[0] == pytest.approx(share, abs=1e-12)
    assert found.variance[0] == pytest.approx(share * (1 - share) / len(times), abs=1e-12)


def test_limits_of_the_median_hold_it() -> None:
    """Forty sites removed at 1, 2, ..., 40: S is at most 1/2 from 20 on, its lower limit before, its upper after."""
    rows = [(site, site + 1, site + 1, NEVER) for site in range(40)]
    found = curve(lenient(inputs(rows)), 0)
    assert found.low[0, 0] < 20 < found.high[0, 0]


def test_times_are_in_units() -> None:
    rows = [(0, 1, 1, NEVER), (1, 2, NEVER, NEVER)]
    assert curve(lenient(inputs(rows, unit=10)), 9, 10).survival[0] == pytest.approx([1.0, 0.5])
