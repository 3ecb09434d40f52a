"""Reads a delivery into batches of rows ready for storing, by columns; a URL is known only by digest and seal.

Regular rows of the formats with a fast path go into a batch column by column, the others through `rows.prepare`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import add
from typing import Any, NamedTuple, TypeAlias, TypeVar

from monitor.cycles import gc_paused
from monitor.formats.catalogue import fast_path, reader
from monitor.formats.fast_path import RegularRows, Row
from monitor.formats.files import Openable
from monitor.formats.records import Context, Record, Rejected
from monitor.ingest.rows import Item, RefusedRow, address_flags, notice_address, prepare_all
from monitor.names import named, names_nobody
from monitor.urls import site_of
from monitor.vault import Vault
from monitor.vocabulary import Kind, State

REFERENCE = "notices.reference"  # what `Vault.seal_equal` binds the numbers to
_AT_ONCE = 32  # rows that are in memory before they are weighed: 8 MiB of the longest
_HEAVY = 4 * 2**20  # bytes of rows that are enough for a batch, however few rows they are
_ONLINE, _OFFLINE = str(State.ONLINE), str(State.OFFLINE)

T = TypeVar("T")


@dataclass(frozen=True)
class ReadTask:
    """What is to be read: a file in a format, the context of its parser, and how many rows make a batch."""

    file: Openable
    format: str
    context: Context
    size: int


@dataclass(frozen=True)
class ParsedRows:
    """Rows that were parsed one by one, and may be about items that only the database knows."""

    records: list[Record | Rejected]

    @property
    def size(self) -> int:
        """How many rows were read."""
        return len(self.records)

    @property
    def refused(self) -> list[Rejected]:
        """Those that the parser refused."""
        return [record for record in self.records if isinstance(record, Rejected)]


class Rows(NamedTuple):
    """The rows. Notices and sightings refer to one by its place here, from 0."""

    line: list[int]
    url_digest: list[bytes]
    url_sealed: list[bytes]
    truncated: list[bool]
    stem_digest: list[bytes | None]
    site_digest: list[bytes]
    reported_at: list[int | None]
    classified_at: list[int | None]


class Notices(NamedTuple):
    """The notices in the rows, in their order; `address` stays in memory."""

    row: list[int]
    sent_at: list[int]
    kind: list[str]
    role: list[str]
    delivery: list[str]
    recipient: list[str | None]
    recipient_digest: list[bytes | None]
    recipient_country: list[str | None]
    channel: list[str]
    deadline_hours: list[float | None]
    address: list[str | None]
    address_sealed: list[bytes | None]
    reference_sealed: list[bytes | None]


class Sightings(NamedTuple):
    """The sightings in the rows, in their order."""

    row: list[int]
    seen_at: list[int]
    state: list[str]
    pause: list[str | None]
    country: list[str | None]


@dataclass(frozen=True)
class Batch:
    """Rows with their notices and sightings, the refused rows among them, and how many rows each flag stands for."""

    rows: Rows
    notices: Notices
    sightings: Sightings
    refused: Sequence[RefusedRow] = ()
    flags: Counter[str] = field(default_factory=Counter)

    @property
    def size(self) -> int:
        """How many rows were read."""
        return len(self.rows.line) + len(self.refused)

    def in_order_with(self, other: Batch) -> Batch:
        """The rows of both in the order of their lines; of this one none may be refused."""
        if not other.size:
            return self
        behind = len(self.rows.line)
        lines = self.rows.line + other.rows.line
        order = sorted(range(len(lines)), key=lines.__getitem__)
        place = dict(zip(order, range(len(order)), strict=True))
        return Batch(
            Rows(*(_picked(column, order) for column in map(add, self.rows, other.rows))),
            Notices(*_merged(self.notices, other.notices, behind, place)),
            Sightings(*_merged(self.sightings, other.sightings, behind, place)),
            other.refused,
            self.flags + other.flags,
        )


def _merged(first: Sequence[Any], second: Sequence[Any], behind: int, place: dict[int, int]) -> list[list[Any]]:
    """The columns of both, in the order of the new places of their rows; the rows of the second stand `behind`."""
    rows = [place[row] for row in first[0]] + [place[row + behind] for row in second[0]]
    order = sorted(range(len(rows)), key=rows.__getitem__)
    columns = [rows, *map(add, first[1:], second[1:])]
    return [_picked(column, order) for column in columns]


def _picked(column: Sequence[Any], places: Sequence[int]) -> list[Any]:
    return [column[place] for place in places]


Piece: TypeAlias = Batch | ParsedRows


def parsed_rows(task: ReadTask) -> Iterator[ParsedRows]:
    """The rows of a delivery in order, one by one; raises DeliveryError as its parser does."""
    return map(ParsedRows, chunked(reader(task.format)(task.file, task.context), task.size, _weight))


def chunked(rows: Iterator[T], size: int, weight: Callable[[T], int]) -> Iterator[list[T]]:
    """Lists of `size` rows; of fewer where they are heavy, so that as many of the longest rows fit into memory."""
    chunk, heavy = list[T](), 0
    while some := list(islice(rows, min(_AT_ONCE, size - len(chunk)))):
        chunk += some
        heavy += sum(map(weight, some))
        if len(chunk) >= size or heavy > _HEAVY:
            yield chunk
            chunk, heavy = [], 0
    if chunk:
        yield chunk


def _weight(record: Record | Rejected) -> int:
    """About how many bytes of its row a record holds."""
    if isinstance(record, Rejected):
        return len(record.raw)
    notices = record.notices if record.first_notice is None else (*record.notices, record.first_notice)
    texts = (len(n.recipient or "") + len(n.recipient_email or "") + len(n.address or "") for n in notices)
    return len(record.url) + len(record.flags) + sum(texts)


def _weight_of_line(row: Row) -> int:
    return len(row[1] or b"")


def batches(task: ReadTask, vault: Vault) -> Iterator[Batch]:
    """The rows of a delivery in order; raises DeliveryError as its parser does."""
    path = fast_path(task.format, task.file, task.context)
    for rows in chunked(path.rows, task.size, _weight_of_line):
        with gc_paused():
            regular, others = path.split(rows)
            one_by_one = batch_of_records(others, vault, task.context.known_names)
            batch = _batch_of_regular(regular, path.flags, vault).in_order_with(one_by_one)
        yield batch


def batch_of_records(records: Iterable[Record | Rejected], vault: Vault, known_names: Collection[str] = ()) -> Batch:
    """Records as a batch."""
    items, refused = prepare_all(records, vault, known_names)
    return batch_of_items(items, vault, refused)


def batch_of_items(items: Sequence[Item], vault: Vault, refused: Sequence[RefusedRow] = ()) -> Batch:
    """Items as a batch."""
    flags = Counter(flag for item in items for flag in (*item.record.flags, *address_flags(item.record)))
    flags += _nobody(notice.recipient for item in items for notice in item.record.notices)
    flags.update(item.flag for item in items if item.flag)
    return Batch(_rows(items, vault), _notices(items, vault), _sightings([i.record for i in items]), refused, flags)


def _rows(items: Sequence[Item], vault: Vault) -> Rows:
    return Rows(
        [item.record.line for item in items],
        [item.url_digest for item in items],
        vault.seal_all([item.record.url for item in items]),
        [item.record.truncated for item in items],
        [item.stem_digest for item in items],
        [item.site_digest for item in items],
        [item.record.reported_at for item in items],
        [item.record.classified_at for item in items],
    )


def _notices(items: Sequence[Item], vault: Vault) -> Notices:
    found = [(row, item, notice) for row, item in enumerate(items) for notice in item.record.notices]
    addresses = [notice_address(notice, item) for _, item, notice in found]
    return Notices(
        [row for row, _, _ in found],
        [notice.sent_at for _, _, notice in found],
        [str(notice.kind) for _, _, notice in found],
        [str(notice.role) for _, _, notice in found],
        [str(notice.delivery) for _, _, notice in found],
        [named(notice.recipient) for _, _, notice in found],
        recipient_digests([notice.recipient_email for _, _, notice in found], vault),
        [notice.recipient_country for _, _, notice in found],
        [str(notice.channel) for _, _, notice in found],
        [notice.deadline_hours for _, _, notice in found],
        addresses,
        sealed_addresses(addresses, vault),
        sealed_references([notice.reference for _, _, notice in found], vault),
    )


def _sightings(records: Sequence[Record]) -> Sightings:
    found = [(row, sighting) for row, record in enumerate(records) for sighting in record.sightings]
    return Sightings(
        [row for row, _ in found],
        [sighting.seen_at for _, sighting in found],
        [str(sighting.state) for _, sighting in found],
        [None if sighting.pause is None else str(sighting.pause) for _, sighting in found],
        [sighting.country for _, sighting in found],
    )


def recipient_digests(emails: Sequence[str | None], vault: Vault) -> list[bytes | None]:
    """What recipients are found by; e-mail addresses are compared in lower case."""
    return [vault.digest_recurring(email.casefold()) if email else None for email in map(named, emails)]


def sealed_references(references: Sequence[str | None], vault: Vault) -> list[bytes | None]:
    """The sender's numbers, sealed so that equal ones can be found."""
    return vault.seal_equal(references, REFERENCE)


def sealed_addresses(addresses: Sequence[str | None], vault: Vault) -> list[bytes | None]:
    """The addresses that there are, sealed."""
    sealed = iter(vault.seal_all([address for address in addresses if address]))
    return [next(sealed) if address else None for address in addresses]


def _batch_of_regular(rows: RegularRows, flags: Sequence[str], vault: Vault) -> Batch:
    """Regular rows as a batch: what `prepare` and `batch_of_items` would make of them, all at once."""
    size = len(rows.line)
    nothing: list[None] = [None] * size
    notices = Notices(
        list(range(size)),
        rows.sent_at,
        [str(Kind.HOTLINE_NOTICE)] * size,
        rows.role,
        rows.delivery,
        list(map(named, rows.recipient)),
        recipient_digests(rows.recipient_email, vault),
        rows.recipient_country,
        rows.channel,
        list(nothing),
        rows.address,
        sealed_addresses(rows.address, vault),
        sealed_references(rows.reference, vault),
    )
    digests, sites = vault.url_digests(rows.url), [vault.site_digest(site_of(host)) for host in rows.host]
    sealed = vault.seal_all(rows.url)
    stored = Rows(rows.line, digests, sealed, [False] * size, list(nothing), sites, list(nothing), list(nothing))
    return Batch(stored, notices, _seen(rows), (), _flags(rows, flags))


def _nobody(recipients: Iterable[str | None]) -> Counter[str]:
    """How many notices give a text for a recipient that names nobody: these go by their address."""
    return +Counter({"recipient_names_nobody": sum(1 for text in recipients if text and names_nobody(text))})


def _flags(rows: RegularRows, of_all: Sequence[str]) -> Counter[str]:
    """How many rows each flag stands for."""
    found = Counter(flag for flag in rows.flag if flag) + _nobody(rows.recipient)
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
