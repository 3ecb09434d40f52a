"""A little country of hosters with open items, for the tests of both observers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from monitor.attribute.registry import load_registry
from monitor.db import transaction
from monitor.formats.registry import read_registry
from monitor.ingest import delivery
from monitor.instants import HOUR, parse_instant
from monitor.models.company import Company
from monitor.models.facts import Attribution, Sighting
from monitor.settings import Source
from monitor.vault import Vault
from spiders.collection_run import CollectionRun, RunOutcome
from tests.conftest import Database
from tests.samples import Closed, Ntd, delivery_file

REGISTRY = """
companies:
- {key: delta, name: Delta, country: NL, prefixes: [192.0.2.0/25, "2001:db8:1::/48"]}
- {key: klinker, name: Klinker, country: BE, prefixes: [198.51.100.0/25]}
- {key: zilver, name: Zilver, country: DE, prefixes: [198.51.100.128/25]}
- {key: sluier, name: Sluier, country: US, proxy: true, prefixes: [203.0.113.0/24]}
- {key: winkel, name: Winkel, country: NL, domains: [winkel.example]}
"""
SENT = "2026-04-10 12:00:00"
START = parse_instant("2026-04-10T18:00:00Z")
DELTA, DELTA_V6, KLINKER, ZILVER, PROXY, UNATTRIBUTED = (
    "192.0.2.1", "2001:db8:1::1", "198.51.100.1", "198.51.100.129", "203.0.113.1", "192.0.2.200",
)  # fmt: skip


@dataclass
class Observed:
    """A database with a registry, a clock that tests move, and runs of an observer."""

    database: Database
    vault: Vault
    folder: Path
    source: Source
    clock: int = START
    outcomes: list[RunOutcome] = field(default_factory=list)

    def __post_init__(self) -> None:
        path = self.folder / "registry.yaml"
        path.write_text(REGISTRY, "utf-8")
        with transaction(self.database.engine) as session:
            load_registry(session, read_registry(path), datetime(2026, 4, 1, tzinfo=UTC))

    def ingest(self, *rows: Ntd | Closed, received_at: str = "2026-04-10T17:00:00Z") -> None:
        folder = self.folder / "deliveries"
        folder.mkdir(exist_ok=True)
        with transaction(self.database.engine) as session:
            delivery.ingest(session, self.vault, delivery_file(folder, received_at, *rows), parse_instant(received_at))

    def check(self, observe: Callable[..., bool], hours: float = 0, **options: Any) -> RunOutcome:
        """One run, that many hours later."""
        self.clock += round(hours * HOUR)
        run = CollectionRun(self.source, self.folder, self.database.engine, self.vault, lambda: self.clock)
        assert observe(run, pause=0, **options)
        self.outcomes.append(run.outcome)
        return run.outcome

    def configure(self, **options: Any) -> None:
        self.source = replace(self.source, **options)

    def seen(self) -> list[tuple[int, str, str | None, int]]:
        """(content, state, country, hours after the start) of what the observer saw."""
        with transaction(self.database.engine) as session:
            query = select(Sighting).where(Sighting.observer == self.source.name).order_by(Sighting.id)
            return [
                (s.content_id, str(s.state), s.country, (int(s.seen_at.timestamp()) - START) // HOUR)
                for s in session.scalars(query)
            ]

    def hosts(self, content: int = 1) -> list[tuple[str | None, str]]:
        """(company, basis) of a content's attributions, in the order they were recorded."""
        with transaction(self.database.engine) as session:
            keys = {company.id: company.key for company in session.scalars(select(Company))}
            rows = session.scalars(
                select(Attribution).where(Attribution.content_id == content).order_by(Attribution.id)
            )
            return [(keys.get(row.company_id or 0), str(row.basis)) for row in rows]

    def everything(self) -> str:
        """All that the database holds, as text."""
        with self.database.engine.connect() as connection:
            tables = [table for table in _TABLES if table]
            return "".join(str(connection.execute(text(f"SELECT * FROM {table}")).all()) for table in tables)


_TABLES = (
    "deliveries", "sightings", "attributions", "audit_entries", "observer_states", "collector_runs", "companies",
    "company_details",
)  # fmt: skip
