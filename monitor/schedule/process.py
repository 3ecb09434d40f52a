"""One run of a collector: a process of its own, with a time limit, whose end is reported whatever it was."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from monitor.db import connect, transaction
from monitor.schedule.runs import FAILED, Verdict, last_run, record, wait_for_deliveries
from monitor.settings import Settings, load_settings

_log = logging.getLogger(__name__)
_GRACE = 10.0  # seconds to stop in when the scheduler stops


@dataclass
class Running:
    """The processes that run now, so that they can be stopped together."""

    processes: set[subprocess.Popen[bytes]] = field(default_factory=set)
    guard: threading.Lock = field(default_factory=threading.Lock)
    stopping: bool = False

    def start(self, command: Sequence[str]) -> subprocess.Popen[bytes] | None:
        """Start a process in a group of its own; None where everything is being stopped."""
        with self.guard:
            if self.stopping:
                return None
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
            self.processes.add(process)
            return process

    def ended(self, process: subprocess.Popen[bytes]) -> None:
        """Forget a process."""
        with self.guard:
            self.processes.discard(process)

    def stop(self) -> None:
        """Let none start any more; ask those that run to stop, then insist."""
        with self.guard:
            self.stopping = True
            left = list(self.processes)
        for process in left:
            _signal(process, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE
        for process in left:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(process, signal.SIGKILL)


RUNNING = Running()  # a stored job is a name of a function and its argument: it can hold no object


def collect(source: str) -> None:
    """The job of one source. Nothing it meets may end the scheduler, nor be logged with its words."""
    run = uuid.uuid4().hex[:8]
    try:
        _collect(source, run)
    except Exception as error:  # noqa: BLE001 -- the boundary of a job
        frames = "".join(traceback.format_tb(error.__traceback__))
        _log.error("run %s of %s: unexpected %s\n%s", run, source, type(error).__name__, frames)


def _collect(source: str, run: str) -> None:
    settings = load_settings()
    limit = settings.source(source).timeout_minutes
    started_at = int(time.time())
    process = RUNNING.start([sys.executable, "-m", "monitor", "collect", source])
    if process is None:
        return
    _log.info("run %s of %s: started as process %d", run, source, process.pid)
    try:
        ended = await_end(process, limit * 60)
    finally:
        RUNNING.ended(process)
    if RUNNING.stopping:
        _log.info("run %s of %s: stopped with the scheduler", run, source)
        return
    _report(settings, source, run, started_at, _broken(ended, limit))


def await_end(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    """The exit status; None where the time limit passed and the process, with all it started, was killed."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)
        process.wait()
        return None


def _broken(status: int | None, limit: float) -> str | None:
    """Why a run could not write its own verdict down; None where it could."""
    if status is None:
        return f"took longer than {limit:g} minutes and was killed"
    return f"its process ended with status {status}" if status not in (0, 1) else None


def _report(settings: Settings, source: str, run: str, started_at: int, broken: str | None) -> None:
    """Log how the run ended; write it down where the run itself no longer could."""
    engine = wait_for_deliveries(connect(settings.database_url))
    try:
        with transaction(engine) as session:
            if broken:
                record(session, source, started_at, int(time.time()), Verdict(FAILED, broken))
            last = last_run(session, source)
            known = last is not None and int(last.started_at.timestamp()) >= started_at
            verdict, reason = (last.verdict, last.reason) if last and known else (FAILED, "no verdict; see its message")
    finally:
        engine.dispose()
    level = logging.ERROR if verdict == FAILED else logging.INFO
    _log.log(level, "run %s of %s: %s%s", run, source, verdict, f": {reason}" if reason else "")


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
