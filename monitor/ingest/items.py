"""One record made ready for storing: its URL, site and address known only by digest from here on."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.formats.records import NoticeRecord, Record
from monitor.formats.rows import RowError
from monitor.formats.scart import CUT_AT
from monitor.vault import NotAUrlError, Vault, address_of, dissect, normalise, site_of


@dataclass(frozen=True, slots=True)
class Item:
    """A record with its keyed digests. `url` stays in memory until it is sealed."""

    record: Record
    url: str
    url_digest: bytes
    stem_digest: bytes | None
    site_digest: bytes
    host_address: str | None


def prepare(record: Record, vault: Vault) -> Item:
    """Digest a record's URL and site; RowError where it has no URL with a host."""
    try:
        url, host = dissect(record.url)
        stem = vault.digest(normalise(record.url[:CUT_AT])) if len(record.url) >= CUT_AT else None
    except NotAUrlError:
        raise RowError("url_without_host", "url") from None
    return Item(record, url, vault.digest(url), stem, vault.digest(site_of(host)), address_of(host))


def notice_address(notice: NoticeRecord, item: Item) -> str | None:
    """Where the content stood: the source's IP, else the URL's host where that is an address."""
    return (address_of(notice.address) if notice.address else None) or item.host_address


def address_flag(record: Record) -> str | None:
    """A flag for an IP column that holds no address."""
    bad = any(notice.address and address_of(notice.address) is None for notice in record.notices)
    return "not_an_address" if bad else None
