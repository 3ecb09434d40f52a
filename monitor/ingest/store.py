"""Storing prepared items: new sites, contents, notices and sightings, each once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVarTuple

from sqlalchemy import Row, Select, Table, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from monitor.db import bulk_insert, next_identifier
from monitor.formats.records import NoticeRecord, SightingRecord
from monitor.ingest.answer import Tally
from monitor.ingest.items import Item, notice_address
from monitor.models.facts import Content, Delivery, Notice, Sighting, Site
from monitor.vault import Vault

_IN = 1000  # values in one IN (...): well below what either database takes

Columns = TypeVarTuple("Columns")
NoticeKey = tuple[int, int, str, str, str]
SightingKey = tuple[int, int, str]


@dataclass
class Store:
    """Writes the facts of one delivery, batch by batch, within the caller's transaction and writer lock."""

    session: Session
    vault: Vault
    delivery: Delivery
    recorded_at: int
    tally: Tally

    def __post_init__(self) -> None:
        """Ids are counted here: the writer lock makes this the only one to give them out."""
        models = (Site, Content, Notice, Sighting)
        self._next = {model.__tablename__: next_identifier(self.session, _table(model)) for model in models}

    def add(self, items: Sequence[Item]) -> None:
        """Store one batch and count each of its rows as accepted or duplicate."""
        sites = self._sites({item.site_digest for item in items})
        contents, fresh = self._contents(items, sites)
        notices = self._known_notices(set(contents.values()) - fresh)
        sightings = self._known_sightings(set(contents.values()) - fresh)
        notice_rows: list[dict[str, Any]] = []
        sighting_rows: list[dict[str, Any]] = []
        told: set[int] = set()
        for item in items:
            content = contents[item.url_digest]
            before = len(notice_rows) + len(sighting_rows)
            self._add_notices(item, content, notices, notice_rows)
            self._add_sightings(item, content, sightings, sighting_rows)
            is_new = content in fresh and content not in told
            told.add(content)
            self._count(is_new or len(notice_rows) + len(sighting_rows) > before)
        bulk_insert(self.session, _table(Notice), notice_rows)
        bulk_insert(self.session, _table(Sighting), sighting_rows)
        self.tally.notices_new += len(notice_rows)
        self.tally.sightings_new += len(sighting_rows)
        self.tally.contents_new += len(fresh)

    def _count(self, has_news: bool) -> None:
        if has_news:
            self.tally.accepted += 1
        else:
            self.tally.duplicate += 1

    def _identifier(self, table: str) -> int:
        self._next[table] += 1
        return self._next[table] - 1

    def _sites(self, digests: Collection[bytes]) -> dict[bytes, int]:
        found = select_in(self.session, select(Site.digest, Site.id), Site.digest, digests)
        known = {row.digest: row.id for row in found}
        new = [digest for digest in sorted(digests) if digest not in known]
        version = self.vault.version
        rows = [{"id": self._identifier("sites"), "key_version": version, "digest": d} for d in new]
        bulk_insert(self.session, _table(Site), rows)
        return known | {row["digest"]: row["id"] for row in rows}

    def _contents(self, items: Sequence[Item], sites: dict[bytes, int]) -> tuple[dict[bytes, int], set[int]]:
        """Content id by URL digest, and which of the ids are new."""
        wanted = {item.url_digest: item for item in items}
        known = dict(select_in(self.session, select(Content.url_digest, Content.id), Content.url_digest, wanted))
        rows = [self._content_row(item, sites) for digest, item in wanted.items() if digest not in known]
        bulk_insert(self.session, _table(Content), rows)
        fresh = {row["url_digest"]: row["id"] for row in rows}
        return known | fresh, set(fresh.values())

    def _content_row(self, item: Item, sites: dict[bytes, int]) -> dict[str, Any]:
        return {
            "id": self._identifier("contents"),
            "delivery_id": self.delivery.id,
            "site_id": sites[item.site_digest],
            "key_version": self.vault.version,
            "url_digest": item.url_digest,
            "url_sealed": self.vault.seal(item.record.url),
            "truncated": item.record.truncated,
            "stem_digest": item.stem_digest,
            "recorded_at": self.recorded_at,
        }

    def _known_notices(self, contents: Collection[int]) -> set[NoticeKey]:
        query = select(Notice.content_id, Notice.sent_at, Notice.kind, Notice.recipient_role, Notice.delivery)
        found = select_in(self.session, query, Notice.content_id, contents)
        return {(c, int(at.timestamp()), str(kind), str(role), str(state)) for c, at, kind, role, state in found}

    def _known_sightings(self, contents: Collection[int]) -> set[SightingKey]:
        query = select(Sighting.content_id, Sighting.seen_at, Sighting.state)
        query = query.where(Sighting.observer == self.delivery.source)
        found = select_in(self.session, query, Sighting.content_id, contents)
        return {(content, int(at.timestamp()), str(state)) for content, at, state in found}

    def _add_notices(self, item: Item, content: int, known: set[NoticeKey], rows: list[dict[str, Any]]) -> None:
        for notice in item.record.notices:
            key = (content, notice.sent_at, str(notice.kind), str(notice.role), str(notice.delivery))
            if key not in known:
                known.add(key)
                rows.append(self._notice_row(notice, item, content))

    def _notice_row(self, notice: NoticeRecord, item: Item, content: int) -> dict[str, Any]:
        address = notice_address(notice, item)
        email = notice.recipient_email
        return {
            "id": self._identifier("notices"),
            "delivery_id": self.delivery.id,
            "content_id": content,
            "sent_at": notice.sent_at,
            "kind": str(notice.kind),
            "recipient_role": str(notice.role),
            "recipient": notice.recipient,
            "recipient_digest": self.vault.digest(email.casefold()) if email else None,
            "recipient_country": notice.recipient_country,
            "channel": str(notice.channel),
            "delivery": str(notice.delivery),
            "deadline_hours": notice.deadline_hours,
            "key_version": self.vault.version,
            "address_sealed": self.vault.seal(address) if address else None,
            "reference": notice.reference,
            "recorded_at": self.recorded_at,
        }

    def _add_sightings(self, item: Item, content: int, known: set[SightingKey], rows: list[dict[str, Any]]) -> None:
        for sighting in item.record.sightings:
            key = (content, sighting.seen_at, str(sighting.state))
            if key not in known:
                known.add(key)
                rows.append(self._sighting_row(sighting, content))

    def _sighting_row(self, sighting: SightingRecord, content: int) -> dict[str, Any]:
        return {
            "id": self._identifier("sightings"),
            "delivery_id": self.delivery.id,
            "content_id": content,
            "seen_at": sighting.seen_at,
            "state": str(sighting.state),
            "pause": None if sighting.pause is None else str(sighting.pause),
            "country": sighting.country,
            "observer": self.delivery.source,
            "recorded_at": self.recorded_at,
        }


def select_in(
    session: Session, query: Select[*Columns], column: InstrumentedAttribute[Any], values: Iterable[object]
) -> Iterator[Row[*Columns]]:
    """Rows of a query whose `column` is one of many values, asked for a thousand at a time."""
    iterator = iter(values)
    while chunk := list(islice(iterator, _IN)):
        yield from session.execute(query.where(column.in_(chunk)))


def _table(model: type[Any]) -> Table:
    table: Table = model.__table__
    return table
