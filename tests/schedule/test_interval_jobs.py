"""What turns the schedule: jobs at once and in their interval, one at a time, until stopped or broken."""

from __future__ import annotations

import threading
import time
from threading import Event

import pytest

from monitor.schedule import leader
from monitor.schedule.leader import IntervalJobs
from monitor.schedule.leadership import Superseded


def test_a_job_runs_at_once_and_again_until_stopped_and_has_ended_then() -> None:
    stop, times = Event(), 0

    def work() -> None:
        nonlocal times
        times += 1
        if times == 3:
            stop.set()

    turning = IntervalJobs()
    turning.every(0.05, work)
    turning.run(stop)
    assert times >= 3
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("APScheduler")]


def test_a_slow_job_is_never_run_twice_at_a_time_and_holds_no_other_up() -> None:
    stop, together, most, others = Event(), 0, 0, 0

    def slow() -> None:
        nonlocal together, most
        together += 1
        most = max(most, together)
        time.sleep(0.3)
        together -= 1

    def quick() -> None:
        nonlocal others
        others += 1
        if others == 10:
            stop.set()

    turning = IntervalJobs()
    turning.every(0.02, slow)
    turning.every(0.05, quick)
    turning.run(stop)
    assert most == 1
    assert others >= 10


def test_what_a_job_raises_ends_it_all_and_is_raised() -> None:
    def work() -> None:
        raise Superseded("superseded")

    turning = IntervalJobs()
    turning.every(0.05, work)
    with pytest.raises(Superseded):
        turning.run(Event())


def test_a_clock_that_is_put_back_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The job waits for a time of day that is now an hour away: it is run all the same."""
    stop, ran, ahead = Event(), Event(), 0.0
    monkeypatch.setattr(leader, "_ahead", lambda: ahead)
    monkeypatch.setattr(leader, "_LOOK", 0.05)

    def work() -> None:
        if ran.is_set():
            stop.set()
        ran.set()

    turning = IntervalJobs()
    turning.every(3600, work)
    waiting = threading.Thread(target=turning.run, args=(stop,))
    waiting.start()
    assert ran.wait(10)
    assert not stop.is_set()
    ahead = -3600.0
    waiting.join(10)
    assert stop.is_set()
