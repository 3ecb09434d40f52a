"""The audit trail: entries chained by hash, so that an edit or a gap is found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.clear_text import refuse_address
from monitor.db import lock_writers
from monitor.instants import to_instant
from monitor.models.audit import AuditEntry

_START = "0" * 64
_LEAF, _NODE = b"\x00", b"\x01"


@dataclass
class Tree:
    """A Merkle tree (RFC 9162, section 2.1) that grows by leaves; only its right edge is kept."""

    size: int = 0
    _edge: list[tuple[int, bytes]] = field(default_factory=list)  # whole subtrees, the widest first: height, hash

    def add(self, leaf: bytes) -> None:
        """Append a leaf."""
        height, node = 0, hashlib.sha256(_LEAF + leaf).digest()
        while self._edge and self._edge[-1][0] == height:
            node = hashlib.sha256(_NODE + self._edge.pop()[1] + node).digest()
            height += 1
        self._edge.append((height, node))
        self.size += 1

    @property
    def root(self) -> bytes:
        """The hash of the whole tree, 32 bytes."""
        root = self._edge[-1][1] if self._edge else hashlib.sha256().digest()
        for _, node in reversed(self._edge[:-1]):
            root = hashlib.sha256(_NODE + node + root).digest()
        return root


@dataclass(frozen=True, slots=True)
class Head:
    """The trail up to its entry `size`: the root of the tree over all of them, and the hash of the last, in hex.

    `origin` names the trail: how the hash of its first entry begins.
    """

    origin: str
    size: int
    root: bytes
    entry_hash: str


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


def heads(session: Session, sizes: Collection[int] = ()) -> dict[int, Head]:
    """The trail at each of these sizes that it has, and as it is now, by size; none where it is empty."""
    found, tree, origin, last = dict[int, Head](), Tree(), "", ""
    for last in session.scalars(select(AuditEntry.entry_hash).order_by(AuditEntry.id)):
        tree.add(last.encode())
        origin = origin or last[:16]
        if tree.size in sizes:
            found[tree.size] = Head(origin, tree.size, tree.root, last)
    return found | ({tree.size: Head(origin, tree.size, tree.root, last)} if tree.size else {})


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
