"""Statistics of a delivery and of those before it, and where it contradicts them: the input of the checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, bindparam, distinct, func, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from monitor.db import rows_where, table_of
from monitor.formats.records import NOT_COUNTED
from monitor.instants import DAY, HOUR, to_datetime, to_instant
from monitor.models.company import Company
from monitor.models.facts import Content, Delivery, Notice, Sighting
from monitor.settings import Source
from monitor.source_options import Thresholds
from monitor.vocabulary import State, Verdict

_LARGEST = 20  # companies kept of each delivery: a smaller one is never expected for certain
_SHIFTS = tuple(sign * hours * HOUR for hours in (1, 2) for sign in (1, -1))
_UNKNOWN = "unknown_column:"


@dataclass(frozen=True)
class DeliveryStats:
    """The statistics of one delivery.

    `companies`: notices to each; `known`, `repeated`: notices that earlier deliveries have of the time it covers, and
    how many of them it has too (None: not counted). `stopped`: it was read no further, as it is refused anyway.
    """

    received_at: int
    rows: int
    quarantined: Mapping[str, int]
    unknown_columns: frozenset[str]
    notices: int | None = None
    days: int | None = None
    known: int | None = None
    repeated: int | None = None
    companies: Mapping[str, int] = field(default_factory=dict)
    stopped: bool = False

    @property
    def bad(self) -> int:
        """Rows in quarantine that count against the delivery."""
        return sum(count for reason, count in self.quarantined.items() if reason not in NOT_COUNTED)

    @property
    def judged(self) -> int:
        """Rows of which the bad ones are a share."""
        return self.rows - sum(count for reason, count in self.quarantined.items() if reason in NOT_COUNTED)


@dataclass(frozen=True)
class Conflict:
    """How many of the facts that can be compared contradict an earlier delivery; `hours`: by how much."""

    count: int
    of: int
    hours: int = 0


_NONE = Conflict(0, 0)


@dataclass(frozen=True)
class Conflicts:
    """The contradictions with earlier deliveries."""

    returned: Conflict = _NONE
    retimed: Conflict = _NONE
    notices_shifted: Conflict = _NONE
    sightings_shifted: Conflict = _NONE


@dataclass(frozen=True)
class Rejection:
    """A person refused this very file before."""

    by: str
    at: int
    reason: str


@dataclass(frozen=True)
class CheckInput:
    """What is checked: a delivery, those before it (newest first), and the thresholds of its source."""

    stats: DeliveryStats
    earlier: tuple[DeliveryStats, ...]
    source: Source
    conflicts: Conflicts = Conflicts()
    rejection: Rejection | None = None

    @property
    def limits(self) -> Thresholds:
        """The thresholds of the source."""
        return self.source.gate

    @property
    def has_history(self) -> bool:
        """Whether there is enough to compare with."""
        return len(self.earlier) >= self.limits.history_at_least


def check_input(session: Session, delivery: Delivery, source: Source) -> CheckInput:
    """The input of the checks, of a delivery whose facts are stored and attributed; kept in `delivery.measures`."""
    delivery.measures = delivery.measures | _repetition(session, delivery)
    session.flush()
    earlier = tuple(_stats_of(found) for found in _recent(session, delivery, source.gate.history))
    return CheckInput(_stats_of(delivery), earlier, source, _conflicts(session, delivery, source), _rejection(delivery))


def _recent(session: Session, delivery: Delivery, count: int) -> Iterable[Delivery]:
    query = (
        select(Delivery)
        .where(Delivery.source == delivery.source, Delivery.format == delivery.format)
        .where(Delivery.verdict == Verdict.OK, Delivery.id != delivery.id)
        .order_by(Delivery.received_at.desc(), Delivery.id.desc())
        .limit(count)
    )
    return session.scalars(query)


def _stats_of(delivery: Delivery) -> DeliveryStats:
    measures = delivery.measures
    return DeliveryStats(
        received_at=to_instant(delivery.received_at),
        rows=delivery.rows,
        quarantined=delivery.quarantined,
        unknown_columns=frozenset(flag for flag in delivery.warnings if flag.startswith(_UNKNOWN)),
        notices=measures.get("notices"),
        days=measures.get("days"),
        known=measures.get("known"),
        repeated=measures.get("repeated"),
        companies=measures.get("companies", {}),
        stopped=measures.get("stopped", False),
    )


def _rejection(delivery: Delivery) -> Rejection | None:
    """What a person decided about this file before; whoever accepted it is not asked again."""
    if delivery.decided_at is None:
        return None
    return Rejection(delivery.decided_by or "", to_instant(delivery.decided_at), delivery.decision or "")


def largest_companies(session: Session, counts: Counter[int | None]) -> dict[str, int]:
    """The counts of the largest companies, by key; of those of one size the first keys."""
    identifiers = [company for company in counts if company is not None]
    keys = rows_where(session, table_of(Company), ("id", "key"), "id", identifiers)
    found = sorted((-counts[identifier], key) for identifier, key in keys)
    return {key: -count for count, key in found[:_LARGEST]}


def _last_before(session: Session, fact: type[Notice] | type[Sighting], new: int) -> int:
    """The id of the last fact before the `new` ones of the delivery that is being stored.

    Ids have no gaps, and nobody else gives any out before it is committed.
    """
    return (session.scalar(select(func.max(fact.id))) or 0) - new


def _repetition(session: Session, delivery: Delivery) -> dict[str, Any]:
    """How many notices earlier deliveries of the format have of the time it covers, and how many it has too."""
    first, last = delivery.measures.get("first_sent"), delivery.measures.get("last_sent")
    if first is None or last is None:
        return {}
    others = select(Delivery.id).where(
        Delivery.source == delivery.source, Delivery.format == delivery.format, Delivery.id != delivery.id
    )
    known = select(func.count()).where(
        Notice.sent_at.between(to_datetime(first), to_datetime(last)),
        Notice.id <= _last_before(session, Notice, delivery.notices_new),  # its own are seen to be so in the index
        Notice.delivery_id.in_(others),
    )
    here = delivery.measures["notices"] - delivery.notices_new
    count = session.scalar(known) or 0
    return {"known": count, "repeated": min(here, count)}


def _conflicts(session: Session, delivery: Delivery, source: Source) -> Conflicts:
    if delivery.rows == delivery.contents_new + sum(delivery.quarantined.values()):
        return Conflicts()  # of new items nothing is known that could be contradicted
    of_notices = {"delivery": delivery.id, "last": _last_before(session, Notice, delivery.notices_new)}
    of_sightings = {"delivery": delivery.id, "last": _last_before(session, Sighting, delivery.sightings_new)}
    notices = session.scalar(_notices_of_known(), of_notices) or 0
    sightings = session.scalar(_sightings_of_known(), of_sightings) or 0
    long_before = {"long_before": round(source.gate.returned_after_days * DAY)}
    gone = session.scalar(_gone_long_before(), of_sightings | long_before) or 0
    return Conflicts(
        Conflict(gone, session.scalar(_seen_online(), of_sightings) or 0),
        Conflict(session.scalar(_retimed(), of_notices) or 0, notices),
        _shifted(session, _pairs_of_notices(), of_notices, notices),
        _shifted(session, _pairs_of_sightings(), of_sightings, sightings),
    )


# The queries of `_conflicts`, each written once, as writing one takes longer than what it asks of a small delivery.
# Parameters: `delivery`, the id of the delivery; `last`, that of the last fact before its own.

_DELIVERY = bindparam("delivery", type_=BigInteger)
_NEW_NOTICE = Notice.id > bindparam("last", type_=BigInteger)
_NEW_ONLINE = and_(Sighting.id > bindparam("last", type_=BigInteger), Sighting.state == State.ONLINE)


@cache
def _notices_of_known() -> Select[int]:
    """How many new notices are about items that an earlier delivery brought."""
    return _of_known(Notice, _NEW_NOTICE)


@cache
def _sightings_of_known() -> Select[int]:
    """How many new sightings online are of items that an earlier delivery brought."""
    return _of_known(Sighting, _NEW_ONLINE)


def _of_known(fact: type[Notice] | type[Sighting], own: ColumnElement[bool]) -> Select[int]:
    return (
        select(func.count())
        .select_from(fact)
        .join(Content, Content.id == fact.content_id)
        .where(own, Content.delivery_id != _DELIVERY)
    )


@cache
def _seen_online() -> Select[int]:
    """How many items are online by this delivery."""
    return select(func.count(distinct(Sighting.content_id))).where(_NEW_ONLINE)


@cache
def _gone_long_before() -> Select[int]:
    """How many items are online by this delivery, and were offline `long_before` seconds ago by an earlier one."""
    before = aliased(Sighting)
    return (
        select(func.count(distinct(Sighting.content_id)))
        .join(before, before.content_id == Sighting.content_id)
        .where(_NEW_ONLINE, before.delivery_id != _DELIVERY, before.state == State.OFFLINE)
        .where(before.observer == Sighting.observer)
        .where(_seconds(before.seen_at) < _seconds(Sighting.seen_at) - bindparam("long_before", type_=BigInteger))
    )


@cache
def _retimed() -> Select[int]:
    """Notices with the number, item and state of an earlier one, and another time."""
    before = aliased(Notice)
    return (
        select(func.count(distinct(Notice.id)))
        .join(before, before.content_id == Notice.content_id)
        .where(_NEW_NOTICE, before.delivery_id != _DELIVERY)
        .where(before.reference_sealed == Notice.reference_sealed, before.delivery == Notice.delivery)
        .where(before.recipient_role == Notice.recipient_role, before.sent_at != Notice.sent_at)
    )


@cache
def _pairs_of_notices() -> Select[int, int]:
    """By how many seconds notices differ from an earlier one of the same item, and how many do."""
    before = aliased(Notice)
    off = _seconds(Notice.sent_at) - _seconds(before.sent_at)
    return (
        select(off, func.count(distinct(Notice.id)))
        .join(before, before.content_id == Notice.content_id)
        .where(_NEW_NOTICE, before.delivery_id != _DELIVERY)
        .where(before.kind == Notice.kind, before.recipient_role == Notice.recipient_role, off.in_(_SHIFTS))
        .group_by(off)
    )


@cache
def _pairs_of_sightings() -> Select[int, int]:
    """By how many seconds sightings differ from an earlier one of the same item, and how many do."""
    before = aliased(Sighting)
    off = _seconds(Sighting.seen_at) - _seconds(before.seen_at)
    return (
        select(off, func.count(distinct(Sighting.id)))
        .join(before, before.content_id == Sighting.content_id)
        .where(_NEW_ONLINE, before.delivery_id != _DELIVERY, before.state == State.ONLINE)
        .where(before.observer == Sighting.observer, off.in_(_SHIFTS))
        .group_by(off)
    )


def _shifted(session: Session, pairs: Select[int, int], parameters: Mapping[str, int], compared: int) -> Conflict:
    """The shift that most facts show."""
    counts = [(count, off) for off, count in session.execute(pairs, parameters)]
    count, off = max(counts, default=(0, 0))
    return Conflict(count, compared, off // HOUR)


def _seconds(column: InstrumentedAttribute[Any]) -> ColumnElement[int]:
    return type_coerce(column, BigInteger)
