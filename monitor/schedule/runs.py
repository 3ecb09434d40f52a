"""The record of collectors' runs, and what the last good one remembered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event, select, update
from sqlalchemy.orm import Session

from monitor.instants import to_datetime
from monitor.models.run import CollectorRun

OK = "ok"
UNCHANGED = "unchanged"
FAILED = "failed"
_LONGEST_REASON = 500
_LONGEST_DELIVERY_MS = 60 * 60 * 1000


@dataclass(frozen=True)
class Verdict:
    """How a run ended. `remembered`: validators by digest of location, for the next conditional request."""

    verdict: str
    reason: str | None = None
    deliveries: tuple[int, ...] = ()
    rows: int = 0
    remembered: dict[str, dict[str, str]] = field(default_factory=dict)


def record(session: Session, source: str, started_at: int, finished_at: int, verdict: Verdict) -> CollectorRun:
    """Write a run down. A good one takes over remembering, so that what older ones remembered can go."""
    if verdict.verdict != FAILED:
        older = update(CollectorRun).where(CollectorRun.source == source).values(remembered={})
        session.execute(older)
    run = CollectorRun(
        source=source,
        started_at=to_datetime(started_at),
        finished_at=to_datetime(finished_at),
        verdict=verdict.verdict,
        reason=verdict.reason and verdict.reason[:_LONGEST_REASON],
        deliveries=list(verdict.deliveries),
        rows=verdict.rows,
        remembered={} if verdict.verdict == FAILED else verdict.remembered,
    )
    session.add(run)
    session.flush()
    return run


def remembered(session: Session, source: str) -> dict[str, dict[str, str]]:
    """What the last good run of a source remembered."""
    query = (
        select(CollectorRun.remembered)
        .where(CollectorRun.source == source, CollectorRun.verdict != FAILED)
        .order_by(CollectorRun.id.desc())
        .limit(1)
    )
    return session.scalar(query) or {}


def last_run(session: Session, source: str) -> CollectorRun | None:
    """The last run of a source that was written down."""
    query = select(CollectorRun).where(CollectorRun.source == source).order_by(CollectorRun.id.desc()).limit(1)
    return session.scalar(query)


def wait_for_deliveries(engine: Engine) -> Engine:
    """Let an engine's connections wait for as long as a large delivery may take to store.

    SQLite has one writer at a time: with the usual half minute, a second collector or the schedule itself would fail
    whenever another source delivers much. PostgreSQL has no such limit.
    """
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _wait_longer)
        engine.dispose()  # connections made before wait less
    return engine


def _wait_longer(connection: Any, _record: object) -> None:
    connection.execute(f"PRAGMA busy_timeout={_LONGEST_DELIVERY_MS}").close()
