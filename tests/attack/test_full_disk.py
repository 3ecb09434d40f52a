"""A disk without room, wherever it is: one line that names it and says what to do, and nothing half done."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from monitor.db import connect, transaction
from monitor.disk import DiskFullError, full_disk, writing
from monitor.migrate import upgrade
from monitor.vault import create_keys
from tests.samples import NTD_HEADER, Ntd
from tests.spiders.installation import Installation, closed
from tests.spiders.server import Site

ROWS = 40_000


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    """A disk of that size of its own; the test is skipped, visibly, where none can be made."""
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", place], check=False)
    if made.returncode:
        pytest.skip("only root can make a small disk (mount -t tmpfs)")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def prepared(home: Path) -> Path:
    """An installation with items in it, so that what is written next has pages to change."""
    home.mkdir(exist_ok=True)
    create_keys(home / "keys.json")
    engine = connect(f"sqlite:///{home / 'monitor.db'}")
    upgrade(engine)
    engine.dispose()
    return home


def export(path: Path, first: int, rows: int = ROWS) -> Path:
    """A delivery of so many notices."""
    lines = [Ntd(f"https://s{n % 997}.example/{n}", "2026-04-10 12:00:00").line() for n in range(first, first + rows)]
    path.write_text("\n".join([NTD_HEADER, *lines, ""]), "utf-8")
    return path


def ingest(home: Path, file: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Ingest a file."""
    command = [sys.executable, "-W", "ignore", "-m", "monitor", "ingest", "scart-ntd", str(file), "--zone", "UTC"]
    command += ["--received-at", "2026-04-11T09:00:00Z"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MONITOR_", "SQLITE_"))}
    named = kept | {"MONITOR_HOME": str(home)} | environment
    return subprocess.run(command, env=named, capture_output=True, text=True, check=False)


def counts(home: Path) -> list[int]:
    """How many deliveries, contents and notices there are."""
    with closing(sqlite3.connect(home / "monitor.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        names = ("deliveries", "contents", "notices")
        return [connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names]


def is_one_line(said: str) -> bool:
    """Whether it is one message, with no trace of the code and no address of the delivery."""
    lines = [line for line in said.splitlines() if line]
    return len(lines) == 1 and "Traceback" not in said and ".example" not in said


def test_no_room_for_temporary_files(tmp_path: Path) -> None:
    """SQLite keeps what a savepoint may need again in a temporary file, and undoes all where that has no room."""
    home = prepared(tmp_path / "home")
    assert ingest(home, export(tmp_path / "first.csv", 0)).returncode == 0
    before = counts(home)
    with small_disk(tmp_path / "temporary", "256k") as small:
        done = ingest(home, export(tmp_path / "second.csv", ROWS // 2), SQLITE_TMPDIR=str(small))
        assert (done.returncode, is_one_line(done.stderr)) == (1, True), done.stderr
        assert "no such savepoint" not in done.stderr
        assert done.stderr.startswith(
            f"monitor: the database failed (the disk of the database ({home / 'monitor.db'}, "
        )
        assert f"that of temporary files ({small}, " in done.stderr
        assert done.stderr.endswith("nothing of this step was kept: make room and run this again\n")
    assert counts(home) == before
    assert ingest(home, tmp_path / "second.csv").returncode == 0
    assert counts(home) == [2, ROWS * 3 // 2, ROWS * 3 // 2]


def test_no_room_for_the_database(tmp_path: Path) -> None:
    file = export(tmp_path / "first.csv", 0)
    with small_disk(tmp_path / "disk", "4m") as small:
        home = prepared(small / "home")
        done = ingest(home, file)
        assert (done.returncode, is_one_line(done.stderr)) == (1, True), done.stderr
        assert f"the disk of the database ({home / 'monitor.db'}, " in done.stderr
        assert "make room and run this again" in done.stderr
        assert counts(home) == [0, 0, 0]


def test_no_room_where_a_delivery_is_put_while_it_is_taken_in(
    tmp_path: Path, site: Site, installation: Installation
) -> None:
    site.put("/feed", "# " + "x" * 300_000)
    installation.configure("urlhaus", location=f"{site.address}/feed", minimum_rows=1)
    with small_disk(installation.home / "incoming", "128k") as small:
        done = installation.collect("urlhaus")
        assert done.status == 1
        assert f"the feed: could not be written to disk (the disk is full ({small}" in done.err
        assert "make room and run this again" in done.err
        assert list(small.iterdir()) == []
    assert installation.deliveries() == []
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "ntdclosed.csv").write_text(closed(*map(str, range(3000))), "utf-8")
    os.utime(drop / "ntdclosed.csv", (1, 1))
    installation.configure("scart_drop", location=str(drop), zone="UTC")
    (installation.home / "incoming").rmdir()
    with small_disk(installation.home / "incoming", "64k"):
        done = installation.collect("scart_drop")
        assert done.status == 1
        assert ": could not be copied (the disk is full (" in done.err


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_an_error_while_undoing_never_hides_what_made_it_necessary(tmp_path: Path, depth: int) -> None:
    """OR ROLLBACK has SQLite undo all of a transaction by itself, as it does where a disk is full."""
    engine = connect(f"sqlite:///{tmp_path / 'a.db'}")
    with transaction(engine) as session:
        session.execute(text("CREATE TABLE t (n UNIQUE)"))

    def undone(session: Session) -> None:
        session.execute(text("INSERT INTO t VALUES (1)"))
        for _ in range(depth):
            session.begin_nested()
        session.execute(text("INSERT OR ROLLBACK INTO t VALUES (1)"))

    with pytest.raises(IntegrityError, match="UNIQUE constraint failed"), transaction(engine) as session:
        undone(session)
    with transaction(engine) as session:  # what goes wrong for another reason is still taken back to where it began
        session.execute(text("INSERT INTO t VALUES (1)"))
        savepoint = session.begin_nested()
        session.execute(text("INSERT INTO t VALUES (2)"))
        savepoint.rollback()
    with transaction(engine) as session:
        assert session.scalars(text("SELECT n FROM t")).all() == [1]
    engine.dispose()


def test_which_disk_it_is(tmp_path: Path) -> None:
    said = f"the disk is full \\({tmp_path}, [0-9.,]+ MB free now\\): make room"
    with pytest.raises(DiskFullError, match=said), writing(tmp_path / "not" / "yet"):
        raise OSError(28, "No space left on device")
    with pytest.raises(PermissionError), writing(tmp_path):
        raise PermissionError(13, "Permission denied")
    error = ValueError("what came of it")
    error.__cause__ = psycopg.errors.DiskFull("could not extend file: no space left on device")
    assert full_disk(error, None) == "the disk of the database server is full"
    assert full_disk(ValueError("something else"), None) is None
