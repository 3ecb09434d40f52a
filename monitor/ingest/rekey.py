"""Brings the digests of items and sites up to the scheme in force, from their sealed URLs (ADR 26).

It goes through the contents in the order of their ids, a batch a transaction, and may be killed at any point: the next
run goes on where the last batch was committed. What intake meets before that, it brings up to date itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine, Table, bindparam, delete, select, update
from sqlalchemy.orm import Session

from monitor import audit
from monitor.db import insert_columns, lock_writers, next_identifier, rows_where, table_of, transaction
from monitor.formats.scart import CUT_AT
from monitor.identities import Families, families_of, scheme_in_force
from monitor.ingest.rows import identify
from monitor.instants import to_datetime, to_instant
from monitor.models.facts import Content, Site
from monitor.models.guards import lifted
from monitor.models.identity import DigestScheme, ItemIdentity
from monitor.models.run import ObserverState
from monitor.urls import NotAUrlError, site_of
from monitor.urls_v1 import canonical_v1
from monitor.vault import Vault

BATCH = 1000  # contents in one transaction: others wait for it less than a second
_ACTION = "keys.rotate"


@dataclass
class Rekeyed:
    """What was done: contents brought up, became one with another, moved to another site, and are no URL any more."""

    counts: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, int]:
        """The stable keys of `monitor keys rotate --json`, and of the audit trail."""
        return {name: self.counts[name] for name in ("items", "merged", "other_site", "not_a_url")}


class _Row(NamedTuple):
    """A content as it is stored."""

    id: int
    site_id: int
    url_digest: bytes
    stem_digest: bytes | None
    truncated: bool
    key_version: int
    url_sealed: bytes


_COLUMNS = _Row._fields


class _Now(NamedTuple):
    """What a content is under the scheme in force. `site`: None where its URL is no URL of the web."""

    digest: bytes
    stem: bytes | None
    site: str | None


def rekey_all(
    engine: Engine, vault: Vault, clock: Callable[[], int], actor: str, batch: int = BATCH
) -> tuple[DigestScheme, Rekeyed]:
    """Bring all digests up to the scheme in force, batch by batch; the scheme, and what this run did.

    `clock` is asked once a batch, under the writer lock.
    """
    total, finished = Rekeyed(), False
    while not finished:
        with transaction(engine) as session:
            lock_writers(session)
            now = to_datetime(clock())
            scheme = scheme_in_force(session, vault, now)
            finished = scheme.finished_at is not None or _next_batch(session, vault, scheme, now, actor, batch, total)
            session.flush()
            session.expunge(scheme)
    return scheme, total


def _next_batch(
    session: Session, vault: Vault, scheme: DigestScheme, now: datetime, actor: str, batch: int, total: Rekeyed
) -> bool:
    """One batch; whether it was the last."""
    later = select(Content.id).where(Content.id > scheme.position, Content.scheme < scheme.id)
    contents = session.scalars(later.order_by(Content.id).limit(batch)).all()
    if not contents and scheme.position and _some_left(session, scheme):
        scheme.position = 0
        return False
    if not contents:
        _finish_sites(session, vault, scheme)
        scheme.finished_at = now
        audit.record(session, now, actor, _ACTION, f"digest scheme {scheme.id}", {"finished": True})
        return True
    done = rekey(session, vault, scheme, contents, now, actor)
    scheme.position = contents[-1]
    total.counts += done.counts
    session.flush()
    return False


def _some_left(session: Session, scheme: DigestScheme) -> bool:
    return session.scalar(select(Content.id).where(Content.scheme < scheme.id).limit(1)) is not None


def rekey(
    session: Session, vault: Vault, scheme: DigestScheme, contents: Collection[int], now: datetime, actor: str
) -> Rekeyed:
    """Bring contents up to the scheme, with all that share a cut form with one of them, in the caller's transaction.

    Needs the writer lock. Notes it in the audit trail.
    """
    rows = _with_stems(session, scheme, contents)
    if not rows:
        return Rekeyed()
    work = _Work(session, vault, scheme, now)
    with lifted(session.connection(), "contents"), lifted(session.connection(), "sites"):
        done = work.bring_up(rows)
    details = done.as_json() | {"scheme": scheme.id, "first": rows[0].id, "last": rows[-1].id}
    audit.record(session, now, actor, _ACTION, f"digest scheme {scheme.id}", details)
    return done


def rekey_met(session: Session, vault: Vault, scheme: DigestScheme, sealed: Iterable[bytes], now: datetime) -> bool:
    """Bring up the contents that these URLs, sealed under the current key, had under an earlier scheme.

    Whether there were any: then they are found under the scheme now, where they still are the same item.
    """
    urls = {vault.open_text(one, vault.version) for one in sealed}
    digests, stems = set[bytes](), set[bytes]()
    for former in _former_schemes(session, scheme):
        digests |= _former_digests(vault, former, urls)
        stems |= _former_digests(vault, former, {url[:CUT_AT] for url in urls if len(url) >= CUT_AT})
    found = {row[0] for row in _rows(session, Content, ("id", "scheme"), "url_digest", digests) if row[1] < scheme.id}
    found |= {row[0] for row in _rows(session, Content, ("id", "scheme"), "stem_digest", stems) if row[1] < scheme.id}
    return bool(found) and bool(rekey(session, vault, scheme, found, now, "ingestion").counts["items"])


def _former_schemes(session: Session, scheme: DigestScheme) -> set[tuple[int, int]]:
    """URL rules and key of the earlier schemes; of one with the same, digests are the same."""
    rows = session.execute(
        select(DigestScheme.url_rules, DigestScheme.key_version).where(DigestScheme.id < scheme.id).distinct()
    )
    return {(rules, key) for rules, key in rows} - {(scheme.url_rules, scheme.key_version)}


def _former_digests(vault: Vault, former: tuple[int, int], urls: Iterable[str]) -> set[bytes]:
    rules, key = former
    texts = {_former_text(rules, url) for url in urls}
    return {vault.former_url_digest(text, rules, key) for text in texts if text is not None}


def _former_text(rules: int, url: str) -> str | None:
    if rules == 1:
        return canonical_v1(url)
    try:
        return identify(url, truncated=False).url.text
    except NotAUrlError:
        return None


def _with_stems(session: Session, scheme: DigestScheme, contents: Collection[int]) -> list[_Row]:
    """The contents that are of an earlier scheme, with those of equal cut form: a table joins them by that."""
    columns = (*_COLUMNS, "scheme")
    found = {row[0]: row for row in _rows(session, Content, columns, "id", contents)}
    stems = {row[3] for row in found.values() if row[3] is not None}
    found |= {row[0]: row for row in _rows(session, Content, columns, "stem_digest", stems)}
    return [_Row(*row[:-1]) for _, row in sorted(found.items()) if row[-1] < scheme.id]


@dataclass
class _Work:
    """One transaction's part of it."""

    session: Session
    vault: Vault
    scheme: DigestScheme
    now: datetime
    done: Rekeyed = field(default_factory=Rekeyed)

    def bring_up(self, rows: Sequence[_Row]) -> Rekeyed:
        """Give each row its digests, join those that became one, and note what changed."""
        each = [self._under_scheme(row) for row in rows]
        sites = self._sites(rows, each)
        items = self._items(rows, each)
        digests = [
            now.digest if items[row.id] == row.id else self._unfindable("merged", row.id)
            for row, now in zip(rows, each, strict=True)
        ]
        self._write_identities(rows, items, sites)
        self._write_contents(rows, digests, [now.stem for now in each])
        self._move_observers(rows, digests)
        self.done.counts["items"] += len(rows)
        return self.done

    def _under_scheme(self, row: _Row) -> _Now:
        url = self.vault.open_text(row.url_sealed, row.key_version)
        try:
            found, stem, _ = identify(url, bool(row.truncated))
        except NotAUrlError:
            self.done.counts["not_a_url"] += 1
            return _Now(self._unfindable("not a URL", row.id), None, None)
        stem_digest = None if stem is None else self.vault.url_digest(stem)
        return _Now(self.vault.url_digest(found.text), stem_digest, site_of(found.host))

    def _unfindable(self, what: str, identifier: int) -> bytes:
        """A digest that no URL has: the row stays what it is, and is not found any more."""
        return self.vault.digest(f"{what} {identifier} {self.scheme.id}")

    def _items(self, rows: Sequence[_Row], each: Sequence[_Now]) -> dict[int, int]:
        """By content the one that stands for its item: the one that is found, or the first of them."""
        known = _rows(self.session, Content, ("url_digest", "id"), "url_digest", {now.digest for now in each})
        found = dict[bytes, int](known)
        items = {row.id: found.setdefault(now.digest, row.id) for row, now in zip(rows, each, strict=True)}
        self.done.counts["merged"] += sum(1 for content, item in items.items() if content != item)
        return items

    def _sites(self, rows: Sequence[_Row], each: Sequence[_Now]) -> list[int]:
        """The site of each row: the one of that digest, its own where that has none of these rules, or a new one."""
        digests = [None if now.site is None else self.vault.site_digest(now.site) for now in each]
        wanted = {digest for digest in digests if digest is not None}
        known: dict[bytes, int] = dict(_rows(self.session, Site, ("digest", "id"), "digest", wanted))
        former = _former_sites(self.session, self.scheme, {row.site_id for row in rows})
        renamed, new, found = dict[int, bytes](), list[bytes](), list[int]()
        start = next_identifier(self.session, table_of(Site))
        for row, digest in zip(rows, digests, strict=True):
            if digest is not None and digest not in known:
                if row.site_id in former and row.site_id not in renamed:
                    known[digest] = row.site_id
                    renamed[row.site_id] = digest
                else:
                    known[digest] = start + len(new)
                    new.append(digest)
            found.append(row.site_id if digest is None else known[digest])
        _update(self.session, table_of(Site), [
            {"row": site, "digest": digest, "scheme": self.scheme.id, "key_version": self.vault.version}
            for site, digest in renamed.items()
        ])  # fmt: skip
        always = {"scheme": self.scheme.id, "key_version": self.vault.version}
        identifiers = range(start, start + len(new))
        insert_columns(self.session, table_of(Site), {"id": identifiers, "digest": new}, always)
        return found

    def _write_identities(self, rows: Sequence[_Row], items: Mapping[int, int], sites: Sequence[int]) -> None:
        """A row for each content that is another item or on another site than before, or had a cut form.

        What had become one with such a content before follows it.
        """
        before = _identities(self.session, [row.id for row in rows])
        written = list[tuple[int, int, int, bytes | None]]()
        for row, site in zip(rows, sites, strict=True):
            was = before.get(row.id, (row.id, row.site_id))
            stem = None if row.stem_digest is None else self.vault.digest(f"former stem {row.stem_digest.hex()}")
            self.done.counts["other_site"] += site != was[1]
            if was != (items[row.id], site) or stem is not None:
                written.append((row.id, items[row.id], site, stem))
        written += self._followers(families_of(self.session, [row.id for row in rows]), items, dict(zip(
            [row.id for row in rows], sites, strict=True)))  # fmt: skip
        if not written:
            return
        contents, of, on, stems = zip(*written, strict=True)
        start = next_identifier(self.session, table_of(ItemIdentity))
        each = {
            "id": range(start, start + len(written)),
            "content_id": contents,
            "item_id": of,
            "site_id": on,
            "former_stem": stems,
        }
        always = {"scheme": self.scheme.id, "recorded_at": to_instant(self.now)}
        insert_columns(self.session, table_of(ItemIdentity), each, always)

    def _followers(
        self, families: Families, items: Mapping[int, int], sites: Mapping[int, int]
    ) -> Iterable[tuple[int, int, int, None]]:
        """Contents that had become one with a content which now becomes one with another; their own turn has passed."""
        for content, item in items.items():
            if content != item:
                for member in families.of(content) - items.keys():
                    if families.item(member) == content:
                        yield member, item, sites[content], None

    def _write_contents(self, rows: Sequence[_Row], digests: Sequence[bytes], stems: Sequence[bytes | None]) -> None:
        _update(self.session, table_of(Content), [
            {"row": row.id, "url_digest": digest, "stem_digest": stem, "scheme": self.scheme.id}
            for row, digest, stem in zip(rows, digests, stems, strict=True)
        ])  # fmt: skip

    def _move_observers(self, rows: Sequence[_Row], digests: Sequence[bytes]) -> None:
        """What an observer remembers of a URL by its digest stays known; of one that became another's it goes."""
        moved = {row.url_digest: digest for row, digest in zip(rows, digests, strict=True) if row.url_digest != digest}
        known = _rows(self.session, ObserverState, ("observer", "subject"), "subject", list(moved))
        for observer, subject in list(known):
            old = ObserverState.observer == observer, ObserverState.subject == bytes(subject)
            new = moved[bytes(subject)]
            taken = select(ObserverState.subject).where(
                ObserverState.observer == observer, ObserverState.subject == new
            )
            if self.session.scalar(taken) is None:
                self.session.execute(update(ObserverState).where(*old).values(subject=new))
            else:
                self.session.execute(delete(ObserverState).where(*old))


def _former_sites(session: Session, scheme: DigestScheme, sites: Collection[int]) -> set[int]:
    """Of the sites those whose digest was made under other URL rules or another key: nobody finds them by it."""
    same = DigestScheme.url_rules == scheme.url_rules, DigestScheme.key_version == scheme.key_version
    current = set(session.scalars(select(DigestScheme.id).where(*same)))
    return {row[0] for row in _rows(session, Site, ("id", "scheme"), "id", sites) if row[1] not in current}


def _identities(session: Session, contents: Collection[int]) -> dict[int, tuple[int, int]]:
    """By content its item and site, as the last identity of it says."""
    columns = ("id", "content_id", "item_id", "site_id")
    rows = sorted(_rows(session, ItemIdentity, columns, "content_id", contents))
    return {content: (item, site) for _, content, item, site in rows}


def _finish_sites(session: Session, vault: Vault, scheme: DigestScheme) -> None:
    """Sites that no item is on any more get a digest that no site has: nothing is left of an earlier scheme."""
    left = session.scalars(select(Site.id).where(Site.scheme < scheme.id)).all()
    if not left:
        return
    former = _former_sites(session, scheme, left)
    with lifted(session.connection(), "sites"):
        _update(session, table_of(Site), [
            {"row": site, "digest": vault.digest(f"no site {site} {scheme.id}"), "scheme": scheme.id,
             "key_version": vault.version}
            for site in sorted(former)
        ])  # fmt: skip
        _update(session, table_of(Site), [{"row": site, "scheme": scheme.id} for site in set(left) - former])


def _update(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Set the columns of each row; `row` is its id."""
    if not rows:
        return
    names = [name for name in rows[0] if name != "row"]
    statement = update(table).where(table.c.id == bindparam("row"))
    statement = statement.values({name: bindparam(f"new_{name}") for name in names})
    each = [{"row": row["row"], **{f"new_{name}": row[name] for name in names}} for row in rows]
    session.connection().execute(statement, each)


def _rows(
    session: Session, model: type[Any], columns: Sequence[str], key: str, values: Collection[Any]
) -> Iterable[Any]:
    return rows_where(session, table_of(model), columns, key, values)
