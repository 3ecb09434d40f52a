"""One run of a collector: a process of its own, in a group of its own, with a time limit."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from monitor.errors import ConfigurationError
from monitor.schedule.plan import Timing

MOST_AT_ONCE = 4
GRACE = 10.0  # seconds to end in when the schedule stops


@dataclass
class Run:
    """A run that was started. `name` is its own in the logs of both processes; `started_at` in epoch seconds."""

    timing: Timing
    name: str
    started_at: int
    process: subprocess.Popen[bytes]
    deadline: float
    overdue: bool = False

    @property
    def ended(self) -> bool:
        """Whether it is over. One past its time limit is killed, with all it started."""
        if self.process.poll() is None and time.monotonic() > self.deadline:
            self.overdue = True
            send(self.process, signal.SIGKILL)
            self.process.wait()
        return self.process.returncode is not None

    @property
    def broken(self) -> str | None:
        """Why it could not write its own verdict down; None where it could."""
        if self.overdue:
            return f"took longer than {self.timing.limit / 60:g} minutes and was killed"
        status = self.process.returncode
        return f"its process ended with status {status}" if status not in (0, 1) else None


def collector(source: str, run: str, term: int) -> list[str]:
    """The command that collects a source."""
    return [sys.executable, "-m", "monitor", "collect", source, "--run", run, "--term", str(term)]


@dataclass
class Runs:
    """The runs of one leader, by source."""

    term: int
    command: Callable[[str, str, int], Sequence[str]] = collector
    going: dict[str, Run] = field(default_factory=dict)

    @property
    def room(self) -> bool:
        """Whether another may start."""
        return len(self.going) < MOST_AT_ONCE

    def start(self, timing: Timing, now: int) -> Run:
        """Start a run of a source. Its answer is in the database; its log goes where ours goes."""
        name = secrets.token_hex(8)
        command = self.command(timing.source, name, self.term)
        process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
        )
        run = Run(timing, name, now, process, time.monotonic() + timing.limit)
        self.going[timing.source] = run
        return run

    def over(self) -> list[Run]:
        """The runs that have ended and are not settled yet."""
        return [run for run in self.going.values() if run.ended]

    def settled(self, run: Run) -> None:
        """Forget a run whose end is written down."""
        del self.going[run.timing.source]

    def stop(self, grace: float = GRACE) -> None:
        """Ask all that run to end, then insist; no process of theirs is left."""
        for run in self.going.values():
            send(run.process, signal.SIGTERM)
        deadline = time.monotonic() + grace
        for run in self.going.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                run.process.wait(max(0.0, deadline - time.monotonic()))
            send(run.process, signal.SIGKILL)  # the group: what it started may have outlived it
            run.process.wait()


def send(process: subprocess.Popen[bytes], number: int) -> None:
    """Signal a process and all it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


_PATIENCE = 60


def described_timings() -> list[Timing]:
    """The timing of every source that is on schedule; raises ConfigurationError with the words of the collectors."""
    command = [sys.executable, "-m", "monitor", "collect", "--describe", "--json"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise ConfigurationError("the collectors did not describe their sources within a minute") from error
    if said.returncode:
        raise ConfigurationError(said.stderr.strip().removeprefix("monitor: "))
    return [Timing(**timing) for timing in json.loads(said.stdout)]
