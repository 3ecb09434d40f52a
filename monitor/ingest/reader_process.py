"""A large delivery is read by a process of its own: it parses, digests and seals, while this one stores.

The task goes to it with the vault's current key; batches come back through a pipe that holds one or two. It ends when
this process does.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from pickle import UnpicklingError
from threading import Thread
from typing import TypeAlias

from monitor.errors import MonitorError
from monitor.formats.catalogue import FAST_PATHS
from monitor.formats.files import Openable
from monitor.ingest.batches import Batch, Piece, ReadTask, batches, parsed_rows
from monitor.ingest.sealed_files import SealedFile
from monitor.process import harden
from monitor.vault import ExportedKey, Vault
from monitor.workers import ModuleProcess, receive, send

_LARGE = 4 * 2**20  # bytes: about as long as it takes another process to start
_WAITING = 2**20  # bytes that may wait in the pipe: a batch, so that neither process has to wait for the other's turn

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
    process = ModuleProcess(__name__, _WAITING)
    try:
        yield _received(process, (_with(None, task), vault.export_key()), budget)
    finally:
        process.stop()


def _with(vault: Vault | None, task: ReadTask) -> ReadTask:
    """The task with these keys for its file, where that is sealed, or none on the way to another process."""
    file = task.file
    return replace(task, file=replace(file, vault=vault)) if isinstance(file, SealedFile) else task


def _received(process: ModuleProcess, task: tuple[ReadTask, ExportedKey], budget: WaitBudget) -> Iterator[Batch]:
    try:
        process.send(task)
        while message := _next_message(process, budget):
            if isinstance(message, Exception):
                raise message
            yield message
    except (EOFError, BrokenPipeError, UnpicklingError):
        broke_off = f"the process that reads the delivery broke off (exit code {process.exit_code(1)})"
        raise MonitorError(f"{broke_off}; nothing was stored, try again") from None


def _next_message(process: ModuleProcess, budget: WaitBudget) -> Message:
    try:
        with budget.waiting():
            message: Message = process.receive(budget.left)
    except TimeoutError:
        raise SlowReaderError from None
    return message


def _messages(task: ReadTask, vault: Vault) -> Iterator[Message]:
    try:
        yield from batches(task, vault)
        yield None
    except Exception as error:  # noqa: BLE001 -- the boundary of a process: whoever asked raises it
        yield error


def _end_with_parent() -> None:
    """Nothing more comes down the pipe, so receiving ends when the parent is gone, or has finished with this."""
    with suppress(EOFError, UnpicklingError):
        receive()
    os._exit(1)


def main() -> None:
    """Read the delivery that the first message names, and send its batches."""
    harden()
    task, key = receive()
    vault = Vault(key)
    Thread(target=_end_with_parent, daemon=True).start()
    with suppress(BrokenPipeError):
        for message in _messages(_with(vault, task), vault):
            send(message)


if __name__ == "__main__":
    main()
