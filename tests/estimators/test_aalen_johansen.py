"""Cumulative incidence with a competing event: small samples by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.estimators.aalen_johansen import aalen_johansen, incidence_by_cause
from monitor.estimators.risk_set import NEVER, any_event
from tests.estimators.test_kaplan_meier import Row, inputs


def test_by_hand() -> None:
    """Removed at 1, relocated at 2, outstanding at 3, relocated at 4: F = 1/4 after 2, 1/4 + 1/2 after 4."""
    rows = [(0, 1, 1, NEVER), (1, 0, NEVER, 2), (2, 3, NEVER, NEVER), (3, 0, NEVER, 4)]
    found = aalen_johansen(any_event(inputs(rows)), np.array([1, 2, 3, 4]))
    assert found.value[:, 0] == pytest.approx([0.0, 0.25, 0.25, 0.75])


ENDS = st.lists(st.tuples(st.integers(1, 20), st.booleans()), min_size=2, max_size=30)


def ended(ends: list[tuple[int, bool]]) -> list[Row]:
    """One site each; removed or relocated at a time."""
    return [
        (site, 0, NEVER, time) if relocated else (site, time, time, NEVER)
        for site, (time, relocated) in enumerate(ends)
    ]


@given(ENDS)
def test_without_censoring_it_is_a_share_of_the_sites_with_its_variance(ends: list[tuple[int, bool]]) -> None:
    found = aalen_johansen(any_event(inputs(ended(ends))), np.arange(21))
    share = np.array([np.mean([relocated and time <= horizon for time, relocated in ends]) for horizon in range(21)])
    assert found.value[:, 0] == pytest.approx(share, abs=1e-12)
    assert found.variance[:, 0] == pytest.approx(share * (1 - share) / len(ends), abs=1e-12)


@given(ENDS)
def test_the_causes_add_up(ends: list[tuple[int, bool]]) -> None:
    """Relocations at even and at odd times as two causes."""
    risk_set = any_event(inputs(ended(ends)))
    found = aalen_johansen(risk_set, np.array([10, 20]))
    moved = sorted((time % 2, time) for time, relocated in ends if relocated)
    cause, time = (np.array([row[place] for row in moved], dtype=np.int64) for place in range(2))
    company, one = np.zeros(len(moved), np.int64), np.ones(len(moved), np.int64)
    parts = incidence_by_cause(found, risk_set, company, cause, time, one, [10, 20])
    assert parts.relocations.sum() == len(moved)
    assert parts.cause.tolist() == sorted({row[0] for row in moved})
    assert parts.incidence.sum(axis=0) == pytest.approx(found.value[:, 0], abs=1e-12)
