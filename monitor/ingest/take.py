"""Taking in one delivery: parse, prepare, store, quarantine; the caller's transaction makes it whole or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.db import lock_writers
from monitor.formats.catalogue import parser
from monitor.formats.reading import fingerprint, read_lines
from monitor.formats.records import Context, Record, Rejected
from monitor.formats.rows import RowError
from monitor.ingest.answer import Answer, Tally, answer, repeated_answer
from monitor.ingest.items import Item, address_flag, prepare
from monitor.ingest.store import Store
from monitor.instants import HOUR, to_datetime
from monitor.models.facts import Delivery, Quarantined
from monitor.settings import Source, check_zone
from monitor.vault import Vault

_BATCH = 2000

Progress: TypeAlias = Callable[[int], None]


def unwatched(_rows: int) -> None:
    """Progress that nobody looks at."""


@dataclass(frozen=True)
class Parcel:
    """A file from a source, and when it arrived (epoch seconds)."""

    source: Source
    format: str
    path: Path
    received_at: int


def take(session: Session, vault: Vault, parcel: Parcel, recorded_at: int, progress: Progress = unwatched) -> Answer:
    """Store what a delivery says, once; raises DeliveryError (nothing stored) where it cannot be read.

    `progress` is told the number of rows done so far, every few thousand.
    """
    sha256 = fingerprint(parcel.path)
    lock_writers(session)
    known = session.scalars(
        select(Delivery).where(
            Delivery.source == parcel.source.name,
            Delivery.format == parcel.format,
            Delivery.sha256 == sha256,
        )
    ).one_or_none()
    if known is not None:
        return repeated_answer(known)
    delivery = _open_delivery(session, parcel, sha256, recorded_at)
    tally = Tally()
    store = Store(session, vault, delivery, recorded_at, tally)
    records = parser(parcel.format)(read_lines(parcel.path), _context(parcel))
    while batch := list(islice(records, _BATCH)):
        items = list(_prepared(session, batch, store))
        store.add(items)
        progress(tally.rows)
    _close_delivery(session, delivery, tally)
    return answer(delivery)


def _context(parcel: Parcel) -> Context:
    source = parcel.source
    check_zone(source.zone, f"source {source.name}")
    gap = None if source.recheck_gap_hours is None else round(source.recheck_gap_hours * HOUR)
    return Context(parcel.received_at, source.zone, gap, source.home_country)


def _open_delivery(session: Session, parcel: Parcel, sha256: str, recorded_at: int) -> Delivery:
    context = _context(parcel)
    delivery = Delivery(
        source=parcel.source.name,
        format=parcel.format,
        sha256=sha256,
        received_at=to_datetime(parcel.received_at),
        recorded_at=to_datetime(recorded_at),
        zone=context.zone or "UTC",
        recheck_gap_seconds=context.recheck_gap_seconds,
        **dict.fromkeys(("rows", "accepted", "duplicate", "contents_new", "notices_new", "sightings_new"), 0),
        quarantined={},
        warnings={},
    )
    session.add(delivery)
    session.flush()
    return delivery


def _close_delivery(session: Session, delivery: Delivery, tally: Tally) -> None:
    for name in ("rows", "accepted", "duplicate", "contents_new", "notices_new", "sightings_new"):
        setattr(delivery, name, getattr(tally, name))
    delivery.quarantined = dict(sorted(tally.quarantined.items()))
    delivery.warnings = dict(sorted(tally.flags.items()))
    session.flush()


def _prepared(session: Session, batch: Iterable[Record | Rejected], store: Store) -> Iterator[Item]:
    """The batch's records ready for storing; what was rejected goes into quarantine, sealed."""
    for record in batch:
        if isinstance(record, Rejected):
            _quarantine(session, record, store)
            continue
        try:
            item = prepare(record, store.vault)
        except RowError as error:
            raw = record.url.encode("utf-8", "surrogatepass")
            _quarantine(session, Rejected(record.line, error.reason, error.column, raw), store)
            continue
        store.tally.flags.update(record.flags)
        store.tally.flags.update(filter(None, (address_flag(record),)))
        yield item


def _quarantine(session: Session, rejected: Rejected, store: Store) -> None:
    store.tally.quarantined[rejected.reason] += 1
    session.add(
        Quarantined(
            delivery_id=store.delivery.id,
            line=rejected.line,
            reason=rejected.reason,
            column=rejected.column,
            key_version=store.vault.version,
            row_sealed=store.vault.seal(rejected.raw),
        )
    )
