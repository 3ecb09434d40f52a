"""From records to rows ready for storing: URL, site and address by digest; and the result of each row."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from monitor.clear_text import holds_address, holds_item, is_mail
from monitor.formats.records import NoticeRecord, Record, Rejected
from monitor.formats.rows import RowError
from monitor.formats.scart import CUT_AT
from monitor.names import alias_form
from monitor.vault import NotAUrlError, Vault, address_of, normal_form, normalise_url, site_of
from monitor.vocabulary import LONGEST_COUNTRY, LONGEST_RECIPIENT, LONGEST_REFERENCE

HOLDS_ADDRESS = "text_holds_address"


class RowStatus(StrEnum):
    """Every row of a delivery is one of these."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class RowResult:
    """One row: its line (or its place among the objects, from 1), its status, and why and where it was refused."""

    row: int
    status: RowStatus
    reason: str | None = None
    column: str | None = None


OnRow: TypeAlias = Callable[[RowResult], None]  # called with the result of each row


class RefusedRow(NamedTuple):
    """A row for the quarantine: its line, why and where it was refused, and the row as it came, sealed."""

    line: int
    reason: str
    column: str | None
    row_sealed: bytes


class Item(NamedTuple):
    """A record with its keyed digests. `url` stays in memory until it is sealed."""

    record: Record
    url: str
    url_digest: bytes
    stem_digest: bytes | None
    site_digest: bytes
    host_address: str | None


def prepare(record: Record, vault: Vault, known_names: Collection[str] = ()) -> Item:
    """Digest a record's URL and site.

    Raises RowError where it has no URL with a host, a text that no column takes, or an address in a text that is kept
    in clear; `known_names` as in `Context`.
    """
    refuse_texts(record, known_names)
    try:
        url, host = normalise_url(record.url)
        stem = vault.digest(normal_form(record.url[:CUT_AT])) if len(record.url) >= CUT_AT else None
    except NotAUrlError:
        raise RowError("url_without_host", "url") from None
    for column, text in _clear_texts(record):
        if holds_item(text, url, host) and not _is_known(text, known_names):
            raise RowError(HOLDS_ADDRESS, column)
    return Item(record, url, vault.digest(url), stem, vault.digest_recurring(site_of(host)), address_of(host))


def prepare_all(
    records: Iterable[Record | Rejected], vault: Vault, known_names: Collection[str] = ()
) -> tuple[list[Item], list[RefusedRow]]:
    """The records ready for storing, and the refused rows, sealed; `known_names` as in `Context`."""
    items, refused = list[Item](), list[RefusedRow]()
    for record in records:
        if isinstance(record, Rejected):
            refused.append(RefusedRow(record.line, record.reason, record.column, vault.seal(record.raw)))
            continue
        try:
            items.append(prepare(record, vault, known_names))
        except RowError as error:
            refused.append(RefusedRow(record.line, error.reason, error.column, vault.seal(_as_parsed(record))))
    return items, refused


def _as_parsed(record: Record) -> str:
    """What was parsed of a row that is refused after all."""
    return json.dumps(asdict(record))


def refuse_texts(record: Record, known_names: Collection[str] = ()) -> None:
    """RowError for a text of a record that no column takes, or that holds an address (S1), whatever its item."""
    for notice in _notices(record):
        _refuse_what_does_not_fit(notice)
        if notice.recipient_email and not is_mail(notice.recipient_email):
            raise RowError(HOLDS_ADDRESS, "recipient_email")
    for column, text in _clear_texts(record):
        if holds_address(text) and not _is_known(text, known_names):
            raise RowError(HOLDS_ADDRESS, column)


def _notices(record: Record) -> Iterator[NoticeRecord]:
    yield from record.notices
    if record.first_notice is not None:
        yield record.first_notice


def _clear_texts(record: Record) -> Iterator[tuple[str, str]]:
    """Every text of a record that a sender may have written freely, and the column it goes to."""
    for notice in _notices(record):
        for column in ("recipient", "recipient_country", "reference"):
            if text := getattr(notice, column):
                yield column, text
    for sighting in record.sightings:
        if sighting.country:
            yield "country", sighting.country


def _is_known(text: str, known_names: Collection[str]) -> bool:
    return bool(known_names) and alias_form(text) in known_names


def _refuse_what_does_not_fit(notice: NoticeRecord) -> None:
    """PostgreSQL takes no text beyond its column's length, no NUL and no lone surrogate: that row, not all of them."""
    _refuse_text("recipient", LONGEST_RECIPIENT, notice.recipient)
    _refuse_text("recipient_country", LONGEST_COUNTRY, notice.recipient_country)
    _refuse_text("reference", LONGEST_REFERENCE, notice.reference)


def _refuse_text(column: str, longest: int, text: str | None) -> None:
    if text is not None and (len(text) > longest or (not text.isprintable() and _is_unstorable(text))):
        raise RowError("text_does_not_fit", column)


def _is_unstorable(text: str) -> bool:
    return "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text)


def notice_address(notice: NoticeRecord, item: Item) -> str | None:
    """Where the content stood: the source's IP, else the URL's host where that is an address."""
    return (address_of(notice.address) if notice.address else None) or item.host_address


def address_flags(record: Record) -> tuple[str, ...]:
    """A flag for an IP column that holds no address."""
    for notice in record.notices:
        if notice.address and address_of(notice.address) is None:
            return ("not_an_address",)
    return ()
