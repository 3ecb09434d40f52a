"""Which items are open: noticed, and not known to be gone, moved, withdrawn or held by the police."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Subquery, and_, func, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from monitor.identities import last_identities
from monitor.models.facts import Content, Correction, Notice, Sighting
from monitor.vocabulary import CLOCK_STARTING, Decision, Pause, Role, State

_ASKED_AT_ONCE = 10_000  # a statement holds only so many values
FOLLOWED = timedelta(days=90)  # from the last notice: an item nobody closes is not asked about for ever


@dataclass(frozen=True, slots=True)
class OpenItem:
    """A content item with its sealed URL. `truncated`: the URL is cut, so that only its host is known."""

    content_id: int
    key_version: int
    url_digest: bytes
    url_sealed: bytes
    truncated: bool


@dataclass(frozen=True, slots=True)
class SealedAddress:
    """The address of an item as its last notice that gives one has it, and when that was sent."""

    sent_at: datetime
    key_version: int
    sealed: bytes


def open_items(session: Session, now: datetime) -> list[OpenItem]:
    """The items that are open, by number. A cut URL is the whole one that begins with it, where there is just one."""
    items = item_numbers()
    notices = _latest(items, _noticed(items, now))
    ends = _latest(items, _ends())
    online = _latest(items, _seen(Sighting.state == State.ONLINE))
    seen, held = _latest(items, _seen(None)), _latest(items, _seen(Sighting.pause == Pause.POLICE_HOLD))
    query = (
        select(Content.id, Content.key_version, Content.url_digest, Content.url_sealed, Content.truncated)
        .join(notices, notices.c.item == Content.id)
        .outerjoin(ends, ends.c.item == Content.id)
        .outerjoin(online, online.c.item == Content.id)
        .outerjoin(seen, seen.c.item == Content.id)
        .outerjoin(held, held.c.item == Content.id)
        .where(or_(ends.c.at.is_(None), ends.c.at < notices.c.at, ends.c.at < online.c.at))
        .where(or_(held.c.at.is_(None), held.c.at < seen.c.at))
        .order_by(Content.id)
    )
    return [OpenItem(*row) for row in session.execute(query)]


def last_addresses(session: Session, contents: Iterable[int]) -> dict[int, SealedAddress]:
    """By item the address in its last notice that has one; items without are absent."""
    items = item_numbers()
    query = (
        select(items.c.item, Notice.sent_at, Notice.key_version, Notice.address_sealed)
        .join(items, items.c.id == Notice.content_id)
        .where(items.c.item.in_(list(contents)), Notice.address_sealed.is_not(None))
        .where(Notice.recipient_role == Role.HOSTER)
        .order_by(Notice.sent_at, Notice.id)
    )
    return {item: SealedAddress(*rest) for item, *rest in session.execute(query)}


def items_of(session: Session, contents: Collection[int]) -> dict[int, int]:
    """By content the item that it is."""
    items, asked = item_numbers(), sorted(contents)
    return {
        row.id: row.item
        for start in range(0, len(asked), _ASKED_AT_ONCE)
        for row in session.execute(
            select(items.c.id, items.c.item).where(items.c.id.in_(asked[start : start + _ASKED_AT_ONCE]))
        )
    }


def item_numbers() -> Subquery:
    """(id, item): each content with the item it is, which for a cut URL may be the whole one."""
    now, standing = last_identities(), aliased(Content)
    item_id = func.coalesce(now.c.item_id, Content.id)
    whole = (
        select(Content.stem_digest, func.min(Content.id).label("id"))
        .outerjoin(now, now.c.content_id == Content.id)
        .where(~Content.truncated, Content.stem_digest.is_not(None), item_id == Content.id)
        .group_by(Content.stem_digest)
        .having(func.count() == 1)
        .subquery()
    )
    now = last_identities()
    joined = and_(standing.truncated, whole.c.stem_digest == standing.stem_digest)
    return (
        select(Content.id, func.coalesce(whole.c.id, standing.id).label("item"))
        .outerjoin(now, now.c.content_id == Content.id)
        .join(standing, standing.id == func.coalesce(now.c.item_id, Content.id))
        .outerjoin(whole, joined)
        .subquery()
    )


def _latest(items: Subquery, rows: Subquery) -> Subquery:
    """(item, at): when it happened last to each item, of rows (content_id, at)."""
    query = select(items.c.item, func.max(rows.c.at).label("at")).join(rows, rows.c.content_id == items.c.id)
    return query.group_by(items.c.item).subquery()


def _noticed(items: Subquery, now: datetime) -> Subquery:
    """Notices to hosters that started a clock not too long ago and were not withdrawn."""
    other = aliased(items)
    withdrawn = (
        select(Correction.id)
        .join(other, other.c.id == Correction.content_id)
        .where(Correction.decision == Decision.WITHDRAW_NOTICE, other.c.item == items.c.item)
        .where(or_(Correction.notice_id.is_(None), Correction.notice_id == Notice.id))
        .correlate(items, Notice)
    )
    return (
        select(Notice.content_id, Notice.sent_at.label("at"))
        .join(items, items.c.id == Notice.content_id)
        .where(Notice.recipient_role == Role.HOSTER, Notice.delivery.in_(CLOCK_STARTING))
        .where(Notice.sent_at > now - FOLLOWED, ~withdrawn.exists())
        .subquery()
    )


def _ends() -> Subquery:
    """Sightings that it is gone or has moved, and removals by decision."""
    seen = select(Sighting.content_id, Sighting.seen_at.label("at"))
    seen = seen.where(Sighting.state.in_((State.OFFLINE, State.MOVED)))
    decided = select(Correction.content_id, Correction.starts_at.label("at"))
    return union_all(seen, decided.where(Correction.decision == Decision.SET_REMOVAL)).subquery()


def _seen(condition: ColumnElement[bool] | None) -> Subquery:
    query = select(Sighting.content_id, Sighting.seen_at.label("at"))
    return (query if condition is None else query.where(condition)).subquery()
