"""What the exports of one source say together: items by their file number, and statements that wait for their item.

Only some exports of a hotline name the URL; all name the item by the hotline's own file number. A file number is kept
as a keyed digest, a statement that waits is sealed. What is applied in the end does not depend on what came first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import update

from monitor.db import Row, insert_rows, rows_where, table_of
from monitor.formats.records import Record, Rejected
from monitor.formats.rows import RowError
from monitor.ingest.first_notices import compare
from monitor.ingest.items import Item, prepare, refuse_texts
from monitor.ingest.statements import opened, written
from monitor.ingest.store import Store
from monitor.instants import to_datetime
from monitor.models.columns import HashHit, ItemReference, WaitingStatement
from monitor.models.facts import Content

_HEAD = ("delivery_id", "source", "recorded_at")
_REFERENCE = (*_HEAD, "key_version", "number_digest", "content_id")
_WAITING = (*_HEAD, "key_version", "number_digest", "statement_digest", "statement_sealed")
_RELEASED_AT_ONCE, _SETTLED_AT_ONCE = 200, 1000
_HASH_HIT = (*_HEAD, "content_id", "checked_at")


class Place(NamedTuple):
    """The URL of an item, in memory only, and whether it is cut."""

    url: str
    truncated: bool


@dataclass(frozen=True)
class References:
    """Links what one delivery says to what its source said before, within the transaction of its store."""

    store: Store
    known_names: frozenset[str] = frozenset()

    def resolve(self, batch: Sequence[Record | Rejected]) -> Sequence[Record | Rejected]:
        """The batch, with the URL of its item in each record that has none; those whose item is not known wait.

        A record whose item is known by a cut URL only is applied to that, and waits for the whole one too.
        """
        batch = [self._checked(record) for record in batch]
        digests = {r.file_number: self._digest(r.file_number) for r in batch if isinstance(r, Record) and _nameless(r)}
        if not digests:
            return batch
        known = self._places(digests.values())
        resolved: list[Record | Rejected] = []
        waiting: list[Record] = []
        for record in batch:
            if isinstance(record, Rejected) or not _nameless(record):
                resolved.append(record)
                continue
            place = known.get(digests[record.file_number])
            if place is None or place.truncated:
                waiting.append(record)
            if place is not None:
                resolved.append(replace(record, url=place.url, truncated=place.truncated))
        self._wait(waiting, {number for number, digest in digests.items() if digest not in known})
        return resolved

    def _checked(self, record: Record | Rejected) -> Record | Rejected:
        """A record without a URL may wait for years: what would be refused of it is refused now."""
        if isinstance(record, Rejected) or not _nameless(record):
            return record
        try:
            refuse_texts(record, self.known_names)
        except RowError as error:
            return Rejected(record.line, error.reason, error.column, written(record).encode())
        return record

    def settle(self, items: Sequence[Item]) -> None:
        """After a batch was stored: note its file numbers, apply what waited for them, compare the notices."""
        numbered = [item for item in items if item.record.file_number]
        if not numbered:
            return
        contents = self._contents(numbered)
        links = iter(self._link(numbered, contents).items())
        self._conclude(contents, numbered)
        while part := dict(islice(links, _RELEASED_AT_ONCE)):  # each may have waited many times
            released = self._release(part)
            self.store.add_untallied(released)
            self._conclude(contents, released)

    def _conclude(self, contents: dict[bytes, int], items: Sequence[Item]) -> None:
        """What follows from records about known items: hash hits, and notices that only they tell of."""
        told = [(contents[item.url_digest], item) for item in items]
        self._note_hash_hits(told)
        self.store.add_untallied(list(compare(self.store, told)))

    @property
    def _head(self) -> tuple[int, str, int]:
        return self.store.delivery.id, self.store.delivery.source, self.store.recorded_at

    def _digest(self, number: str | None) -> bytes:
        return self.store.vault.digest(f"file number {number}")

    def _rows(self, model: type[Any], columns: Sequence[str], key: str, values: Collection[Any]) -> Iterator[Any]:
        return rows_where(self.store.session, table_of(model), columns, key, values)

    def _own(self, model: type[Any], columns: Sequence[str], digests: Collection[bytes]) -> Iterator[Any]:
        """Rows about those file numbers of this source, without the column that says whose they are."""
        rows = self._rows(model, ("source", *columns), "number_digest", digests)
        return (row[1:] for row in rows if row[0] == self.store.delivery.source)

    def _places(self, digests: Collection[bytes]) -> dict[bytes, Place]:
        """The URL of each item that is known: the whole one, where there is one."""
        linked = list(self._own(ItemReference, ("number_digest", "content_id"), set(digests)))
        columns = ("id", "url_sealed", "key_version", "truncated")
        contents = {row[0]: row[1:] for row in self._rows(Content, columns, "id", {content for _, content in linked})}
        places: dict[bytes, Place] = {}
        for digest, content in linked:
            sealed, version, truncated = contents[content]
            if digest not in places or places[digest].truncated:
                places[digest] = Place(self.store.vault.open_text(sealed, version), bool(truncated))
        return places

    def _wait(self, records: Sequence[Record], unknown: Collection[str | None]) -> None:
        """Keep what is not kept yet; a record whose item is not known at all is counted here."""
        digests = {self._digest(record.file_number) for record in records}
        known = {tuple(row) for row in self._own(WaitingStatement, ("number_digest", "statement_digest"), digests)}
        vault, rows = self.store.vault, list[Row]()
        lines, news = list[int](), set[int]()
        for record in records:
            statement = written(record)
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

    def _release(self, linked: dict[bytes, list[Item]]) -> list[Item]:
        """What waited for the items that are known now; it is settled once a whole URL is."""
        columns = ("id", "number_digest", "key_version", "statement_sealed", "settled_at")
        released, settled = list[Item](), list[int]()
        for identifier, digest, version, sealed, done in list(self._own(WaitingStatement, columns, linked)):
            if done is not None:
                continue
            statement = self.store.vault.open_text(sealed, version)
            for item in linked[digest]:
                record = opened(statement, item.record)
                try:
                    released.append(prepare(record, self.store.vault, self.known_names))
                except RowError:  # it names the item it waited for: it is not applied, and stays sealed where it waited
                    self.store.tally.flags["waiting_statement_refused"] += 1
                if not record.truncated:
                    settled.append(identifier)
        self._settle(settled)
        return released

    def _settle(self, identifiers: Sequence[int]) -> None:
        at = to_datetime(self.store.recorded_at)
        for start in range(0, len(identifiers), _SETTLED_AT_ONCE):
            these = WaitingStatement.id.in_(identifiers[start : start + _SETTLED_AT_ONCE])
            self.store.session.execute(update(WaitingStatement).where(these).values(settled_at=at))

    def _note_hash_hits(self, told: Sequence[tuple[int, Item]]) -> None:
        source = self.store.delivery.source
        hits = {(content, at) for content, item in told if (at := item.record.hash_hit_at) is not None}
        rows = self._rows(
            HashHit, ("content_id", "checked_at", "source"), "content_id", {content for content, _ in hits}
        )
        new = sorted(hits - {(row[0], row[1]) for row in rows if row[2] == source})
        insert_rows(self.store.session, table_of(HashHit), _HASH_HIT, [(*self._head, *hit) for hit in new])


def _nameless(record: Record) -> bool:
    return not record.url and record.file_number is not None
