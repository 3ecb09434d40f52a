"""`monitor ingest` broken off in many ways and started again: the facts are those of an undisturbed run."""

from __future__ import annotations

import gzip
import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import URL, text
from sqlalchemy.engine import make_url

from monitor.db import connect
from monitor.vault import Vault, create_keys
from tests.conftest import NewDatabase
from tests.faults.broken import NO_FAULT, Ended, Fault, Run, start
from tests.faults.facts import facts
from tests.samples import NTD_HEADER, Ntd

Facts = dict[str, list[str]]
KILLS = 12
_NUMBERS = count()


@dataclass(frozen=True)
class Installation:
    """Keys, deliveries and a way to a database that holds the first of them and nothing else."""

    folder: Path
    first: Path
    second: Path
    prepared: str
    vault: Vault

    def database(self) -> str:
        """A new copy of the prepared database."""
        url = make_url(self.prepared)
        name = f"copy_{os.getpid()}_{next(_NUMBERS)}"
        if url.get_backend_name() == "sqlite":
            path = self.folder / f"{name}.db"
            shutil.copy(str(url.database), path)
            return f"sqlite:///{path}"
        _administer(url, f"CREATE DATABASE {name} TEMPLATE {url.database}")
        return url.set(database=name).render_as_string(hide_password=False)

    def start(self, database: str, path: Path, fault: Fault = NO_FAULT) -> Run:
        """Start to ingest a file."""
        environment = {"MONITOR_HOME": str(self.folder), "MONITOR_DATABASE_URL": database}
        arguments = ("ingest", "scart-ntd", str(path), "--zone", "UTC", "--received-at", "2026-04-11T09:00:00Z")
        return start(self.folder / f"run-{next(_NUMBERS)}", environment, fault, *arguments)

    def ingest(self, database: str, fault: Fault = NO_FAULT) -> Ended:
        """Ingest the second file, to the end; whatever happens, no URL is said and no stack trace shown."""
        ended = self.start(database, self.second, fault).ended()
        assert "s00" not in ended.said
        assert "Traceback" not in ended.said
        assert "Please report" not in ended.said
        return ended

    def facts(self, database: str) -> Facts:
        """What a database holds."""
        return facts(database, self.vault)


def _administer(url: URL, *statements: str) -> None:
    admin = connect(url.set(database="postgres").render_as_string(hide_password=False))
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.execute(text(statement))
    admin.dispose()


@dataclass(frozen=True)
class Undisturbed:
    """What there is before and after a run in which nothing breaks, and how many points it passes."""

    before: Facts
    after: Facts
    points: int


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, new_database: NewDatabase) -> Installation:
    folder = tmp_path_factory.mktemp("faults")
    create_keys(folder / "keys.json")
    first, second = (_write(folder / f"{file}.csv", file) for file in (0, 1))
    prepared = new_database()
    if not prepared.startswith("sqlite"):  # the server itself survives all of this: it need not wait for the disk
        _administer(make_url(prepared), "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    made = Installation(folder, first, second, prepared, Vault(folder / "keys.json"))
    assert made.start(prepared, first).ended().status == 0
    return made


@pytest.fixture(scope="module")
def undisturbed(installation: Installation) -> Undisturbed:
    database = installation.database()
    before = installation.facts(database)
    ended = installation.ingest(database)
    assert ended.status == 0, ended.said
    after = installation.facts(database)
    assert len(after["deliveries"]) == 2
    for table in ("sites", "contents", "notices", "sightings", "attributions", "companies", "quarantined"):
        assert len(before[table]) < len(after[table]), f"the second file tells nothing new of {table}"
    return Undisturbed(before, after, ended.points)


def _write(path: Path, file: int) -> Path:
    """200 rows; of the second file's, 80 are about items of the first, half of them say what is known already."""
    lines = [_row(file, n) for n in range(file * 120, file * 120 + 200)]
    path.write_text("\n".join([NTD_HEADER, *lines, ""]), "utf-8")
    return path


def _row(file: int, n: int) -> str:
    url = f"https://img.s{n // 5:04}.example/{n}.jpg" if n % 50 else "nonsense"
    again = file * (n % 2)
    owner = f"Company {n // 20}" if n % 3 else ""
    time = f"2026-04-{9 + again:02} 12:{17 * again:02}:00"
    row = Ntd(url, time, owner, time.replace(" 12", " 11"), ip=f"192.0.2.{n % 250}")
    return row.line().replace('"M1"', f'"M{n}{again}"', 1)


def test_killed_anywhere_it_leaves_all_or_nothing_and_the_next_run_completes(
    installation: Installation, undisturbed: Undisturbed
) -> None:
    whole = 0
    for kill in range(KILLS):
        database = installation.database()
        point = 1 + (undisturbed.points - 1) * kill // (KILLS - 1)
        assert installation.ingest(database, Fault("kill", point)).status == -9
        left = installation.facts(database)
        assert left in (undisturbed.before, undisturbed.after), f"killed at point {point}"
        whole += left == undisturbed.after
        assert installation.ingest(database).status == 0
        assert installation.facts(database) == undisturbed.after, f"killed at point {point}"
    assert whole == 1, "only the last point, after the commit, finds it done"


def test_a_disk_that_fills_up(installation: Installation, undisturbed: Undisturbed) -> None:
    for fault in _full(installation, undisturbed.points):
        database = installation.database()
        ended = installation.ingest(database, fault)
        assert (ended.status, "the database failed" in ended.said) == (1, True), ended.said
        assert installation.facts(database) == undisturbed.before
        assert installation.ingest(database).status == 0
        assert installation.facts(database) == undisturbed.after


def _full(installation: Installation, points: int) -> list[Fault]:
    """SQLite: no more pages, no larger file, both of them real. PostgreSQL: its error, at a third and two thirds."""
    if installation.prepared.startswith("sqlite"):
        return [Fault("full", limit=2), Fault("full", limit=12), Fault("file size", limit=48 * 1024)]
    return [Fault("disk full", points // 3), Fault("disk full", 2 * points // 3)]


def test_a_database_that_goes_away(installation: Installation, undisturbed: Undisturbed) -> None:
    if installation.prepared.startswith("sqlite"):
        pytest.skip("SQLite is no server: see the locked database")
    """A connection that ends between transactions is made anew; one that ends within one undoes all of it."""
    failed = 0
    for point in range(10, undisturbed.points, undisturbed.points // 4):
        database = installation.database()
        ended = installation.ingest(database, Fault("terminate", point))
        assert (ended.status, "the database failed" in ended.said) in ((0, False), (1, True)), ended.said
        assert installation.facts(database) == (undisturbed.before if ended.status else undisturbed.after)
        failed += ended.status
        assert installation.ingest(database).status == 0
        assert installation.facts(database) == undisturbed.after
    assert failed >= 3


def test_a_database_that_somebody_else_has_locked(installation: Installation, undisturbed: Undisturbed) -> None:
    database = installation.database()
    release = _lock(database)
    try:
        ended = installation.ingest(database, Fault("impatient"))
    finally:
        release()
    assert (ended.status, "the database failed" in ended.said) == (1, True), ended.said
    assert installation.facts(database) == undisturbed.before
    assert installation.ingest(database).status == 0
    assert installation.facts(database) == undisturbed.after


def _lock(database: str) -> Callable[[], None]:
    """Take the lock that writers take; what is returned gives it back."""
    if database.startswith("sqlite"):
        connection = sqlite3.connect(database.removeprefix("sqlite:///"), isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        return connection.close
    engine = connect(database)
    session = engine.connect()
    session.execute(text("SELECT pg_advisory_lock(:key)"), {"key": 0x6D6F6E69746F72})

    def release() -> None:
        session.close()
        engine.dispose()

    return release


def test_two_processes_bring_the_same_file_at_the_same_moment(
    installation: Installation, undisturbed: Undisturbed
) -> None:
    for _ in range(3):
        database = installation.database()
        both = [installation.start(database, installation.second) for _ in range(2)]
        ended = [run.ended() for run in both]
        assert [run.status for run in ended] == [0, 0], [run.said for run in ended]
        assert sum("already_taken_in" in run.said for run in ended) == 1
        assert installation.facts(database) == undisturbed.after


def test_a_file_that_is_cut_off(installation: Installation, undisturbed: Undisturbed) -> None:
    database = installation.database()
    packed = gzip.compress(installation.second.read_bytes())
    path = installation.folder / "cut.csv.gz"
    for length in (5, len(packed) // 2, len(packed) - 4):
        path.write_bytes(packed[:length])
        ended = installation.start(database, path).ended()
        assert (ended.status, "cut off" in ended.said) == (1, True), ended.said
        assert installation.facts(database) == undisturbed.before
    assert installation.ingest(database).status == 0
    assert installation.facts(database) == undisturbed.after
