"""Storing prepared items: new sites, contents, notices and sightings, each once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Table
from sqlalchemy.orm import Session

from monitor.db import Row, insert_rows, next_identifier, rows_where
from monitor.formats.records import NoticeRecord
from monitor.ingest.answer import Tally
from monitor.ingest.items import Item, notice_address
from monitor.ingest.outcomes import Fate, Outcome, untold
from monitor.models.facts import Content, Delivery, Notice, Sighting, Site
from monitor.models.words import Role
from monitor.vault import Vault

_SITE = ("id", "key_version", "digest")
_CONTENT = (
    "id", "delivery_id", "key_version", "recorded_at", "site_id", "url_digest", "url_sealed", "truncated",
    "stem_digest",
)  # fmt: skip
_NOTICE_KEY = ("content_id", "sent_at", "kind", "recipient_role", "delivery")
_NOTICE = (
    "id", "delivery_id", "key_version", "recorded_at", *_NOTICE_KEY, "recipient", "recipient_digest",
    "recipient_country", "channel", "deadline_hours", "address_sealed", "reference",
)  # fmt: skip
_SIGHTING_KEY = ("content_id", "seen_at", "state")
_SIGHTING = ("id", "delivery_id", "observer", "recorded_at", *_SIGHTING_KEY, "pause", "country")

NoticeKey: TypeAlias = tuple[int, int, str, str, str]
SightingKey: TypeAlias = tuple[int, int, str]


class Placed(NamedTuple):
    """A notice to a hoster, and what there is to tell whose it is; `address` stays in memory.

    `is_new`: its content was stored just now, so nothing can have been said of it before.
    """

    content_id: int
    sent_at: int
    recipient: str | None
    recipient_digest: bytes | None
    site_digest: bytes
    address: str | None
    is_new: bool


Attribute: TypeAlias = Callable[[Sequence[Placed]], object]


def unattributed(_notices: Sequence[Placed]) -> None:
    """Notices that nobody is told of."""


class _NewNotice(NamedTuple):
    key: NoticeKey
    record: NoticeRecord
    site_digest: bytes
    address: str | None


@dataclass
class _Batch:
    """The items of one batch by their contents' ids, what the database knows of them, and what is new."""

    contents: dict[bytes, int]
    fresh: frozenset[int]
    untold: set[int]
    known_notices: set[NoticeKey]
    known_sightings: set[SightingKey]
    notices: list[_NewNotice] = field(default_factory=list)
    sightings: list[Row] = field(default_factory=list)

    def add(self, item: Item) -> bool:
        """Note what is new of an item; whether anything was."""
        content = self.contents[item.url_digest]
        before = len(self.notices) + len(self.sightings)
        has_news = content in self.untold
        self.untold.discard(content)
        self._add_notices(item, content)
        self._add_sightings(item, content)
        return has_news or len(self.notices) + len(self.sightings) > before

    def _add_notices(self, item: Item, content: int) -> None:
        for notice in item.record.notices:
            key = (content, notice.sent_at, str(notice.kind), str(notice.role), str(notice.delivery))
            if key not in self.known_notices:
                self.known_notices.add(key)
                self.notices.append(_NewNotice(key, notice, item.site_digest, notice_address(notice, item)))

    def _add_sightings(self, item: Item, content: int) -> None:
        for sighting in item.record.sightings:
            key = (content, sighting.seen_at, str(sighting.state))
            if key not in self.known_sightings:
                self.known_sightings.add(key)
                pause = None if sighting.pause is None else str(sighting.pause)
                self.sightings.append((*key, pause, sighting.country))


@dataclass
class Store:
    """Writes the facts of one delivery, batch by batch, within the caller's transaction and writer lock.

    `attribute` is told each batch's new notices to hosters, in the order of their ids.
    """

    session: Session
    vault: Vault
    delivery: Delivery
    recorded_at: int
    tally: Tally
    attribute: Attribute = unattributed

    def __post_init__(self) -> None:
        """Ids are counted here: the writer lock makes this the only one to give them out."""
        models = (Site, Content, Notice, Sighting)
        self._next = {model.__tablename__: next_identifier(self.session, _table(model)) for model in models}
        self._delivery, self._observer = self.delivery.id, self.delivery.source

    def add(self, items: Sequence[Item]) -> None:
        """Store one batch and count each of its rows as accepted or duplicate."""
        batch = self._open(items)
        self.tally.contents_new += len(batch.fresh)
        for item in items:
            self.count(item.record.line, has_news=batch.add(item))
        placed = self._insert_notices(batch)
        self._insert_sightings(batch.sightings)
        if placed:
            self.attribute(placed)

    def add_untallied(self, items: Sequence[Item]) -> None:
        """Store what is no row of this delivery itself, but follows from it: the rows counted stay as they are."""
        of_rows, self.tally = self.tally, Tally()
        self.add(items)
        for name in ("contents_new", "notices_new", "sightings_new"):
            setattr(of_rows, name, getattr(of_rows, name) + getattr(self.tally, name))
        self.tally = of_rows

    def count(self, row: int, *, has_news: bool) -> None:
        """Count one row as accepted or duplicate, and tell of it."""
        if has_news:
            self.tally.accepted += 1
        else:
            self.tally.duplicate += 1
        if self.tally.outcomes is not untold:
            self.tally.outcomes(Outcome(row, Fate.ACCEPTED if has_news else Fate.DUPLICATE))

    def _open(self, items: Sequence[Item]) -> _Batch:
        """Store the sites and contents that are new, and look up what is known of the others."""
        by_digest = {item.url_digest: item for item in items}
        known: dict[bytes, int] = dict(self._where(Content, ("url_digest", "id"), "url_digest", by_digest))
        fresh = self._insert_contents([item for digest, item in by_digest.items() if digest not in known])
        old = known.values()
        notices = {tuple(row) for row in self._where(Notice, _NOTICE_KEY, "content_id", old)}
        seen = self._where(Sighting, (*_SIGHTING_KEY, "observer"), "content_id", old)
        sightings = {(row[0], row[1], row[2]) for row in seen if row[3] == self._observer}
        return _Batch(known | fresh, frozenset(fresh.values()), set(fresh.values()), notices, sightings)

    def _insert_sites(self, digests: set[bytes]) -> dict[bytes, int]:
        """The id of each site."""
        known: dict[bytes, int] = dict(self._where(Site, ("digest", "id"), "digest", digests))
        new = sorted(digests - known.keys())
        rows = list(zip(self._identifiers(Site, len(new)), repeat(self.vault.version), new, strict=False))
        insert_rows(self.session, _table(Site), _SITE, rows)
        return known | {digest: identifier for identifier, _, digest in rows}

    def _insert_contents(self, items: list[Item]) -> dict[bytes, int]:
        """The id of each new content."""
        sites = self._insert_sites({item.site_digest for item in items})
        head = (self._delivery, self.vault.version, self.recorded_at)
        sealed = self.vault.seal_all([item.record.url for item in items])
        ids = self._identifiers(Content, len(items))
        rows = [
            (identifier, *head, sites[item.site_digest], item.url_digest, url, item.record.truncated, item.stem_digest)
            for identifier, item, url in zip(ids, items, sealed, strict=True)
        ]
        insert_rows(self.session, _table(Content), _CONTENT, rows)
        return {item.url_digest: identifier for identifier, item in zip(ids, items, strict=True)}

    def _insert_notices(self, batch: _Batch) -> list[Placed]:
        """Store the new notices; those to hosters are given back for attribution."""
        head = (self._delivery, self.vault.version, self.recorded_at)
        sealed = iter(self.vault.seal_all([notice.address for notice in batch.notices if notice.address]))
        rows: list[Row] = []
        placed: list[Placed] = []
        for identifier, notice in zip(self._identifiers(Notice, len(batch.notices)), batch.notices, strict=True):
            key, record, site, address = notice
            email = record.recipient_email
            whom = (record.recipient, self.vault.digest_recurring(email.casefold()) if email else None)
            address_sealed = next(sealed) if address else None
            how = (record.recipient_country, str(record.channel), record.deadline_hours)
            rows.append((identifier, *head, *key, *whom, *how, address_sealed, record.reference))
            if record.role is Role.HOSTER:
                placed.append(Placed(key[0], key[1], *whom, site, address, key[0] in batch.fresh))
        insert_rows(self.session, _table(Notice), _NOTICE, rows)
        self.tally.notices_new += len(rows)
        return placed

    def _insert_sightings(self, sightings: list[Row]) -> None:
        head = (self._delivery, self._observer, self.recorded_at)
        ids = self._identifiers(Sighting, len(sightings))
        rows = [(identifier, *head, *sighting) for identifier, sighting in zip(ids, sightings, strict=True)]
        insert_rows(self.session, _table(Sighting), _SIGHTING, rows)
        self.tally.sightings_new += len(rows)

    def _identifiers(self, model: type[Any], count: int) -> range:
        start = self._next[model.__tablename__]
        self._next[model.__tablename__] = start + count
        return range(start, start + count)

    def _where(
        self, model: type[Any], columns: Sequence[str], key: str, values: Collection[bytes] | Collection[int]
    ) -> Any:
        return rows_where(self.session, _table(model), columns, key, values)


def _table(model: type[Any]) -> Table:
    table: Table = model.__table__
    return table
