"""One run of a collector: its time limit, its children, its end; and what one round makes of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import select

from monitor.db import transaction
from monitor.instants import to_instant
from monitor.models.run import Alert, CollectorRun, ScheduledSource
from monitor.schedule.leader import Rounds
from monitor.schedule.leadership import connect_with_short_timeout
from monitor.schedule.plan import Timing, arrange
from monitor.schedule.runs import Runs
from monitor.settings import Alerts, Settings
from tests.conftest import Database
from tests.schedule.instance import wait_until

NOW = 1_777_636_800
QUICK = Timing("urlhaus", cadence=3600, jitter=0, limit=60, retry=300)


def python(code: str) -> Callable[[str, str, int], Sequence[str]]:
    """A collector that is a line of Python."""
    return lambda source, run, term: [sys.executable, "-c", code]


def test_run_past_its_limit_is_killed_with_all_it_started(tmp_path: Path) -> None:
    noted = tmp_path / "pid"
    child = f"import os, time; open({str(noted)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    runs = Runs(1, python(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"))
    run = runs.start(QUICK, NOW)
    wait_until(lambda: noted.exists() and noted.read_text("utf-8") != "", "the child is there")
    assert runs.over() == []
    run.deadline = time.monotonic()
    assert runs.over() == [run]
    assert run.broken == "took longer than 1 minutes and was killed"
    wait_until(lambda: _gone(int(noted.read_text("utf-8"))), "the child is gone")


def test_stopping_ends_even_who_does_not_listen() -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    runs = Runs(1, python(deaf))
    run = runs.start(QUICK, NOW)
    runs.stop(grace=0.5)
    assert run.process.returncode is not None


def test_rounds_write_down_retry_and_alert(database: Database, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=database.url, alerts=Alerts(failures=2))
    rounds = Rounds(settings, connect_with_short_timeout(database.url), Runs(7, python("raise SystemExit(9)")))
    with transaction(database.engine) as session:
        arrange(session, [QUICK], NOW)
    dues = []
    for now in (NOW, NOW + 300, NOW + 900):
        rounds.go(now)
        assert set(rounds.runs.going) == {"urlhaus"}
        wait_until(lambda: rounds.runs.over() != [], "the run ends")
        rounds.go(now)
        dues.append(_row(database).next_run_at.timestamp() - now)
    assert dues == [300, 600, 1200]
    with transaction(database.engine) as session:
        found = session.scalars(select(CollectorRun)).all()
        assert {(run.verdict, run.reason, run.term) for run in found} == {
            ("failed", "its process ended with status 9", 7)
        }
        assert len({run.run for run in found}) == 3
        (alert,) = session.scalars(select(Alert))
        assert (alert.kind, alert.subject, alert.details["failures"]) == ("source_failing", "urlhaus", 2)
    rounds.engine.dispose()


def test_stopped_run_is_no_failure_and_due_again(database: Database, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=database.url)
    rounds = Rounds(settings, connect_with_short_timeout(database.url), Runs(1, python("import time; time.sleep(60)")))
    with transaction(database.engine) as session:
        arrange(session, [QUICK], NOW)
    rounds.go(NOW)
    rounds.stop()
    with transaction(database.engine) as session:
        (run,) = session.scalars(select(CollectorRun))
        assert (run.verdict, run.reason) == ("stopped", "stopped with the schedule")
        assert to_instant(_row(database).next_run_at) == to_instant(run.finished_at)
        assert _row(database).failures == 0
    rounds.engine.dispose()


def _row(database: Database) -> ScheduledSource:
    with transaction(database.engine) as session:
        row = session.get_one(ScheduledSource, "urlhaus")
        session.expunge(row)
    return row


def _gone(pid: int) -> bool:
    """Whether a process ended; one that nobody waits for yet counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
