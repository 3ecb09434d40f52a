"""From records to rows ready for storing: URL, site and address by digest; and the result of each row."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from monitor.clear_text import holds_address, holds_item, is_mail
from monitor.formats.records import NoticeRecord, Record, Rejected
from monitor.formats.rows import RowError
from monitor.formats.scart import CUT_AT
from monitor.names import alias_form
from monitor.urls import NotAUrlError, Url, address_of, parse_url, site_of
from monitor.vault import Vault
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
    """A record with its keyed digests. `flag`: what is to be said of how its URL was written."""

    record: Record
    url_digest: bytes
    stem_digest: bytes | None
    site_digest: bytes
    host_address: str | None
    flag: str | None


class Identity(NamedTuple):
    """What makes an item of a URL as it was delivered: the URL in canonical form, and that of its first CUT_AT letters.

    `stem`: None where the URL is shorter, and where nothing that counts was or would be cut off: a cut in a fragment
    that is dropped leaves the whole URL. `is_cut`: the source cut it, and it matters.
    """

    url: Url
    stem: str | None
    is_cut: bool


def identify(text: str, truncated: bool) -> Identity:
    """Which item a URL stands for, by the present URL rules; raises NotAUrlError."""
    url = parse_url(text)
    if len(text) < CUT_AT or (truncated and _is_cut_in_fragment(text)):
        return Identity(url, None, truncated and len(text) < CUT_AT)
    return Identity(url, _stem(text), truncated)


def _stem(text: str) -> str | None:
    """The canonical form of what is left of a URL once it is cut; None where that is no URL, and refused as such."""
    try:
        return parse_url(text[:CUT_AT]).text
    except NotAUrlError:
        return None


def _is_cut_in_fragment(text: str) -> bool:
    """Whether what may be missing belongs to a fragment that is dropped."""
    _, mark, fragment = text.partition("#")
    return bool(mark and fragment) and fragment[0] not in "!/"


def prepare(record: Record, vault: Vault, known_names: Collection[str] = ()) -> Item:
    """Digest a record's URL and site.

    Raises RowError where it has no URL of the web, a text that no column takes, or an address in a text that is kept
    in clear; `known_names` as in `Context`.
    """
    refuse_texts(record, known_names)
    try:
        (url, host, flag), stem, is_cut = identify(record.url, record.truncated)
    except NotAUrlError as error:
        raise RowError(error.reason, "url") from None
    for column, text in _clear_texts(record):
        if _names_item(text, url, host, record.url) and not _is_known(text, known_names):
            raise RowError(HOLDS_ADDRESS, column)
    if is_cut != record.truncated:
        record = replace(record, truncated=is_cut)
    stem_digest = None if stem is None else vault.url_digest(stem)
    return Item(record, vault.url_digest(url), stem_digest, vault.site_digest(site_of(host)), address_of(host), flag)


def _names_item(text: str, url: str, host: str, delivered: str) -> bool:
    """Whether a text holds the item's URL, its host or its path, in canonical form or as it was delivered."""
    return holds_item(text, url, host) or (delivered != url and holds_item(text, delivered, host))


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
