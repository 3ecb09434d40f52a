"""Reading releases: which exist, and their tables as typed values."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.errors import MonitorError
from monitor.instants import is_quarter
from monitor.models.release import Release, ReleaseRow, Stage
from monitor.score.table import Table, from_json


def canonical(value: object) -> str:
    """Sorted keys, no spaces, UTF-8 characters as they are, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(text: str) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


_CURVE = re.compile(r'"curve":\[[^\]]*\]')  # in canonical JSON; in a text the quotation marks would be escaped
_PARTS = ("flows", "norms", "quality", "groups", "earlier")
HASH_HIT = "#"  # before a company's key in the rows of the hash hits; no key has it, and the column has room for one


def published(session: Session) -> Sequence[Release]:
    """The newest published version of each period, latest period first."""
    query = select(Release).where(Release.stage == Stage.PUBLISHED).order_by(Release.period, Release.version)
    newest = {release.period: release for release in session.scalars(query)}
    return sorted(newest.values(), key=lambda release: release.period, reverse=True)


def find(session: Session, name: str) -> Release:
    """The release with that number, or the newest version of that period; raises MonitorError for none."""
    query = select(Release).where(Release.period == name).order_by(Release.version.desc()).limit(1)
    release = session.get(Release, int(name)) if name.isdecimal() else session.scalars(query).one_or_none()
    if release is None:
        raise MonitorError(f"no release {name!r}; `monitor release list` shows those there are")
    return release


def find_draft(session: Session, period: str) -> Release | None:
    """The draft of a period, or None; a new one replaces it."""
    return session.scalars(select(Release).where(Release.period == period, Release.stage == Stage.DRAFT)).one_or_none()


def newest_published(session: Session, period: str) -> Release | None:
    """The version of a period that is in force, or None before its first publication."""
    query = select(Release).where(Release.period == period, Release.stage == Stage.PUBLISHED)
    return session.scalars(query.order_by(Release.version.desc()).limit(1)).one_or_none()


def find_published(session: Session, name: str) -> Release:
    """The published release with that number, or of that period the one in force; raises MonitorError for none."""
    release = find(session, name) if name.isdecimal() else newest_published(session, name)
    if release is None or release.stage is not Stage.PUBLISHED:
        raise MonitorError(f"{name!r} is not published; `monitor release list` shows what is")
    return release


def published_until(session: Session, release: Release) -> Sequence[Release]:
    """Every version of this period and of earlier quarters that was public when this one came out, oldest first."""
    query = select(Release).where(Release.stage == Stage.PUBLISHED, Release.published_at <= release.published_at)
    found = session.scalars(query.order_by(Release.period, Release.version))
    return [other for other in found if _is_version_until(other, release) or _is_earlier(other.period, release.period)]


def _is_version_until(other: Release, release: Release) -> bool:
    return other.period == release.period and other.version <= release.version


def _is_earlier(period: str, than: str) -> bool:
    return is_quarter(period) and is_quarter(than) and period < than


def load_table(session: Session, release: Release) -> Table:
    """The whole table of a release, companies in the order they were frozen in."""
    rows = select(ReleaseRow.company_key, ReleaseRow.row_json).where(ReleaseRow.release_id == release.id)
    found = session.execute(rows.order_by(ReleaseRow.position))
    return load_serialised(json.loads(release.table_json), ((key, json.loads(row)) for key, row in found))


def load_table_without_curves(session: Session, number: int, *, parts: bool = True) -> Table:
    """The table of the release with that number, without the companies' curves: nine tenths of it.

    Without `parts` it has no flows, norms and quality either, which are most of the rest.
    """
    head = json.loads(session.scalars(select(Release.table_json).where(Release.id == number)).one())
    head = head if parts else _without_parts(head)
    rows = select(ReleaseRow.company_key, ReleaseRow.row_json).where(ReleaseRow.release_id == number)
    found = session.execute(rows.order_by(ReleaseRow.position))
    return load_serialised(head, ((key, json.loads(_CURVE.sub('"curve":[]', row, 1))) for key, row in found))


def _without_parts(head: Mapping[str, Any]) -> Mapping[str, Any]:
    hits = {"hash_hits": _without_parts(head["hash_hits"])} if head.get("hash_hits") else {}
    return {name: value for name, value in head.items() if name not in _PARTS} | hits


def load_serialised(head: Mapping[str, Any], rows: Iterable[tuple[str, Mapping[str, Any]]]) -> Table:
    """The table of a head and rows that `monitor.release.draft.serialise` made."""
    companies: dict[bool, list[Mapping[str, Any]]] = {False: [], True: []}
    for key, row in rows:
        companies[key.startswith(HASH_HIT)].append(row)
    hits = head.get("hash_hits")
    beside = {"hash_hits": {**hits, "companies": companies[True]}} if hits else {}
    return from_json(Table, {**head, "companies": companies[False], **beside})
