"""One leader at a time, in real processes: the second waits, and takes over when the first is killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from threading import Event

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from click.testing import CliRunner

from monitor.cli.schedule import schedule
from monitor.errors import MonitorError
from monitor.schedule import leader
from monitor.schedule.process import Running
from monitor.settings import Settings
from tests.conftest import Database
from tests.schedule.test_lock import take_away
from tests.spiders.installation import Installation

PATIENCE = 20.0


class Instance:
    """A running `monitor schedule`, whose log goes to a file."""

    def __init__(self, installation: Installation, log: Path) -> None:
        self.log = log
        command = [sys.executable, "-m", "monitor", "schedule"]
        with log.open("wb") as file:
            self.process = subprocess.Popen(command, env=installation.environment, stdout=file, stderr=file)

    def wait_for(self, words: str) -> None:
        """Wait until it says something."""
        deadline = time.monotonic() + PATIENCE
        while words not in self.log.read_text("utf-8"):
            assert time.monotonic() < deadline, f"never said {words!r}: {self.log.read_text('utf-8')}"
            time.sleep(0.02)

    def end(self, number: signal.Signals) -> int:
        """Signal it and wait for its end."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


def test_second_instance_waits_and_takes_over(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    installation = Installation(tmp_path / "home", database.url)
    installation.configure("scart_drop", location=str(drop), zone="UTC", cadence_minutes=90)
    first = Instance(installation, tmp_path / "first.log")
    first.wait_for("leading; sources: scart_drop")
    second = Instance(installation, tmp_path / "second.log")
    second.wait_for("another instance leads; waiting")
    assert "leading; sources" not in second.log.read_text("utf-8")
    first.wait_for("of scart_drop: unchanged")

    assert first.end(signal.SIGKILL) == -signal.SIGKILL
    second.wait_for("leading; sources: scart_drop")
    assert second.end(signal.SIGTERM) == 0
    assert "stopping" in second.log.read_text("utf-8")
    assert installation.rows("SELECT id FROM apscheduler_jobs") == [("scart_drop",)]
    assert installation.rows("SELECT verdict FROM collector_runs") == [("unchanged",)]  # nothing was due twice

    for name, value in installation.environment.items():
        monkeypatch.setenv(name, value)
    (row,) = json.loads(CliRunner().invoke(schedule, ["--list", "--json"], catch_exceptions=False).stdout)
    assert (row["source"], row["cadence_minutes"], row["verdict"]) == ("scart_drop", 90, "unchanged")
    assert row["next_run"] > row["last_run"]


def test_leader_that_loses_its_lock_stops(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leader, "RUNNING", Running())  # stopping is for good, and other tests come after this one
    settings = Settings(home=tmp_path, database_url=database.url, sources={})
    leading, ended = Event(), []

    def arrange(scheduler: BackgroundScheduler, *_: object) -> None:
        leading.set()

    def serve() -> None:
        with pytest.raises(MonitorError, match="the lock of the leader is lost"):
            leader.serve(settings, Event(), beat=0.02)
        ended.append(True)

    monkeypatch.setattr(leader, "arrange", arrange)
    thread = threading.Thread(target=serve)
    thread.start()
    assert leading.wait(PATIENCE)
    take_away(settings, database, leader.LOCK)
    thread.join(PATIENCE)
    assert ended
