"""What the gate is told of a delivery: its shape, those before it, and where it contradicts them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, distinct, func, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from monitor.ingest.gate import Case, Conflict, Conflicts, Rejection, Shape
from monitor.instants import DAY, HOUR, to_datetime, to_instant
from monitor.models.company import Company
from monitor.models.facts import Attribution, Content, Delivery, Notice, Sighting
from monitor.settings import Source
from monitor.vocabulary import Role, State, Verdict

_LARGEST = 20  # companies kept of each delivery: a smaller one is never expected for certain
_SHIFTS = tuple(sign * hours * HOUR for hours in (1, 2) for sign in (1, -1))
_UNKNOWN = "unknown_column:"


def measure(session: Session, delivery: Delivery, source: Source) -> Case:
    """What there is to judge of a delivery whose facts are stored and attributed; keeps it in `delivery.measures`."""
    delivery.measures = {
        **delivery.measures,
        **_repetition(session, delivery),
        "companies": _companies(session, delivery),
    }
    session.flush()
    earlier = tuple(_shape(found) for found in _recent(session, delivery, source.gate.history))
    return Case(_shape(delivery), earlier, source, _conflicts(session, delivery, source), _rejection(delivery))


def _recent(session: Session, delivery: Delivery, count: int) -> Iterable[Delivery]:
    query = (
        select(Delivery)
        .where(Delivery.source == delivery.source, Delivery.format == delivery.format)
        .where(Delivery.verdict == Verdict.OK, Delivery.id != delivery.id)
        .order_by(Delivery.received_at.desc(), Delivery.id.desc())
        .limit(count)
    )
    return session.scalars(query)


def _shape(delivery: Delivery) -> Shape:
    measures = delivery.measures
    return Shape(
        received_at=to_instant(delivery.received_at),
        rows=delivery.rows,
        quarantined=delivery.quarantined,
        unknown_columns=frozenset(flag for flag in delivery.warnings if flag.startswith(_UNKNOWN)),
        notices=measures.get("notices"),
        days=measures.get("days"),
        known=measures.get("known"),
        repeated=measures.get("repeated"),
        companies=measures.get("companies", {}),
    )


def _rejection(delivery: Delivery) -> Rejection | None:
    """What a person decided about this file before; whoever accepted it is not asked again."""
    if delivery.decided_at is None:
        return None
    return Rejection(delivery.decided_by or "", to_instant(delivery.decided_at), delivery.decision or "")


def _companies(session: Session, delivery: Delivery) -> dict[str, int]:
    """Notices to each of the largest companies, by its key."""
    count = func.count(distinct(Notice.id))
    query = (
        select(Company.key, count)
        .select_from(Notice)
        .join(Attribution, Attribution.content_id == Notice.content_id)
        .join(Company, Company.id == Attribution.company_id)
        .where(Notice.delivery_id == delivery.id, Notice.recipient_role == Role.HOSTER)
        .group_by(Company.key)
        .order_by(count.desc(), Company.key)
        .limit(_LARGEST)
    )
    return {str(key): int(number) for key, number in session.execute(query)}


def _repetition(session: Session, delivery: Delivery) -> dict[str, Any]:
    """How many notices earlier deliveries of the format have of the time it covers, and how many it has too."""
    first, last = delivery.measures.get("first_sent"), delivery.measures.get("last_sent")
    if first is None or last is None:
        return {}
    others = select(Delivery.id).where(
        Delivery.source == delivery.source, Delivery.format == delivery.format, Delivery.id != delivery.id
    )
    known = select(func.count()).where(
        Notice.sent_at.between(to_datetime(first), to_datetime(last)), Notice.delivery_id.in_(others)
    )
    here = delivery.measures["notices"] - delivery.notices_new
    count = session.scalar(known) or 0
    return {"known": count, "repeated": min(here, count)}


def _conflicts(session: Session, delivery: Delivery, source: Source) -> Conflicts:
    if delivery.rows == delivery.contents_new + sum(delivery.quarantined.values()):
        return Conflicts()  # of new items nothing is known that could be contradicted
    notices, sightings = _known_notices(session, delivery), _known_sightings(session, delivery)
    return Conflicts(
        _returned(session, delivery, round(source.gate.returned_after_days * DAY)),
        Conflict(session.scalar(_retimed(delivery)) or 0, notices),
        _shifted(session, _pairs_of_notices(delivery), notices),
        _shifted(session, _pairs_of_sightings(delivery), sightings),
    )


def _of_known(delivery: Delivery, fact: type[Notice] | type[Sighting]) -> Select[Any]:
    """Counts new facts of a delivery about items that an earlier one brought."""
    return (
        select(func.count())
        .select_from(fact)
        .join(Content, Content.id == fact.content_id)
        .where(fact.delivery_id == delivery.id, Content.delivery_id != delivery.id)
    )


def _known_notices(session: Session, delivery: Delivery) -> int:
    return session.scalar(_of_known(delivery, Notice)) or 0


def _known_sightings(session: Session, delivery: Delivery) -> int:
    return session.scalar(_of_known(delivery, Sighting).where(Sighting.state == State.ONLINE)) or 0


def _returned(session: Session, delivery: Delivery, long_before: int) -> Conflict:
    """Items that are online by this delivery, and were offline long before by an earlier one."""
    before = aliased(Sighting)
    online = (Sighting.delivery_id == delivery.id, Sighting.state == State.ONLINE)
    gone = (
        select(func.count(distinct(Sighting.content_id)))
        .join(before, before.content_id == Sighting.content_id)
        .where(*online, before.delivery_id != delivery.id, before.state == State.OFFLINE)
        .where(before.observer == Sighting.observer)
        .where(_seconds(before.seen_at) < _seconds(Sighting.seen_at) - long_before)
    )
    every = select(func.count(distinct(Sighting.content_id))).where(*online)
    return Conflict(session.scalar(gone) or 0, session.scalar(every) or 0)


def _retimed(delivery: Delivery) -> Select[int]:
    """Notices with the number, item and state of an earlier one, and another time."""
    before = aliased(Notice)
    return (
        select(func.count(distinct(Notice.id)))
        .join(before, before.content_id == Notice.content_id)
        .where(Notice.delivery_id == delivery.id, before.delivery_id != delivery.id)
        .where(before.reference == Notice.reference, before.delivery == Notice.delivery)
        .where(before.recipient_role == Notice.recipient_role, before.sent_at != Notice.sent_at)
    )


def _pairs_of_notices(delivery: Delivery) -> Select[int, int]:
    before = aliased(Notice)
    off = _seconds(Notice.sent_at) - _seconds(before.sent_at)
    return (
        select(off, func.count(distinct(Notice.id)))
        .join(before, before.content_id == Notice.content_id)
        .where(Notice.delivery_id == delivery.id, before.delivery_id != delivery.id)
        .where(before.kind == Notice.kind, before.recipient_role == Notice.recipient_role, off.in_(_SHIFTS))
        .group_by(off)
    )


def _pairs_of_sightings(delivery: Delivery) -> Select[int, int]:
    before = aliased(Sighting)
    off = _seconds(Sighting.seen_at) - _seconds(before.seen_at)
    return (
        select(off, func.count(distinct(Sighting.id)))
        .join(before, before.content_id == Sighting.content_id)
        .where(Sighting.delivery_id == delivery.id, before.delivery_id != delivery.id)
        .where(before.observer == Sighting.observer, off.in_(_SHIFTS))
        .where(Sighting.state == State.ONLINE, before.state == State.ONLINE)
        .group_by(off)
    )


def _shifted(session: Session, pairs: Select[int, int], compared: int) -> Conflict:
    """The shift that most facts show."""
    counts = [(count, off) for off, count in session.execute(pairs)]
    count, off = max(counts, default=(0, 0))
    return Conflict(count, compared, off // HOUR)


def _seconds(column: InstrumentedAttribute[Any]) -> ColumnElement[int]:
    return type_coerce(column, BigInteger)
