"""A large delivery is read by a process of its own: it parses, digests and seals, while this one stores.

The two are connected by pipes. The task goes down one pipe, with the vault's current key; batches come up the other,
which holds one or two. The reader process ends when its pipe does, so it never outlives this one.
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
from monitor.ingest.batches import Batch, Piece, ReadTask, batches, parsed_rows
from monitor.ingest.sealed_files import SealedFile
from monitor.process import harden
from monitor.vault import Vault

_LARGE = 4 * 2**20  # bytes: about as long as it takes another process to start
_WAITING = 2**20  # bytes that may wait in the pipe: a batch, so that neither process has to wait for the other's turn
_TASK, _MESSAGES = 0, 1  # the file descriptors that a process is given its task by, and answers by
_LENGTH = 8  # bytes of the number that says how long a message is

Message: TypeAlias = Batch | Exception | None  # None: that was all


class SlowReaderError(Exception):
    """Storing has waited too long for the reader process."""


class WaitBudget:
    """How long to wait for a reader, in all: 5 seconds, and as long as was spent on what it read."""

    def __init__(self, grace: float = 5, clock: Callable[[], float] = time.monotonic) -> None:
        """`grace` in seconds. Until `begin` there is no limit."""
        self._clock, self._grace, self._waited = clock, grace, 0.0
        self._begun: float | None = None
        self._since: float | None = None

    def begin(self) -> None:
        """Start counting."""
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


def read_batches(
    task: ReadTask, vault: Vault, budget: WaitBudget | None = None
) -> AbstractContextManager[Iterator[Batch]]:
    """The rows of a delivery in order, read here or, where that is faster, by another process.

    Raises what the parser does; SlowReaderError where the budget for waiting on that process is used up.
    """
    if uses_reader_process(task):
        return _in_reader_process(task, vault, budget or WaitBudget())
    return nullcontext(batches(task, vault))


def read_pieces(task: ReadTask, vault: Vault) -> AbstractContextManager[Iterator[Piece]]:
    """The rows of a delivery in order, by columns where its format has a fast path, else one by one."""
    return read_batches(task, vault) if task.format in FAST_PATHS else nullcontext(parsed_rows(task))


def uses_reader_process(task: ReadTask) -> bool:
    """Whether another process reads it: where it has a fast path, is large, and there is a core to spare."""
    return task.format in FAST_PATHS and _is_large(task.file) and len(os.sched_getaffinity(0)) > 1


def _is_large(file: Openable) -> bool:
    path = file.path if isinstance(file, SealedFile) else file
    try:
        return isinstance(path, Path) and path.stat().st_size >= _LARGE
    except OSError:
        return False  # whoever opens it says what is wrong


@contextmanager
def _in_reader_process(task: ReadTask, vault: Vault, budget: WaitBudget) -> Iterator[Iterator[Batch]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MONITOR_")}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    command = [sys.executable, "-P", "-m", __name__]
    with Popen(command, bufsize=0, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment) as process:  # noqa: S603
        with suppress(OSError):  # not allowed that much: then the two wait for each other more often
            fcntl.fcntl(process.stdout or -1, fcntl.F_SETPIPE_SZ, _WAITING)
        try:
            yield _received(process, pickle.dumps((_with(None, task), vault.export_key())), budget)
        finally:
            process.kill()


def _with(vault: Vault | None, task: ReadTask) -> ReadTask:
    """The task with these keys for its file, where that is sealed, or none on the way to another process."""
    file = task.file
    return replace(task, file=replace(file, vault=vault)) if isinstance(file, SealedFile) else task


def _received(process: Popen[bytes], packed: bytes, budget: WaitBudget) -> Iterator[Batch]:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        _write(process.stdin.fileno(), packed)
        while message := pickle.loads(_next_message(process.stdout.fileno(), budget)):  # noqa: S301 -- from `main`
            if isinstance(message, Exception):
                raise message
            yield message
    except (EOFError, BrokenPipeError, pickle.UnpicklingError):
        with suppress(TimeoutExpired):
            process.wait(1)
        broke_off = f"the process that reads the delivery broke off (exit code {process.returncode})"
        raise MonitorError(f"{broke_off}; nothing was stored, try again") from None


def _next_message(pipe: int, budget: WaitBudget) -> bytearray:
    """The next message of the process."""
    with budget.waiting():
        return _exactly(pipe, int.from_bytes(_exactly(pipe, _LENGTH, budget)), budget)


def _exactly(pipe: int, size: int, budget: WaitBudget) -> bytearray:
    found = bytearray(size)
    view = memoryview(found)
    while view:
        ready, _, _ = select.select([pipe], [], [], budget.left())
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


def _messages(task: ReadTask, vault: Vault) -> Iterator[Message]:
    try:
        yield from batches(task, vault)
        yield None
    except Exception as error:  # noqa: BLE001 -- the boundary of a process: whoever asked raises it
        yield error


def _end_with_parent() -> None:
    """Nothing more comes down the pipe, so a read returns at its end: the parent is gone, or has finished with this."""
    os.read(_TASK, 1)
    os._exit(1)


def main() -> None:
    """Read the delivery that standard input names, and send its batches to standard output."""
    harden()
    task, key = pickle.load(sys.stdin.buffer)  # noqa: S301 -- from `_received`
    vault = Vault(key)
    Thread(target=_end_with_parent, daemon=True).start()
    with suppress(BrokenPipeError):
        for message in _messages(_with(vault, task), vault):
            content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)  # ready before the other asks
            _write(_MESSAGES, len(content).to_bytes(_LENGTH) + content)


if __name__ == "__main__":
    main()
