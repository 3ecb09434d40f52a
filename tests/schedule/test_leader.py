"""One leader at a time, in real processes: the second waits, takes over, and the first can no longer write."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from monitor.db import transaction
from monitor.instants import to_datetime
from monitor.schedule import leader
from monitor.schedule.leadership import Superseded, connect_with_short_timeout, fence, look, take
from monitor.schedule.plan import Timing
from monitor.schedule.runs import described_timings
from monitor.settings import Settings
from tests.conftest import Database
from tests.schedule.instance import PATIENCE, Instance, configure, wait_until
from tests.spiders.installation import Installation, closed, feed, ntd

RUNS = "SELECT verdict, term FROM collector_runs ORDER BY id"


@pytest.fixture
def installation(database: Database, tmp_path: Path) -> Installation:
    """An installation on each database."""
    return Installation(tmp_path / "home", database.url)


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    """A folder that a hotline delivers to."""
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


@contextmanager
def instances(installation: Installation, folder: Path, *names: str) -> Iterator[list[Instance]]:
    """Schedulers, none of which outlives the test."""
    started: list[Instance] = []
    try:
        for name in names:
            started.append(Instance(installation, folder / f"{name}.log"))
            started[-1].wait_for("leading" if len(started) == 1 else "waiting")
        yield started
    finally:
        for instance in started:
            instance.send(signal.SIGKILL)
            instance.process.wait(PATIENCE)


def deliver(drop: Path, name: str, text: str) -> None:
    """Lay down a file that has rested."""
    (drop / name).write_text(text, "utf-8")
    os.utime(drop / name, (time.time() - 3600,) * 2)


def test_second_waits_and_takes_over_from_the_dead(installation: Installation, drop: Path, tmp_path: Path) -> None:
    configure(installation, "scart_drop", location=str(drop), zone="UTC", cadence_minutes=90)
    with instances(installation, tmp_path, "first", "second") as (first, second):
        first.wait_for("run_ended")
        assert first.end(signal.SIGKILL) == -signal.SIGKILL
        second.wait_for("leading")
        assert second.end() == 0
    assert installation.rows(RUNS) == [("unchanged", 1)]  # nothing was due twice
    assert installation.rows("SELECT kind, subject FROM alerts ORDER BY kind") == [
        ("leader_changed", "term 2"),
        ("schedule_stopped", "term 1"),
    ]
    assert installation.rows("SELECT term, holder FROM leadership") == [(2, None)]


def test_paused_leader_writes_nothing_when_it_wakes(installation: Installation, drop: Path, tmp_path: Path) -> None:
    configure(installation, "scart_drop", location=str(drop), zone="UTC", cadence_minutes=90)
    with instances(installation, tmp_path, "first", "second") as (first, second):
        first.wait_for("run_ended")
        _pause_between_writes(first, installation)
        second.wait_for("leading")
        _pause_between_writes(second, installation)  # whatever is written now is written by the first
        before = _everything(installation)
        first.send(signal.SIGCONT)
        first.wait_for("superseded")
        assert _everything(installation) == before
        second.send(signal.SIGCONT)
        assert first.end() == 0
        assert second.end() == 0


def _pause_between_writes(instance: Instance, installation: Installation) -> None:
    """Pause a process that holds no lock in the database."""
    engine = connect_with_short_timeout(installation.url)
    while True:
        instance.send(signal.SIGSTOP)
        with suppress(OperationalError), engine.begin() as connection:
            connection.execute(text("UPDATE leadership SET id = id"))
            break
        instance.send(signal.SIGCONT)
        time.sleep(0.05)
    engine.dispose()


def _everything(installation: Installation) -> list[Any]:
    tables = ("deliveries", "collector_runs", "leadership", "scheduled_sources", "alerts")
    return [installation.rows(f"SELECT * FROM {table}") for table in tables]


def test_run_of_an_old_term_keeps_nothing(installation: Installation, drop: Path) -> None:
    deliver(drop, "20200501T100000Z-ntd.csv", ntd("a"))
    deliver(drop, "20200502T100000Z-ntdclosed.csv", closed("a"))
    configure(installation, "scart_drop", location=str(drop), zone="UTC", minimum_rows=0)
    arguments = ("collect", "scart_drop", "--json", "--settle", "0", "--run", "abc", "--term")
    ended = installation.run(*arguments, "1")  # nobody has begun it: the present term is 0
    assert (ended.status, ended.answer["verdict"], ended.answer["deliveries"]) == (1, "superseded", [])
    assert installation.deliveries() == []
    assert installation.rows(RUNS) == []
    ended = installation.run(*arguments, "0")
    assert (ended.status, ended.answer["verdict"]) == (0, "ok"), ended.err
    assert installation.rows(RUNS) == [("ok", 0)]
    installation.assert_silent()


def test_run_whose_term_ends_under_way_keeps_nothing(installation: Installation, database: Database) -> None:
    with _slow_feed() as (address, asked, answer):
        configure(installation, "urlhaus", location=address, minimum_rows=1)
        command = [sys.executable, "-m", "monitor", "collect", "urlhaus", "--json", "--run", "abc", "--term", "0"]
        running = subprocess.Popen(command, env=installation.environment, stdout=subprocess.PIPE, text=True)
        assert asked.wait(PATIENCE)
        assert take(database.engine, 0, "the next leader", to_datetime(0)) == 1
        answer.set()
        said, _ = running.communicate(timeout=PATIENCE)
    assert (running.returncode, json.loads(said)["verdict"]) == (1, "superseded")
    assert installation.deliveries() == []
    assert installation.rows("SELECT count(*) FROM contents") == [(0,)]
    assert installation.rows(RUNS) == []


@contextmanager
def _slow_feed() -> Iterator[tuple[str, Event, Event]]:
    """A feed that answers when it is told to."""
    asked, answer, body = Event(), Event(), feed(3).encode()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                asked.set()
                answer.wait(PATIENCE)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/feed", asked, answer
        thread.join(PATIENCE)


def test_fenced_transaction_is_kept_while_its_term_lasts_and_not_after(database: Database) -> None:
    fenced = fence(connect_with_short_timeout(database.url), 0)

    def write(source: str) -> None:
        with transaction(fenced) as session:
            session.execute(text(f"INSERT INTO scheduled_sources VALUES ('{source}', 1, 1, 1, 1, 0, 0, 0)"))
            if source == "under way" and database.engine.dialect.name == "postgresql":
                assert take(database.engine, 0, "another", to_datetime(0)) == 1
            if source == "under way" and database.engine.dialect.name == "sqlite":  # which lets one write at a time
                impatient = connect_with_short_timeout(database.url)
                with pytest.raises(OperationalError, match="locked"):
                    take(impatient, 0, "another", to_datetime(0))
                impatient.dispose()

    write("before")
    if database.engine.dialect.name == "postgresql":
        with pytest.raises(Superseded):
            write("under way")
    else:
        write("under way")
        assert take(database.engine, 0, "another", to_datetime(0)) == 1
    with pytest.raises(Superseded, match="term 1 has begun"):
        write("after")
    fenced.dispose()
    with transaction(database.engine) as session:
        kept = session.scalars(text("SELECT source FROM scheduled_sources ORDER BY source")).all()
    assert kept == (["before"] if database.engine.dialect.name == "postgresql" else ["before", "under way"])


def test_leader_paused_within_a_transaction_loses_the_term_to_the_next(database: Database) -> None:
    if database.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one write lock, and only the process that holds it can free it")
    paused, next_one = fence(connect_with_short_timeout(database.url), 0, 0.5), database.engine
    with paused.connect() as connection:
        connection.execute(text("UPDATE leadership SET beat = 7 WHERE term = 0"))
        assert take(next_one, 0, "the next", to_datetime(0)) == 1  # it waits until the server has ended the other
        with pytest.raises(DBAPIError):
            connection.commit()
        connection.invalidate()
    paused.dispose()
    assert look(next_one).beat == "0"


def test_stopping_ends_what_runs_in_time_and_makes_it_due(installation: Installation, tmp_path: Path) -> None:
    with _silent_server() as address:
        configure(installation, "urlhaus", location=address, cadence_minutes=60)
        with instances(installation, tmp_path, "first") as (first,):
            first.wait_for("run_started")
            wait_until(lambda: "Spider opened" in first.said, "the run is under way")
            began = time.monotonic()
            assert first.end() == 0
            assert time.monotonic() - began < PATIENCE
    assert [row[0] for row in installation.rows(RUNS)] == ["stopped"]
    assert installation.rows("SELECT failures FROM scheduled_sources") == [(0,)]
    ((due, ended),) = installation.rows(
        "SELECT s.next_run_at, r.finished_at FROM scheduled_sources s, collector_runs r"
    )
    assert due - ended < 60


@contextmanager
def _silent_server() -> Iterator[str]:
    """Takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/feed"


def test_leader_whose_term_is_taken_stands_down_and_leads_again(database: Database, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=database.url, sources={}, lease_seconds=0.5)
    stop = Event()
    thread = threading.Thread(target=leader.serve, args=(settings, [], stop))
    thread.start()
    wait_until(lambda: look(database.engine).term == 1)
    assert take(database.engine, 1, "another", to_datetime(0)) == 2  # and is never heard of again
    wait_until(lambda: look(database.engine).term == 3)
    stop.set()
    thread.join(PATIENCE)
    assert not look(database.engine).held


def test_leadership_goes_to_one_of_many(database: Database) -> None:
    won: list[int | None] = []

    def try_it(engine: Engine) -> None:
        won.append(take(engine, 0, "me", to_datetime(0)))

    threads = [threading.Thread(target=try_it, args=(database.engine,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(won, key=str) == [1] + [None] * 7


def test_timing_is_what_spider_and_operator_say(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(installation, "ris", location="https://feed.example/table", cadence_minutes=60, timeout_minutes=2)
    for name, value in installation.environment.items():
        monkeypatch.setenv(name, value)
    # 60 minutes is also what a source has unless it says
    assert described_timings() == [Timing("ris", 3600, 60, 120, 300)]


def test_who_begins_a_term_after_silence_has_raised_the_alerts_with_it(database: Database, tmp_path: Path) -> None:
    """Before any round: a leader that is stopped right then must not leave the operator uninformed."""
    settings = Settings(home=tmp_path, database_url=database.url, lease_seconds=0.2)
    assert take(database.engine, 0, "another", to_datetime(0)) == 1  # and is never heard of again
    assert leader._wait(settings, database.engine, Event()) == 2
    with database.engine.connect() as connection:
        raised = connection.execute(text("SELECT kind, subject FROM alerts ORDER BY kind")).all()
    assert [tuple(row) for row in raised] == [("leader_changed", "term 2"), ("schedule_stopped", "term 1")]
