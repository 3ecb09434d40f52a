"""`monitor` run in a process of its own in which something breaks: test code only, nothing of it is in the product."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from monitor import cli, db
from monitor.ingest import delivery
from monitor.instants import parse_instant

NOW = parse_instant("2026-04-12T00:00:00Z")
_FORKED = get_context("forkserver")  # a server that has imported everything starts a run in milliseconds
_FORKED.set_forkserver_preload(  # none of it starts Twisted's reactor, which each run needs to itself
    ["tests.faults.broken", "spiders.command", "monitor.cli.deliveries", "scrapy.core.downloader.handlers.http11"]
)
_full: list[bool] = []


@dataclass(frozen=True)
class Fault:
    """What breaks, and at which of the run's points (0: at none); `limit` is what the fault allows, where it does.

    A point stands before each statement, COPY and commit, and after each commit.
    """

    kind: str = "none"
    at: int = 0
    limit: int = 0


NO_FAULT = Fault()


@dataclass(frozen=True)
class Ended:
    """How a run ended (negative: by which signal), what it said, and how many points it passed."""

    status: int
    said: str
    points: int


@dataclass(frozen=True)
class Run:
    """A run that goes on."""

    process: BaseProcess
    folder: Path

    def ended(self) -> Ended:
        """Wait for its end."""
        self.process.join(60)
        assert self.process.exitcode is not None, "the run hangs"
        passed = self.folder / "points"
        points = int(passed.read_text()) if passed.exists() else 0
        return Ended(self.process.exitcode, (self.folder / "said").read_text(), points)


def start(folder: Path, environment: Mapping[str, str], fault: Fault, *arguments: str) -> Run:
    """Start `monitor` with these arguments; what it says and how far it came is kept in the folder."""
    folder.mkdir()
    process = _FORKED.Process(target=_run, args=(folder, dict(environment), fault, arguments), daemon=True)
    process.start()
    return Run(process, folder)


def _run(folder: Path, environment: dict[str, str], fault: Fault, arguments: tuple[str, ...]) -> None:
    os.environ.update(environment)
    said = os.open(folder / "said", os.O_WRONLY | os.O_CREAT)
    os.dup2(said, 1)
    os.dup2(said, 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
    _break(fault, folder)
    sys.argv = ["monitor", *arguments]
    cli.main()


def _break(fault: Fault, folder: Path) -> None:
    vars(time)["time"] = lambda: float(NOW)  # two runs at different times say the same
    delivery._BATCH = delivery._BATCH_BY_COLUMNS = 40  # many batches in a small file
    numbers = count(1)
    act = _ACTS[fault.kind]

    def pass_point(connection: Any = None) -> None:
        number = next(numbers)
        (folder / "points").write_text(str(number))
        if number == fault.at:
            act(connection)

    _before_each_step(pass_point)
    if fault.kind == "full":
        event.listen(Engine, "connect", partial(_limit_pages, fault.limit))
    if fault.kind == "file size":
        _limit_files(fault.limit)
    if fault.kind == "impatient":
        event.listen(Engine, "engine_connect", _lose_patience)


def _before_each_step(pass_point: Callable[..., None]) -> None:
    @event.listens_for(Engine, "before_cursor_execute")
    def statement(connection: Any, *_: Any) -> None:
        pass_point(connection)

    @event.listens_for(Engine, "commit")
    def commit(connection: Any) -> None:
        pass_point(connection)

    @event.listens_for(Session, "after_commit")
    def committed(_session: Any) -> None:
        pass_point()

    cursor = db._cursor

    @contextmanager
    def counted(session: Session) -> Any:
        pass_point(session.connection())
        with cursor(session) as own:
            if _full:
                raise psycopg.errors.DiskFull("could not extend file: no space left on device")
            yield own

    db._cursor = counted


def _kill(_connection: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _terminate(connection: Any) -> None:
    """The server ends the connection, as when it is shut down."""
    if connection is not None:
        own = connection.connection.driver_connection
        with psycopg.connect(own.info.dsn) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [own.info.backend_pid])


def _disk_full(_connection: Any) -> None:
    """From here on PostgreSQL answers a COPY as it does when its disk is full (no disk is filled for this)."""
    _full.append(True)


def _limit_pages(limit: int, connection: Any, _record: Any) -> None:
    [pages] = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={pages + limit}").close()


def _limit_files(limit: int) -> None:
    """No file may grow beyond so many bytes: what the operating system says then is what it says of a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


def _lose_patience(connection: Any) -> None:
    if connection.dialect.name == "sqlite":
        connection.connection.driver_connection.execute("PRAGMA busy_timeout=50")
    else:
        connection.exec_driver_sql("SET lock_timeout = 50")


def _go_on(_connection: Any) -> None:
    """Nothing breaks at a point."""


_ACTS: Mapping[str, Callable[[Any], None]] = {
    "none": _go_on,
    "kill": _kill,
    "terminate": _terminate,
    "disk full": _disk_full,
    "full": _go_on,
    "file size": _go_on,
    "impatient": _go_on,
}
