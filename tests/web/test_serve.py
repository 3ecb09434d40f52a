"""The production server answers, goes on answering while a release is published, and stops when it is told to."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
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
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

from monitor.settings import Settings
from tests.support.publications import Version, put
from tests.support.published import invent
from web.command import public_service
from web.shared.serve import Service, run

ADDRESS = "/en/ranking/2026Q2.json"


def free_port() -> int:
    """A port nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(address: str) -> bytes:
    """The answer, good or bad, asked for until it comes."""
    for _ in range(600):  # starting takes seconds on a busy machine
        try:
            with urlopen(address, timeout=5) as answer:
                return bytes(answer.read())
        except HTTPError as error:
            with error:
                return error.read()
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
def served(service: Service, workers: int) -> Iterator[int]:
    """The port of an application that is served by so many processes, and that stops at the end."""
    server = multiprocessing.get_context("spawn").Process(target=run, args=([service], workers))
    server.start()
    try:
        assert b'"status"' in wait_for(f"http://127.0.0.1:{service.port}/health")
        yield service.port
    finally:
        server.terminate()
        server.join(20)
    assert not server.is_alive()
    server.close()


def site(home: Path) -> Service:
    """The public site over a home folder, on a free port."""
    return public_service(Settings(home=home).site, port=free_port())


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
    ask(connection, "/health")
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


@pytest.mark.skipif(os.geteuid() != 0, reason="which worker answers is seen in /proc, and by root only")
def test_all_workers_show_a_release_that_is_published_under_load(tmp_path: Path) -> None:
    put(tmp_path, Version(invent("2026Q2", ranked=False)))
    # One socket for all: a worker that has nothing to do takes every connection, so all are found under load only.
    with served(site(tmp_path), 2) as port, Load(port, 3) as load, one_connection_to_each(port, 2) as workers:
        until(lambda: load.asked >= 20)
        assert [version(connection) for connection in workers] == [1, 1]
        put(tmp_path, Version(invent("2026Q2"), version=2, reason="a notice was withdrawn"))
        for connection in workers:
            until(lambda there=connection: version(there) == 2)  # type: ignore[misc]
        begun = load.asked
        until(lambda: load.asked >= begun + 20)
        assert [version(connection) for connection in workers] == [2, 2]
    assert load.failures == []
    assert load.seen == {1, 2}


MONITOR = (sys.executable, "-W", "ignore", "-m", "monitor")
CONFIGURED = """
publisher = "An authority"
contact = "monitor@authority.example"
privacy_address = "https://authority.example/privacy"
report_address = "https://hotline.example/report"
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with one published release, and nothing in its database."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "monitor.toml").write_text(CONFIGURED, "utf-8")
    environment = os.environ | {"MONITOR_HOME": str(folder)}
    subprocess.run([*MONITOR, "init", "--create-keys"], env=environment, check=True, capture_output=True)
    put(folder, Version(invent("2026Q2")))
    return folder


@pytest.mark.parametrize("ours", [False, True], ids=["another program", "the site itself"])
def test_a_port_that_is_taken_is_said_in_one_line(home: Path, ours: bool) -> None:
    with ExitStack() as stack:
        if ours:
            port = stack.enter_context(served(site(home), 1))
        else:
            taken = stack.enter_context(closing(socket.create_server(("127.0.0.1", 0))))
            port = taken.getsockname()[1]
        environment = os.environ | {"MONITOR_HOME": str(home)}
        command = [*MONITOR, "serve", "--port", str(free_port()), "--desk-port", str(port)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    said = f"cannot listen on 127.0.0.1 port {port}: it is in use by another program; choose another --desk-host"
    assert (done.returncode, done.stderr) == (1, f"monitor: {said} or --desk-port\n")


@contextmanager
def running(home: Path, *options: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """`monitor serve` with these options, in an environment with nothing of ours but what is given."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MONITOR_")}
    given = plain | {"MONITOR_HOME": str(home)} | environment
    with subprocess.Popen([*MONITOR, "serve", *options], env=given, stderr=subprocess.PIPE) as server:
        try:
            yield server
        finally:
            server.send_signal(signal.SIGTERM)


def test_both_are_served_and_end_well_when_they_are_told_to(home: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        port, desk = free_port(), free_port()
        with running(home, "--port", str(port), "--desk-port", str(desk)) as server:
            assert b'"index"' in wait_for(f"http://127.0.0.1:{port}/health")
            assert b'"database"' in wait_for(f"http://127.0.0.1:{desk}/health")
            server.send_signal(number)
            _, said = server.communicate(timeout=60)
        told = [line.partition(" (stop")[0] for line in said.decode().splitlines()]
        assert (server.returncode, told) == (
            0,
            [
                "warning: help_address is not set in monitor.toml: readers are not told where victims find help",
                f"serving the public site on http://127.0.0.1:{port}/",
                f"serving the desk on http://127.0.0.1:{desk}/",
            ],
        )


def test_the_desk_alone(home: Path) -> None:
    port = free_port()
    with running(home, "--only", "desk", "--port", str(port)):
        assert b'"database"' in wait_for(f"http://127.0.0.1:{port}/health")
        for address in ("/", "/en/", "/api/v1/releases", "/static/site.css"):
            with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
                connection.request("GET", address)
                answer = connection.getresponse()
                assert (answer.status == 200) == address.startswith("/static"), address
                assert answer.getheader("Cache-Control") == "no-store"


def processes(pid: int) -> list[int]:
    """A process and all that it started (Linux)."""
    children = [int(c) for file in Path(f"/proc/{pid}/task").glob("*/children") for c in file.read_text().split()]
    return [pid, *(each for child in children for each in processes(child))]


def opened(pid: int) -> list[str]:
    """What a process has open, and what it has mapped into memory."""
    files = [str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir() if not _gone(file)]
    return files + [line.split()[-1] for line in Path(f"/proc/{pid}/maps").read_text().splitlines() if "/" in line]


def _gone(file: Path) -> bool:
    with suppress(OSError):
        return not file.readlink()
    return True


@pytest.mark.skipif(os.geteuid() != 0, reason="what a hardened process has open is for root only to see")
def test_the_public_site_runs_without_database_keys_and_cookies(home: Path, tmp_path: Path) -> None:
    """From the publications folder alone (S16): no database, no key, nothing that leads to one."""
    alone, port = tmp_path / "alone", free_port()
    shutil.copytree(home / "publications", alone / "publications", symlinks=True)
    with running(alone, "--only", "public", "--port", str(port), "--workers", "2") as server:
        begun = wait_for(f"http://127.0.0.1:{port}/health")
        assert json.loads(begun) == {"status": "ok", "parts": {"index": "ok", "publications": "ok"}}
        for address in ("/en/ranking/2026Q2", "/en/company/2026Q2/as64500", "/en/trend", "/en/charts/2026Q2",
                        "/en/open-data", "/api/v1/companies/as64500", "/catalog.ttl"):  # fmt: skip
            with urlopen(f"http://127.0.0.1:{port}{address}", timeout=30) as answer:
                assert (answer.status, answer.headers["Set-Cookie"]) == (200, None)
        found = processes(server.pid)
        assert len(found) >= 3  # the first, and two workers
        for pid in found:
            files = opened(pid)
            assert not [f for f in files if "monitor.db" in f or "keys.json" in f or "signing.pem" in f]
        for pid in found[1:]:
            assert not [f for f in opened(pid) if "sqlalchemy" in f or "psycopg" in f or "_sqlite3" in f]
            assert not [v for v in _environment(pid) if v.startswith(("MONITOR_", "PG"))]
    assert not list(alone.rglob("*.db")) + list(alone.rglob("*.json.key")) + list(alone.glob("keys.json"))


@pytest.mark.skipif(os.geteuid() != 0, reason="what a hardened process has in its environment is for root only to see")
def test_beside_the_desk_the_workers_of_the_site_are_told_of_no_database(home: Path) -> None:
    port, desk, secret = free_port(), free_port(), f"sqlite:///{home / 'monitor.db'}"
    with running(home, "--port", str(port), "--desk-port", str(desk), MONITOR_DATABASE_URL=secret) as server:
        wait_for(f"http://127.0.0.1:{port}/health")
        wait_for(f"http://127.0.0.1:{desk}/health")
        workers = [pid for pid in processes(server.pid)[1:] if _is_worker(pid)]
        told = [any("monitor.db" in value for value in _environment(pid)) for pid in workers]
        loaded = [any("sqlalchemy" in file for file in opened(pid)) for pid in workers]
    assert sorted(told) == [False, True]
    assert loaded == told


def _is_worker(pid: int) -> bool:
    return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()


def _environment(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")


def test_an_empty_folder_is_said_in_one_line(tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, "--only", "public", "--port", str(port)) as server:
        wait_for(f"http://127.0.0.1:{port}/health")
        server.send_signal(signal.SIGTERM)
        _, said = server.communicate(timeout=60)
    note = "note: the publications folder is empty: run `monitor release export` where the database is"
    assert said.decode().splitlines()[0] == f"{note}, and copy the folder here"
