"""The process that applies the pushes of a worker of the site, one after another.

Python runs one thread of a process at a time, so what a push takes would be missing everywhere on the site; and what
brings a scanner written in C down brings down this process alone. It is started when first needed, and again after it
broke off. It is given the address of the database, and with each push the key to seal with. It writes no file, and no
core where it crashes (`monitor.workers`).
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pickle import UnpicklingError
from queue import SimpleQueue
from threading import Lock, Thread

from monitor.db import connect
from monitor.process import harden
from monitor.push.messages import Push, Worked
from monitor.vault import ExportedKey, Vault
from monitor.workers import ModuleProcess, receive, send

SECONDS = 100.0  # for one push, and as long for its turn: one that waits for the writer lock may take as long as that


class PushBrokeOffError(Exception):
    """The process did not answer in time, or ended: whether the push was stored is known when it is sent again."""


class PushBusyError(Exception):
    """Other pushes took longer than this one could wait."""


@dataclass
class PushProcess:
    """Applies pushes in another process. Safe to call from many threads: each waits for its turn."""

    database_url: str = field(repr=False)
    seconds: float = SECONDS
    _turn: Lock = field(default_factory=Lock)
    _process: ModuleProcess | None = None

    def work(self, push: Push, key: ExportedKey) -> Worked:
        """What came of a push; raises PushBusyError or PushBrokeOffError."""
        if not self._turn.acquire(timeout=self.seconds):
            raise PushBusyError
        try:
            return self._ask(self._running(), (push, key))
        except (EOFError, OSError, UnpicklingError):
            self._stop()
            raise PushBrokeOffError from None
        except BaseException:
            self._stop()  # it may be in the middle of anything
            raise
        finally:
            self._turn.release()

    def close(self) -> None:
        """End the process."""
        with self._turn:
            self._stop()

    @property
    def pid(self) -> int | None:
        """The number of the process, None while there is none."""
        return self._process.pid if self._process else None

    def _ask(self, process: ModuleProcess, task: tuple[Push, ExportedKey]) -> Worked:
        process.send(task)
        end = time.monotonic() + self.seconds
        worked = process.receive(lambda: max(0.0, end - time.monotonic()))
        assert isinstance(worked, Worked)
        return worked

    def _running(self) -> ModuleProcess:
        if self._process is not None and self._process.exit_code() is None:
            return self._process
        self._stop()
        self._process = process = ModuleProcess(__name__)
        process.send(self.database_url)
        return process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.stop()


def main() -> None:
    """Apply the pushes that it receives, and send what came of each, until whoever asks has gone."""
    from monitor.push.apply import work  # here, for what it loads is not for the process that asks

    harden()  # a core would hold a body in clear
    tasks: SimpleQueue[tuple[Push, ExportedKey]] = SimpleQueue()
    engine = connect(receive())
    Thread(target=_receive, args=(tasks,), daemon=True).start()
    with suppress(BrokenPipeError):
        while True:
            push, key = tasks.get()
            send(work(engine, Vault(key), push))


def _receive(tasks: SimpleQueue[tuple[Push, ExportedKey]]) -> None:
    """Receive tasks; at the end of the pipe the worker is gone, and this process ends whatever it is doing."""
    while True:
        try:
            tasks.put(receive())
        except (EOFError, UnpicklingError):
            os._exit(1)


if __name__ == "__main__":
    main()
