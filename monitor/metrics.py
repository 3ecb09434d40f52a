"""What Prometheus is told, read from the database when it asks: right with many workers, and after restarts."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from monitor.db import transaction
from monitor.models.facts import Delivery, Quarantined
from monitor.models.run import Alert, CollectorRun, ScheduledSource
from monitor.schedule.health import FRESH, LATE, STALE, SourceHealth, sources
from monitor.schedule.leadership import look

# An item is open while the last thing seen of it is not that it is gone. One pass over notices and sightings.
_OPEN = text(
    "SELECT count(*), min(noticed) FROM (SELECT content_id, min(sent_at) AS noticed FROM notices GROUP BY content_id) n"
    " WHERE NOT EXISTS (SELECT 1 FROM sightings s WHERE s.content_id = n.content_id AND s.state IN ('offline', 'moved')"
    " AND NOT EXISTS (SELECT 1 FROM sightings o WHERE o.content_id = s.content_id AND o.state = 'online'"
    " AND o.seen_at > s.seen_at))"
)


def exposition(engine: Engine) -> bytes:
    """The metrics in Prometheus' text format, with those of this process; raises SQLAlchemyError."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    registry.register(_Installation(engine))
    return generate_latest(registry)


class _Installation(Collector):
    """The state of an installation, read when it is asked for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: registering must not ask the database."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """All metrics, in one transaction."""
        now = int(time.time())
        with transaction(self._engine) as session:
            known = sources(session, now)
            yield from _sources(known)
            yield from _runs(session, known)
            yield from _deliveries(session)
            yield from _items(session, now)
            yield from _schedule(session, self._engine)


def _gauge(
    name: str, help_text: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]
) -> Metric:
    family = GaugeMetricFamily(f"monitor_{name}", help_text, labels=labels)
    for label, value in values:
        family.add_metric(label, value)
    return family


def _counter(
    name: str, help_text: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]
) -> Metric:
    family = CounterMetricFamily(f"monitor_{name}", help_text, labels=labels)
    for label, value in values:
        family.add_metric(label, value)
    return family


def _sources(known: list[SourceHealth]) -> Iterator[Metric]:
    """A source that never succeeded has no last success: no sample, not 0."""
    label = ("source",)
    good = [((source.source,), float(source.last_success)) for source in known if source.last_success is not None]
    yield _gauge("source_last_success_timestamp_seconds", "End of the last good run.", label, good)
    due = [((source.source,), float(source.next_run)) for source in known]
    yield _gauge("source_next_run_timestamp_seconds", "When the next run is due.", label, due)
    failed = [((source.source,), float(source.failures)) for source in known]
    yield _gauge("source_consecutive_failures", "Runs that failed since the last good one.", label, failed)
    states = [
        ((source.source, state), float(source.freshness == state)) for source in known for state in (FRESH, LATE, STALE)
    ]
    yield _gauge("source_freshness", "1 for how fresh the source is.", ("source", "freshness"), states)


def _runs(session: Session, known: list[SourceHealth]) -> Iterator[Metric]:
    counts = select(CollectorRun.source, CollectorRun.verdict, func.count()).group_by(
        CollectorRun.source, CollectorRun.verdict
    )
    rows = [((source, verdict), float(count)) for source, verdict, count in session.execute(counts)]
    yield _counter("runs", "Runs of collectors by verdict.", ("source", "verdict"), rows)
    cadences = [((source.source,), float(source.cadence)) for source in known]
    yield _gauge("source_cadence_seconds", "How often the source is collected.", ("source",), cadences)


def _deliveries(session: Session) -> Iterator[Metric]:
    of = Delivery.source, Delivery.verdict
    totals = select(*of, func.count(), func.sum(Delivery.accepted), func.sum(Delivery.duplicate)).group_by(*of)
    found = session.execute(totals).all()
    yield _counter(
        "deliveries",
        "Deliveries by the verdict of the checks.",
        ("source", "verdict"),
        [((source, str(verdict)), float(count)) for source, verdict, count, _, _ in found],
    )
    stored = [row for row in found if str(row[1]) == "ok"]
    quarantined = (
        select(Delivery.source, func.count())
        .join(Quarantined, Quarantined.delivery_id == Delivery.id)
        .group_by(Delivery.source)
    )
    rows = [((source, "accepted"), float(accepted)) for source, _, _, accepted, _ in stored]
    rows += [((source, "duplicate"), float(duplicate)) for source, _, _, _, duplicate in stored]
    rows += [((source, "quarantined"), float(count)) for source, count in session.execute(quarantined)]
    yield _counter("rows", "Rows of deliveries that count, by what became of them.", ("source", "outcome"), rows)


def _items(session: Session, now: int) -> Iterator[Metric]:
    count, oldest = session.execute(_OPEN).one()
    yield _gauge("items_outstanding", "Noticed items not seen gone.", (), [((), float(count))])
    ages = [] if oldest is None else [((), float(now - oldest))]
    yield _gauge("items_oldest_age_seconds", "Since the first notice of the longest outstanding item.", (), ages)


def _schedule(session: Session, engine: Engine) -> Iterator[Metric]:
    seen = look(engine)
    yield _gauge("leader_term", "The term of the schedule's leader.", (), [((), float(seen.term))])
    beats = [] if seen.at is None else [((), float(seen.at))]
    yield _gauge("leader_beat_timestamp_seconds", "Last sign of life of the leader.", (), beats)
    open_now = select(Alert.kind, func.count()).where(Alert.ended_at.is_(None)).group_by(Alert.kind)
    rows = [((kind,), float(count)) for kind, count in session.execute(open_now)]
    yield _gauge("alerts_open", "Alerts that last.", ("kind",), rows)
    on_schedule = session.scalar(select(func.count()).select_from(ScheduledSource)) or 0
    yield _gauge("sources_on_schedule", "Sources on schedule.", (), [((), float(on_schedule))])
