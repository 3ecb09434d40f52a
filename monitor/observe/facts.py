"""What an observer saw becomes facts by deliveries of its own; what it remembers between runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from monitor.attribute.locate import AddressMatch
from monitor.db import bulk_insert, lock_writers, next_identifier, table_of
from monitor.instants import to_datetime
from monitor.models.facts import Attribution, Delivery, Sighting
from monitor.models.run import ObserverState
from monitor.observe.items import FOLLOWED
from monitor.vocabulary import State

# What an observer remembers between runs: one question per subject and interval, also where a run was killed.


def recall(session: Session, observer: str) -> dict[bytes, datetime]:
    """When each subject was asked about last."""
    query = select(ObserverState.subject, ObserverState.asked_at).where(ObserverState.observer == observer)
    return {row.subject: row.asked_at for row in session.execute(query)}


def due(subjects: Iterable[bytes], asked: Mapping[bytes, datetime], now: datetime, interval: timedelta) -> list[bytes]:
    """The subjects whose interval has passed: those never asked about first, then the longest ago."""
    waiting = [subject for subject in subjects if subject not in asked or asked[subject] + interval <= now]
    return sorted(waiting, key=lambda subject: (subject in asked, asked.get(subject, now)))


def claim(session: Session, observer: str, subjects: Iterable[bytes], now: datetime) -> None:
    """Write down that they are asked about now, before they are: a run that dies asks nobody twice."""
    for subject in subjects:
        state = session.get(ObserverState, (observer, subject))
        if state is None:
            session.add(ObserverState(observer=observer, subject=subject, asked_at=now, failures=0))
        else:
            state.asked_at = now


def state_of(session: Session, observer: str, subject: bytes) -> ObserverState:
    """What is remembered of a subject that was claimed."""
    return session.get_one(ObserverState, (observer, subject))


def forget(session: Session, observer: str, now: datetime) -> None:
    """Drop what was not asked about for so long that no open item can still need it."""
    old = delete(ObserverState).where(ObserverState.observer == observer, ObserverState.asked_at < now - FOLLOWED)
    session.execute(old)


# What an observer saw becomes facts by a delivery of its own, so that every fact comes from one.
#
# The delivery has no file. Its bytes, of which it keeps the hash, are one JSON array a line in order of content
# number: content, instant, state, country, company and basis of where it moved to. They hold numbers and words, no
# URL.

FORMAT = "observations"


@dataclass(frozen=True, slots=True)
class Observation:
    """An item in a state at an instant (epoch seconds); for one that moved the country and place it moved to."""

    content_id: int
    seen_at: int
    state: State
    country: str | None = None
    place: AddressMatch | None = None


def deliver(session: Session, observer: str, observations: Sequence[Observation], now: int) -> Delivery:
    """Store the observations in the caller's transaction.

    An item that moved is the new company's from the second after it was seen there. In the second itself it is still
    the old one's, so that the sighting ends the old company's episode.
    """
    lock_writers(session)
    ordered = sorted(observations, key=lambda seen: (seen.content_id, seen.seen_at))
    delivery = _delivery(session, observer, ordered, now)
    sightings = table_of(Sighting)
    start = next_identifier(session, sightings)
    rows = [_sighting(start + place, delivery, seen, now) for place, seen in enumerate(ordered)]
    bulk_insert(session, sightings, rows)
    attributions = table_of(Attribution)
    start = next_identifier(session, attributions)
    moved = [seen for seen in ordered if seen.place]
    bulk_insert(session, attributions, [_attribution(start + place, seen, now) for place, seen in enumerate(moved)])
    return delivery


def _delivery(session: Session, observer: str, ordered: Sequence[Observation], now: int) -> Delivery:
    text = "".join(json.dumps(_line(seen)) + "\n" for seen in ordered)
    counts = {"rows": len(ordered), "accepted": len(ordered), "duplicate": 0}
    delivery = Delivery(
        id=next_identifier(session, table_of(Delivery)),
        source=observer,
        format=FORMAT,
        file_digest=hashlib.sha256(text.encode()).hexdigest(),
        received_at=to_datetime(now),
        recorded_at=to_datetime(now),
        zone="UTC",
        recheck_gap_seconds=None,
        **counts,
        quarantined={},
        warnings={},
        contents_new=0,
        notices_new=0,
        sightings_new=len(ordered),
    )
    session.add(delivery)
    session.flush()
    return delivery


def _line(seen: Observation) -> list[object]:
    place = [seen.place.company_id, str(seen.place.basis)] if seen.place else [None, None]
    return [seen.content_id, seen.seen_at, str(seen.state), seen.country, *place]


def _sighting(identifier: int, delivery: Delivery, seen: Observation, now: int) -> dict[str, Any]:
    return {
        "id": identifier,
        "delivery_id": delivery.id,
        "content_id": seen.content_id,
        "seen_at": seen.seen_at,
        "state": str(seen.state),
        "pause": None,
        "country": seen.country,
        "observer": delivery.source,
        "recorded_at": now,
    }


def _attribution(identifier: int, seen: Observation, now: int) -> dict[str, Any]:
    assert seen.place is not None
    return {
        "id": identifier,
        "content_id": seen.content_id,
        "company_id": seen.place.company_id,
        "valid_from": seen.seen_at + 1,
        "basis": str(seen.place.basis),
        "other_company_id": None,
        "netblock_table_id": seen.place.netblock_table_id,
        "recorded_at": now,
    }
