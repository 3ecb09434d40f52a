"""Work in other processes of ours: hardened, told nothing by environment or argument, and ended when this one ends.

Two ways, for two kinds of work: a `pool` makes calls that have one answer each; a `ModuleProcess` runs a module of
ours that is sent messages and sends messages, which may be many, and for each of which there is a limit to wait.
"""

from __future__ import annotations

import fcntl
import os
import pickle
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import wait
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from typing import Any

_FROM_PARENT, _TO_PARENT = 0, 1  # the file descriptors of a ModuleProcess
_LENGTH = 8  # bytes of the number that says how long a message is

Limit = Callable[[], "float | None"]  # how many seconds more to wait, from now on; None: for ever


def pool(number: int, modules: Sequence[str], initializer: Callable[[], object] | None = None) -> ProcessPoolExecutor:
    """So many processes for calls, with these modules loaded and `initializer` called in each.

    They are forked, in milliseconds, from a server that has loaded what the first pool of this process asked for and
    nothing else: no database is open in it, and no thread runs. Where a call ends its process, its result raises
    BrokenProcessPool.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload(["monitor.hardened", *modules])
    return ProcessPoolExecutor(number, context, initializer=_prepare, initargs=(modules, initializer))


def _prepare(modules: Sequence[str], initializer: Callable[[], object] | None) -> None:
    for module in modules:  # where the server was begun by another pool, and has something else loaded
        import_module(module)
    if initializer is not None:
        initializer()


class ModuleProcess:
    """A new interpreter that runs a module of ours, which calls `harden` first, then `receive` and `send`.

    What it works on, keys too, goes through its pipe alone: neither in its arguments nor in its environment.
    """

    def __init__(self, module: str, buffered: int = 0) -> None:
        """`buffered`: bytes that may wait on their way to us, so that neither process waits for the other's turn."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MONITOR_")}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        command = [sys.executable, "-P", "-m", module]
        process = Popen(command, bufsize=0, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment)  # noqa: S603
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._down, self._up = process, process.stdin, process.stdout
        if buffered:
            with suppress(OSError):  # not allowed that much
                fcntl.fcntl(self._up, fcntl.F_SETPIPE_SZ, buffered)

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def exit_code(self, seconds: float = 0) -> int | None:
        """How it ended; None where it has not within so many seconds."""
        with suppress(TimeoutExpired):
            return self._process.wait(seconds)
        return None

    def send(self, message: object) -> None:
        """Send it a message; raises OSError where it has ended."""
        _write(self._down.fileno(), message)

    def receive(self, limit: Limit = lambda: None) -> Any:
        """Its next message.

        Raises TimeoutError where the limit is used up, EOFError or UnpicklingError where it ended without one.
        """
        return _read(self._up.fileno(), limit)

    def stop(self) -> None:
        """End it, whatever it is doing."""
        self._process.kill()
        for pipe in (self._down, self._up):
            pipe.close()
        self._process.wait()


def receive() -> Any:
    """In a ModuleProcess: the next message from whoever started it; raises EOFError where that has gone."""
    return _read(_FROM_PARENT, lambda: None)


def send(message: object) -> None:
    """In a ModuleProcess: a message to whoever started it; raises BrokenPipeError where that has gone."""
    _write(_TO_PARENT, message)


def _write(pipe: int, message: object) -> None:
    content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)  # whole before the other side asks
    rest = memoryview(len(content).to_bytes(_LENGTH) + content)
    while rest:
        rest = rest[os.write(pipe, rest) :]


def _read(pipe: int, limit: Limit) -> Any:
    content = _exactly(pipe, int.from_bytes(_exactly(pipe, _LENGTH, limit)), limit)
    return pickle.loads(content)  # noqa: S301 -- both ends of the pipe are ours


def _exactly(pipe: int, size: int, limit: Limit) -> bytearray:
    found = bytearray(size)
    view = memoryview(found)
    while view:
        if not wait([pipe], limit()):
            raise TimeoutError
        count = os.readv(pipe, [view])
        if not count:
            raise EOFError
        view = view[count:]
    return found
