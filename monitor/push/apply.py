"""One push from its body to its answer: read and sealed first, then the key, the facts and the answer in one commit."""

from __future__ import annotations

import time
import traceback
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

import msgspec
from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from monitor.db import lock_writers, transaction
from monitor.errors import ConfigurationError
from monitor.formats.files import fingerprint
from monitor.formats.xarf import records
from monitor.formats.xarf_body import BodyRefusedError, Reports, StrippedReports, read_body
from monitor.formats.xarf_objects import BODY_LIMIT
from monitor.ingest.batches import Batch, Piece, batch_of_records
from monitor.ingest.delivery import DeliveryFile, context_of, ingest, known_names
from monitor.ingest.reader import SEALED_AT_ONCE
from monitor.ingest.result import IngestResult
from monitor.ingest.rows import RowResult, RowStatus
from monitor.instants import to_datetime
from monitor.models.facts import Quarantined
from monitor.push.messages import Failure, Item, ItemStatus, Push, Pushed, Refusal, Worked
from monitor.tokens import IdempotencyConflict, answered, claim, has_body
from monitor.vault import Vault
from monitor.vocabulary import Verdict

_NEWS: dict[Verdict, ItemStatus] = {Verdict.OK: 201, Verdict.SUSPICIOUS: 202, Verdict.REFUSED: 422}
_KNOWN: dict[Verdict, ItemStatus] = {Verdict.OK: 200, Verdict.SUSPICIOUS: 202, Verdict.REFUSED: 422}


def work(engine: Engine, vault: Vault, push: Push, now: Callable[[], int] = lambda: int(time.time())) -> Worked:
    """Apply a push, and turn any exception into a message: the boundary of the push process."""
    begun, inflated = time.process_time(), 0
    result: str | Refusal | Failure
    try:
        body = inflate(push.body) if push.gzip else push.body
        inflated = len(body) if push.gzip else 0
        result = apply(engine, vault, push, body, now)
    except BodyRefusedError as error:
        result = Refusal(error.kind, error.detail, error.index)
    except Exception as error:  # noqa: BLE001 -- its message may hold a URL: only its type and place go on
        frames = "".join(traceback.format_tb(error.__traceback__))
        result = Failure(type(error).__name__, frames, isinstance(error, OperationalError | ConfigurationError))
    return Worked(result, inflated, round(1000 * (time.process_time() - begun)))


def inflate(sent: bytes) -> bytes:
    """A gzip body of one member, no further than the limit; raises BodyRefusedError."""
    inflater = zlib.decompressobj(wbits=31)
    try:
        content = inflater.decompress(sent, BODY_LIMIT + 1)
    except zlib.error:
        raise BodyRefusedError("unreadable", "The gzip body is damaged. Nothing was stored.") from None
    if len(content) > BODY_LIMIT:
        raise BodyRefusedError("too-large", f"The inflated body is over {BODY_LIMIT} bytes. Send fewer at a time.")
    if not inflater.eof or inflater.unused_data:
        detail = "The gzip body is cut off, or something follows it. Nothing was stored."
        raise BodyRefusedError("unreadable", detail)
    return content


def apply(engine: Engine, vault: Vault, push: Push, body: bytes, now: Callable[[], int]) -> str:
    """The answer to a push, the same again to the same key and body; raises BodyRefusedError.

    Everything that takes time is done before the transaction begins, which holds others up.
    """
    reports = read_body(body, lines=push.lines)
    delivery_file = DeliveryFile(push.source, "xarf", StrippedReports(reports.content), push.received_at)
    with transaction(engine) as session:
        names = known_names(session)
    reader = read_pushed(reports, delivery_file, vault, names)
    try:
        with transaction(engine) as session:
            return _store(session, vault, push, body, delivery_file, reader, now)
    except IdempotencyConflict:
        with transaction(engine) as session:
            return _again(session, vault, push, body)


@dataclass
class PushedReports:
    """A push as `ingest` reads it: read and sealed before the writer lock is asked for."""

    batch: Batch
    content: bytes
    vault: Vault
    sha256: str
    stopped: bool = False

    def pieces(self) -> Generator[Piece, None, None]:
        """All of its rows at once."""
        yield self.batch

    def sealed_bytes(self) -> Iterator[bytes]:
        """Its reports without their evidence, in sealed pieces."""
        starts = range(0, len(self.content), SEALED_AT_ONCE)
        return (self.vault.seal(self.content[start : start + SEALED_AT_ONCE]) for start in starts)


def read_pushed(reports: Reports, delivery_file: DeliveryFile, vault: Vault, names: frozenset[str]) -> PushedReports:
    """Reports as facts to be stored; all that takes time is done here, before the writer lock is asked for."""
    read = records(reports.objects, context_of(delivery_file.source, delivery_file.received_at, names))
    batch = batch_of_records(read, vault, names)
    return PushedReports(batch, reports.content, vault, fingerprint(delivery_file.path))


def _store(
    session: Session,
    vault: Vault,
    push: Push,
    body: bytes,
    delivery_file: DeliveryFile,
    reader: PushedReports,
    now: Callable[[], int],
) -> str:
    """All of a push in one transaction: the key, the facts, the answer; any exception undoes the three."""
    asked = claim(session, vault, push.token, push.key, body, to_datetime(push.received_at))
    lock_writers(session)
    rows: list[RowResult] = []
    result = ingest(session, vault, delivery_file, now(), on_row=rows.append, reader=reader)
    asked.delivery_id = result.delivery
    asked.answer = msgspec.json.encode(push_answer(result, rows or _known_rows(session, result))).decode()
    return asked.answer


def _again(session: Session, vault: Vault, push: Push, body: bytes) -> str:
    """The answer that was given to this key; BodyRefusedError where it was another request's."""
    asked = answered(session, vault, push.token, push.key)
    assert asked is not None
    assert asked.answer is not None
    if not has_body(asked, vault, body):
        detail = "This Idempotency-Key was used with another body. Use a new key for new notices."
        raise BodyRefusedError("key-reused", detail)
    return asked.answer


def push_answer(result: IngestResult, rows: list[RowResult]) -> Pushed:
    """What the sender reads: counts of the delivery, then each item in the order it was sent."""
    items = [_item(row, result.verdict) for row in sorted(rows, key=lambda row: row.row)]
    return msgspec.convert(result.as_json() | {"items": items}, Pushed)


def _item(row: RowResult, verdict: Verdict) -> Item:
    index = row.row - 1
    if row.status is RowStatus.QUARANTINED:
        return Item(index, 422, row.reason, row.column)
    status = (_NEWS if row.status is RowStatus.ACCEPTED else _KNOWN)[verdict]
    return Item(index, status, "delivery_refused" if verdict is Verdict.REFUSED else None)


def _known_rows(session: Session, result: IngestResult) -> list[RowResult]:
    """The results of the very same notices, ingested before under another key: what was not refused is known."""
    query = select(Quarantined).where(Quarantined.delivery_id == result.delivery)
    refused = {
        row.line: RowResult(row.line, RowStatus.QUARANTINED, row.reason, row.column) for row in session.scalars(query)
    }
    return [refused.get(row, RowResult(row, RowStatus.DUPLICATE)) for row in range(1, result.rows + 1)]
