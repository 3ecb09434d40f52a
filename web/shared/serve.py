"""The production server: applications under uvicorn, in processes that are replaced when they break (docs/adr/0019)."""

from __future__ import annotations

import errno
import logging
import multiprocessing
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from typing import Any, cast

from uvicorn import Config, Server

from monitor.errors import ConfigurationError, MonitorError
from monitor.process import harden
from monitor.settings import Limits
from web.shared.limits import Connection, Gate
from web.shared.threads import InThreads

_BACKLOG = 2048
_OTHER_FILES = 200  # that a worker may have open beside its connections
_GRACE = 10  # seconds that answers may take when the site is stopped
_PAUSE = 1.0  # seconds before a worker that ended is replaced
_NOT_BEGUN, _TAKEN = 3, 4  # exit status of a worker that could not begin, or not listen: another could not either
_IN_USE = "it is in use by another program"
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_log = logging.getLogger(__name__)

_SECRET = ("MONITOR_", "PG")  # how the names of variables begin that may hold an address of a database, or a token


@dataclass(frozen=True)
class Service:
    """One application: the WSGI application that `load` makes in each worker, and where it listens.

    `most_bytes`: of a body that it takes; `waiting`: how many of its requests may hold a thread for long.
    `sees_settings`: whether its workers have the variables of the installation in their environment.
    """

    load: Callable[[], Any]
    host: str = "127.0.0.1"
    port: int = 8000
    limits: Limits = field(default_factory=Limits)
    most_bytes: int = 0
    waiting: int = 0
    sees_settings: bool = False
    options: str = "--host or --port"  # that say where it listens

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f"http://[{self.host}]:{self.port}/" if ":" in self.host else f"http://{self.host}:{self.port}/"


def run(services: Sequence[Service], workers: int = 1, bound: Callable[[], None] = lambda: None) -> None:
    """Serve each of the services in so many processes of its own until this one is stopped.

    `bound` is called once all ports are ours. Raises ConfigurationError where it cannot listen, MonitorError where a
    worker cannot begin.
    """
    sockets = list[socket.socket]()
    try:
        for service in services:
            sockets.append(_bound(service))
        bound()
        work = [(service, partial(_work, _within(service), sockets[n])) for n, service in enumerate(services)]
        failed = _supervise([each for each in work for _ in range(workers)])
    finally:
        for listening in sockets:
            listening.close()
    if failed is None:
        return
    service, status = failed
    if status == _TAKEN:
        raise _cannot_listen(service, _IN_USE)
    raise MonitorError("a worker cannot begin; the log says why")


def _within(service: Service) -> Service:
    """The service with no more connections than a process can have."""
    limits = service.limits
    return replace(service, limits=replace(limits, max_connections=_possible_connections(limits.max_connections)))


def _supervise(work: Sequence[tuple[Service, Callable[[], None]]]) -> tuple[Service, int] | None:
    """Keep these processes at work until a signal ends this one, or one of them cannot begin: which, and its status."""
    stop = threading.Event()
    for number in _SIGNALS:
        signal.signal(number, lambda *_: stop.set())
    processes = [_start(*each) for each in work]
    try:
        while not stop.is_set():
            wait([process.sentinel for process in processes], timeout=0.2)
            for place, process in enumerate(processes):
                if process.exitcode is not None and not stop.is_set():
                    if process.exitcode in (_NOT_BEGUN, _TAKEN):
                        return work[place][0], process.exitcode
                    _log.error("a worker ended with status %s and is replaced", process.exitcode)
                    stop.wait(_PAUSE)
                    processes[place] = _start(*work[place])
    finally:
        _end(processes)
    return None


def _start(service: Service, work: Callable[[], None]) -> SpawnProcess:
    process = multiprocessing.get_context("spawn").Process(target=work)
    with _environment(sees_settings=service.sees_settings):
        process.start()
    return process


@contextmanager
def _environment(*, sees_settings: bool) -> Iterator[None]:
    """What is started here has no variable that could lead to the database, unless it may."""
    hidden = {} if sees_settings else {name: value for name, value in os.environ.items() if name.startswith(_SECRET)}
    for name in hidden:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(hidden)


def _end(processes: list[SpawnProcess]) -> None:
    """Ask them to end, and insist where they take longer than their answers may."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + _GRACE + 5
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.exitcode is None:
            process.kill()
            process.join()


def _work(service: Service, listening: socket.socket) -> None:
    """Serve in this process until it is told to end, or its parent is gone."""
    harden()
    for number in _SIGNALS:
        signal.signal(number, lambda *_: None)  # uvicorn's own come in front, and raise the signal again at the end
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        application = InThreads(service.load(), service.limits, service.most_bytes, service.waiting)
    except Exception:  # noqa: BLE001 -- the boundary of a process; the log says type and place, and no more
        _log.exception("a worker cannot begin")
        raise SystemExit(_NOT_BEGUN) from None
    try:
        listening.listen(_BACKLOG)  # not before: who comes while the site is loaded would wait, and not know for what
    except OSError:
        raise SystemExit(_TAKEN) from None
    Server(_config(application, Gate(service.limits))).run([listening])


def _config(application: InThreads, gate: Gate) -> Config:
    return Config(
        application,
        http=cast("Any", partial(Connection, gate)),
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="error",  # below that, a line for each request that is no HTTP
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=cast("int", gate.limits.idle_seconds),
        timeout_graceful_shutdown=_GRACE,
        timeout_notify=0,  # once a second
        callback_notify=gate.sweep,
    )


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        signal.raise_signal(signal.SIGTERM)


def _possible_connections(wanted: int) -> int:
    """How many connections a process can have, with as many open files as it is allowed: at most `wanted`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))  # what we start inherits it
    possible = max(1, soft - _OTHER_FILES)
    if possible < wanted:
        _log.warning("at most %d connections a worker: this process may have %d files open", possible, soft)
    return possible


def _bound(service: Service) -> socket.socket:
    """A socket of its address, on which workers will listen; ConfigurationError where another program does.

    Another `monitor serve` too: without SO_REUSEPORT no two of them share a port.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(service.host, service.port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # not a port on which another one listens
        listening.bind(address)
    except OSError as error:
        why = _IN_USE if error.errno == errno.EADDRINUSE else str(error.strerror)
        raise _cannot_listen(service, why) from error
    return listening


def _cannot_listen(service: Service, why: str) -> ConfigurationError:
    where = f"{service.host} port {service.port}"
    return ConfigurationError(f"cannot listen on {where}: {why}; choose another {service.options}")
