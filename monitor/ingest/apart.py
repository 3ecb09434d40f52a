"""A large delivery is read by a process of its own: it parses, digests and seals, while this one stores.

The two are joined by pipes. What is to be read goes down the one, with the vault's current key; batches come up the
other, which holds one or two. A process that reads ends when its pipe does, so it outlives nobody.
"""

from __future__ import annotations

import fcntl
import os
import pickle
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from threading import Thread
from typing import TypeAlias

from monitor.errors import MonitorError
from monitor.formats.reading import Openable
from monitor.ingest.batch import Batch
from monitor.ingest.reading import Reading, batches
from monitor.ingest.sealed import SealedFile
from monitor.process import harden
from monitor.vault import Vault

_LARGE = 4 * 2**20  # bytes: about as long as it takes another process to start
_WAITING = 2**20  # bytes that may wait in the pipe: a batch, so that neither process has to wait for the other's turn
_TASK = 0  # the file descriptor that a process is given its task by

Told: TypeAlias = Batch | Exception | None  # None: that was all


def batches_of(reading: Reading, vault: Vault) -> AbstractContextManager[Iterator[Batch]]:
    """The rows of a delivery in order, read here or, where that is faster, apart; raises what its parser does."""
    if _is_large(reading.file) and len(os.sched_getaffinity(0)) > 1:
        return _apart(reading, vault)
    return nullcontext(batches(reading, vault))


def _is_large(file: Openable) -> bool:
    path = file.path if isinstance(file, SealedFile) else file
    try:
        return isinstance(path, Path) and path.stat().st_size >= _LARGE
    except OSError:
        return False  # whoever opens it says what is wrong


@contextmanager
def _apart(reading: Reading, vault: Vault) -> Iterator[Iterator[Batch]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MONITOR_")}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    command = [sys.executable, "-P", "-m", __name__]
    with Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment) as process:  # noqa: S603 -- ours
        with suppress(OSError):  # not allowed that much: then the two wait for each other more often
            fcntl.fcntl(process.stdout or -1, fcntl.F_SETPIPE_SZ, _WAITING)
        try:
            yield _received(process, pickle.dumps((_with(None, reading), vault.hand_over())))
        finally:
            process.kill()


def _with(vault: Vault | None, reading: Reading) -> Reading:
    """The reading with these keys for its file, where that is sealed, or none on the way to another process."""
    file = reading.file
    return replace(reading, file=replace(file, vault=vault)) if isinstance(file, SealedFile) else reading


def _received(process: Popen[bytes], task: bytes) -> Iterator[Batch]:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(task)
        process.stdin.flush()
        while told := pickle.load(process.stdout):  # noqa: S301 -- what comes up this pipe is from `main`
            if isinstance(told, Exception):
                raise told
            yield told
    except (EOFError, BrokenPipeError, pickle.UnpicklingError):
        with suppress(TimeoutExpired):
            process.wait(1)
        broke_off = f"the process that reads the delivery broke off (exit code {process.returncode})"
        raise MonitorError(f"{broke_off}; nothing was stored, try again") from None


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
            sys.stdout.buffer.write(pickle.dumps(told, pickle.HIGHEST_PROTOCOL))  # ready before the other asks
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
