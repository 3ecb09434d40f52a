"""Whether an installation can do its work: database, keys, disk, leader. Says states; no path, no address."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from monitor.db import transaction
from monitor.errors import MonitorError
from monitor.identities import ROTATE, scheme_state
from monitor.key_checks import require_opens
from monitor.migrate import current_revision, newest_revision
from monitor.release.attest import packaged, trusted_keys
from monitor.release.export import index_problems
from monitor.release.intact import SHARED, Inspector
from monitor.schedule.health import STALE, sources
from monitor.schedule.leadership import look
from monitor.settings import Settings
from monitor.vault import Vault

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
