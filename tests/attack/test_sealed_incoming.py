"""What a collector fetched lies sealed: a copy of the disk, at any moment, holds no address of it."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.errors import DeliveryError, MonitorError
from monitor.formats.files import fingerprint, read_lines
from monitor.incoming import private_folder, remove_leftovers
from monitor.ingest import reader_process, sealed_files
from monitor.ingest.batches import ReadTask, batches
from monitor.ingest.sealed_files import PIECE, SealedFile, seal
from monitor.settings import Settings
from monitor.vault import Vault, create_keys
from tests.fuzz.reading import told
from tests.ingest.test_reader_process import CONTEXT, readers
from tests.samples import Ntd, delivery_file
from tests.spiders.installation import Installation
from tests.spiders.server import Site

CANARY = "https://zqhost.example/zqpath/b?zqquery=2"
TRACES = (b"zqhost", b"zqpath", b"zqquery")


def holds_no_trace(home: Path) -> bool:
    """Whether the raw bytes of no file there hold a part of the canary."""
    files = [path for path in home.rglob("*") if path.is_file()]
    assert files, "there is something to look at"
    return not any(trace in path.read_bytes() for path in files for trace in TRACES)


def read(file: SealedFile) -> bytes:
    """All that was sealed."""
    with file.open("rb") as stream:
        return stream.read()


@given(
    content=st.binary(max_size=400),
    cuts=st.lists(st.integers(0, 400), max_size=5),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_reads_as_what_was_sealed_however_it_came(
    tmp_path: Path, vault: Vault, content: bytes, cuts: list[int]
) -> None:
    edges = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    chunks = [content[start:end] for start, end in pairwise(edges)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sealed_files, "PIECE", 64)
        file = seal(chunks, tmp_path / os.urandom(8).hex(), vault)
        assert read(file) == content
        assert file.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_pieces_of_full_size(tmp_path: Path, vault: Vault, size: int) -> None:
    content = os.urandom(size)
    file = seal([content], tmp_path / "file", vault)
    assert read(file) == content
    assert fingerprint(file) == fingerprint(_plain(tmp_path / "plain", content))
    assert size < 100 or content[:50] not in file.path.read_bytes()


def _plain(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def pieces_of(raw: bytes) -> list[bytes]:
    """The pieces of a sealed file, each as it lies there."""
    found, at = [], 0
    while at < len(raw):
        length = 8 + int.from_bytes(raw[at + 4 : at + 8])
        found.append(raw[at : at + length])
        at += length
    return found


Forgery = Callable[[list[bytes]], Iterable[bytes]]
FORGERIES: dict[str, Forgery] = {
    "the last is gone": lambda pieces: pieces[:-1],
    "all are gone": lambda pieces: [],
    "one in the middle is gone": lambda pieces: [pieces[0], *pieces[2:]],
    "two have changed places": lambda pieces: [pieces[1], pieces[0], *pieces[2:]],
    "one comes twice": lambda pieces: [pieces[0], *pieces],
    "the last comes twice": lambda pieces: [*pieces, pieces[-1]],
    "cut within a piece": lambda pieces: [*pieces[:-1], pieces[-1][:-1]],
    "cut within a head": lambda pieces: [*pieces[:-1], pieces[-1][:5]],
    "something follows": lambda pieces: [*pieces, b"\x00"],
    "one bit is another": lambda pieces: [pieces[0][:-1] + bytes([pieces[0][-1] ^ 1]), *pieces[1:]],
    "a length without end": lambda pieces: [pieces[0][:4] + b"\xff\xff\xff\xff" + pieces[0][8:], *pieces[1:]],
    "a key nobody has": lambda pieces: [b"\x00\x00\x00\x09" + pieces[0][4:], *pieces[1:]],
}


@pytest.mark.parametrize("forged", FORGERIES.values(), ids=FORGERIES)
def test_a_file_that_is_not_what_was_written_is_refused(
    tmp_path: Path, vault: Vault, forged: Forgery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealed_files, "PIECE", 64)
    file = seal([os.urandom(200)], tmp_path / "file", vault)
    file.path.write_bytes(b"".join(forged(pieces_of(file.path.read_bytes()))))
    with pytest.raises(DeliveryError, match="is damaged; fetch it again"):
        read(file)


def test_a_piece_of_another_file_is_refused(tmp_path: Path, vault: Vault) -> None:
    one, other = (seal([text], tmp_path / text.decode(), vault) for text in (b"one", b"other"))
    one.path.write_bytes(other.path.read_bytes())
    with pytest.raises(DeliveryError, match="is damaged"):
        read(one)


def test_under_another_key_it_does_not_open(tmp_path: Path, vault: Vault) -> None:
    create_keys(tmp_path / "other.json")
    with pytest.raises(MonitorError):
        read(SealedFile(seal([b"text"], tmp_path / "file", vault).path, Vault(tmp_path / "other.json")))


def test_a_file_that_could_not_be_written_to_its_end_is_gone(tmp_path: Path, vault: Vault) -> None:
    def chunks() -> Iterable[bytes]:
        yield b"x" * 2 * PIECE
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        seal(chunks(), tmp_path / "file", vault)
    assert not (tmp_path / "file").exists()


def test_a_large_one_is_read_by_another_process_which_gets_the_key_beside_it(
    tmp_path: Path, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [Ntd(f"https://s{n % 50}.example/{n}", "2026-04-10 12:00:00") for n in range(3000)]
    plain = delivery_file(tmp_path, "2026-04-10T18:00:00Z", *rows).path
    assert isinstance(plain, Path)
    file = seal([gzip.compress(plain.read_bytes())], tmp_path / "fetched", vault)
    reading = ReadTask(file, "scart-ntd", CONTEXT, 500)
    expected = [told(batch, vault) for batch in batches(reading, vault)]
    assert sum(1 for _ in read_lines(file)) == 3001
    monkeypatch.setattr(reader_process, "_LARGE", 0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {0, 1})
    with reader_process.read_batches(reading, vault) as received:
        first = told(next(received), vault)
        assert len(readers(os.getpid())) == 1
        assert [first, *(told(batch, vault) for batch in received)] == expected


def canary_feed(rows: int = 3000) -> str:
    """A URLhaus feed that is full of the canary."""
    lines = [
        f'"{n}","2020-04-10 10:00:00","{CANARY}&n={n}","online","2020-04-11 10:00:00","","","",""' for n in range(rows)
    ]
    return "\n".join(["# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter", *lines, ""])


def test_killed_in_the_middle_of_taking_in_it_leaves_no_trace_and_the_next_start_clears_up(
    site: Site, installation: Installation
) -> None:
    site.put("/feed", canary_feed())
    installation.configure("urlhaus", location=f"{site.address}/feed", minimum_rows=1)
    incoming = installation.home / "incoming"
    for _ in range(3):  # the moment differs
        command = [sys.executable, "-m", "monitor", "collect", "urlhaus", "--json"]
        with subprocess.Popen(command, env=installation.environment, stdout=subprocess.PIPE) as process:
            while process.poll() is None and not _fetched(incoming):
                time.sleep(0.001)
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        assert _fetched(incoming), "it was killed while a delivery lay there"
        assert holds_no_trace(installation.home)
        remove_leftovers(Settings(home=installation.home))
        assert list(incoming.iterdir()) == []
    done = installation.collect("urlhaus")
    assert (done.status, done.answer["rows"]) == (0, 3000), done.err
    assert list(incoming.iterdir()) == []
    assert holds_no_trace(installation.home)


def _fetched(incoming: Path) -> list[Path]:
    return [path for path in incoming.rglob("*") if path.is_file() and path.name != "lock" and path.stat().st_size]


STARTS = {
    "collect": ("collect", "urlhaus", "--retry-wait", "0.01"),
    "schedule": ("schedule",),
    "serve": ("serve", "--port", "1", "--host", "192.0.2.1"),  # an address that is not ours: it ends when it has begun
}


@pytest.mark.parametrize("arguments", STARTS.values(), ids=STARTS)
def test_each_start_clears_up_after_the_killed_and_leaves_the_living_alone(
    installation: Installation, arguments: tuple[str, ...]
) -> None:
    installation.configure("urlhaus", location="http://127.0.0.1:9/feed", scheduled=True)
    settings = Settings(home=installation.home)
    with private_folder(settings) as ours:
        (ours / "in-use").write_bytes(b"sealed")
        left, stray = ours.with_name("left"), ours.with_name("stray")
        left.mkdir()
        (left / "file").write_bytes(b"what a killed run of an earlier version left")
        stray.write_bytes(b"too")
        command = [sys.executable, "-m", "monitor", *arguments]
        with subprocess.Popen(command, env=installation.environment, stderr=subprocess.PIPE) as process:
            deadline = time.monotonic() + 60
            while (left.exists() or stray.exists()) and time.monotonic() < deadline:
                time.sleep(0.1)
            if arguments[0] == "schedule":
                process.terminate()
            _, said = process.communicate(timeout=60)
        assert not left.exists(), said
        assert not stray.exists(), said
        assert (ours / "in-use").exists()
    assert not ours.exists()
