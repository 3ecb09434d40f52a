"""Curves of removal where relocation competes: against Kaplan-Meier, R's printed values, and derivatives by site."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from monitor.estimators.arrays import Floats
from monitor.estimators.kaplan_meier import kaplan_meier
from monitor.estimators.removal_curves import RemovalCurves, removal_curves
from monitor.estimators.risk_set import NEVER, CurveInputs, any_event, any_event_lenient, lenient, strict

HOURS = np.arange(0, 60, dtype=np.int64)
# (site, last online, first offline, relocated), of one company
Row = tuple[int, int, int, int]
ROWS: st.SearchStrategy[list[Row]] = st.lists(
    st.tuples(
        st.integers(0, 4), st.integers(0, 30), st.integers(0, 20), st.sampled_from(["removed", "moved", "open"])
    ).map(
        lambda r: (
            r[0], r[1], r[1] + r[2] if r[3] == "removed" else NEVER, r[1] + r[2] if r[3] == "moved" else NEVER
        )
    ),
    min_size=1,
    max_size=40,
)  # fmt: skip


def inputs(rows: list[Row], weights: list[int] | None = None) -> CurveInputs:
    ordered = sorted(zip(rows, weights or [1] * len(rows), strict=True))
    site, left, right, relocated = (np.array(column, np.int64) for column in zip(*(r for r, _ in ordered), strict=True))
    weight = np.array([w for _, w in ordered], np.int64)
    _, site = np.unique(site, return_inverse=True)
    return CurveInputs(1, 1, np.zeros(len(site), np.int64), site, left, left, right, relocated, weight)


def curves(
    rows: list[Row], reading: str = "strict", q: float = 1.96, weights: list[int] | None = None
) -> RemovalCurves:
    risk_set = (any_event if reading == "strict" else any_event_lenient)(inputs(rows, weights))
    return removal_curves(risk_set, HOURS, HOURS, 50, np.array([q]))


@given(ROWS)
def test_without_relocation_it_is_kaplan_meier_with_its_clustered_variance(rows: list[Row]) -> None:
    still = [(site, left, right, NEVER) for site, left, right, _ in rows]
    for reading, km in (("lenient", lenient), ("strict", strict)):
        expected = kaplan_meier(km(inputs(still)), HOURS, 50, 1.96)
        found = curves(still, reading)
        assert 1 - found.removed == pytest.approx(expected.survival, abs=1e-12)
        assert found.variance == pytest.approx(expected.variance, abs=1e-12)
        assert found.area == pytest.approx(expected.area, abs=1e-9)


@given(ROWS)
def test_removed_relocated_and_still_there_are_never_more_than_all(rows: list[Row]) -> None:
    for reading in ("lenient", "strict"):
        found = curves(rows, reading)
        together = found.removed + found.relocated
        assert ((together <= 1 + 1e-12) & (np.diff(together, prepend=0) >= -1e-12)).all()


@given(ROWS)
def test_the_variance_is_that_of_the_derivative_by_the_weight_of_each_site(rows: list[Row]) -> None:
    """Influence of a site: the derivative of F by the weight of its episodes. Weights are whole: 10^6 and one more."""
    many, found = 10**6, curves(rows).removed[0]
    sites = {row[0] for row in rows}
    influence: list[Floats] = []
    for site in sites:
        changed = curves(rows, weights=[many + (row[0] == site) for row in rows]).removed[0]
        influence.append((changed - found) * many)
    numeric = np.square(influence).sum(axis=0)
    # where one event ends all that are left, the share still there jumps to 0 and has no derivative
    assert curves(rows).variance[0] == pytest.approx(numeric, abs=2e-4 * len(rows))


def test_by_hand() -> None:
    """Three sites: removed at 2, moved at 4, removed at 6. F is 1/3 from 2 on, 2/3 from 6 on; moved 1/3 from 4 on."""
    found = curves([(0, 2, 2, NEVER), (1, 4, NEVER, 4), (2, 6, 6, NEVER)])
    assert found.removed[0, [1, 2, 5, 6]] == pytest.approx([0, 1 / 3, 1 / 3, 2 / 3])
    assert found.relocated[0, [3, 4, 6]] == pytest.approx([0, 1 / 3, 1 / 3])
    assert found.variance[0, 2] == pytest.approx(2 / 27)  # of 1/3 over three sites: sum of (x - p)^2 / n^2
    assert found.area[0] == pytest.approx(2 + 2 * 2 / 3 + 2 / 3)


def test_one_site_has_no_variance_and_its_limits_are_the_curve() -> None:
    """A hundred episodes at uneven times: rounding does not move a limit by a step."""
    rng = np.random.default_rng(5)
    times = np.sort(rng.integers(0, 10_000, 100))
    rows = [(0, int(t), int(t), NEVER) if n % 7 else (0, int(t), NEVER, int(t)) for n, t in enumerate(times)]
    found = removal_curves(any_event(inputs(rows)), np.array([5_000]), np.array([5_000]), 10_000, np.array([12.7]))
    assert found.variance[0, 0] == 0
    reached = np.flatnonzero(np.cumsum([n % 7 != 0 for n in range(100)]) >= 50)[0]
    assert (found.low[0, 0], found.high[0, 0]) == (times[reached], times[reached])


@given(ROWS)
def test_the_limits_of_quantiles_are_where_a_limit_of_the_curve_first_reaches_the_level(rows: list[Row]) -> None:
    q = float(special.stdtrit(1.0, 0.975))
    for reading in ("lenient", "strict"):
        found = curves(rows, reading, q)
        share, se = 1 - found.removed[0], np.sqrt(found.variance[0])
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.exp(np.minimum(q * se / (share * -np.log(share)), 50))
            inside = (share > 1e-12) & (share < 1)
            low = np.where(inside, share**factor, np.where(share >= 1, 1.0, 0.0))
            high = np.where(inside, share ** (1 / factor), 1.0)
        for place, level in enumerate((0.5, 0.1)):
            for limit, stated in ((low, found.low), (high, found.high)):
                reached = np.flatnonzero(limit <= level + 1e-9)
                assert stated[0, place] == (HOURS[reached[0]] if reached.size else pytest.approx(np.nan, nan_ok=True))
