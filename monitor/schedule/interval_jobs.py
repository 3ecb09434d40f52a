"""What is done again and again, turned by APScheduler; it stops with the first thing that must not go on."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event

from apscheduler.schedulers.background import BackgroundScheduler

_LOOK = 0.5  # seconds between looks at whether to stop, and at the clock
_JUMP = 5.0  # seconds by which the wall clock may drift against the time that passes


class IntervalJobs:
    """Jobs that are run in their interval, each one at a time: a late one is run once, however many it missed."""

    def __init__(self) -> None:
        """Nothing runs before `run`."""
        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._scheduler = BackgroundScheduler(timezone=UTC, job_defaults=defaults)
        self._over = Event()
        self._error: Exception | None = None

    def every(self, seconds: float, work: Callable[[], None]) -> None:
        """Run `work` at once and then in this interval."""
        self._scheduler.add_job(self._go, "interval", [work], seconds=seconds, next_run_time=datetime.now(UTC))

    def run(self, stop: Event) -> None:
        """Turn until `stop` is set, or a job raises: that is raised here, when what still runs has ended."""
        ahead = _ahead()
        self._scheduler.start()
        while not stop.is_set() and not self._over.wait(_LOOK):
            if abs(_ahead() - ahead) > _JUMP:  # jobs wait for a time of day, which has become another one
                ahead = _ahead()
                for job in self._scheduler.get_jobs():
                    job.modify(next_run_time=datetime.now(UTC))
        self._scheduler.shutdown(wait=True)
        if self._error is not None:
            raise self._error

    def _go(self, work: Callable[[], None]) -> None:
        if self._over.is_set():
            return
        try:
            work()
        except Exception as error:  # noqa: BLE001 -- goes on in `run`; APScheduler would log it and go on
            self._error = self._error or error
            self._over.set()


def _ahead() -> float:
    """By how much the wall clock is ahead of the time that passes."""
    return time.time() - time.monotonic()
