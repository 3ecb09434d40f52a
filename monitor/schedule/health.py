"""Whether an installation can do its work, and how fresh each source is against its cadence."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from monitor.db import transaction
from monitor.errors import MonitorError
from monitor.identities import ROTATE, scheme_state
from monitor.instants import DAY, iso, to_datetime, to_instant
from monitor.key_checks import require_opens
from monitor.migrate import current_revision, newest_revision
from monitor.models.facts import Delivery
from monitor.models.run import CollectorRun, ScheduledSource
from monitor.release.attest import packaged, trusted_keys
from monitor.release.export import index_problems
from monitor.release.intact import SHARED, Inspector
from monitor.schedule import alerts
from monitor.schedule.leadership import look
from monitor.schedule.plan import Timing, spread, timing_of
from monitor.schedule.runs import last_successes
from monitor.settings import Settings
from monitor.vault import Vault
from monitor.vocabulary import Verdict

# The state of the sources: how fresh each is, measured against its cadence, and the alerts that follow from it.

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


# Whether an installation can do its work: database, keys, disk, leader. Says states; no path, no address.

OK = "ok"
_LEAST_FREE = 0.05  # of the disk: below that, a delivery may not fit
_SILENT_AFTER = 3  # leases; by the clock, so with room for clocks that differ


@dataclass(frozen=True)
class Health:
    """A state for each part, and for each source on schedule its freshness."""

    parts: dict[str, str]
    sources: dict[str, str]

    @property
    def well(self) -> bool:
        """Whether nothing needs a person."""
        return all(state == OK for state in self.parts.values()) and STALE not in self.sources.values()

    def as_json(self) -> dict[str, object]:
        """What `/health` answers."""
        return {"status": OK if self.well else "failing", "parts": self.parts, "sources": self.sources}


def health(settings: Settings, engine: Engine, now: int) -> Health:
    """The state of an installation. Raises nothing for what is wrong with it: that is the answer."""
    database = _database(engine)
    keys = _keys(settings, engine if database == OK else None)
    parts = {"database": database, "keys": keys, "disk": _disk(settings)}
    if database != OK:
        return Health(parts, {})
    with transaction(engine) as session:
        found = {source.source: source.freshness for source in sources(session, now)}
        if (published := _publications(settings, session)) is not None:
            parts["publications"] = published
        state = scheme_state(session)
        if state is not None and not state.finished:
            parts["digests"] = f"need `{ROTATE}`"
    if found:
        parts["leader"] = _leader(settings, engine, now)
    return Health(parts, found)


def _database(engine: Engine) -> str:
    try:
        with engine.connect() as connection:
            if current_revision(connection) != newest_revision():
                return "needs `monitor init`"
        return _writable(engine)
    except SQLAlchemyError:
        return "unreachable"


def _writable(engine: Engine) -> str:
    """A write to no row, taken back. A database that is only busy writing something else is writable."""
    try:
        with engine.connect() as connection:
            connection.execute(text("DELETE FROM alembic_version WHERE 1 = 0"))
            connection.rollback()
    except OperationalError as error:
        return OK if "locked" in str(error.orig) else "not writable"
    except SQLAlchemyError:
        return "not writable"
    return OK


def _keys(settings: Settings, engine: Engine | None) -> str:
    try:
        vault = Vault(settings.key_file)
    except MonitorError:
        return "unreadable"
    try:
        if engine is not None:
            require_opens(engine, vault)
    except MonitorError:
        return "not those of the database"
    return OK


def _disk(settings: Settings) -> str:
    """The disk of the home folder, and that of the database where it is a file."""
    url = make_url(settings.database_url)
    places = [settings.home] + ([Path(url.database)] if url.get_backend_name() == "sqlite" and url.database else [])
    for place in places:
        while not place.exists():
            place = place.parent
        usage = shutil.disk_usage(place)
        if usage.free < _LEAST_FREE * usage.total:
            return "almost full"
        if not os.access(place, os.W_OK):
            return "not writable"
    return OK


def _publications(settings: Settings, session: Session) -> str | None:
    """Whether what the site offers is what was signed; None where no files were made of any release."""
    inspector = Inspector(settings.publications, lambda: trusted_keys(session, settings.public_keys), SHARED)
    there = inspector.names()
    if set(packaged(session)) - set(there):
        return "files are missing"
    if index_problems(session, settings) or any(problem for name in there for problem in inspector.problems(*name)):
        return "not what was signed"
    return OK if there else None


def _leader(settings: Settings, engine: Engine, now: int) -> str:
    seen = look(engine)
    if not seen.held:
        return "nobody leads"
    silent = seen.at is None or now - seen.at > _SILENT_AFTER * settings.lease_seconds
    return "silent" if silent else OK
