"""Intake: all of it (parse, digest, seal, store, attribute) against the driver's own upsert into one table."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from monitor.db import connect, transaction
from monitor.ingest.take import Parcel
from monitor.intake import take_in
from monitor.migrate import upgrade
from monitor.settings import Source
from monitor.vault import Vault, create_keys

_HEADER = (
    '"NTD filenumber";"NTD type";"NTD status";"NTD status time";"abuse owner";"abuse type";"abuse country";'
    '"abuse email";"url";"IP";"first seen";"last seen";"online counter";'
)


def run(rows: int) -> None:
    """Print rows a second of both on SQLite, and their ratio."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        path = _export(folder / "ntd.csv", rows)
        driver, whole = _driver(folder, rows), _whole(folder, path, rows)
    print(f"intake of {rows:,} SCART rows on SQLite: driver's upsert {driver:,.0f} rows/s", end=", ")
    print(f"all of it {whole:,.0f} rows/s, ratio {whole / driver:.2f}")


def _export(path: Path, rows: int) -> Path:
    with path.open("w") as file:
        file.write(_HEADER + "\n")
        for n in range(rows):
            url = f"https://img{n % 7}.s{n % 900:04}.example/gallery/{n:012x}.jpg"
            file.write(
                f'"M{n}";"email";"sent_succes";"2026-04-10 12:00:{n % 60:02}";"Company {n % 40}";"hoster";'
                f'"NL";"abuse@c{n % 40}.example";"{url}";"192.0.2.{n % 250}";"2026-04-10 09:00:00";'
                '"2026-04-10 11:30:00";"3";\n'
            )
    return path


def _driver(folder: Path, rows: int) -> float:
    connection = sqlite3.connect(folder / "driver.db")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t (digest BLOB PRIMARY KEY, sealed BLOB, a INTEGER, b INTEGER, c TEXT)")
    values = [(n.to_bytes(32), b"x" * 90, n, n, "sent_succes") for n in range(rows)]
    begun = time.perf_counter()
    with connection:
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING", values)
    connection.close()
    return rows / (time.perf_counter() - begun)


def _whole(folder: Path, path: Path, rows: int) -> float:
    create_keys(folder / "keys.json")
    engine = connect(f"sqlite:///{folder / 'monitor.db'}")
    upgrade(engine)
    parcel = Parcel(Source("scart", zone="UTC"), "scart-ntd", path, 1_775_900_000)
    begun = time.perf_counter()
    with transaction(engine) as session:
        take_in(session, Vault(folder / "keys.json"), parcel, 1_775_900_000)
    return rows / (time.perf_counter() - begun)
