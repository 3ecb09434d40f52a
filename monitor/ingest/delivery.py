"""Ingests one delivery: its facts are read, stored, attributed and checked; one transaction, and no fact twice.

The work is done inside a savepoint. Where the checks find that the delivery does not count, it is undone, and only the
delivery's row with its verdict and reasons stays (and its sealed bytes, where it is pending review).

Whoever shares the database reads a delivery ahead, so that nobody waits for its parser:

    with read_ahead(engine, vault, file) as reader:
        result = reader.store(attempt)  # which opens a transaction, and calls `ingest(..., reader=reader)` in it
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from monitor.attribute.assign import Attribute, attribute_as_stored
from monitor.clear_text import holds_address
from monitor.countries import home_country, own_spellings
from monitor.cycles import gc_paused
from monitor.db import lock_writers, next_identifier, table_of, transaction
from monitor.formats.catalogue import FAST_PATHS, without_evidence
from monitor.formats.files import Openable, fingerprint, fingerprint_and_size
from monitor.formats.records import Context
from monitor.ingest.batches import Batch, ParsedRows, ReadTask, batch_of_items
from monitor.ingest.checks import check_delivery, is_certainly_refused, worst_verdict
from monitor.ingest.reader import SMALL, DeliveryReader, DirectReader, ReadAhead, StopReading, never_stop
from monitor.ingest.reconcile import can_repeat_notices, reconcile
from monitor.ingest.references import References
from monitor.ingest.result import IngestResult, repeated_result, result_of
from monitor.ingest.rows import OnRow, prepare_all
from monitor.ingest.stats import check_input, largest_companies
from monitor.ingest.store import Store, Tally, keep_pending
from monitor.instants import HOUR, to_datetime, to_instant
from monitor.models.company import CompanyClaim, CompanyDetail
from monitor.models.facts import Delivery
from monitor.names import alias_form
from monitor.settings import Source, check_zone
from monitor.vault import Vault
from monitor.vocabulary import Claim, Verdict

COUNTS = ("rows", "accepted", "duplicate", "contents_new", "notices_new", "sightings_new")
_BATCH, _BATCH_BY_COLUMNS = 2000, 8000  # rows of a batch read one by one, and by columns

Progress: TypeAlias = Callable[[int], None]  # called with the number of rows done so far, every few thousand


@dataclass(frozen=True)
class DeliveryFile:
    """A file from a source, and when it arrived (epoch seconds)."""

    source: Source
    format: str
    path: Openable
    received_at: int

    def __post_init__(self) -> None:
        """From here on there is only the form that may be kept."""
        object.__setattr__(self, "path", without_evidence(self.format, self.path))


def known_names(session: Session) -> frozenset[str]:
    """Names and aliases of companies in the registry, which may look like addresses, as `Example.com` does."""
    aliases = session.scalars(select(CompanyClaim.value).where(CompanyClaim.claim == Claim.ALIAS))
    names = session.scalars(select(CompanyDetail.name).where(~CompanyDetail.review))
    return frozenset({alias_form(name) for name in names if holds_address(name)} | set(aliases))


def context_of(source: Source, received_at: int, known: frozenset[str] = frozenset()) -> Context:
    """The context of the parser of a delivery; ConfigurationError for a zone or country of it that is none."""
    check_zone(source.zone, f"source {source.name}")
    gap = None if source.recheck_gap_hours is None else round(source.recheck_gap_hours * HOUR)
    where = f"[sources.{source.name}]"
    home, own = home_country(source.home_country, where), own_spellings(source.countries, where)
    return Context(received_at, source.zone, gap, home, own, known, source.sending)


def read_task(
    source: Source, format_name: str, file: Openable, received_at: int, known: frozenset[str] = frozenset()
) -> ReadTask:
    """How a file is to be read (`known`: `known_names`); raises ConfigurationError for a zone that is none."""
    size = _BATCH_BY_COLUMNS if format_name in FAST_PATHS else _BATCH
    return ReadTask(file, format_name, context_of(source, received_at, known), size)


@contextmanager
def read_ahead(engine: Engine, vault: Vault, file: DeliveryFile) -> Iterator[ReadAhead]:
    """A delivery to be read before it is stored (its hash is read now); its `store` reads the rest as needed.

    Raises DeliveryError where the file cannot be read.
    """
    sha256, size = fingerprint_and_size(file.path)
    with transaction(engine) as session:
        known = known_names(session)
        is_new = _same_file(session, file, vault.digest_file(sha256)) is None
    task = read_task(file.source, file.format, file.path, file.received_at, known)
    stop = partial(is_certainly_refused, file.source)
    with closing(ReadAhead(task, vault, sha256, stop, read_first=is_new and size <= SMALL)) as reader:
        yield reader


def _direct_reader(
    vault: Vault, file: DeliveryFile, known: frozenset[str], stop: StopReading = never_stop
) -> DirectReader:
    """Reads the delivery while it is stored: whoever else writes waits for that."""
    task = read_task(file.source, file.format, file.path, file.received_at, known)
    return DirectReader(task, vault, fingerprint(file.path), stop)


def ingest(
    session: Session,
    vault: Vault,
    file: DeliveryFile,
    recorded_at: int,
    progress: Progress | None = None,
    on_row: OnRow | None = None,
    reader: DeliveryReader | None = None,
) -> IngestResult:
    """Store a delivery, attribute its notices and check it, in the caller's transaction.

    `recorded_at` is asked of the clock under `lock_writers`: what is recorded by then is what others can see.
    `reader`: of the delivery as far as it was read ahead; else it is read here, and whoever else writes waits for that.
    Raises DeliveryError, with nothing stored, where the delivery cannot be read.
    """
    lock_writers(session)  # before the savepoint: PostgreSQL gives back what was locked in one that is undone
    reader = reader or _direct_reader(vault, file, known_names(session), partial(is_certainly_refused, file.source))
    savepoint = session.begin_nested()
    attribute = attribute_as_stored(session, vault, to_datetime(recorded_at))
    loaded = load(session, vault, file, recorded_at, progress, on_row, attribute, reader)
    if loaded.repeated:
        savepoint.commit()
        return loaded
    delivery = session.get_one(Delivery, loaded.delivery)
    findings = check_delivery(check_input(session, delivery, file.source))
    if not findings:
        savepoint.commit()
        return replace(result_of(delivery), sha256=loaded.sha256)
    kept = ("id", *COUNTS, "file_digest", "quarantined", "warnings", "measures")
    outcome = {name: getattr(delivery, name) for name in kept}
    outcome |= {"verdict": worst_verdict(findings), "reasons": [finding.serialise() for finding in findings]}
    savepoint.rollback()
    return replace(_set_aside(session, vault, file, reader, recorded_at, outcome), sha256=loaded.sha256)


def _set_aside(
    session: Session,
    vault: Vault,
    file: DeliveryFile,
    reader: DeliveryReader,
    recorded_at: int,
    outcome: dict[str, Any],
) -> IngestResult:
    """Keep what the checks found, and the bytes where a person has to decide."""
    known = _same_file(session, file, outcome["file_digest"])
    delivery = _open_delivery(session, file, known or outcome["file_digest"], recorded_at, outcome["id"])
    for name, value in outcome.items():
        setattr(delivery, name, value)
    session.flush()
    if delivery.verdict is Verdict.SUSPICIOUS:
        keep_pending(session, vault, delivery.id, reader.sealed_bytes())
    return result_of(delivery)


def load(
    session: Session,
    vault: Vault,
    file: DeliveryFile,
    recorded_at: int,
    progress: Progress | None = None,
    on_row: OnRow | None = None,
    attribute: Attribute | None = None,
    reader: DeliveryReader | None = None,
) -> IngestResult:
    """Store the facts of a delivery once, unchecked; raises DeliveryError (nothing stored) where it cannot be read.

    A file that was ingested before, or is pending review, is not loaded again; one that was refused is, and is checked
    anew. `on_row` is called with the result of each row (of none, where the file is not loaded again), `attribute` with
    the notices to hosters that were stored. `reader`: of the delivery as far as it was read ahead.
    """
    lock_writers(session)  # first of all: a transaction that has read before cannot become the writer in SQLite
    reader = reader or _direct_reader(vault, file, known_names(session))
    digest = vault.digest_file(reader.sha256)
    known = _same_file(session, file, digest)
    if known is not None and known.verdict is not Verdict.REFUSED:
        return replace(repeated_result(known), sha256=reader.sha256)
    delivery = _open_delivery(session, file, known or digest, recorded_at)
    result = load_rows(session, vault, delivery, reader, progress, on_row, attribute)
    return replace(result, sha256=reader.sha256)


def load_rows(
    session: Session,
    vault: Vault,
    delivery: Delivery,
    reader: DeliveryReader,
    progress: Progress | None = None,
    on_row: OnRow | None = None,
    attribute: Attribute | None = None,
) -> IngestResult:
    """Store the facts of a delivery, under the row that was opened for it."""
    tally = Tally(on_row=on_row)
    store = Store(session, vault, delivery, to_instant(delivery.recorded_at), tally, attribute)
    references, may_repeat = References(store, known_names(session)), can_repeat_notices(store)
    with closing(reader.pieces()) as pieces:
        for piece in pieces:
            with gc_paused():  # a fifth of the time: the rows of a batch are in no cycle, and go with it
                if isinstance(piece, Batch):
                    store.add_batch(piece)
                    if may_repeat:
                        reconcile(store, piece)
                else:
                    _load_parsed(store, references, piece)
            if progress is not None:
                progress(store.tally.rows)
    tally.stopped = reader.stopped
    _close_delivery(session, delivery, tally)
    return result_of(delivery)


def _load_parsed(store: Store, references: References, rows: ParsedRows) -> None:
    """Store rows that may be about items that only the database knows."""
    items, refused = prepare_all(references.with_urls(rows.records), store.vault, references.known_names)
    store.add_batch(batch_of_items(items, store.vault, refused))
    references.resolve(items)


def _open_delivery(
    session: Session, file: DeliveryFile, known: Delivery | str, recorded_at: int, number: int | None = None
) -> Delivery:
    """The row of a file that counts until the checks say otherwise: a new one, or the one it had when refused.

    `known`: the latter, or the digest of a file that has none.
    `number`: the one that was given out for it, where that was undone. Numbers are counted under the writer lock, not
    taken from a sequence: one that fails uses none up, and a gap, which would look like a lost delivery, cannot be.
    """
    context = context_of(file.source, file.received_at)
    if isinstance(known, str):
        number = number or next_identifier(session, table_of(Delivery))
        delivery = Delivery(id=number, source=file.source.name, format=file.format, file_digest=known)
    else:
        delivery = known
    delivery.received_at, delivery.recorded_at = to_datetime(file.received_at), to_datetime(recorded_at)
    delivery.zone, delivery.recheck_gap_seconds = context.zone or "UTC", context.recheck_gap_seconds
    delivery.verdict, delivery.reasons = Verdict.OK, []
    _close_delivery(session, delivery, Tally())
    return delivery


def _same_file(session: Session, file: DeliveryFile, file_digest: str) -> Delivery | None:
    return session.scalars(
        select(Delivery).where(
            Delivery.source == file.source.name,
            Delivery.format == file.format,
            Delivery.file_digest == file_digest,
        )
    ).one_or_none()


def _close_delivery(session: Session, delivery: Delivery, tally: Tally) -> None:
    """Write the counts of a delivery into its row."""
    for name in COUNTS:
        setattr(delivery, name, getattr(tally, name))
    delivery.measures = tally.measures() | {"companies": largest_companies(session, tally.companies)}
    session.add(delivery)
    delivery.quarantined = dict(sorted(tally.quarantined.items()))
    delivery.warnings = dict(sorted(tally.flags.items()))
    session.flush()
