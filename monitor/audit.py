"""The audit trail: entries chained by hash, so that an edit or a gap is found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.clear_text import refuse_address
from monitor.db import lock_writers
from monitor.instants import to_instant
from monitor.models.audit import AuditEntry

_START = "0" * 64


def record(
    session: Session, at: datetime, actor: str, action: str, subject: str, details: Mapping[str, object]
) -> None:
    """Append one entry in the caller's transaction; raises MonitorError where a text of it holds an address (S1)."""
    refuse_address(actor, "who does it")
    for text in _texts(details):
        refuse_address(text, "what is told of it")
    lock_writers(session)
    last = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one_or_none()
    entry = AuditEntry(
        id=1 if last is None else last.id + 1,
        happened_at=at,
        actor=actor,
        action=action,
        subject=subject,
        details=dict(details),
        previous_hash=_START if last is None else last.entry_hash,
    )
    entry.entry_hash = _hash(entry)
    session.add(entry)
    session.flush()


def _texts(value: object) -> Iterator[str]:
    """Every text in plain data, whatever its depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (text for inner in value.values() for text in _texts(inner))
    elif isinstance(value, Sequence):
        yield from (text for inner in value for text in _texts(inner))


def verify(session: Session) -> list[str]:
    """What is wrong with the trail, one sentence an entry; empty where nothing was edited or removed."""
    problems, previous, number = [], _START, 0
    for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id)):
        number += 1
        if entry.id != number:
            problems.append(f"entry {number} is missing before entry {entry.id}")
            number = entry.id
        if entry.previous_hash != previous:
            problems.append(f"entry {entry.id} does not follow on the one before it")
        if entry.entry_hash != _hash(entry):
            problems.append(f"entry {entry.id} was changed after it was written")
        previous = entry.entry_hash
    return problems


def _hash(entry: AuditEntry) -> str:
    content = [
        entry.id,
        to_instant(entry.happened_at),
        entry.actor,
        entry.action,
        entry.subject,
        entry.details,
        entry.previous_hash,
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
