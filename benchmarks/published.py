"""A database of invented releases: what the benchmarks of pages and reports read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.scoring import episodes
from monitor.db import connect, lock_writers, transaction
from monitor.migrate import upgrade
from monitor.release.draft import draft
from monitor.release.export import export
from monitor.release.publish import publish
from monitor.release.signing import create_signing_key
from monitor.score.aggregate import NETWORK, aggregate
from monitor.score.engine import opened, put
from monitor.score.estimate import estimate
from monitor.score.methods import method
from monitor.score.ranking import rank_companies
from monitor.score.supplements import flows, norms
from monitor.score.table import Label, Quality, SourceQuality, Table, Unattributed
from monitor.settings import Settings

COMPANIES, QUARTERS = 500, 20
_EPISODES = 400  # of the largest company; the smallest has a tenth
_VARIANTS = 2  # tables that are scored; the quarters take turns
_LAST_YEAR = 2026


def settings_of(folder: Path) -> Settings:
    """The settings of an installation in a folder."""
    return Settings(home=folder, demonstration=True)


def make(folder: Path, companies: int = COMPANIES, quarters: int = QUARTERS) -> tuple[str, ...]:
    """Publish so many quarters of so many companies in a new database; returns the periods, oldest first."""
    began = time.perf_counter()
    engine = connect(settings_of(folder).database_url)
    upgrade(engine)
    tables = [invented(companies, seed) for seed in range(1, min(_VARIANTS, quarters) + 1)]
    periods = tuple(_periods(quarters))
    for number, period in enumerate(periods):
        end = datetime(int(period[:4]) + period.endswith("4"), 3 * int(period[5:]) % 12 + 1, 8, tzinfo=UTC)
        table = replace(tables[number % len(tables)], period=period, as_of=_iso(end), known_at=_iso(end))
        with transaction(engine) as session:
            lock_writers(session)
            publish(session, draft(session, table, method(), end, "benchmark"), "invented", end, "benchmark")
    settings = settings_of(folder)
    key = create_signing_key(settings.signing_key_file, settings.public_keys)
    with transaction(engine) as session:
        export(session, settings, key)
    engine.dispose()
    print(f"published {quarters} quarters of {companies} companies in {time.perf_counter() - began:.0f} s")
    return periods


def invented(companies: int, seed: int = 1) -> Table:
    """A whole table, scored from random episodes."""
    rows, record = episodes_of(companies, seed), method()
    labels = {n: Label(f"voorbeeld-{n:03}", f"Voorbeeldhost {n:03}", "NL") for n in range(1, companies + 1)}
    with opened("duckdb://") as engine:
        every = put(engine, "episodes", rows)
        found = estimate(aggregate(engine, every, every, record), labels, record)
        network = found.pop(NETWORK)
        other = norms(engine, every, every, found, record)
        moved = flows(engine, every, labels)
    listed = [replace(estimate, announced_ipv4=256 * number) for number, estimate in found.items()]
    source = SourceQuality("scart", 13, "2026-04-01T00:00:00Z", "2026-06-30T00:00:00Z", 168.0, 0.001)
    return Table(
        record.version, "", "", "", rank_companies(listed, record), network, Unattributed(0, 0), None,
        flows=moved, norms=other, quality=Quality((source,), (), ()),
    )  # fmt: skip


def episodes_of(companies: int, seed: int) -> pa.Table:
    """Random episodes of companies of unlike size; a third of those that moved went to one of the companies."""
    random = np.random.default_rng(seed)
    rows = episodes(companies * _EPISODES, companies, seed)
    share = np.linspace(1, 0.1, companies + 1)
    rows = rows.filter(pa.array(random.random(rows.num_rows) < share[rows["company"].to_numpy()]))
    ends = [rows[name] for name in ("followed_h", "last_online_h", "first_offline_h", "relocated_h")]
    followed = pc.max_element_wise(*ends)  # nothing is seen after the last look
    rows = rows.set_column(rows.column_names.index("followed_h"), "followed_h", followed)
    known = (random.random(rows.num_rows) < 1 / 3) & rows["destination"].is_valid().to_numpy()
    to = pa.array(random.integers(1, companies + 1, rows.num_rows), mask=~known)
    scored = pa.array(np.ones(rows.num_rows, bool))
    return rows.append_column("destination_company", to).append_column("scored", scored)


def _periods(quarters: int) -> Iterator[str]:
    last = 4 * _LAST_YEAR + 1
    yield from (f"{number // 4}Q{number % 4 + 1}" for number in range(last - quarters + 1, last + 1))


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
