"""The process that applies the pushes of a worker of the site, one after another.

Python runs one thread of a process at a time, so what a push takes would be missing everywhere on the site; and what
brings a scanner written in C down brings down this process alone. It is started when first needed, and again after it
broke off. It is given the address of the database, and with each push the key to seal with: both through its pipe, and
nothing else, neither in its arguments nor in its environment. It writes no file, and no core where it crashes. It ends
when its pipe does, so it outlives nobody.
"""

from __future__ import annotations

import os
import pickle
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from queue import SimpleQueue
from subprocess import DEVNULL, PIPE, Popen
from threading import Lock, Thread

from monitor.db import connect
from monitor.process import harden
from monitor.push.messages import Push, Worked
from monitor.vault import ExportedKey, Vault

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
    _process: Popen[bytes] | None = None

    def work(self, push: Push, key: ExportedKey) -> Worked:
        """What came of a push; raises PushBusyError or PushBrokeOffError."""
        if not self._turn.acquire(timeout=self.seconds):
            raise PushBusyError
        try:
            return self._ask(self._running(), pickle.dumps((push, key), pickle.HIGHEST_PROTOCOL))
        except (EOFError, OSError, pickle.UnpicklingError):
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

    def _ask(self, process: Popen[bytes], task: bytes) -> Worked:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(task)
        process.stdin.flush()
        if not wait([process.stdout.fileno()], self.seconds):
            raise TimeoutError
        worked = pickle.load(process.stdout)  # noqa: S301 -- what comes up this pipe is from `main`
        assert isinstance(worked, Worked)
        return worked

    def _running(self) -> Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._stop()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MONITOR_")}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        command = [sys.executable, "-P", "-m", __name__]
        process = Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment)  # noqa: S603 -- ours
        self._process = process
        assert process.stdin is not None
        process.stdin.write(pickle.dumps(self.database_url))
        return process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):  # what could not be written is of no use to anybody now
                if pipe is not None:
                    pipe.close()
        process.wait()


def main() -> None:
    """Apply the pushes that come on standard input, and answer on standard output, until either is closed."""
    from monitor.push.apply import work  # here, for what it loads is not for the process that asks

    harden()  # a core would hold a body in clear
    tasks: SimpleQueue[tuple[Push, ExportedKey]] = SimpleQueue()
    engine = connect(pickle.load(sys.stdin.buffer))  # noqa: S301 -- from `PushProcess`
    Thread(target=_receive, args=(tasks,), daemon=True).start()
    with suppress(BrokenPipeError):
        while True:
            push, key = tasks.get()
            worked = work(engine, Vault(key), push)
            sys.stdout.buffer.write(pickle.dumps(worked))
            sys.stdout.buffer.flush()


def _receive(tasks: SimpleQueue[tuple[Push, ExportedKey]]) -> None:
    """Receive tasks; at the end of the pipe the worker is gone, and this process ends whatever it is doing."""
    while True:
        try:
            tasks.put(pickle.load(sys.stdin.buffer))  # noqa: S301 -- from `PushProcess`
        except (EOFError, pickle.UnpicklingError):
            os._exit(1)


if __name__ == "__main__":
    main()
