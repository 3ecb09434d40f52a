"""A batch of rows ready for storing, by columns: what is told by each row, its URL known only by digest and seal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import add
from typing import Any, NamedTuple

from monitor.formats.records import Record
from monitor.ingest.items import Item, address_flags, notice_address
from monitor.vault import Vault

REFERENCE = "notices.reference"  # what `Vault.seal_equal` binds the numbers to


class Refused(NamedTuple):
    """A row for the quarantine: its line, why and where it was refused, and the row as it came, sealed."""

    line: int
    reason: str
    column: str | None
    row_sealed: bytes


class Rows(NamedTuple):
    """The rows. Other columns refer to one by its place here, from 0."""

    line: list[int]
    url_digest: list[bytes]
    url_sealed: list[bytes]
    truncated: list[bool]
    stem_digest: list[bytes | None]
    site_digest: list[bytes]


class Notices(NamedTuple):
    """The notices that the rows tell of, in their order; `address` stays in memory."""

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
    """The sightings that the rows tell of, in their order."""

    row: list[int]
    seen_at: list[int]
    state: list[str]
    pause: list[str | None]
    country: list[str | None]


@dataclass(frozen=True)
class Batch:
    """Rows with what they tell, the rows that were refused among them, and how many rows each flag stands for."""

    rows: Rows
    notices: Notices
    sightings: Sightings
    refused: Sequence[Refused] = ()
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
            Notices(*_told_in_order(self.notices, other.notices, behind, place)),
            Sightings(*_told_in_order(self.sightings, other.sightings, behind, place)),
            other.refused,
            self.flags + other.flags,
        )


def _told_in_order(first: Sequence[Any], second: Sequence[Any], behind: int, place: dict[int, int]) -> list[list[Any]]:
    """The columns of both, in the order of the new places of their rows; the rows of the second stand `behind`."""
    rows = [place[row] for row in first[0]] + [place[row + behind] for row in second[0]]
    order = sorted(range(len(rows)), key=rows.__getitem__)
    columns = [rows, *map(add, first[1:], second[1:])]
    return [_picked(column, order) for column in columns]


def _picked(column: Sequence[Any], places: Sequence[int]) -> list[Any]:
    return [column[place] for place in places]


def of_items(items: Sequence[Item], vault: Vault, refused: Sequence[Refused] = ()) -> Batch:
    """What items tell, by columns."""
    flags = Counter(flag for item in items for flag in (*item.record.flags, *address_flags(item.record)))
    return Batch(_rows(items, vault), _notices(items, vault), _sightings([i.record for i in items]), refused, flags)


def _rows(items: Sequence[Item], vault: Vault) -> Rows:
    return Rows(
        [item.record.line for item in items],
        [item.url_digest for item in items],
        vault.seal_all([item.record.url for item in items]),
        [item.record.truncated for item in items],
        [item.stem_digest for item in items],
        [item.site_digest for item in items],
    )


def _notices(items: Sequence[Item], vault: Vault) -> Notices:
    told = [(row, item, notice) for row, item in enumerate(items) for notice in item.record.notices]
    addresses = [notice_address(notice, item) for _, item, notice in told]
    return Notices(
        [row for row, _, _ in told],
        [notice.sent_at for _, _, notice in told],
        [str(notice.kind) for _, _, notice in told],
        [str(notice.role) for _, _, notice in told],
        [str(notice.delivery) for _, _, notice in told],
        [notice.recipient for _, _, notice in told],
        recipient_digests([notice.recipient_email for _, _, notice in told], vault),
        [notice.recipient_country for _, _, notice in told],
        [str(notice.channel) for _, _, notice in told],
        [notice.deadline_hours for _, _, notice in told],
        addresses,
        sealed_addresses(addresses, vault),
        sealed_references([notice.reference for _, _, notice in told], vault),
    )


def _sightings(records: Sequence[Record]) -> Sightings:
    told = [(row, sighting) for row, record in enumerate(records) for sighting in record.sightings]
    return Sightings(
        [row for row, _ in told],
        [sighting.seen_at for _, sighting in told],
        [str(sighting.state) for _, sighting in told],
        [None if sighting.pause is None else str(sighting.pause) for _, sighting in told],
        [sighting.country for _, sighting in told],
    )


def recipient_digests(emails: Sequence[str | None], vault: Vault) -> list[bytes | None]:
    """What recipients are found by; e-mail addresses are compared in lower case."""
    return [vault.digest_recurring(email.casefold()) if email else None for email in emails]


def sealed_references(references: Sequence[str | None], vault: Vault) -> list[bytes | None]:
    """The sender's numbers, sealed so that equal ones can be found."""
    return vault.seal_equal(references, REFERENCE)


def sealed_addresses(addresses: Sequence[str | None], vault: Vault) -> list[bytes | None]:
    """The addresses that there are, sealed."""
    sealed = iter(vault.seal_all([address for address in addresses if address]))
    return [next(sealed) if address else None for address in addresses]
