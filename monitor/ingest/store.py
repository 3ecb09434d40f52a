"""Stores the facts of a delivery: new sites, contents, notices and sightings, each once; counts its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from monitor.attribute.assign import Attribute, HosterNotices
from monitor.db import insert_columns, next_identifier, rows_where, table_of
from monitor.identities import families_of, scheme_in_force
from monitor.ingest.batches import Batch, Notices, Rows, Sightings, batch_of_items
from monitor.ingest.rekey import rekey_met
from monitor.ingest.rows import Item, OnRow, RefusedRow, RowResult, RowStatus
from monitor.instants import DAY, to_datetime
from monitor.models.facts import (
    Classification,
    Content,
    Delivery,
    Notice,
    PendingPiece,
    Quarantined,
    Report,
    Sighting,
    Site,
)
from monitor.vault import Vault
from monitor.vocabulary import Role

_NOTICE_KEY = ("content_id", "sent_at", "kind", "recipient_role", "delivery")
_NOTICE_COLUMNS = {name: name for name in Notices._fields if name not in ("row", "role", "address")} | {
    "recipient_role": "role"
}  # of the table, and what fills each
_SIGHTING_KEY = ("content_id", "seen_at", "state")
_HOSTER = str(Role.HOSTER)
_SITES_KEPT = 65536


@dataclass
class Tally:
    """Counts kept while a delivery is ingested. Every row is accepted, duplicate or quarantined.

    `notices` and the days (since the epoch, UTC) and times they were sent are of all rows, new or known; `companies`
    counts the new ones to hosters by the id of the company (None: unattributed). `stopped`: it was not read to its end.
    `on_row` is called with each row's result.
    """

    accepted: int = 0
    duplicate: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    contents_new: int = 0
    notices_new: int = 0
    sightings_new: int = 0
    companies: Counter[int | None] = field(default_factory=Counter)
    notices: int = 0
    days: set[int] = field(default_factory=set)
    first_sent: int | None = None
    last_sent: int | None = None
    on_row: OnRow | None = None
    stopped: bool = False

    def see(self, sent_at: Sequence[int]) -> None:
        """Count notices by when they were sent, which the checks compare with those of other deliveries."""
        self.notices += len(sent_at)
        self.days.update({at // DAY for at in sent_at})
        moments = [at for at in (self.first_sent, self.last_sent) if at is not None]
        moments += sent_at
        self.first_sent, self.last_sent = min(moments, default=None), max(moments, default=None)

    def measures(self) -> dict[str, Any]:
        """What of that is kept in `Delivery.measures`."""
        sent = {"first_sent": self.first_sent, "last_sent": self.last_sent}
        stopped = {"stopped": True} if self.stopped else {}
        return {"notices": self.notices, "days": len(self.days) or None, **sent, **stopped}

    @property
    def rows(self) -> int:
        """All rows of the delivery, the header not counted."""
        return self.accepted + self.duplicate + sum(self.quarantined.values())


@dataclass
class Store:
    """Writes the facts of one delivery, batch by batch, within the caller's transaction and writer lock.

    `attribute` is called with each batch's new notices to hosters, in the order of their ids, and names each one's
    company; without it they are not attributed here.
    """

    session: Session
    vault: Vault
    delivery: Delivery
    recorded_at: int
    tally: Tally
    attribute: Attribute | None = None

    def __post_init__(self) -> None:
        """Ids are counted here: the writer lock makes this the only one to give them out."""
        models = (Site, Content, Notice, Sighting, Report, Classification)
        self._next = {model.__tablename__: next_identifier(self.session, table_of(model)) for model in models}
        self._sites = dict[bytes, int]()
        self._scheme = scheme_in_force(self.session, self.vault, to_datetime(self.recorded_at))

    def add_batch(self, batch: Batch) -> None:
        """Store one batch with its refused rows and count all of its rows."""
        self._quarantine(batch.refused)
        self.tally.see(batch.notices.sent_at)
        self.tally.flags.update(batch.flags)
        self.add_facts(batch)

    def add_facts(self, batch: Batch) -> None:
        """Store the facts of one batch and count each of its rows as accepted or duplicate."""
        contents, known = self._store_contents(batch.rows)
        of_row = _picked(contents, batch.rows.url_digest)
        news = set(_first_places(of_row, known))
        self.tally.contents_new += len(news)
        news |= self._add_notices(batch, of_row, known)
        news |= self._add_sightings(batch.sightings, of_row, known)
        news |= self._add_earliest(Report, batch.rows.reported_at, of_row, known)
        news |= self._add_earliest(Classification, batch.rows.classified_at, of_row, known)
        self.count(batch.rows.line, news)

    def add_derived(self, items: Sequence[Item]) -> None:
        """Store facts that are in no row of this delivery, but follow from it: they count as new facts, not as rows."""
        of_rows, self.tally = self.tally, Tally()
        self.add_facts(batch_of_items(items, self.vault))
        for name in ("contents_new", "notices_new", "sightings_new", "companies"):
            setattr(of_rows, name, getattr(of_rows, name) + getattr(self.tally, name))
        self.tally = of_rows

    def count(self, lines: Sequence[int], news: Collection[int]) -> None:
        """Count rows as accepted, at the places where there was news, or as duplicate."""
        self.tally.accepted += len(news)
        self.tally.duplicate += len(lines) - len(news)
        if self.tally.on_row is not None:
            for place, line in enumerate(lines):
                self.tally.on_row(RowResult(line, RowStatus.ACCEPTED if place in news else RowStatus.DUPLICATE))

    def _quarantine(self, refused: Sequence[RefusedRow]) -> None:
        if not refused:
            return
        for row in refused:
            self.tally.quarantined[row.reason] += 1
            if self.tally.on_row is not None:
                self.tally.on_row(RowResult(row.line, RowStatus.QUARANTINED, row.reason, row.column))
        each = dict(zip(RefusedRow._fields, zip(*refused, strict=True), strict=True))
        always = {"delivery_id": self.delivery.id, "key_version": self.vault.version}
        insert_columns(self.session, table_of(Quarantined), each, always)

    def _store_contents(self, rows: Rows) -> tuple[dict[bytes, int], set[int]]:
        """The id of each content, the new ones stored; and the ids of those that were there before.

        Where two rows are about one new content, the last of them says what is stored.
        """
        last = dict(zip(rows.url_digest, range(len(rows.url_digest)), strict=True))
        if self._scheme.finished_at is None:
            self._bring_up(rows)
        known = dict(self._where(Content, ("url_digest", "id"), "url_digest", last))
        fresh = [row for digest, row in last.items() if digest not in known]
        columns = Rows._make(_rows_at(fresh, rows))
        ids = self._identifiers(Content, len(fresh))
        each = {
            "id": ids,
            "site_id": _picked(self._site_ids(set(columns.site_digest)), columns.site_digest),
            "url_digest": columns.url_digest,
            "url_sealed": columns.url_sealed,
            "truncated": columns.truncated,
            "stem_digest": columns.stem_digest,
        }
        self._insert(Content, each, key_version=self.vault.version, scheme=self._scheme.id)
        return known | dict(zip(columns.url_digest, ids, strict=True)), set(known.values())

    def _bring_up(self, rows: Rows) -> None:
        """What these rows are about, and has a digest of an earlier scheme, is found under this one from here on."""
        if rekey_met(self.session, self.vault, self._scheme, rows.url_sealed, to_datetime(self.recorded_at)):
            self._next[Site.__tablename__] = next_identifier(self.session, table_of(Site))

    def _site_ids(self, digests: set[bytes]) -> dict[bytes, int]:
        """The id of each site, the new ones stored; the last few are remembered."""
        if len(self._sites) > _SITES_KEPT:
            self._sites.clear()
        asked = {digest for digest in digests if digest not in self._sites}
        self._sites |= dict(self._where(Site, ("digest", "id"), "digest", asked))
        new = sorted(digest for digest in asked if digest not in self._sites)
        ids = self._identifiers(Site, len(new))
        always = {"key_version": self.vault.version, "scheme": self._scheme.id}
        insert_columns(self.session, table_of(Site), {"id": ids, "digest": new}, always)
        self._sites |= dict(zip(new, ids, strict=True))
        return self._sites

    def _add_notices(self, batch: Batch, of_row: Sequence[int], known: set[int]) -> set[int]:
        """Store the notices that are new, attribute those to hosters; returns the rows of the new notices."""
        found = batch.notices
        keys = list(zip(_picked(of_row, found.row), found.sent_at, found.kind, found.role, found.delivery, strict=True))
        families = families_of(self.session, known)
        rows = self._where(Notice, _NOTICE_KEY, "content_id", families.all_of(known))
        before = {(families.item(row[0]), *row[1:]) for row in rows}
        new = _first_places(keys, before)
        notices = Notices._make(_rows_at(new, found))
        contents = _picked(of_row, notices.row)
        each = {"id": self._identifiers(Notice, len(new)), "content_id": contents} | {
            column: getattr(notices, name) for column, name in _NOTICE_COLUMNS.items()
        }
        self._insert(Notice, each, key_version=self.vault.version)
        self.tally.notices_new += len(new)
        if self.attribute is not None:
            items = (batch.rows.site_digest, batch.rows.url_sealed)
            sites, urls = (_picked(column, notices.row) for column in items)
            to_hosters = _to_hosters(notices, contents, (sites, urls, [self.vault.version] * len(sites)), known)
            if to_hosters.content_id:
                self.tally.companies.update(self.attribute(to_hosters))
        return set(notices.row)

    def _add_sightings(self, found: Sightings, of_row: Sequence[int], known: set[int]) -> set[int]:
        """Store the sightings that are new; returns their rows."""
        keys = list(zip(_picked(of_row, found.row), found.seen_at, found.state, strict=True))
        families = families_of(self.session, known)
        seen = self._where(Sighting, (*_SIGHTING_KEY, "observer"), "content_id", families.all_of(known))
        source = self.delivery.source
        new = _first_places(keys, {(families.item(row[0]), row[1], row[2]) for row in seen if row[3] == source})
        sightings = Sightings._make(_rows_at(new, found))
        each = {"id": self._identifiers(Sighting, len(new)), "content_id": _picked(of_row, sightings.row)}
        each |= {name: getattr(sightings, name) for name in ("seen_at", "state", "pause", "country")}
        self._insert(Sighting, each, observer=self.delivery.source)
        self.tally.sightings_new += len(new)
        return set(sightings.row)

    def _add_earliest(
        self,
        model: type[Report] | type[Classification],
        found: Sequence[int | None],
        of_row: Sequence[int],
        known: set[int],
    ) -> set[int]:
        """Store when this source first received or classified a content, where that is earlier than is known of it.

        Returns the rows that say so.
        """
        if found.count(None) == len(found):
            return set()
        earliest = dict[int, tuple[int, int]]()
        for row, (content, at) in enumerate(zip(of_row, found, strict=True)):
            if at is not None and (content not in earliest or at < earliest[content][0]):
                earliest[content] = at, row
        for content, source, at in self._where(model, ("content_id", "source", "at"), "content_id", known):
            if source == self.delivery.source and content in earliest and at <= earliest[content][0]:
                del earliest[content]
        each = {
            "id": self._identifiers(model, len(earliest)),
            "content_id": list(earliest),
            "at": [at for at, _ in earliest.values()],
        }
        self._insert(model, each, source=self.delivery.source)
        return {row for _, row in earliest.values()}

    def _insert(self, model: type[Any], each: Mapping[str, Sequence[Any]], **always: object) -> None:
        """Insert facts of this delivery: `each` by columns, `always` the same in all of them."""
        head = {"delivery_id": self.delivery.id, "recorded_at": self.recorded_at}
        insert_columns(self.session, table_of(model), each, always | head)

    def _identifiers(self, model: type[Any], count: int) -> range:
        start = self._next[model.__tablename__]
        self._next[model.__tablename__] = start + count
        return range(start, start + count)

    def _where(
        self, model: type[Any], columns: Sequence[str], key: str, values: Collection[bytes] | Collection[int]
    ) -> Any:
        return rows_where(self.session, table_of(model), columns, key, values)


def _to_hosters(
    notices: Notices, contents: Sequence[int], of_item: Sequence[Sequence[Any]], known: Collection[int]
) -> HosterNotices:
    """The notices to hosters; `of_item` are the columns of `HosterNotices` about the item."""
    whom = (notices.recipient, notices.recipient_digest)
    columns = (contents, notices.sent_at, *whom, *of_item, notices.address)
    hosters = [place for place, role in enumerate(notices.role) if role == _HOSTER]
    return HosterNotices._make((*_rows_at(hosters, columns), known))


def _first_places(keys: Sequence[Hashable], known: Collection[Hashable]) -> Sequence[int]:
    """Where each key that is not known stands for the first time."""
    seen = set(keys)
    if len(seen) == len(keys) and seen.isdisjoint(known):  # all of them are new, as they mostly are
        return range(len(keys))
    seen, places = set(known), []
    for place, key in enumerate(keys):
        if key not in seen:
            seen.add(key)
            places.append(place)
    return places


def _rows_at(places: Sequence[int], columns: Sequence[Sequence[Any]]) -> Iterable[Sequence[Any]]:
    """The columns at places in their order; there may be as many of them as rows."""
    return columns if len(places) == len(columns[0]) else (_picked(column, places) for column in columns)


def _picked(column: Any, places: Iterable[Any]) -> list[Any]:
    return list(map(column.__getitem__, places))


def keep_pending(session: Session, vault: Vault, delivery: int, sealed: Iterable[bytes]) -> None:
    """Keep the bytes of a delivery until it is reviewed, in pieces that were sealed under the vault's current key."""
    for number, piece in enumerate(sealed):
        row = {"delivery_id": delivery, "number": number, "key_version": vault.version, "sealed": piece}
        session.execute(insert(PendingPiece), row)


def erase_pending(session: Session, delivery: int) -> None:
    """Remove the kept bytes of a delivery for good."""
    session.execute(delete(PendingPiece).where(PendingPiece.delivery_id == delivery))
