"""Nobody waits for a parser: whatever reads a delivery holds no writer lock, and a slow one is given up."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from monitor.db import _WRITER_LOCK, lock_writers, transaction
from monitor.errors import DeliveryError
from monitor.formats import catalogue
from monitor.ingest import reader, reader_process
from monitor.ingest.delivery import DeliveryFile, ingest, read_ahead
from monitor.ingest.reader import ReadAhead, Stage
from monitor.ingest.reader_process import WaitBudget
from monitor.ingest.result import IngestResult
from monitor.ingest.review import PendingFile, ReviewDecision, accept, read_pending_ahead
from monitor.instants import DAY, parse_instant
from monitor.settings import Source
from monitor.vault import Vault
from monitor.vocabulary import Verdict
from tests.conftest import Database
from tests.ingest.test_reader_process import readers
from tests.samples import SCART, Closed, Ntd, delivery_file

NOW = parse_instant("2026-04-11T00:00:00Z")
SENT = "2026-04-10 12:00:00"
_OPEN = Path("/proc/self/fd")


def is_free(engine: Engine) -> bool:
    """Whether another could take the writer lock at once."""
    if engine.dialect.name == "sqlite":
        with sqlite3.connect(str(engine.url.database), timeout=0, isolation_level=None) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            other.execute("ROLLBACK")
            return True
    with engine.connect() as connection:
        return bool(connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _WRITER_LOCK}))


@dataclass
class Writer:
    """Ingests deliveries as the command does, and counts how often it had to begin."""

    database: Database
    vault: Vault
    attempts: int = 0
    progress: Callable[[int], None] = lambda _rows: None
    outcomes: list[Any] = field(default_factory=list)

    def take(
        self, what: DeliveryFile, new_budget: Callable[[], WaitBudget] = WaitBudget, at: int = NOW
    ) -> IngestResult:
        with read_ahead(self.database.engine, self.vault, what) as ahead:
            ahead.new_budget = new_budget
            return ahead.store(lambda: self._attempt(what, ahead, at))

    def _attempt(self, what: DeliveryFile, ahead: ReadAhead, at: int) -> IngestResult:
        self.attempts += 1
        with transaction(self.database.engine) as session:
            lock_writers(session)
            return ingest(session, self.vault, what, at, self.progress, reader=ahead)


@pytest.fixture
def writer(database: Database, vault: Vault) -> Writer:
    return Writer(database, vault)


@pytest.fixture
def read_unlocked(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was read, each time while nobody had the lock."""
    seen: list[str] = []

    def watched(name: str, read: Callable[..., Any]) -> Callable[..., Any]:
        def watch(*arguments: Any) -> Any:
            assert is_free(writer.database.engine), f"{name}, and others wait"
            seen.append(name)
            return read(*arguments)

        return watch

    for module, name in (
        (reader, "open_delivery_file"),
        (reader, "read_pieces"),
        (reader, "read_batches"),
        (PendingFile, "open"),
    ):
        monkeypatch.setattr(module, name, watched(name, getattr(module, name)))
    return seen


def _old(folder: Path, *rows: Ntd | Closed) -> DeliveryFile:
    return delivery_file(folder, "2026-04-10T18:00:00Z", *rows)


@pytest.mark.parametrize("row", [Ntd("https://a.example/1", SENT), Closed("https://a.example/1")])
def test_a_delivery_is_read_while_nobody_has_the_lock(
    writer: Writer, tmp_path: Path, read_unlocked: list[str], row: Ntd | Closed
) -> None:
    what = _old(tmp_path, row)
    told = writer.take(what)
    assert (told.verdict, told.accepted, writer.attempts) == (Verdict.OK, 1, 1)
    assert read_unlocked == ["read_pieces"]
    assert writer.take(what).repeated
    assert read_unlocked == ["read_pieces"], "what is known already is not read again"


def test_neither_are_the_bytes_of_one_that_waits(writer: Writer, tmp_path: Path, read_unlocked: list[str]) -> None:
    assert writer.take(delivery_file(tmp_path, "2026-06-01T00:00:00Z", Ntd("https://a.example/", SENT))).verdict == "ok"
    what = _old(tmp_path, Ntd("https://b.example/", SENT))
    waiting = writer.take(what, at=NOW + 60 * DAY)
    assert (waiting.verdict, waiting.notices_new) == (Verdict.SUSPICIOUS, 1)
    assert read_unlocked == ["read_pieces", "read_pieces", "open_delivery_file"]
    decision = ReviewDecision("A. Analyst", "the hotline confirmed it", NOW + 61 * DAY)

    def attempt(ahead: ReadAhead) -> IngestResult:
        with transaction(writer.database.engine) as session:
            return accept(session, writer.vault, SCART, waiting.delivery, decision, ahead)

    with Session(writer.database.engine) as looking:
        with read_pending_ahead(looking, writer.vault, SCART, waiting.delivery) as ahead:
            assert ahead is not None
            taken = ahead.store(partial(attempt, ahead))
        with read_pending_ahead(looking, writer.vault, SCART, 9) as ahead:
            assert ahead is None
    assert (taken.verdict, taken.accepted) == (Verdict.OK, 1)
    assert read_unlocked[3:].count("open") == 2, "once for its hash, once for its rows"


def test_a_file_that_changes_before_it_is_put_by(writer: Writer, tmp_path: Path) -> None:
    assert writer.take(delivery_file(tmp_path, "2026-06-01T00:00:00Z", Ntd("https://a.example/", SENT))).verdict == "ok"
    what = _old(tmp_path, Ntd("https://b.example/", SENT))

    def grow(_rows: int) -> None:
        assert isinstance(what.path, Path)
        what.path.write_bytes(what.path.read_bytes() + b"more")

    writer.progress = grow
    with pytest.raises(DeliveryError, match="the file changed while it was read"):
        writer.take(what, at=NOW + 60 * DAY)


def test_another_takes_a_delivery_in_while_a_slow_one_is_read(
    writer: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, go_on = Event(), Event()
    parse = catalogue.FORMATS["scart-ntdclosed"]

    def slow(*arguments: Any) -> Iterator[Any]:
        reading.set()
        assert go_on.wait(60), "the other one waits"
        yield from parse(*arguments)

    monkeypatch.setattr(catalogue, "FORMATS", dict(catalogue.FORMATS) | {"scart-ntdclosed": slow})
    slow_one = _old(tmp_path, Closed("https://a.example/1"))
    other_one = _old(tmp_path, Ntd("https://a.example/2", SENT))
    told: list[IngestResult] = []
    thread = Thread(target=lambda: told.append(writer.take(slow_one)))
    thread.start()
    assert reading.wait(60)
    assert Writer(writer.database, writer.vault).take(other_one).delivery == 1
    go_on.set()
    thread.join()
    assert [answer.delivery for answer in told] == [2]


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DeliveryFile:
    """A delivery that is read by another process beside its storing."""
    monkeypatch.setattr(reader_process, "_LARGE", 0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {0, 1})
    return _old(tmp_path, *(Ntd(f"https://a.example/{number}", SENT) for number in range(40_000)))


def test_a_reader_beside_that_stops_is_given_up_and_the_lock_with_it(writer: Writer, large: DeliveryFile) -> None:
    """After the first rows it says nothing any more, as on a disk that does not answer."""
    stopped: list[int] = []

    def stop(_rows: int) -> None:
        if not stopped:
            stopped.extend(readers(os.getpid()))
            for process in stopped:
                os.kill(process, signal.SIGSTOP)

    writer.progress = stop
    told = writer.take(large, lambda: WaitBudget(grace=0.2))
    assert (told.accepted, told.delivery) == (40_000, 1)
    assert writer.attempts == 3, "to see what is needed, beside the reader, and from what was put by"
    assert len(stopped) == 1
    assert readers(os.getpid()) == set()


def test_a_reader_beside_that_keeps_up_is_not(writer: Writer, large: DeliveryFile) -> None:
    told = writer.take(large, lambda: WaitBudget(grace=600))
    assert (told.accepted, writer.attempts) == (40_000, 2)


def test_what_is_read_beside_can_be_stopped_early(writer: Writer, large: DeliveryFile) -> None:
    told = writer.take(replace(large, source=Source("scart", zone="UTC", maximum_rows=100)))
    assert (told.verdict, told.rows, writer.attempts) == (Verdict.REFUSED, 8000, 2)
    assert readers(os.getpid()) == set()


def test_the_wait_budget_is_five_seconds_and_as_long_as_was_worked() -> None:
    now = 0.0

    def passed(seconds: float) -> None:
        nonlocal now
        now += seconds

    budget = WaitBudget(clock=lambda: now)
    with budget.waiting():
        passed(1000)  # for the first rows, under no lock
    assert budget.left() is None
    budget.begin()
    for waited, worked, left in ((1, 0, 4), (0, 3, 7), (6.5, 0, 0.5), (0, 100, 100.5), (200, 0, 0)):
        with budget.waiting():
            passed(waited)
        passed(worked)
        assert budget.left() == left


def test_what_is_put_by_is_sealed_and_gone_with_its_process(
    database: Database, vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.ingest.sealed_files._IN_MEMORY", 1)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    what = _old(tmp_path, *(Closed(f"https://canary-7f3a9c.example/{number}") for number in range(9000)))
    with read_ahead(database.engine, vault, what) as ahead:
        ahead._read(Stage.BYTES)
        assert sum(piece.size for piece in ahead.pieces()) == 9000
        spools = [name for name in _OPEN.iterdir() if str(tmp_path) in _target(name)]
        assert len(spools) == 2
        for name in spools:
            assert "(deleted)" in _target(name), "nobody finds it, and nothing of it outlives us"
            assert b"canary" not in name.read_bytes()
    assert not [name for name in _OPEN.iterdir() if str(tmp_path) in _target(name)]


def _target(descriptor: Path) -> str:
    """What is open there; nothing where it was closed meanwhile."""
    with suppress(OSError):
        return str(descriptor.readlink())
    return ""


def test_no_room_to_put_it_by_is_said_in_one_line(
    writer: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.SpooledTemporaryFile.write", full)
    with pytest.raises(Exception, match=r"could not be put by while it is read \(No space left on device\); make room"):
        writer.take(_old(tmp_path, Closed("https://a.example/")))
