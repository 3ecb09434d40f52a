"""What moved the network's share, with an interval for the mix, and where no behaviour is told."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from monitor.comparison.decomposition import gap_changed
from monitor.db import connect, transaction
from monitor.instants import HOUR, parse_period, preceding_period
from monitor.score.methods import method
from monitor.score.pipeline import Request
from monitor.supplements.inputs import opened
from monitor.supplements.trend import TrendStep, trend_step
from tests.conftest import Database, NewDatabase
from tests.score.world import ZERO, World, world

QUARTERS = {"2026Q2": 48.0, "2026Q3": 48 + 91 * 24.0, "2026Q4": 48 + 183 * 24.0}  # when its items are noticed


def items(w: World, host: str, start: float, late: int, on_time: int, gap: float) -> None:
    """Each on its own site: seen online `gap` hours before it is found gone, 28 h or 4 h after the notice."""
    for gone in [28.0] * late + [4.0] * on_time:
        item = w.content(host)
        w.notice(item, start)
        w.seen(item, start + gone - gap, "online")
        w.seen(item, start + gone, "offline")


@pytest.fixture(scope="module")
def steps(new_database: NewDatabase) -> Mapping[str, TrendStep]:
    """`u` improves from the first to the second quarter, `v` grows; from the second on `v` is looked at less often."""
    url = new_database()
    engine = connect(url)
    with world(Database(url, engine)) as w:
        second, third, fourth = QUARTERS.values()
        for host, start, late, on_time, gap in (
            ("u", second, 10, 10, 2), ("v", second, 0, 20, 2),
            ("u", third, 4, 16, 2), ("v", third, 0, 60, 2),
            ("u", fourth, 4, 16, 2), ("v", fourth, 0, 60, 3),
        ):  # fmt: skip
            items(w, host, start, late, on_time, gap)
    as_of = ZERO + round((QUARTERS["2026Q4"] + 500) * HOUR)
    requests = {period: Request(parse_period(period), as_of, 2**35, method()) for period in QUARTERS}
    with transaction(engine) as session, opened(session, requests["2026Q4"]) as inputs:
        found = {period: trend_step(inputs.at(request)) for period, request in requests.items()}
    engine.dispose()
    return found


def test_an_example_to_check_by_hand(steps: Mapping[str, TrendStep]) -> None:
    """75 % of 40 and 95 % of 80. `u` had half of them, then a quarter; the mean shares are 65 %, 100 % and 85 %."""
    step = steps["2026Q3"]
    assert (step.before, step.after) == ("2026Q2", "2026Q3")
    assert step.parts is not None
    assert (step.parts.before, step.parts.after) == (0.75, 0.95)
    assert step.behaviour == pytest.approx(0.375 * 0.3)
    assert step.parts.mix == pytest.approx(-0.25 * (0.65 - 0.85) + 0.25 * (1 - 0.85))
    assert (step.parts.arrivals, step.parts.departures, step.parts.unnamed) == (0, 0, 0)
    assert (step.gap.before, step.gap.after, step.gap.changed) == (2, 2, False)
    assert step.behaviour_or_observation is None
    assert {each.company: each.behaviour for each in step.companies} == {"u": pytest.approx(0.1125), "v": 0}
    for value, low, high in (
        (step.behaviour, step.behaviour_low, step.behaviour_high),
        (step.parts.mix, step.parts.mix_low, step.parts.mix_high),
    ):
        assert low is not None
        assert high is not None
        assert low < (value or 0) < high


def test_no_behaviour_is_told_where_the_recheck_gap_changed(steps: Mapping[str, TrendStep]) -> None:
    """The gap of the network and of `v` went from 2 to 3 hours; `u` was looked at as before."""
    step = steps["2026Q4"]
    assert (step.gap.before, step.gap.after, step.gap.changed) == (2, 3, True)
    assert (step.behaviour, step.behaviour_low, step.behaviour_high) == (None, None, None)
    assert step.behaviour_or_observation == pytest.approx(0)
    assert {each.company: each.behaviour for each in step.companies} == {"u": 0, "v": None}
    assert step.parts is not None
    assert step.parts.mix == pytest.approx(0)


def test_nothing_can_be_told_of_the_first_quarter(steps: Mapping[str, TrendStep]) -> None:
    step = steps["2026Q2"]
    assert (step.before, step.parts, step.behaviour) == ("2026Q1", None, None)


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        (4.0, 5.0, False),  # exactly 25 %
        (5.0, 4.0, False),
        (4.0, 5.001, True),
        (5.001, 4.0, True),
        (0.0, 0.0, False),
        (0.0, 1.0, True),
        (None, 2.0, True),
        (2.0, None, True),
    ],
)
def test_a_gap_changes_by_over_a_quarter_either_way(before: float | None, after: float | None, changed: bool) -> None:
    assert gap_changed(before, after) is changed


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ("2026Q2", "2026Q1"),
        ("2026Q1", "2025Q4"),
        ("2026-03-11..2026-04-11", "2026-02-08..2026-03-11"),
    ],
)
def test_the_period_before(period: str, expected: str) -> None:
    found = preceding_period(parse_period(period))
    assert found == parse_period(expected)
