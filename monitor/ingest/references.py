"""Links the exports of one source: items by their file number, and statements that wait for the URL of their item.

Only some exports of a hotline hold the URL; all hold the hotline's own file number of the item. A file number is kept
as a keyed digest, a waiting statement is sealed. The result does not depend on the order in which the exports arrive.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import update

from monitor.db import Row, insert_rows, rows_where, table_of
from monitor.formats.records import NoticeRecord, Record, Rejected, SightingRecord
from monitor.formats.rows import RowError
from monitor.identities import families_of
from monitor.ingest.reconcile import first_notices_to_store
from monitor.ingest.rows import Item, prepare, refuse_texts
from monitor.ingest.store import Store
from monitor.instants import to_datetime
from monitor.models.columns import HashHit, ItemReference, WaitingStatement
from monitor.models.facts import Content
from monitor.vault import Vault
from monitor.vocabulary import Channel, DeliveryState, Kind, Pause, Role, State

_HEAD = ("delivery_id", "source", "recorded_at")
_REFERENCE = (*_HEAD, "key_version", "number_digest", "content_id")
_WAITING = (*_HEAD, "key_version", "number_digest", "statement_digest", "statement_sealed")
_RESOLVED_AT_ONCE, _SETTLED_AT_ONCE = 200, 1000
_HASH_HIT = (*_HEAD, "content_id", "checked_at")


class ItemUrl(NamedTuple):
    """The URL of an item, in memory only, and whether it is cut."""

    url: str
    truncated: bool


def digest_of_number(vault: Vault, number: str | None) -> bytes:
    """What a source's own number of an item is known by."""
    return vault.digest(f"file number {number}")


@dataclass(frozen=True)
class References:
    """Links one delivery to those before it of its source, within the transaction of its store."""

    store: Store
    known_names: frozenset[str] = frozenset()

    def with_urls(self, batch: Sequence[Record | Rejected]) -> Sequence[Record | Rejected]:
        """The batch, with the URL of its item in each record that has none; those whose item is not known wait.

        A record whose item is known by a cut URL only is applied to that, and waits for the whole one too.
        """
        batch = [self._checked(record) for record in batch]
        digests = {
            r.file_number: self._digest(r.file_number) for r in batch if isinstance(r, Record) and _has_no_url(r)
        }
        if not digests:
            return batch
        known = self._urls(digests.values())
        resolved: list[Record | Rejected] = []
        waiting: list[Record] = []
        for record in batch:
            if isinstance(record, Rejected) or not _has_no_url(record):
                resolved.append(record)
                continue
            found = known.get(digests[record.file_number])
            if found is None or found.truncated:
                waiting.append(record)
            if found is not None:
                resolved.append(replace(record, url=found.url, truncated=found.truncated))
        self._wait(waiting, {number for number, digest in digests.items() if digest not in known})
        return resolved

    def _checked(self, record: Record | Rejected) -> Record | Rejected:
        """A record without a URL may wait for years: what would be refused of it is refused now."""
        if isinstance(record, Rejected) or not _has_no_url(record):
            return record
        try:
            refuse_texts(record, self.known_names)
        except RowError as error:
            return Rejected(record.line, error.reason, error.column, _serialise(record).encode())
        return record

    def resolve(self, items: Sequence[Item]) -> None:
        """After a batch was stored: note its file numbers, apply what waited for them, compare the notices."""
        numbered = [item for item in items if item.record.file_number]
        if not numbered:
            return
        contents = self._contents(numbered)
        links = iter(self._link(numbered, contents).items())
        self._resolve_known(contents, numbered)
        while part := dict(islice(links, _RESOLVED_AT_ONCE)):  # each may have waited many times
            waited = self._waiting_for(part)
            self.store.add_derived(waited)
            self._resolve_known(contents, waited)

    def _resolve_known(self, contents: dict[bytes, int], items: Sequence[Item]) -> None:
        """What follows from records about known items: hash hits, and notices that are only in them."""
        known = [(contents[item.url_digest], item) for item in items]
        self._note_hash_hits(known)
        self.store.add_derived(list(first_notices_to_store(self.store, known)))

    @property
    def _head(self) -> tuple[int, str, int]:
        return self.store.delivery.id, self.store.delivery.source, self.store.recorded_at

    def _digest(self, number: str | None) -> bytes:
        return digest_of_number(self.store.vault, number)

    def _rows(self, model: type[Any], columns: Sequence[str], key: str, values: Collection[Any]) -> Iterator[Any]:
        return rows_where(self.store.session, table_of(model), columns, key, values)

    def _own(self, model: type[Any], columns: Sequence[str], digests: Collection[bytes]) -> Iterator[Any]:
        """Rows about those file numbers of this source, without the column that says whose they are."""
        rows = self._rows(model, ("source", *columns), "number_digest", digests)
        return (row[1:] for row in rows if row[0] == self.store.delivery.source)

    def _urls(self, digests: Collection[bytes]) -> dict[bytes, ItemUrl]:
        """The URL of each item that is known: the whole one, where there is one."""
        linked = list(self._own(ItemReference, ("number_digest", "content_id"), set(digests)))
        columns = ("id", "url_sealed", "key_version", "truncated")
        contents = {row[0]: row[1:] for row in self._rows(Content, columns, "id", {content for _, content in linked})}
        urls: dict[bytes, ItemUrl] = {}
        for digest, content in linked:
            sealed, version, truncated = contents[content]
            if digest not in urls or urls[digest].truncated:
                urls[digest] = ItemUrl(self.store.vault.open_text(sealed, version), bool(truncated))
        return urls

    def _wait(self, records: Sequence[Record], unknown: Collection[str | None]) -> None:
        """Keep what is not kept yet; a record whose item is not known at all is counted here."""
        digests = {self._digest(record.file_number) for record in records}
        known = {tuple(row) for row in self._own(WaitingStatement, ("number_digest", "statement_digest"), digests)}
        vault, rows = self.store.vault, list[Row]()
        lines, news = list[int](), set[int]()
        for record in records:
            statement = _serialise(record)
            key = (self._digest(record.file_number), vault.digest(statement))
            has_news = key not in known
            if has_news:
                known.add(key)
                rows.append((*self._head, vault.version, *key, vault.seal(statement)))
            if record.file_number in unknown:
                news |= {len(lines)} if has_news else set()
                lines.append(record.line)
                self.store.tally.flags.update(("waiting_for_item", *record.flags))
        self.store.count(lines, news)
        insert_rows(self.store.session, table_of(WaitingStatement), _WAITING, rows)

    def _contents(self, items: Sequence[Item]) -> dict[bytes, int]:
        digests = {item.url_digest for item in items}
        return dict(self._rows(Content, ("url_digest", "id"), "url_digest", digests))

    def _link(self, items: Sequence[Item], contents: dict[bytes, int]) -> dict[bytes, list[Item]]:
        """Note which file number stands for which content; gives the items whose link is new, by file number."""
        digests = [self._digest(item.record.file_number) for item in items]
        known = {tuple(row) for row in self._own(ItemReference, ("number_digest", "content_id"), set(digests))}
        new: dict[bytes, list[Item]] = {}
        rows: list[Row] = []
        for digest, item in zip(digests, items, strict=True):
            pair = (digest, contents[item.url_digest])
            if pair not in known:
                known.add(pair)
                new.setdefault(digest, []).append(item)
                rows.append((*self._head, self.store.vault.version, *pair))
        insert_rows(self.store.session, table_of(ItemReference), _REFERENCE, rows)
        return new

    def _waiting_for(self, linked: dict[bytes, list[Item]]) -> list[Item]:
        """The statements that waited for items known now; settled once a whole URL is known."""
        columns = ("id", "number_digest", "key_version", "statement_sealed", "settled_at")
        records, settled = list[Item](), list[int]()
        for identifier, digest, version, sealed, done in list(self._own(WaitingStatement, columns, linked)):
            if done is not None:
                continue
            statement = self.store.vault.open_text(sealed, version)
            for item in linked[digest]:
                record = _load(statement, item.record)
                try:
                    records.append(prepare(record, self.store.vault, self.known_names))
                except RowError:  # it names the item it waited for: it is not applied, and stays sealed where it waited
                    self.store.tally.flags["waiting_statement_refused"] += 1
                if not record.truncated:
                    settled.append(identifier)
        self._mark_settled(settled)
        return records

    def _mark_settled(self, identifiers: Sequence[int]) -> None:
        at = to_datetime(self.store.recorded_at)
        for start in range(0, len(identifiers), _SETTLED_AT_ONCE):
            these = WaitingStatement.id.in_(identifiers[start : start + _SETTLED_AT_ONCE])
            self.store.session.execute(update(WaitingStatement).where(these).values(settled_at=at))

    def _note_hash_hits(self, items: Sequence[tuple[int, Item]]) -> None:
        source = self.store.delivery.source
        hits = {(content, at) for content, item in items if (at := item.record.hash_hit_at) is not None}
        families = families_of(self.store.session, {content for content, _ in hits})
        contents = families.all_of({content for content, _ in hits})
        rows = self._rows(HashHit, ("content_id", "checked_at", "source"), "content_id", contents)
        new = sorted(hits - {(families.item(row[0]), row[1]) for row in rows if row[2] == source})
        insert_rows(self.store.session, table_of(HashHit), _HASH_HIT, [(*self._head, *hit) for hit in new])


def _has_no_url(record: Record) -> bool:
    return not record.url and record.file_number is not None


def _serialise(record: Record) -> str:
    """A record without a URL as text, while it waits: the same text for the same statement, whatever its line."""
    content = {
        "file_number": record.file_number,
        "sightings": [asdict(sighting) for sighting in record.sightings],
        "first_notice": asdict(record.first_notice) if record.first_notice else None,
        "mail_known": record.mail_known,
        "to_whom": "first_notice_to_whom" not in record.flags,
        "hash_hit_at": record.hash_hit_at,
    }
    # Only where there are any: statements that waited before there were such facts stay the statements that they were.
    times = {"reported_at": record.reported_at, "classified_at": record.classified_at}
    content |= {name: at for name, at in times.items() if at is not None}
    return json.dumps(content, sort_keys=True)


def _load(text: str, about: Record) -> Record:
    """The statement as a record with the URL of another record about the same item."""
    content = json.loads(text)
    first = content["first_notice"]
    return Record(
        about.line,
        about.url,
        about.truncated,
        sightings=tuple(_sighting(values) for values in content["sightings"]),
        flags=() if content["to_whom"] else ("first_notice_to_whom",),
        file_number=content["file_number"],
        first_notice=_notice(first) if first else None,
        mail_known=content["mail_known"],
        hash_hit_at=content["hash_hit_at"],
        reported_at=content.get("reported_at"),
        classified_at=content.get("classified_at"),
    )


def _sighting(values: dict[str, Any]) -> SightingRecord:
    pause = values["pause"]
    return SightingRecord(values["seen_at"], State(values["state"]), Pause(pause) if pause else None, values["country"])


def _notice(values: dict[str, Any]) -> NoticeRecord:
    notice = NoticeRecord(**values)
    return replace(
        notice,
        kind=Kind(notice.kind),
        role=Role(notice.role),
        delivery=DeliveryState(notice.delivery),
        channel=Channel(notice.channel),
    )
