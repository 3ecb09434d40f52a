"""The production server answers, goes on answering while a release is published, and stops when it is told to."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from monitor.db import connect
from monitor.settings import Settings
from tests.conftest import NewDatabase
from tests.support.published import invent, publish
from web.serve import serve

ADDRESS = "/en/ranking/2026Q2.json"


def free_port() -> int:
    """A port nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(address: str) -> bytes:
    """The answer, asked for until it comes."""
    for _ in range(600):  # starting takes seconds on a busy machine
        try:
            with urlopen(address, timeout=5) as answer:
                return bytes(answer.read())
        except URLError:
            time.sleep(0.1)
    raise AssertionError(f"{address} does not answer")


def until(condition: Callable[[], bool]) -> None:
    """Wait for it, far longer than it ever takes."""
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it does not come")


@contextmanager
def served(settings: Settings, workers: int) -> Iterator[int]:
    """The port of a site that is served by so many processes, and that stops at the end."""
    port = free_port()
    context = multiprocessing.get_context("spawn")
    server = context.Process(target=serve, args=(settings, "127.0.0.1", port, workers))
    server.start()
    try:
        assert b'"ok"' in wait_for(f"http://127.0.0.1:{port}/healthz")
        yield port
    finally:
        server.terminate()
        server.join(20)
    assert not server.is_alive()
    server.close()


def ask(connection: HTTPConnection, address: str) -> bytes:
    """The body of a good answer over a connection that stays open."""
    connection.request("GET", address)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200
    return body


def version(connection: HTTPConnection) -> int:
    """Which version of the period is shown."""
    number: int = json.loads(ask(connection, ADDRESS))["release"]["version"]
    return number


def worker(connection: HTTPConnection) -> str:
    """Which process is at the other end: the one that holds that end of the connection open (Linux: /proc)."""
    ask(connection, "/healthz")
    ends = f"{_place(connection.sock.getpeername()[1])} {_place(connection.sock.getsockname()[1])} "
    inode = next(line.split()[9] for line in Path("/proc/net/tcp").read_text().splitlines() if ends in line)
    return next(file.parts[2] for file in Path("/proc").glob("[0-9]*/fd/*") if _leads_to(file, f"socket:[{inode}]"))


def _place(port: int) -> str:
    return f"0100007F:{port:04X}"


def _leads_to(file: Path, target: str) -> bool:
    with suppress(OSError):  # it has been closed since, or its process has ended
        return str(file.readlink()) == target
    return False


@contextmanager
def closing_engine(url: str) -> Iterator[Engine]:
    """An engine that leaves no connection open."""
    engine = connect(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def one_connection_to_each(port: int, workers: int) -> Iterator[list[HTTPConnection]]:
    """Connections that stay open, one to each process; the last of them may take its time to start."""
    with ExitStack() as stack:
        found: dict[str, HTTPConnection] = {}

        def all_found() -> bool:
            connection = HTTPConnection("127.0.0.1", port, timeout=30)
            stack.callback(connection.close)
            found.setdefault(worker(connection), connection)
            return len(found) == workers

        until(all_found)
        yield list(found.values())


class Load:
    """Readers that ask without end, each time over a new connection, and note every version and failure."""

    def __init__(self, port: int, readers: int) -> None:
        self.seen: set[int] = set()
        self.asked = 0
        self.failures: list[str] = []
        self._port, self._stop = port, threading.Event()
        self._threads = [threading.Thread(target=self._read) for _ in range(readers)]

    def _read(self) -> None:
        while not self._stop.is_set():
            try:
                with closing(HTTPConnection("127.0.0.1", self._port, timeout=30)) as connection:
                    self.seen.add(version(connection))
                    self.asked += 1
            except (OSError, AssertionError) as error:
                self.failures.append(repr(error))

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def test_the_site_is_served_with_its_settings(tmp_path: Path) -> None:
    with served(Settings(home=tmp_path), 1):
        assert (tmp_path / "monitor.db").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="which worker answers is seen in /proc, and by root only")
def test_all_workers_show_a_release_that_is_published_under_load(tmp_path: Path, new_database: NewDatabase) -> None:
    url = new_database()
    with closing_engine(url) as engine:
        with Session(engine) as session:
            publish(session, invent("2026Q2", ranked=False))
        settings = Settings(home=tmp_path, database_url=url)
        # One socket for all: a worker that has nothing to do takes every connection, so all are found under load only.
        with served(settings, 2) as port, Load(port, 3) as load, one_connection_to_each(port, 2) as workers:
            until(lambda: load.asked >= 20)
            assert [version(connection) for connection in workers] == [1, 1]
            with Session(engine) as session:
                publish(session, invent("2026Q2"), version=2)
            for connection in workers:
                until(lambda there=connection: version(there) == 2)  # type: ignore[misc]
            begun = load.asked
            until(lambda: load.asked >= begun + 20)
            assert [version(connection) for connection in workers] == [2, 2]
        assert load.failures == []
        assert load.seen == {1, 2}


@pytest.mark.parametrize("ours", [False, True], ids=["another program", "the site itself"])
def test_a_port_that_is_taken_is_said_in_one_line(tmp_path: Path, ours: bool) -> None:
    with ExitStack() as stack:
        if ours:
            port = stack.enter_context(served(Settings(home=tmp_path / "first"), 1))
        else:
            taken = stack.enter_context(closing(socket.create_server(("127.0.0.1", 0))))
            port = taken.getsockname()[1]
        environment = os.environ | {"MONITOR_HOME": str(tmp_path / "home")}
        monitor = [sys.executable, "-W", "ignore", "-m", "monitor"]
        subprocess.run([*monitor, "init", "--create-keys"], env=environment, check=True, capture_output=True)
        command = [*monitor, "serve", "--port", str(port)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    said = f"monitor: cannot listen on 127.0.0.1 port {port}: it is in use by another program; choose another --host"
    assert (done.returncode, done.stderr) == (1, f"{said} or --port\n")


def test_it_ends_well_when_it_is_told_to(tmp_path: Path) -> None:
    environment = os.environ | {"MONITOR_HOME": str(tmp_path / "home")}
    monitor = [sys.executable, "-W", "ignore", "-m", "monitor"]
    subprocess.run([*monitor, "init", "--create-keys"], env=environment, check=True, capture_output=True)
    for number in (signal.SIGTERM, signal.SIGINT):
        port = free_port()
        with subprocess.Popen(
            [*monitor, "serve", "--port", str(port)], env=environment, stderr=subprocess.PIPE
        ) as site:
            wait_for(f"http://127.0.0.1:{port}/healthz")
            site.send_signal(number)
            _, said = site.communicate(timeout=60)
        assert (site.returncode, said.count(b"\n")) == (0, 1), said
