"""What a change would do before it is made: to published figures and attribution, or a registry to all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
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

from monitor.attribute.assign import attribute_notices
from monitor.attribute.registry import DETAIL_FIELDS, RegistryAnswer, latest_details, load_registry
from monitor.comparison.changes import ReleaseChanges, release_changes
from monitor.db import lock_writers, rows_where, table_of
from monitor.formats.registry import CompanyRecord
from monitor.instants import parse_instant, parse_period, to_instant
from monitor.models.company import Company, CompanyClaim, CompanyDetail
from monitor.models.facts import Attribution, Correction, Delivery, Notice, Suspension
from monitor.models.release import Release, ReleaseRow, Stage
from monitor.observe.items import item_numbers, items_of, open_items
from monitor.release.store import HASH_HIT
from monitor.release.verify import request_of
from monitor.score.engine import Engine, Expr, put
from monitor.score.facts import EVERYTHING, UNATTRIBUTED, Facts
from monitor.score.pipeline import score
from monitor.vault import Vault
from monitor.vocabulary import Decision, Role

# What a change that is not recorded yet would do to published figures, and to whom items are attributed.

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


# What loading a registry would change, without changing it: companies, claims, items, and published companies.


@dataclass(frozen=True, slots=True)
class CompanyChange:
    """What would change of a company: which fields of it, and how many of its claims would be added or ended."""

    company: str
    is_new: bool
    fields: tuple[str, ...]
    claims_added: int
    claims_ended: int


@dataclass(frozen=True, slots=True)
class RegistryCheck:
    """`items` would be another company's once attributed anew, `open_items` of them are open.

    `published`: the companies in published releases that change, or that such an item comes from or goes to.
    """

    answer: RegistryAnswer
    companies: tuple[CompanyChange, ...]
    items: int
    open_items: int
    published: tuple[str, ...]


def check_registry(session: Session, vault: Vault, records: Sequence[CompanyRecord], now: datetime) -> RegistryCheck:
    """What loading the registry, then `monitor attribute`, would change; all of it is taken back.

    Raises DeliveryError as `load_registry`.
    """
    lock_writers(session)
    with undone(session):
        attribute_notices(session, vault, now)  # what would change anyway is not due to the file
        details = {number: _values(row) for number, row in latest_details(session).items()}
        known = {_key(row) for row in session.scalars(select(CompanyClaim))}
        newest = {model: session.scalar(select(func.max(model.id))) or 0 for model in (CompanyDetail, CompanyClaim)}
        judged = session.scalar(select(func.max(Attribution.id))) or 0
        answer = load_registry(session, records, now)
        attribute_notices(session, vault, now)
        changed = _company_changes(session, details, known, newest[CompanyDetail], newest[CompanyClaim])
        contents, companies = _moved(session, judged)
        published = _published(session) & ({change.company for change in changed} | companies)
        moved = set(items_of(session, contents).values())
        still_open = {item.content_id for item in open_items(session, now)}
    return RegistryCheck(answer, changed, len(moved), len(moved & still_open), tuple(sorted(published)))


def _values(row: CompanyDetail) -> dict[str, object]:
    return {name: getattr(row, name) for name in DETAIL_FIELDS}


def _key(row: CompanyClaim) -> tuple[object, ...]:
    return row.company_id, row.claim, row.value, row.valid_from


def _company_changes(
    session: Session,
    before: dict[int, dict[str, object]],
    known: Collection[tuple[object, ...]],
    newest_detail: int,
    newest_claim: int,
) -> tuple[CompanyChange, ...]:
    fields: dict[int, tuple[str, ...]] = {}
    for row in session.scalars(select(CompanyDetail).where(CompanyDetail.id > newest_detail)):
        old = before.get(row.company_id, {})
        fields[row.company_id] = tuple(name for name, value in _values(row).items() if old.get(name) != value)
    added: dict[int, int] = defaultdict(int)
    ended: dict[int, int] = defaultdict(int)
    for claim in session.scalars(select(CompanyClaim).where(CompanyClaim.id > newest_claim)):
        (ended if _key(claim) in known else added)[claim.company_id] += 1
    keys = {row.id: row.key for row in session.execute(select(Company.id, Company.key))}
    return tuple(
        CompanyChange(keys[number], number not in before, fields.get(number, ()), added[number], ended[number])
        for number in sorted({*fields, *added, *ended}, key=keys.__getitem__)
    )


def _moved(session: Session, judged: int) -> tuple[set[int], set[str]]:
    """The contents whose attribution changed after that row, and the keys of the companies they are from and at."""
    contents = set(session.scalars(select(Attribution.content_id).where(Attribution.id > judged)))
    columns = ("id", "content_id", "valid_from", "company_id")
    before: dict[int, tuple[int, int, int | None]] = {}
    numbers = set[int | None]()
    for identifier, content, *rest in rows_where(session, table_of(Attribution), columns, "content_id", contents):
        if identifier > judged:
            numbers.add(rest[1])
        else:
            before[content] = max(before.get(content, (-1, -1, None)), (rest[0], identifier, rest[1]))
    numbers |= {company for _, _, company in before.values()}
    keys = {row.id: row.key for row in session.execute(select(Company.id, Company.key))}
    return contents, {keys[number] for number in numbers if number is not None}


def _published(session: Session) -> set[str]:
    """The keys of the companies in published releases."""
    rows = select(ReleaseRow.company_key).join(Release, Release.id == ReleaseRow.release_id)
    return {key.removeprefix(HASH_HIT) for key in session.scalars(rows.where(Release.stage == Stage.PUBLISHED))}
