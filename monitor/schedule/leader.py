"""One leader at a time: wait for the lock, run the schedule while it is held, stop when it is lost."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from threading import Event

from monitor.db import connect
from monitor.errors import MonitorError
from monitor.schedule.jobs import arrange, build, halt, scheduled
from monitor.schedule.lock import Lock, lock_for
from monitor.schedule.process import RUNNING
from monitor.schedule.runs import wait_for_deliveries
from monitor.settings import Settings

LOCK = "schedule"
_log = logging.getLogger(__name__)


def serve(settings: Settings, stop: Event, beat: float = 1.0) -> None:
    """Wait until no other instance leads, then lead until `stop` is set.

    Raises MonitorError where leadership is lost: another instance may lead already, so this one must end.
    """
    lock = lock_for(settings, LOCK)
    try:
        if _wait(lock, stop, beat):
            _lead(settings, lock, stop, beat)
    finally:
        lock.release()


def _wait(lock: Lock, stop: Event, beat: float) -> bool:
    """Try until the lock is ours; False where we were stopped before."""
    if lock.acquire():
        return True
    _log.info("another instance leads; waiting")
    while not stop.wait(beat):
        if lock.acquire():
            return True
    return False


def _lead(settings: Settings, lock: Lock, stop: Event, beat: float) -> None:
    sources = scheduled(settings)
    scheduler = build(wait_for_deliveries(connect(settings.database_url)))
    scheduler.start(paused=True)
    try:
        arrange(scheduler, sources, datetime.now(UTC))
        _log.info("leading; sources: %s", ", ".join(source.name for source in sources) or "none")
        scheduler.resume()
        while not stop.wait(beat):
            if not lock.held():
                raise MonitorError(
                    "the lock of the leader is lost; another instance may lead now: start this one again"
                )
        _log.info("stopping")
    finally:
        scheduler.pause()
        RUNNING.stop()  # first: the schedule may be waiting for one of them to finish writing
        halt(scheduler)
        scheduler.shutdown(wait=True)
