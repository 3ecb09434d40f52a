"""Storing prepared items: new sites, contents, notices and sightings, each once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy.orm import Session

from monitor.db import insert_columns, next_identifier, rows_where, table_of
from monitor.ingest.answer import Tally
from monitor.ingest.batch import Batch, Notices, Rows, Sightings, of_items
from monitor.ingest.items import Item
from monitor.ingest.outcomes import Fate, Outcome, untold
from monitor.models.facts import Content, Delivery, Notice, Sighting, Site
from monitor.vault import Vault
from monitor.vocabulary import Role

_NOTICE_KEY = ("content_id", "sent_at", "kind", "recipient_role", "delivery")
_NOTICE_COLUMNS = {name: name for name in Notices._fields if name not in ("row", "role", "address")} | {
    "recipient_role": "role"
}  # of the table, and what fills each
_SIGHTING_KEY = ("content_id", "seen_at", "state")
_HOSTER = str(Role.HOSTER)
_SITES_KEPT = 65536


class Placed(NamedTuple):
    """Notices to hosters by columns, and what there is to tell whose each is; `address` stays in memory.

    `known`: contents that were there before, all of these among them; of a new one nothing can have been said yet.
    """

    content_id: Sequence[int]
    sent_at: Sequence[int]
    recipient: Sequence[str | None]
    recipient_digest: Sequence[bytes | None]
    site_digest: Sequence[bytes]
    address: Sequence[str | None]
    known: Collection[int]


Attribute: TypeAlias = Callable[[Placed], Iterable[int | None]]


def unattributed(_notices: Placed) -> tuple[()]:
    """Notices that nobody is told of."""
    return ()


@dataclass
class Store:
    """Writes the facts of one delivery, batch by batch, within the caller's transaction and writer lock.

    `attribute` is told each batch's new notices to hosters, in the order of their ids, and names each one's company.
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
        self._next = {model.__tablename__: next_identifier(self.session, table_of(model)) for model in models}
        self._sites = dict[bytes, int]()

    def add(self, batch: Batch) -> None:
        """Store one batch and count each of its rows as accepted or duplicate."""
        contents, known = self._store_contents(batch.rows)
        of_row = _picked(contents, batch.rows.url_digest)
        news = set(_first_places(of_row, known))
        self.tally.contents_new += len(news)
        news |= self._add_notices(batch, of_row, known)
        news |= self._add_sightings(batch.sightings, of_row, known)
        self.count(batch.rows.line, news)

    def add_untallied(self, items: Sequence[Item]) -> None:
        """Store what is no row of this delivery itself, but follows from it: the rows counted stay as they are."""
        of_rows, self.tally = self.tally, Tally()
        self.add(of_items(items, self.vault))
        for name in ("contents_new", "notices_new", "sightings_new", "companies"):
            setattr(of_rows, name, getattr(of_rows, name) + getattr(self.tally, name))
        self.tally = of_rows

    def count(self, lines: Sequence[int], news: Collection[int]) -> None:
        """Count rows as accepted, at the places where there was news, or as duplicate; tell of each."""
        self.tally.accepted += len(news)
        self.tally.duplicate += len(lines) - len(news)
        if self.tally.outcomes is not untold:
            for place, line in enumerate(lines):
                self.tally.outcomes(Outcome(line, Fate.ACCEPTED if place in news else Fate.DUPLICATE))

    def _store_contents(self, rows: Rows) -> tuple[dict[bytes, int], set[int]]:
        """The id of each content, the new ones stored; and the ids of those that were there before.

        Where two rows are about one new content, the last of them says what is stored.
        """
        last = dict(zip(rows.url_digest, range(len(rows.url_digest)), strict=True))
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
        self._insert(Content, each, key_version=self.vault.version)
        return known | dict(zip(columns.url_digest, ids, strict=True)), set(known.values())

    def _site_ids(self, digests: set[bytes]) -> dict[bytes, int]:
        """The id of each site, the new ones stored; the last few are remembered."""
        if len(self._sites) > _SITES_KEPT:
            self._sites.clear()
        asked = {digest for digest in digests if digest not in self._sites}
        self._sites |= dict(self._where(Site, ("digest", "id"), "digest", asked))
        new = sorted(digest for digest in asked if digest not in self._sites)
        ids = self._identifiers(Site, len(new))
        insert_columns(self.session, table_of(Site), {"id": ids, "digest": new}, {"key_version": self.vault.version})
        self._sites |= dict(zip(new, ids, strict=True))
        return self._sites

    def _add_notices(self, batch: Batch, of_row: Sequence[int], known: set[int]) -> set[int]:
        """Store the notices that are new, and have those to hosters attributed; the rows that tell of them."""
        told = batch.notices
        keys = list(zip(_picked(of_row, told.row), told.sent_at, told.kind, told.role, told.delivery, strict=True))
        before = {tuple(row) for row in self._where(Notice, _NOTICE_KEY, "content_id", known)}
        new = _first_places(keys, before)
        notices = Notices._make(_rows_at(new, told))
        contents = _picked(of_row, notices.row)
        each = {"id": self._identifiers(Notice, len(new)), "content_id": contents} | {
            column: getattr(notices, name) for column, name in _NOTICE_COLUMNS.items()
        }
        self._insert(Notice, each, key_version=self.vault.version)
        self.tally.notices_new += len(new)
        placed = _placed(notices, contents, _picked(batch.rows.site_digest, notices.row), known)
        if placed.content_id:
            self.tally.companies.update(self.attribute(placed))
        return set(notices.row)

    def _add_sightings(self, told: Sightings, of_row: Sequence[int], known: set[int]) -> set[int]:
        """Store the sightings that are new; the rows that tell of them."""
        keys = list(zip(_picked(of_row, told.row), told.seen_at, told.state, strict=True))
        seen = self._where(Sighting, (*_SIGHTING_KEY, "observer"), "content_id", known)
        new = _first_places(keys, {(row[0], row[1], row[2]) for row in seen if row[3] == self.delivery.source})
        sightings = Sightings._make(_rows_at(new, told))
        each = {"id": self._identifiers(Sighting, len(new)), "content_id": _picked(of_row, sightings.row)}
        each |= {name: getattr(sightings, name) for name in ("seen_at", "state", "pause", "country")}
        self._insert(Sighting, each, observer=self.delivery.source)
        self.tally.sightings_new += len(new)
        return set(sightings.row)

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


def _placed(notices: Notices, contents: Sequence[int], sites: Sequence[bytes], known: Collection[int]) -> Placed:
    """Those to hosters."""
    whom = (notices.recipient, notices.recipient_digest)
    columns = (contents, notices.sent_at, *whom, sites, notices.address)
    hosters = [place for place, role in enumerate(notices.role) if role == _HOSTER]
    return Placed._make((*_rows_at(hosters, columns), known))


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
