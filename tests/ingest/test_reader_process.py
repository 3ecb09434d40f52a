"""Reading in a process of its own: the same batches and errors, nothing left of it, and no secret anywhere."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from monitor.db import transaction
from monitor.errors import ConfigurationError, DeliveryError, MonitorError
from monitor.formats.records import Context
from monitor.ingest import reader_process
from monitor.ingest.batches import ReadTask, batches
from monitor.ingest.delivery import load
from monitor.instants import parse_instant
from monitor.models.facts import Delivery
from monitor.vault import ExportedKey, Vault
from tests.conftest import Database
from tests.fuzz.reading import Delivered, told
from tests.ingest.test_fast_path import VAULT
from tests.samples import Ntd, delivery_file, on_disk

CONTEXT = Context(parse_instant("2026-04-12T00:00:00Z"), "UTC", 5 * 3600)
ROWS = 3000


@pytest.fixture
def reading(tmp_path: Path) -> ReadTask:
    """An export of which some rows are irregular."""
    rows = [Ntd(f"https://{'S' if n % 9 else 's'}{n % 50}.example/{n}", "2026-04-10 12:00:00") for n in range(ROWS)]
    rows[7] = replace(rows[7], status="lost")
    return ReadTask(on_disk(delivery_file(tmp_path, "2026-04-10T18:00:00Z", *rows)), "scart-ntd", CONTEXT, 500)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is large, and there is a core to spare."""
    monkeypatch.setattr(reader_process, "_LARGE", 0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {0, 1})


def readers(parent: int) -> set[int]:
    """The processes that a process has read for it."""
    found = set()
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            with suppress(OSError):  # one that ended meanwhile
                is_reader = b"monitor.ingest.reader_process" in (process / "cmdline").read_bytes()
                if is_reader and f"PPid:\t{parent}\n" in (process / "status").read_text():
                    found.add(int(process.name))
    return found


def test_read_by_a_process_or_here_it_is_the_same(reading: ReadTask, large: None) -> None:
    with reader_process.read_batches(reading, VAULT) as received:
        found = [told(next(received), VAULT)]
        assert len(readers(os.getpid())) == 1
        found += [told(batch, VAULT) for batch in received]
    assert found == [told(batch, VAULT) for batch in batches(reading, VAULT)]
    assert readers(os.getpid()) == set()


def test_from_a_thread_too(reading: ReadTask, large: None) -> None:
    sizes: list[int] = []

    def read() -> None:
        with reader_process.read_batches(reading, VAULT) as received:
            sizes.extend(batch.size for batch in received)

    thread = Thread(target=read)
    thread.start()
    thread.join()
    assert sizes == [500] * 6


@pytest.mark.parametrize("cores", [1, 2])
def test_a_small_file_and_a_lonely_core_are_read_here(
    reading: ReadTask, monkeypatch: pytest.MonkeyPatch, cores: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(cores)))
    monkeypatch.setattr(reader_process, "_LARGE", 0 if cores == 1 else reader_process._LARGE)
    with reader_process.read_batches(reading, VAULT) as received:
        assert sum(batch.size for batch in received) == ROWS
        assert readers(os.getpid()) == set()


def test_what_is_no_file_is_read_here(reading: ReadTask, large: None) -> None:
    content = on_disk_bytes(reading)
    with reader_process.read_batches(replace(reading, file=Delivered(content)), VAULT) as received:
        assert sum(batch.size for batch in received) == ROWS
        assert readers(os.getpid()) == set()


def on_disk_bytes(reading: ReadTask) -> bytes:
    assert isinstance(reading.file, Path)
    return reading.file.read_bytes()


def test_no_secret_is_in_what_others_can_see_of_the_process(
    reading: ReadTask, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONITOR_DATABASE_URL", "postgresql://monitor:hush-42@db.example/monitor")
    keys = bytes(range(100, 164))
    with reader_process.read_batches(reading, Vault(ExportedKey(1, keys))) as received:
        next(received)
        [process] = readers(os.getpid())
        seen = Path(f"/proc/{process}/cmdline").read_bytes()
        with suppress(PermissionError):  # it is hardened: nobody but root sees its environment at all
            seen += Path(f"/proc/{process}/environ").read_bytes()
    assert b"monitor.ingest.reader_process" in seen
    for secret in (b"hush-42", b"s1.example", keys[:16], keys.hex()[:16].encode()):
        assert secret not in seen


def test_an_error_comes_up_as_it_is_raised_here(reading: ReadTask, large: None) -> None:
    assert isinstance(reading.file, Path)
    reading.file.write_bytes(gzip.compress(on_disk_bytes(reading))[:-20])
    cases: list[tuple[ReadTask, type[Exception], str]] = [
        (reading, DeliveryError, "the compressed file is cut off; fetch it again"),
        (replace(reading, context=replace(CONTEXT, zone=None)), ConfigurationError, "SCART times have no zone"),
    ]
    for asked, error, message in cases:
        with pytest.raises(error, match=message), reader_process.read_batches(asked, VAULT) as received:
            list(received)
        assert readers(os.getpid()) == set()


def test_whoever_stops_early_leaves_nothing_running(reading: ReadTask, large: None) -> None:
    def stop_early() -> None:
        with reader_process.read_batches(reading, VAULT) as received:
            next(received)
            raise KeyError

    with pytest.raises(KeyError):
        stop_early()
    assert readers(os.getpid()) == set()


def test_a_reader_that_is_killed_is_said_to_have_broken_off(
    database: Database, vault: Vault, tmp_path: Path, large: None
) -> None:
    rows = [Ntd(f"https://s1.example/{n}", "2026-04-10 12:00:00") for n in range(40_000)]
    what = delivery_file(tmp_path, "2026-04-10T18:00:00Z", *rows)

    def kill(_rows: int) -> None:
        for process in readers(os.getpid()):
            os.kill(process, signal.SIGKILL)

    with (
        pytest.raises(MonitorError, match=r"broke off \(exit code -9\); nothing was stored"),
        transaction(database.engine) as session,
    ):
        load(session, vault, what, CONTEXT.received_at, progress=kill)
    with transaction(database.engine) as session:
        assert session.query(Delivery).count() == 0


def test_a_reader_does_not_outlive_whoever_asked_it(reading: ReadTask, tmp_path: Path) -> None:
    """Killed outright, and while the reader has batches that nobody takes."""
    script = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from monitor.formats.records import Context\n"
        "from monitor.ingest import reader_process\n"
        "from monitor.ingest.batches import ReadTask\n"
        "from tests.ingest.test_fast_path import VAULT\n"
        "reader_process._LARGE = 0\n"
        "os.sched_getaffinity = lambda process: {0, 1}\n"
        f"reading = ReadTask(Path(sys.argv[1]), 'scart-ntd', Context({CONTEXT.received_at}, 'UTC'), 500)\n"
        "with reader_process.read_batches(reading, VAULT) as received:\n"
        "    next(received)\n"
        "    print('reading', flush=True)\n"
        "    time.sleep(60)\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", script, str(reading.file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "reading\n"
        [process] = readers(parent.pid)
        parent.kill()
    assert any(not Path(f"/proc/{process}").exists() for _ in _patiently())


def _patiently() -> Iterator[None]:
    for _ in range(100):
        yield
        time.sleep(0.1)
