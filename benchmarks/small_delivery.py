"""Small deliveries: CPU that one takes beside its rows, in a running process on SQLite."""

from __future__ import annotations

import sys
import time
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from sqlalchemy import Engine

from benchmarks.ingest import _SCART, _networks
from monitor.attribute.netblocks import TableFile, load_netblocks
from monitor.db import connect, lock_writers, transaction
from monitor.ingest.delivery import DeliveryFile, ingest, read_ahead
from monitor.instants import parse_instant, to_datetime
from monitor.key_checks import open_vault
from monitor.migrate import upgrade
from monitor.settings import Source
from monitor.vault import Vault, create_keys

_SMALL, _LARGE = 10, 1000  # rows
_DELIVERIES = 60
_SOURCE = Source("scart", zone="UTC")
_RECEIVED = parse_instant("2026-04-11T09:00:00Z")


def run() -> None:
    """Print milliseconds of CPU for a delivery beside its rows, and for a row."""
    with TemporaryDirectory(prefix="monitor-small-") as name:
        folder = Path(name)
        engine, vault = _prepared(folder)
        numbers = count()
        _median(engine, vault, folder, numbers, _LARGE, 5)  # what a process has ready from then on
        small = _median(engine, vault, folder, numbers, _SMALL, _DELIVERIES)
        large = _median(engine, vault, folder, numbers, _LARGE, 9)
        engine.dispose()
    row = (large - small) / (_LARGE - _SMALL)
    print(
        f"a delivery of {_SMALL} rows takes {small * 1000:.0f} ms of CPU,",
        f"{(small - _SMALL * row) * 1000:.0f} ms of them beside its rows (bar 30); a row {row * 1000:.2f} ms",
        flush=True,
    )


def _prepared(folder: Path) -> tuple[Engine, Vault]:
    key_file, networks = folder / "keys.json", folder / "networks.csv"
    create_keys(key_file)
    networks.write_text("".join(_networks()))
    engine = connect(f"sqlite:///{folder / 'monitor.db'}")
    upgrade(engine)
    with transaction(engine) as session:
        load_netblocks(session, TableFile(networks, to_datetime(_RECEIVED).date()), to_datetime(_RECEIVED))
    return engine, open_vault(engine, key_file, _RECEIVED)


def _median(engine: Engine, vault: Vault, folder: Path, numbers: count[int], rows: int, deliveries: int) -> float:
    """Seconds of CPU of one of so many deliveries, each of so many rows that were never seen before."""
    seconds = []
    for _ in range(deliveries):
        path = folder / "delivery.csv"
        lines = (_SCART.line(_SCART.row(next(numbers))) for _ in range(rows))
        path.write_text("\n".join((_SCART.header, *lines, "")))
        begun = time.process_time()
        _ingest(engine, vault, DeliveryFile(_SOURCE, _SCART.format, path, _RECEIVED))
        seconds.append(time.process_time() - begun)
    return median(seconds)


def _ingest(engine: Engine, vault: Vault, file: DeliveryFile) -> None:
    def attempt() -> None:
        with transaction(engine) as session:
            lock_writers(session)
            result = ingest(session, vault, file, _RECEIVED, reader=reader)
            if result.reasons:
                sys.exit("; ".join(reason.text for reason in result.reasons))

    with read_ahead(engine, vault, file) as reader:
        reader.store(attempt)


if __name__ == "__main__":
    run()
