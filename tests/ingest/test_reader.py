"""Reports are read, checked and sealed before the writer lock is taken: the facts are the same, the lock is short."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from monitor.db import connect, lock_writers, transaction
from monitor.formats import xarf
from monitor.formats.xarf_schema import refuse_invalid
from monitor.ingest.delivery import DeliveryFile, ingest, read_ahead
from monitor.ingest.reader import ReadAhead
from monitor.ingest.result import IngestResult
from monitor.ingest.rows import RowResult
from monitor.instants import parse_instant
from monitor.models.facts import Content, Notice, Quarantined, Sighting
from monitor.settings import Source
from monitor.source_options import Thresholds
from monitor.vault import Vault
from tests.conftest import Database, NewDatabase
from tests.web.desk.pushing import notice

NOW = parse_instant("2026-04-11T09:00:00Z")
SOURCE = Source("hotline", gate=Thresholds(quarantined_suspicious=1, quarantined_refused=1))


def delivery_file(folder: Path, *reports: dict[str, Any]) -> DeliveryFile:
    path = folder / "reports.json"
    path.write_text(json.dumps(reports))
    return DeliveryFile(SOURCE, "xarf", path, NOW)


def told(
    database: Database, vault: Vault, delivered: DeliveryFile, *, ahead: bool, checked: list[str] | None = None
) -> list[Any]:
    """All that a delivery leaves behind, without what is sealed; `checked` is to stay as it is under the lock."""
    outcomes: list[RowResult] = []

    def attempt(reader: ReadAhead | None) -> IngestResult:
        outcomes.clear()
        with transaction(database.engine) as session:
            lock_writers(session)
            before = len(checked or ())
            answer = ingest(session, vault, delivered, NOW, on_row=outcomes.append, reader=reader)
            assert len(checked or ()) == before
            return answer

    if ahead:
        with read_ahead(database.engine, vault, delivered) as read:
            answer = read.store(lambda: attempt(read))
    else:
        answer = attempt(None)
    queries = (
        select(Content.id, Content.url_digest, Content.recorded_at),
        select(Notice.id, Notice.content_id, Notice.sent_at, Notice.kind, Notice.recipient),
        select(Sighting.id, Sighting.content_id, Sighting.seen_at, Sighting.state),
        select(Quarantined.line, Quarantined.reason, Quarantined.column),
    )
    with transaction(database.engine) as session:
        stored = [[tuple(row) for row in session.execute(query)] for query in queries]
    return [answer, sorted(outcomes, key=lambda outcome: outcome.row), *map(sorted, stored)]


def test_what_was_read_ahead_leaves_the_same_facts(
    tmp_path: Path, new_database: NewDatabase, vault: Vault, database: Database
) -> None:
    reports = [notice(n % 40, verified_at="2026-04-10T13:00:00Z") for n in range(60)]
    reports += [notice(99, url="nonsense"), notice(98, timestamp="never"), notice(97, content_removed=True)]
    delivered = delivery_file(tmp_path, *reports)
    url = new_database()
    other = Database(url, connect(url))
    assert told(database, vault, delivered, ahead=True) == told(other, vault, delivered, ahead=False)
    other.engine.dispose()


def test_nothing_is_left_to_be_checked_under_the_lock(
    tmp_path: Path, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []

    def watched(report: dict[str, Any]) -> None:
        checked.append("report")
        refuse_invalid(report)

    monkeypatch.setattr(xarf, "refuse_invalid", watched)
    delivered = delivery_file(tmp_path, *(notice(n) for n in range(20)))
    assert told(database, vault, delivered, ahead=True, checked=checked)[0].accepted == 20
    assert len(checked) == 20


def test_a_file_that_was_taken_in_before_is_not_again(tmp_path: Path, database: Database, vault: Vault) -> None:
    delivered = delivery_file(tmp_path, notice(1))
    told(database, vault, delivered, ahead=True)
    assert told(database, vault, delivered, ahead=True)[0].repeated
