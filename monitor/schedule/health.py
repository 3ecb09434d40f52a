"""The state of the sources: how fresh each is, measured against its cadence, and the alerts that follow from it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monitor.instants import DAY, iso, to_datetime, to_instant
from monitor.models.facts import Delivery
from monitor.models.run import CollectorRun, ScheduledSource
from monitor.schedule import alerts
from monitor.schedule.plan import Timing, spread, timing_of
from monitor.schedule.runs import last_successes
from monitor.vocabulary import Verdict

FRESH = "fresh"
LATE = "late"
STALE = "stale"
_STALE_AFTER = 3  # cadences


@dataclass(frozen=True)
class SourceHealth:
    """A source on schedule; instants in epoch seconds, None where there is none. `failures`: since the last success.

    `rows`: of the last run.
    """

    source: str
    cadence: int
    freshness: str
    failures: int
    next_run: int
    last_success: int | None
    last_run: int | None = None
    verdict: str | None = None
    reason: str | None = None
    rows: int | None = None

    def as_json(self) -> dict[str, object]:
        """The stable keys of `monitor sources --json`."""
        return {
            "source": self.source,
            "freshness": self.freshness,
            "cadence_seconds": self.cadence,
            "last_success": _said(self.last_success),
            "last_run": _said(self.last_run),
            "verdict": self.verdict,
            "reason": self.reason,
            "rows": self.rows,
            "failures": self.failures,
            "next_run": _said(self.next_run),
        }


def _said(instant: int | None) -> str | None:
    return None if instant is None else iso(instant)


def freshness(timing: Timing, since: int, now: int) -> str:
    """How old what we know may be called; `since` is the last success, or else when it was put on schedule.

    Fresh: a run in its cadence, with jitter and time limit, cannot have ended later. Stale: three of them failed.
    """
    allowed = spread(timing.cadence, timing.jitter) + timing.limit
    age = now - since
    if age <= timing.cadence + allowed:
        return FRESH
    return LATE if age <= _STALE_AFTER * timing.cadence + allowed else STALE


def sources(session: Session, now: int) -> list[SourceHealth]:
    """Every source on schedule, by name."""
    good = last_successes(session)
    newest = select(func.max(CollectorRun.id)).group_by(CollectorRun.source)
    last = {run.source: run for run in session.scalars(select(CollectorRun).where(CollectorRun.id.in_(newest)))}
    rows = session.scalars(select(ScheduledSource).order_by(ScheduledSource.source))
    return [_health(row, good.get(row.source), last.get(row.source), now) for row in rows]


def _health(row: ScheduledSource, success: int | None, last: CollectorRun | None, now: int) -> SourceHealth:
    since = to_instant(row.scheduled_at) if success is None else success
    return SourceHealth(
        source=row.source,
        cadence=row.cadence_seconds,
        freshness=freshness(timing_of(row), since, now),
        failures=row.failures,
        next_run=to_instant(row.next_run_at),
        last_success=success,
        last_run=None if last is None else to_instant(last.finished_at),
        verdict=None if last is None else last.verdict,
        reason=None if last is None else last.reason,
        rows=None if last is None else last.rows,
    )


def watch(session: Session, now: int) -> None:
    """Raise and end the alerts of stale sources and of deliveries that the gate stopped."""
    _sources(session, now)
    _waiting(session, now)
    _refused(session, now)


def _sources(session: Session, now: int) -> None:
    known = sources(session, now)
    for source in known:
        if source.freshness == STALE:
            last = None if source.last_success is None else iso(source.last_success)
            alerts.begin(session, alerts.SOURCE_STALE, source.source, {"last_success": last}, now)
    stale = [source.source for source in known if source.freshness == STALE]
    alerts.end_others(session, alerts.SOURCE_STALE, stale, now)
    alerts.end_others(session, alerts.SOURCE_FAILING, [source.source for source in known if source.failures], now)


def _waiting(session: Session, now: int) -> None:
    """A suspicious delivery is an alert until a person decides."""
    found = select(Delivery.id, Delivery.source).where(Delivery.verdict == Verdict.SUSPICIOUS)
    waiting = {_subject(number): source for number, source in session.execute(found)}
    for subject, source in waiting.items():
        alerts.begin(session, alerts.DELIVERY_SUSPICIOUS, subject, {"source": source}, now)
    alerts.end_others(session, alerts.DELIVERY_SUSPICIOUS, waiting.keys(), now)


def _refused(session: Session, now: int) -> None:
    """What the gate refused in the last day; what a person refused, that person knows."""
    lately = Delivery.recorded_at > to_datetime(now - DAY)
    found = select(Delivery.id, Delivery.source).where(
        Delivery.verdict == Verdict.REFUSED, Delivery.decided_at.is_(None), lately
    )
    for number, source in session.execute(found).all():
        alerts.begin(session, alerts.DELIVERY_REFUSED, _subject(number), {"source": source}, now)


def _subject(delivery: int) -> str:
    return f"delivery {delivery}"
