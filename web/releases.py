"""What the site reads: published releases, each table parsed once and kept, for a release never changes."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.models.release import Release, ReleaseRow, Stage
from monitor.publish.rows import PublicTable, Row, public_table
from monitor.release.store import HASH_HIT, load_company, thaw
from monitor.score.table import Table

_KEPT = 16


@dataclass(frozen=True, slots=True)
class Edition:
    """One published version of one period, without its table."""

    id: int
    period: str
    version: int
    published_at: datetime | None
    manifest_sha256: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """All published editions: latest period first, newest version first."""

    editions: tuple[Edition, ...]

    @property
    def newest(self) -> tuple[Edition, ...]:
        """The newest version of each period."""
        return tuple({edition.period: edition for edition in reversed(self.editions)}.values())[::-1]

    def versions(self, period: str) -> tuple[Edition, ...]:
        """All versions of a period."""
        return tuple(edition for edition in self.editions if edition.period == period)

    def find(self, period: str, version: int | None) -> Edition | None:
        """That version of a period, or its newest."""
        return next((e for e in self.versions(period) if version in (None, e.version)), None)


def shelf(session: Session) -> Shelf:
    """What is published now."""
    query = (
        select(Release.id, Release.period, Release.version, Release.published_at, Release.manifest_sha256)
        .where(Release.stage == Stage.PUBLISHED)
        .order_by(Release.period.desc(), Release.version.desc())
    )
    return Shelf(tuple(Edition(*row) for row in session.execute(query)))


def periods_with(session: Session, editions: Sequence[Edition], company: str) -> tuple[Edition, ...]:
    """Those of the editions that know the company."""
    query = select(ReleaseRow.release_id).where(ReleaseRow.company_key == company)
    known = set(session.scalars(query))
    return tuple(edition for edition in editions if edition.id in known)


def periods_with_hash_hits(session: Session, editions: Sequence[Edition]) -> tuple[Edition, ...]:
    """Those of the editions that have a company in the table of the hash hits."""
    of_hits = ReleaseRow.company_key.startswith(HASH_HIT, autoescape=True)
    known = set(session.scalars(select(ReleaseRow.release_id).where(of_hits).distinct()))
    return tuple(edition for edition in editions if edition.id in known)


class Library:
    """Public tables by release, the last used kept in memory; safe for several threads."""

    def __init__(self) -> None:
        self._tables: OrderedDict[int, PublicTable] = OrderedDict()
        self._lock = Lock()

    def table(self, session: Session, edition: Edition) -> PublicTable:
        """What may be shown of an edition; companies without their curve."""
        with self._lock:
            if edition.id not in self._tables:
                self._tables[edition.id] = public_table(_load(session, edition))
            self._tables.move_to_end(edition.id)
            while len(self._tables) > _KEPT:
                self._tables.popitem(last=False)
            return self._tables[edition.id]

    def row(self, session: Session, edition: Edition, key: str) -> Row | None:
        """One company with its curve."""
        row = self.table(session, edition).find(key)
        if row is None or row.figures is None:
            return row
        release = session.get_one(Release, edition.id)
        whole = load_company(session, release, key)
        return replace(row, figures=whole and replace(row.figures, curve=whole.curve))


def _load(session: Session, edition: Edition) -> Table:
    """The table without the companies' curves, which are nine tenths of it and only their own pages show."""
    head = json.loads(session.get_one(Release, edition.id).table_json)
    rows = select(ReleaseRow.company_key, ReleaseRow.row_json).where(ReleaseRow.release_id == edition.id)
    found = session.execute(rows.order_by(ReleaseRow.position))
    return thaw(head, ((key, json.loads(row) | {"curve": []}) for key, row in found))
