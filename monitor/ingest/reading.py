"""Reading a delivery whose regular rows go by columns: from its bytes to batches that need no more than storing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TypeAlias, TypeVar

from monitor.cycles import gc_paused
from monitor.formats.catalogue import FAST_PATHS, reader
from monitor.formats.fast_path import RegularRows, Row
from monitor.formats.files import Openable, read_lines
from monitor.formats.records import Context, Record, Rejected
from monitor.formats.rows import RowError
from monitor.ingest.batch import (
    Batch,
    Notices,
    Refused,
    Rows,
    Sightings,
    of_items,
    recipient_digests,
    sealed_addresses,
    sealed_references,
)
from monitor.ingest.items import Item, prepare
from monitor.vault import Vault, site_of
from monitor.vocabulary import Kind, State

_AT_ONCE = 32  # rows that are in memory before they are weighed: 8 MiB of the longest
_HEAVY = 4 * 2**20  # bytes of rows that are enough for a batch, however few rows they are

T = TypeVar("T")

_ONLINE, _OFFLINE = str(State.ONLINE), str(State.OFFLINE)


@dataclass(frozen=True)
class Reading:
    """What is read: a file in a format, what its parser must be told, and how many rows make a batch."""

    file: Openable
    format: str
    context: Context
    size: int


@dataclass(frozen=True)
class Records:
    """A part of a delivery whose rows were parsed one by one, and may be about items that only the database knows."""

    records: list[Record | Rejected]

    @property
    def size(self) -> int:
        """How many rows were read."""
        return len(self.records)

    @property
    def refused(self) -> list[Rejected]:
        """Those that the parser refused."""
        return [record for record in self.records if isinstance(record, Rejected)]


Piece: TypeAlias = Batch | Records


def records(reading: Reading) -> Iterator[Records]:
    """The rows of a delivery in order, one by one; raises DeliveryError as its parser does."""
    return map(Records, bundles(reader(reading.format)(reading.file, reading.context), reading.size, _weight))


def bundles(rows: Iterator[T], size: int, weight: Callable[[T], int]) -> Iterator[list[T]]:
    """Lists of `size` rows; of fewer where they are heavy, so that as many of the longest rows fit into memory."""
    bundle, heavy = list[T](), 0
    while some := list(islice(rows, min(_AT_ONCE, size - len(bundle)))):
        bundle += some
        heavy += sum(map(weight, some))
        if len(bundle) >= size or heavy > _HEAVY:
            yield bundle
            bundle, heavy = [], 0
    if bundle:
        yield bundle


def _weight(record: Record | Rejected) -> int:
    """About how many bytes of its row a record holds."""
    if isinstance(record, Rejected):
        return len(record.raw)
    told = record.notices if record.first_notice is None else (*record.notices, record.first_notice)
    texts = (len(n.recipient or "") + len(n.recipient_email or "") + len(n.address or "") for n in told)
    return len(record.url) + len(record.flags) + sum(texts)


def _weight_of_line(row: Row) -> int:
    return len(row[1] or b"")


def batches(reading: Reading, vault: Vault) -> Iterator[Batch]:
    """The rows of a delivery in order; raises DeliveryError as its parser does."""
    path = FAST_PATHS[reading.format](read_lines(reading.file), reading.context)
    for rows in bundles(path.rows, reading.size, _weight_of_line):
        with gc_paused():
            regular, others = path.split(rows)
            one_by_one = of_records(others, vault, reading.context.known_names)
            batch = _of_regular(regular, path.flags, vault).in_order_with(one_by_one)
        yield batch


def of_records(records: Iterable[Record | Rejected], vault: Vault, known_names: Collection[str] = ()) -> Batch:
    """What records tell, by columns."""
    items, refused = prepared(records, vault, known_names)
    return of_items(items, vault, refused)


def prepared(
    records: Iterable[Record | Rejected], vault: Vault, known_names: Collection[str] = ()
) -> tuple[list[Item], list[Refused]]:
    """The records ready for storing, and what is refused, sealed; `known_names` as in `Context`."""
    items, refused = list[Item](), list[Refused]()
    for record in records:
        if isinstance(record, Rejected):
            refused.append(Refused(record.line, record.reason, record.column, vault.seal(record.raw)))
            continue
        try:
            items.append(prepare(record, vault, known_names))
        except RowError as error:
            refused.append(Refused(record.line, error.reason, error.column, vault.seal(_understood(record))))
    return items, refused


def _understood(record: Record) -> str:
    """What was understood of a row that is refused after all."""
    return json.dumps(asdict(record))


def _of_regular(rows: RegularRows, flags: Sequence[str], vault: Vault) -> Batch:
    """What regular rows tell: `prepare` and `of_items` of them all at once."""
    size = len(rows.line)
    nothing: list[None] = [None] * size
    notices = Notices(
        list(range(size)),
        rows.sent_at,
        [str(Kind.HOTLINE_NOTICE)] * size,
        rows.role,
        rows.delivery,
        rows.recipient,
        recipient_digests(rows.recipient_email, vault),
        rows.recipient_country,
        rows.channel,
        list(nothing),
        rows.address,
        sealed_addresses(rows.address, vault),
        sealed_references(rows.reference, vault),
    )
    digests, sites = vault.digest_all(rows.url), [vault.digest_recurring(site_of(host)) for host in rows.host]
    told = Rows(rows.line, digests, vault.seal_all(rows.url), [False] * size, list(nothing), sites)
    return Batch(told, notices, _seen(rows), (), _flags(rows, flags))


def _flags(rows: RegularRows, of_all: Sequence[str]) -> Counter[str]:
    """How many rows each flag stands for."""
    found = Counter(flag for flag in rows.flag if flag)
    for flag in of_all:
        found[flag] += len(rows.line)
    return +found


def _seen(rows: RegularRows) -> Sightings:
    """For each row when it was online, then when it was offline."""
    seen = [
        (row, at, state)
        for row, moments in enumerate(zip(rows.online_at, rows.offline_at, strict=True))
        for at, state in zip(moments, (_ONLINE, _OFFLINE), strict=True)
        if at is not None
    ]
    places, instants, states = (list(column) for column in zip(*seen, strict=True)) if seen else ([], [], [])
    return Sightings(places, instants, states, [None] * len(seen), [None] * len(seen))
