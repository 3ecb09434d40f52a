"""One delivery from file to attributed facts, past the gate: what the command line, spiders and API all call.

The work is done inside a savepoint and judged by what came of it; where it does not count it is undone, and only the
delivery's row with its verdict and reasons stays (and, where a person is to decide, its bytes, sealed).

Whoever shares the database reads a delivery ahead, so that nobody waits for its parser:

    with read_ahead(engine, vault, parcel) as ahead:
        answer = ahead.store(attempt)  # which opens a transaction, and calls `take_in(..., given=ahead)` in it
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from monitor import audit
from monitor.attribute.assign import attribute_as_stored
from monitor.clear_text import refuse_address
from monitor.db import lock_writers, transaction
from monitor.errors import MonitorError
from monitor.formats.files import fingerprint
from monitor.ingest.ahead import Ahead, Direct, Input
from monitor.ingest.answer import Answer, answer
from monitor.ingest.gate import is_lost, judge, verdict_on
from monitor.ingest.held import HeldFile, erase, hold
from monitor.ingest.measures import measure
from monitor.ingest.outcomes import Outcomes, untold
from monitor.ingest.reading import Reading
from monitor.ingest.take import (
    COUNTS,
    Parcel,
    Progress,
    direct,
    fill,
    known_names,
    open_delivery,
    reading_of,
    take,
    unwatched,
)
from monitor.instants import HOUR, to_datetime, to_instant
from monitor.models.facts import Delivery
from monitor.settings import Source
from monitor.vault import Vault
from monitor.vocabulary import Verdict


@dataclass(frozen=True)
class Decision:
    """What a person decided about a delivery that waited, and when (epoch seconds)."""

    by: str
    reason: str
    at: int

    def __post_init__(self) -> None:
        """Both are kept in clear: raises MonitorError where one holds an address."""
        refuse_address(self.by, "who decides")
        refuse_address(self.reason, "the reason")


@contextmanager
def read_ahead(engine: Engine, vault: Vault, parcel: Parcel) -> Iterator[Ahead]:
    """A delivery to be read before it is stored (its hash is read now); `store` of it says when.

    Raises DeliveryError where the file cannot be read.
    """
    with transaction(engine) as session:
        known = known_names(session)
    reading = reading_of(parcel.source, parcel.format, parcel.path, parcel.received_at, known)
    with closing(Ahead(reading, vault, fingerprint(parcel.path), partial(is_lost, parcel.source))) as ahead:
        yield ahead


@contextmanager
def read_held_ahead(session: Session, vault: Vault, source: Source, number: int) -> Iterator[Ahead | None]:
    """What waits, to be read before it is accepted; None where it does not wait. `session` is for reading alone."""
    delivery = session.get(Delivery, number)
    if delivery is None or delivery.verdict is not Verdict.SUSPICIOUS:
        yield None
        return
    reading = _reading_of_held(session, vault, source, delivery)
    with closing(Ahead(reading, vault, fingerprint(reading.file))) as ahead:
        yield ahead


def _reading_of_held(session: Session, vault: Vault, source: Source, delivery: Delivery) -> Reading:
    """As it arrived: with the zone and the recheck gap of then."""
    file, received_at = HeldFile(session, vault, delivery.id), to_instant(delivery.received_at)
    return reading_of(_as_delivered(source, delivery), delivery.format, file, received_at, known_names(session))


def take_in(
    session: Session,
    vault: Vault,
    parcel: Parcel,
    recorded_at: int,
    progress: Progress = unwatched,
    outcomes: Outcomes = untold,
    given: Input | None = None,
) -> Answer:
    """Take a delivery in, attribute its notices and judge it, in the caller's transaction.

    `recorded_at` is asked of the clock under `lock_writers`: what is recorded by then is what others can see.
    `given`: the delivery as far as it was read ahead; else it is read here, and whoever else writes waits for that.
    Raises DeliveryError, with nothing stored, where the delivery cannot be read.
    """
    lock_writers(session)  # before the savepoint: PostgreSQL gives back what was locked in one that is undone
    given = given or direct(vault, parcel, known_names(session), partial(is_lost, parcel.source))
    savepoint = session.begin_nested()
    attribute = attribute_as_stored(session, vault, to_datetime(recorded_at))
    told = take(session, vault, parcel, recorded_at, progress, outcomes, attribute, given)
    if told.repeated:
        savepoint.commit()
        return told
    delivery = session.get_one(Delivery, told.delivery)
    reasons = judge(measure(session, delivery, parcel.source))
    if not reasons:
        savepoint.commit()
        return replace(answer(delivery), sha256=told.sha256)
    outcome = _outcome(delivery) | {"verdict": verdict_on(reasons), "reasons": [reason.stored() for reason in reasons]}
    savepoint.rollback()
    return replace(_set_aside(session, vault, parcel, given, recorded_at, outcome), sha256=told.sha256)


def accept(
    session: Session, vault: Vault, source: Source, number: int, decision: Decision, given: Input | None = None
) -> Answer:
    """Take in what waited, as it arrived and recorded now; raises MonitorError where it does not wait.

    `given`: what waited as far as it was read ahead; else it is read here, and whoever else writes waits for that.
    """
    delivery = _waiting(session, number)
    if given is None:
        reading = _reading_of_held(session, vault, source, delivery)
        given = Direct(reading, vault, fingerprint(reading.file))
    if vault.digest_file(given.sha256) != delivery.file_digest:
        raise MonitorError(f"delivery {number}: what was kept of it is not what arrived; have it delivered again")
    delivery.verdict, delivery.recorded_at = Verdict.OK, to_datetime(decision.at)
    attribute = attribute_as_stored(session, vault, delivery.recorded_at)
    fill(session, vault, delivery, given, attribute=attribute)
    measure(session, delivery, source)
    _decided(session, delivery, decision, "delivery.accept")
    return replace(answer(delivery), sha256=given.sha256)


def reject(session: Session, number: int, decision: Decision) -> Answer:
    """Refuse what waited for good; raises MonitorError where it does not wait."""
    delivery = _waiting(session, number)
    delivery.verdict = Verdict.REFUSED
    _decided(session, delivery, decision, "delivery.reject")
    return answer(delivery)


def _outcome(delivery: Delivery) -> dict[str, Any]:
    """What came of the delivery, to be kept when its facts are undone."""
    kept = ("id", *COUNTS, "file_digest", "quarantined", "warnings", "measures")
    return {name: getattr(delivery, name) for name in kept}


def _set_aside(
    session: Session, vault: Vault, parcel: Parcel, given: Input, recorded_at: int, outcome: dict[str, Any]
) -> Answer:
    """Keep what the gate said, and the bytes where a person has to decide."""
    delivery = open_delivery(session, parcel, outcome["file_digest"], recorded_at, outcome["id"])
    for name, value in outcome.items():
        setattr(delivery, name, value)
    session.flush()
    if delivery.verdict is Verdict.SUSPICIOUS:
        hold(session, vault, delivery.id, given.sealed_bytes())
    return answer(delivery)


def _waiting(session: Session, number: int) -> Delivery:
    lock_writers(session)
    delivery = session.get(Delivery, number)
    if delivery is None:
        raise MonitorError(f"no delivery {number}; `monitor deliveries` lists them")
    if delivery.verdict is not Verdict.SUSPICIOUS:
        raise MonitorError(f"delivery {number} does not wait for a decision: it is {delivery.verdict}")
    return delivery


def _as_delivered(source: Source, delivery: Delivery) -> Source:
    """The source with the zone and recheck gap that the delivery arrived with."""
    gap = delivery.recheck_gap_seconds
    return replace(source, zone=delivery.zone, recheck_gap_hours=None if gap is None else gap / HOUR)


def _decided(session: Session, delivery: Delivery, decision: Decision, action: str) -> None:
    delivery.decided_at, delivery.decided_by = to_datetime(decision.at), decision.by
    delivery.decision = decision.reason
    session.flush()
    erase(session, delivery.id)
    details = {
        "reason": decision.reason,
        "file_digest": delivery.file_digest,
        "rules": [r["rule"] for r in delivery.reasons],
    }
    audit.record(session, to_datetime(decision.at), decision.by, action, f"delivery {delivery.id}", details)
