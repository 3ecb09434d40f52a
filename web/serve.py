"""The production server: the site under uvicorn, in processes that are replaced when they break (docs/adr/0019)."""

from __future__ import annotations

import errno
import logging
import multiprocessing
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from typing import Any, cast

from uvicorn import Config, Server

from monitor import logs
from monitor.errors import ConfigurationError, MonitorError
from monitor.process import harden
from monitor.schedule.lock import connect_with_short_timeout
from monitor.settings import Limits, Settings
from web.app import create_app
from web.cache import PageCache
from web.limits import Connection, Gate
from web.releases import Watch
from web.threads import InThreads

_BACKLOG = 2048
_OTHER_FILES = 200  # that a worker may have open beside its connections
_GRACE = 10  # seconds that answers may take when the site is stopped
_PAUSE = 1.0  # seconds before a worker that ended is replaced
_NOT_BEGUN, _TAKEN = 3, 4  # exit status of a worker that could not begin, or not listen: another could not either
_IN_USE = "it is in use by another program"
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_log = logging.getLogger(__name__)

Load = Callable[[], Any]


def serve(
    settings: Settings,
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 1,
    bound: Callable[[], None] = lambda: None,
) -> None:
    """Serve the site until it is stopped; each worker is a process with its own pages and tables in memory.

    `bound` is called once the port is ours. Raises ConfigurationError where it cannot listen, MonitorError where no
    worker can begin.
    """
    logs.configure(settings)
    run(partial(_load, settings), host, port, workers, settings.limits, bound)


def run(
    load: Load,
    host: str,
    port: int,
    workers: int,
    limits: Limits | None = None,
    bound: Callable[[], None] = lambda: None,
) -> None:
    """Serve the WSGI application that `load` makes in each worker."""
    limits = limits or Limits()
    limits = replace(limits, max_connections=_possible_connections(limits.max_connections))
    with _bound(host, port) as listening:
        bound()
        status = _supervise(partial(_work, load, limits, listening), workers)
    if status == _TAKEN:
        raise _cannot_listen(host, port, _IN_USE)
    if status == _NOT_BEGUN:
        raise MonitorError("the site cannot begin; its log says why")


def _supervise(work: Callable[[], None], workers: int) -> int:
    """Keep so many processes at work until a signal ends this one, or one of them cannot begin: its exit status."""
    stop = threading.Event()
    for number in _SIGNALS:
        signal.signal(number, lambda *_: stop.set())
    processes = [_start(work) for _ in range(workers)]
    try:
        while not stop.is_set():
            wait([process.sentinel for process in processes], timeout=0.2)
            for place, process in enumerate(processes):
                if process.exitcode is not None and not stop.is_set():
                    if process.exitcode in (_NOT_BEGUN, _TAKEN):
                        return process.exitcode
                    _log.error("a worker ended with status %s and is replaced", process.exitcode)
                    stop.wait(_PAUSE)
                    processes[place] = _start(work)
    finally:
        _end(processes)
    return 0


def _start(work: Callable[[], None]) -> SpawnProcess:
    process = multiprocessing.get_context("spawn").Process(target=work)
    process.start()
    return process


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


def _work(load: Load, limits: Limits, listening: socket.socket) -> None:
    """Serve in this process until it is told to end, or its parent is gone."""
    harden()
    for number in _SIGNALS:
        signal.signal(number, lambda *_: None)  # uvicorn's own come in front, and raise the signal again at the end
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        application = InThreads(load(), limits)
    except Exception:  # noqa: BLE001 -- the boundary of a process; the log says type and place, and no more
        _log.exception("the site cannot begin")
        raise SystemExit(_NOT_BEGUN) from None
    try:
        listening.listen(_BACKLOG)  # not before: who comes while the site is loaded would wait, and not know for what
    except OSError:
        raise SystemExit(_TAKEN) from None
    Server(_config(application, Gate(limits))).run([listening])


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


def _load(settings: Settings) -> PageCache:
    logs.configure(settings)  # in each worker: it logs as the schedule does
    return with_cache(settings)


def with_cache(settings: Settings) -> PageCache:
    """The site with its finished pages in memory, as each worker has it."""
    watch = Watch(connect_with_short_timeout(settings.database_url), settings.publications)
    return PageCache(create_app(settings), watch)


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


def _bound(host: str, port: int) -> socket.socket:
    """A socket of that address, on which workers will listen; ConfigurationError where another program does.

    Another `monitor serve` too: without SO_REUSEPORT no two of them share a port.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # not a port on which another one listens
        listening.bind(address)
    except OSError as error:
        why = _IN_USE if error.errno == errno.EADDRINUSE else str(error.strerror)
        raise _cannot_listen(host, port, why) from error
    return listening


def _cannot_listen(host: str, port: int, why: str) -> ConfigurationError:
    return ConfigurationError(f"cannot listen on {host} port {port}: {why}; choose another --host or --port")
