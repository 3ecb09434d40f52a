"""What a status means, and when three failures make an item offline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.models.run import ObserverState
from monitor.observe.rules import conclude, meaning
from monitor.vocabulary import State

START = datetime(2026, 4, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("statuses", "state"),
    [
        ((200, 204, 206), State.ONLINE),
        ((404, 410, 451), State.OFFLINE),
        ((100, 301, 302, 304, 400, 401, 403, 405, 429, 500, 501, 503, 999, None), State.UNKNOWN),
    ],
)
def test_meaning(statuses: tuple[int | None, ...], state: State) -> None:
    assert {meaning(status) for status in statuses} == {state}


def run(answers: list[tuple[int, int | None]]) -> list[State]:
    """What is concluded of (minutes after the last answer, status)."""
    state = ObserverState(observer="probe", subject=b"", asked_at=START, failures=0)
    state.failed_at = None
    now, found = START, []
    for minutes, status in answers:
        now += timedelta(minutes=minutes)
        found.append(conclude(state, status, now))
    return found


@pytest.mark.parametrize(
    ("answers", "last"),
    [
        pytest.param([(0, 404), (15, 404), (15, 404)], State.OFFLINE, id="three, fifteen minutes apart"),
        pytest.param([(0, 404), (14, 404), (14, 404)], State.UNKNOWN, id="the second came too early to count"),
        pytest.param([(0, 404), (14, 404), (1, 410), (15, 451)], State.OFFLINE, id="but does not start anew"),
        pytest.param([(0, 404), (15, 404)], State.UNKNOWN, id="two"),
        pytest.param([(0, 404), (15, 404), (15, 200), (15, 404)], State.UNKNOWN, id="online between"),
        pytest.param([(0, 404), (15, 404), (15, 503), (15, 404)], State.OFFLINE, id="nobody knows between"),
        pytest.param([(0, 404)] * 9, State.UNKNOWN, id="at one moment"),
    ],
)
def test_conclusion(answers: list[tuple[int, int | None]], last: State) -> None:
    *before, end = run(answers)
    assert State.OFFLINE not in before
    assert end is last


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from([200, 404, 503])), max_size=30))
def test_offline_needs_three_failures_far_enough_apart(answers: list[tuple[int, int | None]]) -> None:
    for place, found in enumerate(run(answers)):
        if found is not State.OFFLINE:
            continue
        since = max((n for n in range(place) if answers[n][1] == 200), default=-1) + 1
        failures = [sum(minutes for minutes, _ in answers[: n + 1]) for n in range(since, place + 1)]
        failures = [at for n, at in enumerate(failures, since) if answers[n][1] == 404]
        assert len(failures) >= 3
        assert failures[-1] - failures[0] >= 30
