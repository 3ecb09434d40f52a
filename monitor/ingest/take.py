"""Taking in one delivery: parse, prepare, store, quarantine; the caller's transaction makes it whole or nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TypeAlias

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.clear_text import holds_address
from monitor.cycles import gc_paused
from monitor.db import insert_columns, lock_writers, next_identifier, table_of
from monitor.formats.catalogue import FAST_PATHS, keepable
from monitor.formats.files import Openable, fingerprint
from monitor.formats.records import Context
from monitor.formats.registry import alias_form
from monitor.ingest.ahead import Direct, Input, Lost, never_lost
from monitor.ingest.answer import Answer, Tally, answer, repeated_answer
from monitor.ingest.batch import Batch, Refused, of_items
from monitor.ingest.first_notices import may_retell, withdraw_retold
from monitor.ingest.measures import largest_companies
from monitor.ingest.outcomes import Fate, Outcome, Outcomes, untold
from monitor.ingest.reading import Reading, Records, prepared
from monitor.ingest.references import References
from monitor.ingest.store import Attribute, Store, unattributed
from monitor.instants import HOUR, to_datetime, to_instant
from monitor.models.company import CompanyClaim, CompanyDetail
from monitor.models.facts import Delivery, Quarantined
from monitor.settings import Source, check_zone
from monitor.vault import Vault
from monitor.vocabulary import Claim, Verdict

COUNTS = ("rows", "accepted", "duplicate", "contents_new", "notices_new", "sightings_new")
_BATCH, _BATCH_BY_COLUMNS = 2000, 8000  # rows of a batch read one by one, and by columns

Progress: TypeAlias = Callable[[int], None]


def unwatched(_rows: int) -> None:
    """Progress that nobody looks at."""


@dataclass(frozen=True)
class Parcel:
    """A file from a source, and when it arrived (epoch seconds)."""

    source: Source
    format: str
    path: Openable
    received_at: int

    def __post_init__(self) -> None:
        """From here on there is only the form that may be kept."""
        object.__setattr__(self, "path", keepable(self.format, self.path))


def reading_of(
    source: Source, format_name: str, file: Openable, received_at: int, known: frozenset[str] = frozenset()
) -> Reading:
    """What a file is read as (`known`: `known_names`); raises ConfigurationError for a zone that is none."""
    size = _BATCH_BY_COLUMNS if format_name in FAST_PATHS else _BATCH
    return Reading(file, format_name, context_of(source, received_at, known), size)


def direct(vault: Vault, parcel: Parcel, known: frozenset[str], lost: Lost = never_lost) -> Direct:
    """The delivery, to be read while it is stored: whoever else writes waits for that."""
    reading = reading_of(parcel.source, parcel.format, parcel.path, parcel.received_at, known)
    return Direct(reading, vault, fingerprint(parcel.path), lost)


def take(
    session: Session,
    vault: Vault,
    parcel: Parcel,
    recorded_at: int,
    progress: Progress = unwatched,
    outcomes: Outcomes = untold,
    attribute: Attribute = unattributed,
    given: Input | None = None,
) -> Answer:
    """Store what a delivery says, once; raises DeliveryError (nothing stored) where it cannot be read.

    A file that was taken in before, or waits, is not taken in again; one that was refused is, and the gate decides.
    `progress` is told the number of rows done so far, every few thousand;
    `outcomes` what became of each row (of none, where the file is not taken in again);
    `attribute` which notices to hosters were stored. `given`: the delivery as far as it was read ahead.
    """
    lock_writers(session)  # first of all: a transaction that has read before cannot become the writer in SQLite
    given = given or direct(vault, parcel, known_names(session))
    digest = vault.digest_file(given.sha256)
    known = _same_file(session, parcel, digest)
    if known is not None and known.verdict is not Verdict.REFUSED:
        return replace(repeated_answer(known), sha256=given.sha256)
    delivery = open_delivery(session, parcel, digest, recorded_at)
    told = fill(session, vault, delivery, given, progress, outcomes, attribute)
    return replace(told, sha256=given.sha256)


def fill(
    session: Session,
    vault: Vault,
    delivery: Delivery,
    given: Input,
    progress: Progress = unwatched,
    outcomes: Outcomes = untold,
    attribute: Attribute = unattributed,
) -> Answer:
    """Store what a delivery says, under the row that was opened for it."""
    tally = Tally(outcomes=outcomes)
    store = Store(session, vault, delivery, to_instant(delivery.recorded_at), tally, attribute)
    references, retells = References(store, known_names(session)), may_retell(store)
    with closing(given.pieces()) as pieces:
        for piece in pieces:
            with gc_paused():  # a fifth of the time: the rows of a batch are in no cycle, and go with it
                if isinstance(piece, Batch):
                    _store(store, piece)
                    if retells:
                        withdraw_retold(store, piece)
                else:
                    _store_records(store, references, piece)
            progress(store.tally.rows)
    tally.stopped = given.stopped
    _close_delivery(session, delivery, tally)
    return answer(delivery)


def _store_records(store: Store, references: References, told: Records) -> None:
    """Store what may be about items that only the database knows."""
    items, refused = prepared(references.resolve(told.records), store.vault, references.known_names)
    _store(store, of_items(items, store.vault, refused))
    references.settle(items)


def _store(store: Store, batch: Batch) -> None:
    """Store a batch and count what it holds."""
    _quarantine(store, batch.refused)
    store.tally.see(batch.notices.sent_at)
    store.tally.flags.update(batch.flags)
    store.add(batch)


def known_names(session: Session) -> frozenset[str]:
    """Names and aliases of companies in the registry, which may look like addresses, as `Example.com` does."""
    aliases = session.scalars(select(CompanyClaim.value).where(CompanyClaim.claim == Claim.ALIAS))
    names = session.scalars(select(CompanyDetail.name).where(~CompanyDetail.review))
    return frozenset({alias_form(name) for name in names if holds_address(name)} | set(aliases))


def context_of(source: Source, received_at: int, known: frozenset[str] = frozenset()) -> Context:
    """What the parser of a delivery is told; raises ConfigurationError where the source's zone is none."""
    check_zone(source.zone, f"source {source.name}")
    gap = None if source.recheck_gap_hours is None else round(source.recheck_gap_hours * HOUR)
    return Context(received_at, source.zone, gap, source.home_country, known)


def open_delivery(
    session: Session, parcel: Parcel, file_digest: str, recorded_at: int, number: int | None = None
) -> Delivery:
    """The row of a file that counts until the gate says otherwise: a new one, or the one it had when refused.

    `number`: the one that was given out for it, where that was undone. Numbers are counted under the writer lock, not
    taken from a sequence: one that fails uses none up, and a gap, which would look like a lost delivery, cannot be.
    """
    context = context_of(parcel.source, parcel.received_at)
    known = _same_file(session, parcel, file_digest)
    delivery = known or Delivery(
        id=number or next_identifier(session, table_of(Delivery)),
        source=parcel.source.name,
        format=parcel.format,
        file_digest=file_digest,
    )
    delivery.received_at, delivery.recorded_at = to_datetime(parcel.received_at), to_datetime(recorded_at)
    delivery.zone, delivery.recheck_gap_seconds = context.zone or "UTC", context.recheck_gap_seconds
    delivery.verdict, delivery.reasons = Verdict.OK, []
    _close_delivery(session, delivery, Tally())
    return delivery


def _same_file(session: Session, parcel: Parcel, file_digest: str) -> Delivery | None:
    return session.scalars(
        select(Delivery).where(
            Delivery.source == parcel.source.name,
            Delivery.format == parcel.format,
            Delivery.file_digest == file_digest,
        )
    ).one_or_none()


def _close_delivery(session: Session, delivery: Delivery, tally: Tally) -> None:
    for name in COUNTS:
        setattr(delivery, name, getattr(tally, name))
    delivery.measures = tally.measures() | {"companies": largest_companies(session, tally.companies)}
    session.add(delivery)
    delivery.quarantined = dict(sorted(tally.quarantined.items()))
    delivery.warnings = dict(sorted(tally.flags.items()))
    session.flush()


def _quarantine(store: Store, refused: Sequence[Refused]) -> None:
    if not refused:
        return
    for row in refused:
        store.tally.quarantined[row.reason] += 1
        store.tally.outcomes(Outcome(row.line, Fate.QUARANTINED, row.reason, row.column))
    each = dict(zip(Refused._fields, zip(*refused, strict=True), strict=True))
    always = {"delivery_id": store.delivery.id, "key_version": store.vault.version}
    insert_columns(store.session, table_of(Quarantined), each, always)
