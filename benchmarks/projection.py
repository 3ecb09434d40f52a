"""The projection of the running quarter: a million episodes of 500 companies, and an hour later a few more facts.

`python -m benchmarks.projection --episodes 1000000`. The database is SQLite, the hour brings 2,000 notices, and 2,000
items are seen offline; 3 % have not ended.
"""

from __future__ import annotations

import argparse
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from monitor.db import Base, connect, transaction
from monitor.instants import DAY, HOUR, parse_period
from monitor.score.methods import method
from monitor.score.pipeline import Request
from monitor.score.projection import project

_PERIOD = parse_period("2026Q2")
_NOW = _PERIOD.start + 80 * DAY
_AN_HOUR, _COMPANIES, _STILL = 2_000, 500, 0.03


def _insert(database: sqlite3.Connection, table: str, rows: Iterator[dict[str, object]]) -> None:
    first = next(rows)
    names = ", ".join(first)
    sql = f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(first))})"
    database.execute(sql, tuple(first.values()))
    database.executemany(sql, (tuple(row.values()) for row in rows))


def fill(file: Path, episodes: int, seed: int = 1) -> None:
    """Companies, items with ten to a site, a notice each, and when each was seen online and offline."""
    random = np.random.default_rng(seed)
    engine = connect(f"sqlite:///{file}")
    Base.metadata.create_all(engine)
    engine.dispose()
    start = random.integers(_PERIOD.start, _NOW - 2 * HOUR, episodes)
    hours = np.exp(random.normal(np.log(12), 1.5, episodes))
    off = np.where(random.random(episodes) < _STILL, 0, start + np.floor(hours * HOUR).astype(np.int64))
    company, first = random.integers(1, _COMPANIES + 1, max(episodes // 10, 1)), _PERIOD.start
    database = sqlite3.connect(file)
    delivery = {
        "id": 1, "source": "bench", "format": "bench", "file_digest": "0" * 64, "received_at": first,
        "recorded_at": first, "zone": "UTC", "rows": 0, "accepted": 0, "duplicate": 0, "quarantined": "{}",
        "warnings": "{}", "contents_new": 0, "notices_new": 0, "sightings_new": 0,
    }  # fmt: skip
    _insert(database, "deliveries", iter([delivery]))
    numbers = range(1, _COMPANIES + 1)
    _insert(database, "companies", ({"id": n, "key": f"company-{n}", "recorded_at": first} for n in numbers))
    detail = {"country": "NL", "proxy": 0, "review": 0, "recorded_at": first}
    _insert(database, "company_details", ({"company_id": n, "name": f"Company {n}"} | detail for n in numbers))
    _insert(database, "sites", ({"id": n + 1, "key_version": 1, "digest": n.to_bytes(32)} for n in range(len(company))))
    _items(database, start, off, company)
    database.commit()
    database.close()


def _items(database: sqlite3.Connection, start: np.ndarray, off: np.ndarray, company: np.ndarray) -> None:
    every = range(len(start))
    content = {"delivery_id": 1, "key_version": 1, "url_sealed": bytes(120), "truncated": 0}
    notice = {
        "delivery_id": 1, "kind": "hotline_notice", "recipient_role": "hoster", "channel": "email",
        "delivery": "assumed", "key_version": 1,
    }  # fmt: skip
    starts, ends, hosts = start.tolist(), off.tolist(), company.tolist()
    sites = [n * len(hosts) // len(starts) for n in every]
    _insert(
        database,
        "contents",
        (
            content | {"id": n + 1, "site_id": sites[n] + 1, "url_digest": n.to_bytes(32), "recorded_at": starts[n]}
            for n in every
        ),
    )
    _insert(
        database,
        "attributions",
        (
            {"id": n + 1, "content_id": n + 1, "company_id": hosts[sites[n]], "valid_from": starts[n],
             "basis": "hotline", "recorded_at": starts[n]}
            for n in every
        ),
    )  # fmt: skip
    _insert(
        database,
        "notices",
        (notice | {"id": n + 1, "content_id": n + 1, "sent_at": starts[n], "recorded_at": starts[n]} for n in every),
    )
    seen = [(n, ends[n] - HOUR, "online") for n in every if ends[n] - HOUR > starts[n]]
    seen += [(n, ends[n], "offline") for n in every if ends[n]]
    _insert(
        database,
        "sightings",
        (
            {"id": place + 1, "delivery_id": 1, "content_id": n + 1, "seen_at": at, "state": state,
             "observer": "bench", "recorded_at": at}
            for place, (n, at, state) in enumerate(seen)
        ),
    )  # fmt: skip


def run(episodes: int) -> None:
    """Print the seconds of the first projection and of those of the next hours, in this process and in its children."""
    with TemporaryDirectory(prefix="monitor-projection-") as folder:
        file = Path(folder) / "bench.db"
        fill(file, episodes)
        engine = connect(f"sqlite:///{file}")
        for hours in (0, 1, 2, 3):
            now = _NOW + hours * HOUR
            begun, cpu = time.perf_counter(), time.process_time()
            with transaction(engine) as session:
                anew = project(session, Request(_PERIOD, now, now, method("2026.2")), Path(folder) / "kept").anew
            taken, used = time.perf_counter() - begun, time.process_time() - cpu
            made = "all" if anew is None else f"{anew:,}"
            print(
                f"projection {episodes:,} episodes, {_COMPANIES} companies: {made} anew,",
                f"{taken:.1f} s, CPU {used:.1f} s",
            )
        engine.dispose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="The projection of the running quarter.")
    parser.add_argument("--episodes", type=int, default=1_000_000)
    run(parser.parse_args().episodes)
