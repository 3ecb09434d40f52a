"""What a change that is not recorded yet would do to published figures, and to whom items are attributed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

import ibis
import pyarrow as pa
from ibis import _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monitor.comparison.changes import ReleaseChanges, release_changes
from monitor.db import rows_where, table_of
from monitor.instants import parse_instant, to_instant
from monitor.models.facts import Attribution, Correction, Delivery, Notice, Suspension
from monitor.models.release import Release, Stage
from monitor.observe.items import item_numbers, items_of
from monitor.period import parse_period
from monitor.release.rebuild import request_of
from monitor.score.engine import Engine, Expr, put
from monitor.score.facts import EVERYTHING, UNATTRIBUTED, Facts
from monitor.score.pipeline import score
from monitor.vocabulary import Decision, Role

_FOR_EVER = 2**62


@dataclass(frozen=True)
class Recorded:
    """Rows that a change would record, as scoring reads them: (content, ...) by its columns, instants epoch seconds."""

    withdrawn_notices: list[int] = field(default_factory=list)
    withdrawn_contents: list[int] = field(default_factory=list)
    suspensions: list[tuple[int, int, int]] = field(default_factory=list)
    removals: list[tuple[int, int]] = field(default_factory=list)
    attributions: list[tuple[int, int, int, int]] = field(default_factory=list)
    contents: set[int] = field(default_factory=set)  # that rows are about, cut URLs as they are


@dataclass(frozen=True, slots=True)
class Effect:
    """What would differ in a published release, were it made from what is known now: with the change and without."""

    period: str
    version: int
    differences: ReleaseChanges


@contextmanager
def undone(session: Session) -> Iterator[None]:
    """What is recorded within is taken back at the end: the database stays as it was."""
    savepoint = session.begin_nested()
    try:
        yield
    finally:
        savepoint.rollback()
        session.expire_all()


def preview(session: Session, engine_url: str, known_at: int, change: Callable[[], object]) -> list[Effect]:
    """What `change`, which records a decision in this session, would do to the releases in force; it is taken back.

    A release is scored twice from what is known at `known_at`, so that the effect of nothing else is in it. Those that
    nothing of it concerns are left out. Raises what `change` does.
    """
    newest = {model: session.scalar(select(func.max(model.id))) or 0 for model in (Suspension, Correction, Attribution)}
    with undone(session):
        change()
        session.flush()
        recorded = _recorded(session, newest)
        releases = _concerned(session, recorded)
        wanted = [release.id for release in releases]
    effects = []
    for number in wanted:
        release = session.get_one(Release, number)
        request = request_of(release, engine_url, known_at=known_at)
        found = release_changes(score(session, request), score(session, request, partial(_with, recorded)))
        effects.append(Effect(release.period, release.version, found))
    return effects


def _recorded(session: Session, newest: dict[Any, int]) -> Recorded:
    rows = {model: session.scalars(select(model).where(model.id > last)).all() for model, last in newest.items()}
    contents = {row.content_id for group in rows.values() for row in group if row.content_id is not None}
    found, item_of = Recorded(contents=contents), items_of(session, contents)
    for row in rows[Suspension]:
        span = to_instant(row.starts_at), to_instant(row.ends_at) if row.ends_at else -1
        if row.content_id is not None:
            found.suspensions.append((item_of[row.content_id], *span))
        elif row.source is None:
            found.suspensions.append((EVERYTHING, *span))
        else:
            found.suspensions.extend((item, *span) for item in _items_of_source(session, row.source, row.ends_at))
    for row in rows[Correction]:
        _add_correction(found, row, item_of[row.content_id])
    found.attributions.extend(
        (row.id, item_of[row.content_id], row.company_id or UNATTRIBUTED, to_instant(row.valid_from))
        for row in rows[Attribution]
    )
    return found


def _add_correction(found: Recorded, row: Correction, item: int) -> None:
    starts = to_instant(row.starts_at) if row.starts_at else None
    if row.decision is Decision.WITHDRAW_NOTICE:
        if row.notice_id is None:
            found.withdrawn_contents.append(item)
        else:
            found.withdrawn_notices.append(row.notice_id)
    elif row.decision is Decision.SET_REMOVAL and starts is not None:
        found.removals.append((item, starts))
    elif row.decision is Decision.EXCLUDE_INTERVAL and starts is not None:
        found.suspensions.append((item, starts, to_instant(row.ends_at) if row.ends_at else -1))


def _items_of_source(session: Session, source: str, until: datetime) -> list[int]:
    """The items that a source gave a hoster notice of before an instant."""
    items = item_numbers()
    noticed = select(items.c.item).join(Notice, Notice.content_id == items.c.id)
    of_source = noticed.join(Delivery, Delivery.id == Notice.delivery_id).where(Delivery.source == source)
    rows = session.scalars(of_source.where(Notice.recipient_role == Role.HOSTER, Notice.sent_at < until).distinct())
    return sorted(rows)


def _concerned(session: Session, recorded: Recorded) -> list[Release]:
    """The releases in force, oldest first, in whose time the items had a notice or the clocks stood still."""
    published = select(Release).where(Release.stage == Stage.PUBLISHED).order_by(Release.period, Release.version)
    in_force = {release.period: release for release in session.scalars(published)}
    first, last = _extent(session, recorded)
    found = []
    for release in in_force.values():
        as_of = parse_instant(release.manifest["as_of"])
        if first < as_of and last >= parse_period(release.period).start:
            found.append(release)
    return found


def _extent(session: Session, recorded: Recorded) -> tuple[int, int]:
    """From the first notice or standstill that the change is about, to the end of it: for ever, where items are."""
    contents = recorded.contents | {row[0] for row in recorded.suspensions if row[0] != EVERYTHING}
    sent = rows_where(session, table_of(Notice), ("sent_at",), "content_id", contents)
    notices = [row[0] for row in sent]
    general = [row for row in recorded.suspensions if row[0] == EVERYTHING]
    starts = [*notices, *(row[1] for row in general)]
    if not starts:
        return 0, -1
    return min(starts), _FOR_EVER if notices else max(row[2] for row in general)


def _with(recorded: Recorded, engine: Engine, facts: Facts) -> Facts:
    """The facts as they would be with what is not recorded."""
    notices = facts.notices
    if recorded.withdrawn_notices:
        notices = notices.filter(~_.notice.isin(recorded.withdrawn_notices))
    if recorded.withdrawn_contents:
        notices = notices.filter(~_.content.isin(recorded.withdrawn_contents))
    return replace(
        facts,
        notices=notices,
        suspensions=_added(engine, facts.suspensions, ("content", "a", "b"), recorded.suspensions),
        decided_removals=_added(engine, facts.decided_removals, ("content", "t"), recorded.removals),
        attributions=_added(
            engine, facts.attributions, ("attribution", "content", "company", "valid_from"), recorded.attributions
        ),
    )


def _added(engine: Engine, table: Expr, columns: Sequence[str], rows: Sequence[tuple[int, ...]]) -> Expr:
    if not rows:
        return table
    values = zip(*rows, strict=True)
    more = pa.table({name: pa.array(column, pa.int64()) for name, column in zip(columns, values, strict=True)})
    return ibis.union(table.select(*columns), put(engine, "preview", more).select(*columns))
