"""What a change that is not recorded yet would do to published figures, and to whom items are attributed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import ibis
import pyarrow as pa
from ibis import _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monitor.instants import parse_instant, to_instant
from monitor.models.facts import Attribution, Correction, Delivery, Notice, Suspension
from monitor.models.release import Release, Stage
from monitor.observe.items import item_numbers
from monitor.period import parse_period
from monitor.release.compare import Differences, differences
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


@dataclass(frozen=True, slots=True)
class Effect:
    """What would differ in a published release, were it made from what is known now: with the change and without."""

    period: str
    version: int
    differences: Differences


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
        found = differences(score(session, request), score(session, request, partial(_with, recorded)))
        effects.append(Effect(release.period, release.version, found))
    return effects


def _recorded(session: Session, newest: dict[Any, int]) -> Recorded:
    items = item_numbers()
    item_of = {row.id: row.item for row in session.execute(select(items.c.id, items.c.item))}
    found = Recorded()
    for row in session.scalars(select(Suspension).where(Suspension.id > newest[Suspension]).order_by(Suspension.id)):
        span = to_instant(row.starts_at), to_instant(row.ends_at) if row.ends_at else -1
        if row.content_id is not None:
            found.suspensions.append((item_of[row.content_id], *span))
        elif row.source is None:
            found.suspensions.append((EVERYTHING, *span))
        else:
            found.suspensions.extend((item, *span) for item in _items_of(session, row.source, item_of))
    for each in session.scalars(select(Correction).where(Correction.id > newest[Correction]).order_by(Correction.id)):
        _add_correction(found, each, item_of[each.content_id])
    new = select(Attribution).where(Attribution.id > newest[Attribution]).order_by(Attribution.id)
    found.attributions.extend(
        (row.id, item_of[row.content_id], row.company_id or UNATTRIBUTED, to_instant(row.valid_from))
        for row in session.scalars(new)
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


def _items_of(session: Session, source: str, item_of: dict[int, int]) -> list[int]:
    """The items that a source gave a hoster notice of."""
    noticed = select(Notice.content_id).join(Delivery, Delivery.id == Notice.delivery_id)
    rows = session.scalars(noticed.where(Delivery.source == source, Notice.recipient_role == Role.HOSTER).distinct())
    return sorted({item_of[content] for content in rows})


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
    contents = {*recorded.withdrawn_contents, *(row[0] for row in recorded.removals)}
    contents |= {row[1] for row in recorded.attributions} | {row[0] for row in recorded.suspensions if row[0]}
    items = item_numbers()
    about = select(func.min(Notice.sent_at)).join(items, items.c.id == Notice.content_id)
    asked = [about.where(items.c.item.in_(contents))] if contents else []
    asked += [select(func.min(Notice.sent_at)).where(Notice.id.in_(recorded.withdrawn_notices))]
    sent = [to_instant(at) for query in asked if (at := session.scalar(query)) is not None]
    general = [row for row in recorded.suspensions if row[0] == EVERYTHING]
    starts = [*sent, *(row[1] for row in general)]
    if not starts:
        return 0, -1
    ends = [row[2] for row in general]
    return min(starts), _FOR_EVER if sent else max(ends)


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
