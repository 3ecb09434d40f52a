"""Deliveries that are pending review: a person accepts or rejects them; their bytes are kept sealed until then.

The bytes lie in the database, not beside it: they come and go in the transaction that writes the verdict (nothing is
lost when a process is killed), and whatever backs the database up backs them up too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from io import BufferedReader, RawIOBase
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor import audit
from monitor.attribute.assign import attribute_as_stored
from monitor.clear_text import refuse_address
from monitor.db import lock_writers
from monitor.errors import MonitorError
from monitor.formats.files import fingerprint, fingerprint_and_size
from monitor.ingest.batches import ReadTask
from monitor.ingest.delivery import known_names, load_rows, read_task
from monitor.ingest.reader import SEALED_AT_ONCE, SMALL, DeliveryReader, DirectReader, ReadAhead
from monitor.ingest.result import IngestResult, result_of
from monitor.ingest.stats import check_input
from monitor.ingest.store import erase_pending
from monitor.instants import HOUR, to_datetime, to_instant
from monitor.models.facts import Delivery, PendingPiece
from monitor.settings import Source
from monitor.vault import Vault
from monitor.vocabulary import Verdict


@dataclass(frozen=True)
class ReviewDecision:
    """What a person decided about a delivery that was pending review, and when (epoch seconds)."""

    by: str
    reason: str
    at: int

    def __post_init__(self) -> None:
        """Both are kept in clear: raises MonitorError where one holds an address."""
        refuse_address(self.by, "who decides")
        refuse_address(self.reason, "the reason")


@dataclass(frozen=True)
class PendingFile:
    """A delivery that is pending review, as a file that can be opened for reading, as often as need be."""

    session: Session
    vault: Vault
    delivery: int

    def open(self, mode: Literal["rb"]) -> BufferedReader:
        """Read from the start; MonitorError where the key file is not the one it was sealed with."""
        assert mode == "rb"
        return BufferedReader(_Pieces(self), SEALED_AT_ONCE)


class _Pieces(RawIOBase):
    """The stream behind a pending file: one piece is opened at a time."""

    def __init__(self, file: PendingFile) -> None:
        self._file, self._next, self._rest = file, 0, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = self._piece()
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count

    def _piece(self) -> bytes:
        """The next piece; empty at the end."""
        query = select(PendingPiece.sealed, PendingPiece.key_version).where(
            PendingPiece.delivery_id == self._file.delivery, PendingPiece.number == self._next
        )
        found = self._file.session.execute(query).one_or_none()
        self._next += 1
        return b"" if found is None else self._file.vault.open(found.sealed, found.key_version)


@contextmanager
def read_pending_ahead(session: Session, vault: Vault, source: Source, number: int) -> Iterator[ReadAhead | None]:
    """A pending delivery, to be read before it is accepted; None where it is not. `session` is for reading alone."""
    delivery = session.get(Delivery, number)
    if delivery is None or delivery.verdict is not Verdict.SUSPICIOUS:
        yield None
        return
    task = _read_pending(session, vault, source, delivery)
    sha256, size = fingerprint_and_size(task.file)
    with closing(ReadAhead(task, vault, sha256, read_first=size <= SMALL)) as reader:
        yield reader


def _read_pending(session: Session, vault: Vault, source: Source, delivery: Delivery) -> ReadTask:
    """As it arrived: with the zone and the recheck gap of then."""
    file, received_at = PendingFile(session, vault, delivery.id), to_instant(delivery.received_at)
    return read_task(_as_delivered(source, delivery), delivery.format, file, received_at, known_names(session))


def _as_delivered(source: Source, delivery: Delivery) -> Source:
    """The source with the zone and recheck gap that the delivery arrived with."""
    gap = delivery.recheck_gap_seconds
    return replace(source, zone=delivery.zone, recheck_gap_hours=None if gap is None else gap / HOUR)


def accept(
    session: Session,
    vault: Vault,
    source: Source,
    number: int,
    decision: ReviewDecision,
    reader: DeliveryReader | None = None,
) -> IngestResult:
    """Ingest a pending delivery, as it arrived and recorded now; raises MonitorError where it is not pending review.

    `reader`: of the delivery as far as it was read ahead; else it is read here, and whoever else writes waits for that.
    """
    delivery = _pending(session, number)
    if reader is None:
        task = _read_pending(session, vault, source, delivery)
        reader = DirectReader(task, vault, fingerprint(task.file))
    if vault.digest_file(reader.sha256) != delivery.file_digest:
        raise MonitorError(f"delivery {number}: what was kept of it is not what arrived; have it delivered again")
    delivery.verdict, delivery.recorded_at = Verdict.OK, to_datetime(decision.at)
    attribute = attribute_as_stored(session, vault, delivery.recorded_at)
    load_rows(session, vault, delivery, reader, attribute=attribute)
    check_input(session, delivery, source)  # for its statistics: the decision stands, whatever the checks would find
    _record(session, delivery, decision, "delivery.accept")
    return replace(result_of(delivery), sha256=reader.sha256)


def reject(session: Session, number: int, decision: ReviewDecision) -> IngestResult:
    """Refuse a pending delivery for good; raises MonitorError where it is not pending review."""
    delivery = _pending(session, number)
    delivery.verdict = Verdict.REFUSED
    _record(session, delivery, decision, "delivery.reject")
    return result_of(delivery)


def _pending(session: Session, number: int) -> Delivery:
    lock_writers(session)
    delivery = session.get(Delivery, number)
    if delivery is None:
        raise MonitorError(f"no delivery {number}; `monitor deliveries` lists them")
    if delivery.verdict is not Verdict.SUSPICIOUS:
        raise MonitorError(f"delivery {number} is not pending review: it is {delivery.verdict}")
    return delivery


def _record(session: Session, delivery: Delivery, decision: ReviewDecision, action: str) -> None:
    """Write the decision into the delivery and the audit trail, and erase the kept bytes."""
    delivery.decided_at, delivery.decided_by = to_datetime(decision.at), decision.by
    delivery.decision = decision.reason
    session.flush()
    erase_pending(session, delivery.id)
    details = {
        "reason": decision.reason,
        "file_digest": delivery.file_digest,
        "rules": [r["rule"] for r in delivery.reasons],
    }
    audit.record(session, to_datetime(decision.at), decision.by, action, f"delivery {delivery.id}", details)
