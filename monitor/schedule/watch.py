"""What the operator should hear of, found in the database, however it came there: on schedule, by hand or pushed."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.instants import DAY, iso, to_datetime
from monitor.models.facts import Delivery
from monitor.schedule import alerts
from monitor.schedule.health import STALE, sources
from monitor.vocabulary import Verdict


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
