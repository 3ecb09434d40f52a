"""The record of collectors' runs, and what the last good one remembered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event, func, select, update
from sqlalchemy.orm import Session

from monitor.instants import DAY, to_datetime, to_instant
from monitor.models.run import CollectorRun

OK = "ok"
UNCHANGED = "unchanged"
FAILED = "failed"
HELD = "held"  # a delivery is pending review; what else came is ingested, and remembered
STOPPED = "stopped"  # with the schedule, or by a person; says nothing about the source
SUPERSEDED = "superseded"  # by a new leader; such a run writes nothing, so this stands in logs and answers only
GOOD = (OK, UNCHANGED)
_REMEMBERING = (*GOOD, HELD)
_LONGEST_REASON = 500
_RETRY_AFTER = "retry-after"  # in what a failed run remembers; all other keys are digests
LONGEST_WAIT = DAY  # that a server may ask of us
_LONGEST_DELIVERY_MS = 60 * 60 * 1000


@dataclass(frozen=True)
class Verdict:
    """How a run ended. `remembered`: validators by digest of location, for the next conditional request.

    `rows`: of the deliveries that were ingested. `not_before`: until when the server of a failed run asked us to wait.
    """

    verdict: str
    reason: str | None = None
    deliveries: tuple[int, ...] = ()
    rows: int = 0
    remembered: dict[str, dict[str, str]] = field(default_factory=dict)
    not_before: int | None = None


@dataclass(frozen=True)
class RunId:
    """Which run this is: its name in the logs, and the term it was started in; neither where nobody gave them."""

    run: str | None = None
    term: int | None = None


def record(
    session: Session, source: str, started_at: int, finished_at: int, verdict: Verdict, run_id: RunId = RunId()
) -> CollectorRun:
    """Write a run down. A good one takes over remembering, so that what older ones remembered can go."""
    if verdict.verdict in _REMEMBERING:
        older = update(CollectorRun).where(CollectorRun.source == source).values(remembered={})
        session.execute(older)
    run = CollectorRun(
        source=source,
        run=run_id.run,
        term=run_id.term,
        started_at=to_datetime(started_at),
        finished_at=to_datetime(finished_at),
        verdict=verdict.verdict,
        reason=verdict.reason and verdict.reason[:_LONGEST_REASON],
        deliveries=list(verdict.deliveries),
        rows=verdict.rows,
        remembered=verdict.remembered if verdict.verdict in _REMEMBERING else _to_wait(verdict.not_before),
    )
    session.add(run)
    session.flush()
    return run


def remembered(session: Session, source: str) -> dict[str, dict[str, str]]:
    """What the last good run of a source remembered."""
    query = (
        select(CollectorRun.remembered)
        .where(CollectorRun.source == source, CollectorRun.verdict.in_(_REMEMBERING))
        .order_by(CollectorRun.id.desc())
        .limit(1)
    )
    return session.scalar(query) or {}


def _to_wait(not_before: int | None) -> dict[str, dict[str, str]]:
    return {} if not_before is None else {_RETRY_AFTER: {"not_before": str(not_before)}}


def asked_to_wait(session: Session, source: str, now: int) -> int | None:
    """Until when the server of a source asked us to stay away, where that is to come: at most a day from its asking."""
    last = last_run(session, source)
    if last is None or last.verdict != FAILED or _RETRY_AFTER not in last.remembered:
        return None
    until = int(last.remembered[_RETRY_AFTER]["not_before"])
    return until if now < until <= now + LONGEST_WAIT else None


def last_run(session: Session, source: str) -> CollectorRun | None:
    """The last run of a source that was written down."""
    query = select(CollectorRun).where(CollectorRun.source == source).order_by(CollectorRun.id.desc()).limit(1)
    return session.scalar(query)


def run_named(session: Session, name: str) -> CollectorRun | None:
    """The run of that name, where it was written down."""
    return session.scalars(select(CollectorRun).where(CollectorRun.run == name)).one_or_none()


def last_successes(session: Session) -> dict[str, int]:
    """When each source last ended well, in epoch seconds; nothing for one that never did."""
    good = select(CollectorRun.source, func.max(CollectorRun.finished_at)).where(CollectorRun.verdict.in_(GOOD))
    return {source: to_instant(at) for source, at in session.execute(good.group_by(CollectorRun.source))}


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
