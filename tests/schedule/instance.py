"""A running `monitor schedule`, and an installation whose leader is found missing within a second."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.spiders.installation import Installation

PATIENCE = 60.0  # where many tests share a machine
LEASE = 1.5


def configure(installation: Installation, source: str, top: str = "", **options: str | float) -> None:
    """Write the configuration: one source, and a lease short enough to wait for."""
    installation.configure(source, **options)
    path = installation.config
    path.write_text(f"lease_seconds = {LEASE}\nlog_format = 'json'\n{top}\n{path.read_text('utf-8')}", "utf-8")


def wait_until(true: Callable[[], bool], what: str = "") -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"never came true: {what}"
        time.sleep(0.05)


class Instance:
    """A scheduler's process, whose log goes to a file."""

    def __init__(self, installation: Installation, log: Path) -> None:
        self.log = log
        command = [sys.executable, "-m", "monitor", "schedule"]
        with log.open("wb") as file:
            self.process = subprocess.Popen(command, env=installation.environment, stdout=file, stderr=file)

    @property
    def said(self) -> str:
        """Its log so far."""
        return self.log.read_text("utf-8")

    def lines(self, event: str) -> list[dict[str, object]]:
        """The complete lines of one event, read as JSON."""
        whole = [line for line in self.said.splitlines(keepends=True) if line.startswith("{") and line.endswith("\n")]
        lines = [json.loads(line) for line in whole]
        return [line for line in lines if line.get("event") == event]

    def wait_for(self, event: str, count: int = 1) -> None:
        """Wait until it logs an event that many times."""
        deadline = time.monotonic() + PATIENCE
        while len(self.lines(event)) < count:
            assert time.monotonic() < deadline, f"never said {event}: {self.said}"
            time.sleep(0.05)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Signal it and wait for its end."""
        self.send(number)
        return self.process.wait(PATIENCE)
