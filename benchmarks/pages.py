"""Pages: a ranking of 500 companies rendered, and served from memory beside a bare application of the same bytes."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from benchmarks import published
from benchmarks.load import Load, load
from web.command import public_service
from web.public.app import create_app
from web.shared.serve import Service
from web.shared.serve import run as run_services

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

WORKERS = 2
GZIP = {"Accept-Encoding": "gzip"}
_UNCACHED_MS, _CACHED_SHARE = 20, 0.5  # the bars
_ROUNDS = 3


def run(companies: int = published.COMPANIES, quarters: int = published.QUARTERS) -> None:
    """Print CPU of a page that is rendered, and requests a second of one that is kept, each with its bar."""
    with TemporaryDirectory(prefix="monitor-pages-") as folder:
        newest = published.make(Path(folder), companies, quarters)[-1]
        _rendered(Path(folder), f"/en/ranking/{newest}")
        _served(Path(folder), f"/en/ranking/{newest}")


def _rendered(folder: Path, address: str) -> None:
    """CPU of one thread, without the cache: the first page of a table, and those after it."""
    client = create_app(published.settings_of(folder).site).test_client()
    first = _cpu_ms(lambda: client.get(address, headers=GZIP))
    later = median(_cpu_ms(lambda page=page: client.get(f"{address}?page={page}", headers=GZIP))  # type: ignore[misc]
                   for page in range(1, 31))  # fmt: skip
    size = len(client.get(address, headers=GZIP).data) / 1000
    print(f"ranking page rendered ({size:.0f} kB gzipped): first {first:.0f} ms of CPU,", end=" ")
    print(f"later {later:.1f} ms (bar {_UNCACHED_MS}): {later / _UNCACHED_MS:.2f} of it")


def _cpu_ms(work: Callable[[], Any]) -> float:
    began = time.process_time()
    assert work().status_code == 200
    return (time.process_time() - began) * 1000


@dataclass(frozen=True)
class Served:
    """One run of the load generator, and the CPU of all processes of the server in microseconds a request.

    The generator takes a core of its own, so that the rates of two fast servers differ by less than their work.
    """

    load: Load
    cpu_us: float

    def __str__(self) -> str:
        load = self.load
        return f"{load.rate:,.0f} requests/s (p99 {load.p99_ms:.0f} ms, {self.cpu_us:.0f} us of CPU each)"


def _served(folder: Path, address: str) -> None:
    """Rates of both servers in turn, so that what else the machine does falls on both."""
    site = partial(_serve_site, folder)
    with _server(site) as server:
        headers, body = _answer(server.port, address)
        with _server(partial(_serve_bare, headers, body)) as bare:
            rounds = [(_under_load(bare, address), _under_load(server, address)) for _ in range(_ROUNDS)]
        known = _under_load(server, address, headers["etag"])
    plain, kept = (
        sorted(found, key=lambda served: served.load.rate)[_ROUNDS // 2] for found in zip(*rounds, strict=True)
    )
    print(
        f"{WORKERS} workers, {len(body) / 1000:.0f} kB: bare application {plain}; from the page cache {kept};", end=" "
    )
    print(f"304 {known}; page cache to bare: rate {kept.load.rate / plain.load.rate:.2f},", end=" ")
    print(f"requests by CPU {plain.cpu_us / kept.cpu_us:.2f} (bar {_CACHED_SHARE} for both)")


def _under_load(server: Server, address: str, tag: str | None = None) -> Served:
    began = _cpu_seconds(server.pid)
    found = load(server.port, address, GZIP | ({"If-None-Match": tag} if tag else {}))
    return Served(found, (_cpu_seconds(server.pid) - began) / found.requests * 1e6)


def _cpu_seconds(pid: int) -> float:
    """What a process and all it started have used (Linux, proc(5))."""
    told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    started = [
        int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()
    ]
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK") + sum(map(_cpu_seconds, started))


@dataclass(frozen=True)
class Server:
    """Where a server listens, and its first process."""

    port: int
    pid: int


@contextmanager
def _server(work: Callable[..., None]) -> Iterator[Server]:
    """A server in processes of its own."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    process = get_context("spawn").Process(target=work, kwargs={"port": port})
    process.start()
    try:
        _wait_for(port)
        assert process.pid is not None
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.join()


def _wait_for(port: int) -> None:
    for _ in range(600):
        try:
            _answer(port, "/health")
        except URLError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the server does not start")


def _answer(port: int, address: str) -> tuple[dict[str, str], bytes]:
    """Headers and bytes of one answer."""
    with urlopen(Request(f"http://127.0.0.1:{port}{address}", headers=GZIP), timeout=60) as answer:
        return {name.lower(): value for name, value in answer.headers.items()}, answer.read()


def _serve_bare(headers: dict[str, str], body: bytes, port: int) -> None:
    run_services([Service(partial(_bare, headers, body), port=port)], WORKERS)


def _serve_site(folder: Path, port: int) -> None:
    run_services([public_service(published.settings_of(folder).site, port=port)], WORKERS)


def _bare(headers: dict[str, str], body: bytes) -> Callable[..., Any]:
    """An application that does nothing but send these bytes."""
    kept = [(name, value) for name, value in headers.items() if name not in ("date", "server", "connection")]

    def application(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", kept)
        return [body]

    return application


if __name__ == "__main__":
    run()
