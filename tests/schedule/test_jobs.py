"""The stored jobs, and what becomes of one run: its time limit, its death, its report."""

from __future__ import annotations

import logging
import pickle
import signal
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from monitor.db import connect
from monitor.schedule import process
from monitor.schedule.jobs import arrange, build, halt, next_runs, scheduled
from monitor.schedule.process import Running, await_end
from monitor.settings import Settings, Source
from tests.conftest import Database
from tests.spiders.installation import Installation

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
FEED = Source("urlhaus", location="https://feed.example/recent", cadence_minutes=30)
DROP = Source("scart_drop", location="/srv/drop", cadence_minutes=60)


def _arranged(database: Database, sources: list[Source], now: datetime) -> None:
    scheduler = build(connect(database.url))
    scheduler.start(paused=True)
    arrange(scheduler, sources, now)
    halt(scheduler)
    scheduler.shutdown()


def _states(database: Database) -> dict[str, dict[str, Any]]:
    with database.engine.connect() as connection:
        rows = connection.execute(text("SELECT id, job_state FROM apscheduler_jobs ORDER BY id"))
        return {name: pickle.loads(state) for name, state in rows}


def test_sources_with_a_location_are_scheduled() -> None:
    settings = Settings(sources={"urlhaus": FEED, "scart_drop": DROP, "scart": Source("scart")})
    assert scheduled(settings) == [DROP, FEED]


def test_one_job_a_source_survives_restarts(database: Database) -> None:
    assert next_runs(database.engine, ["urlhaus"]) == {}
    _arranged(database, [FEED, DROP], NOW)
    states = _states(database)
    assert set(states) == {"urlhaus", "scart_drop"}
    assert states["urlhaus"]["args"] == ("urlhaus",)
    assert states["urlhaus"]["kwargs"] == {}
    assert "feed.example" not in str(states)
    assert (states["urlhaus"]["coalesce"], states["urlhaus"]["max_instances"]) == (True, 1)
    assert states["urlhaus"]["trigger"].interval == timedelta(minutes=30)

    later = NOW + timedelta(minutes=7)
    _arranged(database, [FEED, replace(DROP, cadence_minutes=120)], later)
    due = next_runs(database.engine, ["urlhaus", "scart_drop"])
    assert due == {"urlhaus": NOW, "scart_drop": later}  # only the job whose cadence changed was laid anew

    _arranged(database, [FEED], later)
    assert set(_states(database)) == {"urlhaus"}


def test_schedule_goes_on_after_a_failure_of_the_database(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    called: list[str] = []
    moved = threading.Event()
    update = SQLAlchemyJobStore.update_job

    def fail_once(store: SQLAlchemyJobStore, job: object) -> None:
        if "could not be kept" not in caplog.text:
            raise OperationalError("update", {}, Exception("database is locked"))
        update(store, job)
        moved.set()

    monkeypatch.setattr(SQLAlchemyJobStore, "update_job", fail_once)
    monkeypatch.setattr(process, "collect", called.append)
    scheduler = build(connect(database.url))
    scheduler.jobstore_retry_interval = 0.05
    scheduler.start(paused=True)
    arrange(scheduler, [FEED], datetime.now(UTC))
    scheduler.resume()
    assert moved.wait(10)
    halt(scheduler)
    scheduler.shutdown()
    assert called
    assert set(called) == {"urlhaus"}
    assert next_runs(database.engine, ["urlhaus"])["urlhaus"] > datetime.now(UTC)


def test_run_over_its_time_is_killed_and_reported(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    installation = Installation(tmp_path / "home", database.url)
    installation.configure("urlhaus", location="http://127.0.0.1:9/feed", timeout_minutes=0.002)
    for name, value in installation.environment.items():
        monkeypatch.setenv(name, value)
    with caplog.at_level(logging.INFO):
        process.collect("urlhaus")
    reason = "took longer than 0.002 minutes and was killed"
    assert installation.rows("SELECT verdict, reason FROM collector_runs") == [("failed", reason)]
    assert f"of urlhaus: failed: {reason}" in caplog.text
    assert process.RUNNING.processes == set()


def test_all_that_a_run_started_is_killed_with_it(tmp_path: Path) -> None:
    noted = tmp_path / "pid"
    child = f"import os, time; open({str(noted)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    started = Running().start([sys.executable, "-c", parent])
    assert started is not None
    while not noted.exists() or not noted.read_text("utf-8"):
        time.sleep(0.02)
    assert await_end(started, 0.01) is None
    assert started.returncode == -signal.SIGKILL
    assert _gone(int(noted.read_text("utf-8")))


def test_stopping_ends_what_runs_and_starts_nothing_more() -> None:
    running = Running()
    started = running.start([sys.executable, "-c", "import time; time.sleep(60)"])
    assert started is not None
    running.stop()
    assert started.returncode == -signal.SIGTERM
    assert running.start([sys.executable, "-c", "pass"]) is None


def _gone(pid: int) -> bool:
    """Whether a process ended; one that nobody waits for yet counts as ended."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False
