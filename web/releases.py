"""What the site reads: published releases, each table parsed once and kept, for a release never changes."""

from __future__ import annotations

import json
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import TypeAlias
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from monitor.disclosure.rows import PublicTable, Row, public_table
from monitor.instants import iso, to_instant
from monitor.models.release import Release, ReleaseRow, Stage
from monitor.release.store import HASH_HIT, load_table_without_curves
from monitor.score.table import Estimate, from_json


@dataclass(frozen=True, slots=True)
class Announcement:
    """An edition as it was made public: the version it `corrects` and the `reason`, None for a first version."""

    edition: ReleaseVersion
    corrects: int | None
    reason: str | None
    hearing_waived: str | None


def announcements(session: Session) -> tuple[Announcement, ...]:
    """All that is published, the last made public first; of a manifest only the reason is read."""
    corrects = Release.manifest["corrects"]
    columns = (Release.id, Release.period, Release.version, Release.published_at, Release.manifest_sha256)
    query = (
        select(*columns, corrects["version"].as_integer(), corrects["reason"].as_string(), Release.hearing_waived)
        .where(Release.stage == Stage.PUBLISHED)
        .order_by(Release.published_at.desc(), Release.period.desc(), Release.version.desc())
    )
    return tuple(Announcement(ReleaseVersion(*row[:5]), *row[5:]) for row in session.execute(query))


EVERY = 1.0  # seconds between two looks of one worker

_LOG = logging.getLogger("monitor.site")

State: TypeAlias = tuple[object, ...]


class Watch:
    """Counts how often what is published was seen to change; looks at most once in EVERY seconds.

    Only one thread looks; meanwhile the others go on with what was seen last, also where the database does not answer.
    """

    def __init__(self, engine: Engine, publications: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._folder, self._clock = engine, publications, clock
        self._lock = Lock()
        self._seen: State | None = None
        self._due = clock()
        self._count = 0
        self._answers = True

    def __call__(self) -> int:
        """The number of the present state."""
        if self._clock() >= self._due and self._lock.acquire(blocking=False):
            try:
                self._due = self._clock() + EVERY
                self._look()
            finally:
                self._lock.release()
        return self._count

    def _look(self) -> None:
        try:
            seen = published(self._engine, self._folder)
        except SQLAlchemyError as error:
            if self._answers:
                _LOG.warning("the database does not answer (%s): kept pages are shown on", type(error).__name__)
            self._answers = False
            return
        self._answers = True
        if seen != self._seen:
            self._seen, self._count = seen, self._count + 1


def published(engine: Engine, publications: Path) -> State:
    """What changes whenever a release is published, or its files are made; raises SQLAlchemyError."""
    query = select(func.count(), func.max(Release.id), func.max(Release.published_at))
    with engine.connect() as connection:
        releases = connection.execute(query.where(Release.stage == Stage.PUBLISHED)).one()
    try:
        files = publications.stat().st_mtime_ns
    except FileNotFoundError:
        files = None
    return (*releases, files)


_KEPT = 32  # tables of a worker, about 4 MB each with 500 companies: five years and their corrections


@dataclass(frozen=True, slots=True)
class ReleaseVersion:
    """One published version of one period, without its table."""

    id: int
    period: str
    version: int
    published_at: datetime | None
    manifest_sha256: str

    @property
    def published(self) -> str | None:
        """When it was published, in ISO 8601."""
        return iso(to_instant(self.published_at)) if self.published_at else None

    def as_json(self) -> dict[str, str | int | None]:
        """Which version of which period, and the fingerprint of its manifest."""
        return {
            "period": self.period,
            "version": self.version,
            "published_at": self.published,
            "manifest_sha256": self.manifest_sha256,
        }


_SEEN: WeakKeyDictionary[Engine, dict[int, ReleaseVersion]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class ReleaseIndex:
    """All published editions: latest period first, newest version first."""

    editions: tuple[ReleaseVersion, ...]

    @property
    def newest(self) -> tuple[ReleaseVersion, ...]:
        """The newest version of each period."""
        return tuple({edition.period: edition for edition in reversed(self.editions)}.values())[::-1]

    def versions(self, period: str) -> tuple[ReleaseVersion, ...]:
        """All versions of a period."""
        return tuple(edition for edition in self.editions if edition.period == period)

    def find(self, period: str, version: int | None) -> ReleaseVersion | None:
        """That version of a period, or its newest."""
        return next((e for e in self.versions(period) if version in (None, e.version)), None)


def release_index(session: Session) -> ReleaseIndex:
    """What is published now.

    A published release never changes, so each is read once: its hash lies behind megabytes of its row, which SQLite
    would walk through for every page.
    """
    known = _SEEN.setdefault(session.get_bind().engine, {})
    query = select(Release.id).where(Release.stage == Stage.PUBLISHED)
    there = session.scalars(query.order_by(Release.period.desc(), Release.version.desc())).all()
    new = [number for number in there if number not in known]
    if new:
        columns = (Release.id, Release.period, Release.version, Release.published_at, Release.manifest_sha256)
        found = session.execute(select(*columns).where(Release.id.in_(new)))
        known.update((row.id, ReleaseVersion(*row)) for row in found)
    return ReleaseIndex(tuple(known[number] for number in there))


def periods_with(session: Session, editions: Sequence[ReleaseVersion], company: str) -> tuple[ReleaseVersion, ...]:
    """Those of the editions that know the company."""
    query = select(ReleaseRow.release_id).where(ReleaseRow.company_key == company)
    known = set(session.scalars(query))
    return tuple(edition for edition in editions if edition.id in known)


def periods_with_hash_hits(session: Session, editions: Sequence[ReleaseVersion]) -> tuple[ReleaseVersion, ...]:
    """Those of the editions that have a company in the table of the hash hits."""
    of_hits = ReleaseRow.company_key.startswith(HASH_HIT, autoescape=True)
    known = set(session.scalars(select(ReleaseRow.release_id).where(of_hits).distinct()))
    return tuple(edition for edition in editions if edition.id in known)


class ReleaseTables:
    """Public tables by release, the last used kept in memory; safe for several threads.

    Who asks for a table that is being read waits for it; who asks for another does not.
    """

    def __init__(self) -> None:
        self._tables: OrderedDict[int, PublicTable] = OrderedDict()
        self._reading: dict[int, Lock] = {}
        self._lock = Lock()

    def table(self, session: Session, edition: ReleaseVersion) -> PublicTable:
        """What may be shown of an edition; companies without their curve."""
        with self._lock:
            reading = self._reading.setdefault(edition.id, Lock())
        with reading:
            found = self._kept(edition.id)
            if found is None:
                found = public_table(load_table_without_curves(session, edition.id))
                self._keep(edition.id, found)
            return found

    def _kept(self, number: int) -> PublicTable | None:
        with self._lock:
            if number in self._tables:
                self._tables.move_to_end(number)
            return self._tables.get(number)

    def _keep(self, number: int, table: PublicTable) -> None:
        with self._lock:
            self._tables[number] = table
            while len(self._tables) > _KEPT:
                self._tables.popitem(last=False)

    def row(self, session: Session, edition: ReleaseVersion, key: str) -> Row | None:
        """One company with its curve."""
        row = self.table(session, edition).find(key)
        if row is None or row.figures is None:
            return row
        own = (ReleaseRow.release_id == edition.id, ReleaseRow.company_key == key)
        whole = from_json(Estimate, json.loads(session.scalars(select(ReleaseRow.row_json).where(*own)).one()))
        return replace(row, figures=replace(row.figures, curve=whole.curve))
