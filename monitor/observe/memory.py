"""What an observer remembers between runs: one question per subject and interval, also where a run was killed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from monitor.models.run import ObserverState
from monitor.observe.items import FOLLOWED


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
