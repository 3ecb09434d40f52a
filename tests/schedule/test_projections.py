"""The schedule has the running quarter projected once an hour, in a process of its own, and says where that fails."""

from __future__ import annotations

import sys

import pytest

from monitor.instants import HOUR
from monitor.schedule.leader import Projections


def running(*code: str) -> Projections:
    return Projections(command=(sys.executable, "-c", "; ".join(code)))


def ended(projections: Projections) -> int:
    assert projections.process is not None
    return projections.process.wait()


def test_it_begins_at_the_second_look_and_again_when_an_hour_has_begun() -> None:
    projections, begun = running("pass"), []
    for now in (0, 60, 120, HOUR - 1, HOUR, HOUR + 60):
        projections.go(now)
        if projections.process is not None:
            begun.append(now)
            ended(projections)
    assert begun == [60, HOUR]


def test_a_failure_is_logged_and_the_next_hour_tries_again(caplog: pytest.LogCaptureFixture) -> None:
    projections = running("raise SystemExit(1)")
    for now in (0, 60):
        projections.go(now)
    assert ended(projections) == 1
    projections.go(HOUR)
    assert [record.levelname for record in caplog.records if "projected" in record.message] == ["ERROR"]
    assert ended(projections) == 1


def test_one_that_still_runs_is_left_alone_and_ended_with_the_term() -> None:
    projections = running("import time", "time.sleep(600)")
    projections.go(0)
    projections.go(60)
    first = projections.process
    projections.go(HOUR)
    assert projections.process is first
    projections.stop()
    assert first is not None
    assert first.returncode != 0
