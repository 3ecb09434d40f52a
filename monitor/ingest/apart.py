"""A large delivery is read by a process of its own: it parses, digests and seals, while this one stores.

The two are joined by pipes. What is to be read goes down the one, with the vault's current key; batches come up the
other, which holds one or two. A process that reads ends when its pipe does, so it outlives nobody.
"""

from __future__ import annotations

import fcntl
import os
import pickle
import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from threading import Thread
from typing import TypeAlias

from monitor.errors import MonitorError
from monitor.formats.catalogue import FAST_PATHS
from monitor.formats.files import Openable
from monitor.ingest.batch import Batch
from monitor.ingest.reading import Piece, Reading, batches, records
from monitor.ingest.sealed import SealedFile
from monitor.process import harden
from monitor.vault import Vault

_LARGE = 4 * 2**20  # bytes: about as long as it takes another process to start
_WAITING = 2**20  # bytes that may wait in the pipe: a batch, so that neither process has to wait for the other's turn
_TASK, _ANSWERS = 0, 1  # the file descriptors that a process is given its task by, and answers by
_LENGTH = 8  # bytes of the number that says how long an answer is

Told: TypeAlias = Batch | Exception | None  # None: that was all


class SlowReaderError(Exception):
    """Whoever stores has waited too long for whoever reads."""


class Patience:
    """How long to wait for a reader, in all: 5 seconds, and as long as was spent on what it read."""

    def __init__(self, grace: float = 5, clock: Callable[[], float] = time.monotonic) -> None:
        """`grace` in seconds. Until `begin` there is no limit."""
        self._clock, self._grace, self._waited = clock, grace, 0.0
        self._begun: float | None = None
        self._since: float | None = None

    def begin(self) -> None:
        """From here on it counts."""
        self._begun, self._waited = self._clock(), 0.0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Waiting for the reader, from here to the end of the block."""
        self._since = self._clock()
        try:
            yield
        finally:
            self._waited += self._clock() - self._since
            self._since = None

    def left(self) -> float | None:
        """How many seconds more to wait, from now on; None for no limit."""
        if self._begun is None:
            return None
        now = self._clock()
        waited = self._waited + (0.0 if self._since is None else now - self._since)
        worked = now - self._begun - waited
        return max(0.0, self._grace + worked - waited)


def batches_of(
    reading: Reading, vault: Vault, patience: Patience | None = None
) -> AbstractContextManager[Iterator[Batch]]:
    """The rows of a delivery in order, read here or, where that is faster, apart.

    Raises what the parser does; SlowReaderError where the patience with a reader apart ends.
    """
    if is_read_apart(reading):
        return _apart(reading, vault, patience or Patience())
    return nullcontext(batches(reading, vault))


def pieces_of(reading: Reading, vault: Vault) -> AbstractContextManager[Iterator[Piece]]:
    """The rows of a delivery in order, by columns or one by one, as its format goes."""
    return batches_of(reading, vault) if reading.format in FAST_PATHS else nullcontext(records(reading))


def is_read_apart(reading: Reading) -> bool:
    """Whether another process reads it: where it goes by columns, is large, and there is a core to spare."""
    return reading.format in FAST_PATHS and _is_large(reading.file) and len(os.sched_getaffinity(0)) > 1


def _is_large(file: Openable) -> bool:
    path = file.path if isinstance(file, SealedFile) else file
    try:
        return isinstance(path, Path) and path.stat().st_size >= _LARGE
    except OSError:
        return False  # whoever opens it says what is wrong


@contextmanager
def _apart(reading: Reading, vault: Vault, patience: Patience) -> Iterator[Iterator[Batch]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MONITOR_")}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    command = [sys.executable, "-P", "-m", __name__]
    with Popen(command, bufsize=0, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment) as process:  # noqa: S603
        with suppress(OSError):  # not allowed that much: then the two wait for each other more often
            fcntl.fcntl(process.stdout or -1, fcntl.F_SETPIPE_SZ, _WAITING)
        try:
            yield _received(process, pickle.dumps((_with(None, reading), vault.export_key())), patience)
        finally:
            process.kill()


def _with(vault: Vault | None, reading: Reading) -> Reading:
    """The reading with these keys for its file, where that is sealed, or none on the way to another process."""
    file = reading.file
    return replace(reading, file=replace(file, vault=vault)) if isinstance(file, SealedFile) else reading


def _received(process: Popen[bytes], task: bytes, patience: Patience) -> Iterator[Batch]:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        _write(process.stdin.fileno(), task)
        while told := pickle.loads(_next(process.stdout.fileno(), patience)):  # noqa: S301 -- from `main`
            if isinstance(told, Exception):
                raise told
            yield told
    except (EOFError, BrokenPipeError, pickle.UnpicklingError):
        with suppress(TimeoutExpired):
            process.wait(1)
        broke_off = f"the process that reads the delivery broke off (exit code {process.returncode})"
        raise MonitorError(f"{broke_off}; nothing was stored, try again") from None


def _next(pipe: int, patience: Patience) -> bytearray:
    """What the process tells next."""
    with patience.waiting():
        return _exactly(pipe, int.from_bytes(_exactly(pipe, _LENGTH, patience)), patience)


def _exactly(pipe: int, size: int, patience: Patience) -> bytearray:
    found = bytearray(size)
    view = memoryview(found)
    while view:
        ready, _, _ = select.select([pipe], [], [], patience.left())
        if not ready:
            raise SlowReaderError
        count = os.readv(pipe, [view])
        if not count:
            raise EOFError
        view = view[count:]
    return found


def _write(pipe: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(pipe, rest) :]


def _told(reading: Reading, vault: Vault) -> Iterator[Told]:
    try:
        yield from batches(reading, vault)
        yield None
    except Exception as error:  # noqa: BLE001 -- the boundary of a process: whoever asked raises it
        yield error


def _end_with_parent() -> None:
    """Nothing more comes down the pipe, so what is read is its end: the parent is gone, or has done with this."""
    os.read(_TASK, 1)
    os._exit(1)


def main() -> None:
    """Read what standard input asks for, and tell of it on standard output."""
    harden()
    reading, key = pickle.load(sys.stdin.buffer)  # noqa: S301 -- from `_received`
    vault = Vault(key)
    Thread(target=_end_with_parent, daemon=True).start()
    with suppress(BrokenPipeError):
        for told in _told(_with(vault, reading), vault):
            content = pickle.dumps(told, pickle.HIGHEST_PROTOCOL)  # ready before the other asks
            _write(_ANSWERS, len(content).to_bytes(_LENGTH) + content)


if __name__ == "__main__":
    main()
