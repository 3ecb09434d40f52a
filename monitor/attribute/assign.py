"""Attribution as of the notice: decision, hotline's recipient, domain rule, registry prefix, ASN, in that order."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Row, Select, Table, select
from sqlalchemy.orm import Session

from monitor.attribute.locate import Locator, Place, locator
from monitor.db import insert_rows, lock_writers, next_identifier, rows_where
from monitor.formats.registry import alias_form
from monitor.ingest.store import Attribute, Placed
from monitor.instants import DAY, to_datetime, to_instant
from monitor.models.facts import Attribution, Content, Correction, Notice, Site
from monitor.models.words import Basis, Claim, Decision, Role
from monitor.vault import Vault

_BATCH = 2000
_COLUMNS = (
    "id", "content_id", "valid_from", "company_id", "basis", "other_company_id", "netblock_table_id", "recorded_at",
)  # fmt: skip

Timeline: TypeAlias = list[tuple[int, int | None, int | None]]  # from when, which company, contradicted by which
Decided: TypeAlias = list[tuple[int | None, int | None, int | None]]  # from when, until when, which company

_NOWHERE = Place(None)


class Verdict(NamedTuple):
    """Whose it is, on which basis, and whom another basis names instead."""

    company_id: int | None
    basis: Basis
    other_company_id: int | None = None
    netblock_table_id: int | None = None


@dataclass
class Attributor:
    """Attributes batches of notices within the caller's transaction."""

    session: Session
    vault: Vault
    recorded_at: datetime
    locator: Locator

    def attribute(self, notices: Sequence[Placed]) -> int:
        """Append what differs from the attributions in force; returns how many rows that were."""
        contents = {notice.content_id for notice in notices if not notice.is_new}
        in_force, decided = self._in_force(contents), self._decisions(contents)
        rows = []
        for notice, verdict in zip(notices, self._verdicts(notices, decided), strict=True):
            if _differs(in_force[notice.content_id], notice.sent_at, verdict):
                in_force[notice.content_id].append((notice.sent_at, verdict.company_id, verdict.other_company_id))
                rows.append((notice.content_id, notice.sent_at, verdict))
        self._insert(rows)
        return len(rows)

    def _verdicts(self, notices: Sequence[Placed], decided: dict[int, Decided]) -> Iterator[Verdict]:
        """Of many notices few differ in the day and whom they went to, so each such question is asked once."""
        places = self._places(notices)
        recipient = cache(self._recipient)
        domain = cache(self._domain)
        for notice in notices:
            day = _day(notice.sent_at)
            place = places.get((notice.address, day), _NOWHERE)
            decision = _decision(decided[notice.content_id], notice.sent_at) if notice.content_id in decided else None
            ranked = (
                (decision, Basis.DECISION),
                (recipient(notice.recipient, notice.recipient_digest, day), Basis.HOTLINE),
                (domain(notice.site_digest, day), Basis.DOMAIN_RULE),
                (place.company_id, place.basis),
            )
            yield _verdict(ranked, place.netblock_table_id)

    def _recipient(self, name: str | None, digest: bytes | None, day: date) -> int | None:
        """The company the hotline wrote to; one that nobody knows becomes a company of its own, for review."""
        if not name or not (alias := alias_form(name)):
            return None
        known = self.locator.directory.company(Claim.ALIAS, alias, day)
        if known is None and digest:
            known = self.locator.directory.company(Claim.ABUSE_ADDRESS, digest, day)
        return known or self.locator.own_company(f"recipient-{_slug(alias)}", name, review=True)

    def _domain(self, site: bytes, day: date) -> int | None:
        return self.locator.directory.company(Claim.DOMAIN, site, day)

    def _places(self, notices: Sequence[Placed]) -> dict[tuple[str | None, date], Place]:
        """Where each address lay on the day of a notice."""
        asked = list({(notice.address, _day(notice.sent_at)): None for notice in notices if notice.address})
        found = self.locator.places([(address, day) for address, day in asked if address])
        return dict(zip(asked, found, strict=True))

    def _in_force(self, contents: set[int]) -> dict[int, Timeline]:
        columns = ("id", "content_id", "valid_from", "company_id", "other_company_id")
        timeline: dict[int, Timeline] = defaultdict(list)
        found = rows_where(self.session, _table(Attribution), columns, "content_id", contents)
        for _, content, *entry in sorted(found, key=itemgetter(0)):
            timeline[content].append((entry[0], entry[1], entry[2]))
        return timeline

    def _decisions(self, contents: set[int]) -> dict[int, Decided]:
        columns = ("id", "content_id", "decision", "starts_at", "ends_at", "company_id")
        decided: dict[int, Decided] = defaultdict(list)
        found = rows_where(self.session, _table(Correction), columns, "content_id", contents)
        for _, content, decision, *entry in sorted(found, key=itemgetter(0)):
            if decision == Decision.REASSIGN:
                decided[content].append((entry[0], entry[1], entry[2]))
        return decided

    def _insert(self, rows: Sequence[tuple[int, int, Verdict]]) -> None:
        start, now = next_identifier(self.session, _table(Attribution)), to_instant(self.recorded_at)
        values = [
            (identifier, content, at, verdict.company_id, str(verdict.basis), *verdict[2:], now)
            for identifier, (content, at, verdict) in enumerate(rows, start)
        ]
        insert_rows(self.session, _table(Attribution), _COLUMNS, values)


def attribute_notices(session: Session, vault: Vault, recorded_at: datetime, delivery_id: int | None = None) -> int:
    """(Re)attribute the notices to hosters of one delivery, or of all; returns how many attributions changed."""
    lock_writers(session)
    attributor = Attributor(session, vault, recorded_at, locator(session, vault, recorded_at))
    return sum(attributor.attribute(batch) for batch in _batches(session, vault, delivery_id))


def attribute_as_stored(session: Session, vault: Vault, recorded_at: datetime) -> Attribute:
    """Attributes notices while their delivery is being stored; registry and tables are read for the first of them."""

    @cache
    def attributor() -> Attributor:
        return Attributor(session, vault, recorded_at, locator(session, vault, recorded_at))

    return lambda notices: attributor().attribute(notices)


def _batches(session: Session, vault: Vault, delivery_id: int | None) -> Iterator[Sequence[Placed]]:
    last = 0
    while batch := session.execute(_notices(delivery_id).where(Notice.id > last)).all():
        yield [_placed(vault, row) for row in batch]
        last = batch[-1].id


def _placed(vault: Vault, row: Row[Any]) -> Placed:
    address = vault.open_text(row.address_sealed, row.key_version) if row.address_sealed else None
    sent_at = to_instant(row.sent_at)
    return Placed(row.content_id, sent_at, row.recipient, row.recipient_digest, row.digest, address, is_new=False)


def _notices(delivery_id: int | None) -> Select[*tuple[Any, ...]]:
    """To hosters. One that was withdrawn, because another tells of the same sending, has no say."""
    withdrawn = select(Correction.id).where(
        Correction.decision == Decision.WITHDRAW_NOTICE, Correction.notice_id == Notice.id
    )
    query = (
        select(
            Notice.id, Notice.content_id, Notice.sent_at, Notice.recipient, Notice.recipient_digest,
            Notice.key_version, Notice.address_sealed, Site.digest,
        )
        .join(Content, Content.id == Notice.content_id)
        .join(Site, Site.id == Content.site_id)
        .where(Notice.recipient_role == Role.HOSTER, ~withdrawn.exists())
        .order_by(Notice.id)
        .limit(_BATCH)
    )  # fmt: skip
    return query if delivery_id is None else query.where(Notice.delivery_id == delivery_id)


def _day(instant: int) -> date:
    return _day_number(instant // DAY)


@lru_cache(maxsize=10_000)
def _day_number(number: int) -> date:
    return to_datetime(number * DAY).date()


def _verdict(ranked: Sequence[tuple[int | None, Basis]], table: int | None) -> Verdict:
    """The first that names a company, and the first after it that names another."""
    named: int | None = None
    on = Basis.NONE
    for company, basis in ranked:
        if named is None and company is not None:
            named, on = company, basis
        elif company is not None and company != named:
            return Verdict(named, on, None if on is Basis.DECISION else company, table)
    return Verdict(named, on, None, table)


def _differs(timeline: Timeline, at: int, verdict: Verdict) -> bool:
    """Whether the attribution in force at `at` says something else than the verdict, or nothing."""
    best: tuple[int, int | None, int | None] | None = None
    for entry in timeline:  # in the order they were recorded: of two with one start the later supersedes
        if entry[0] <= at and (best is None or entry[0] >= best[0]):
            best = entry
    return best is None or best[1:] != (verdict.company_id, verdict.other_company_id)


def _decision(decided: Decided, at: int) -> int | None:
    for start, end, company in reversed(decided):
        if (start is None or start <= at) and (end is None or at < end):
            return company
    return None


def _slug(alias: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", alias).strip("-")[:60]
    exact = slug.replace("-", " ") == alias
    return slug if exact else f"{slug}-{hashlib.sha256(alias.encode()).hexdigest()[:6]}".lstrip("-")


def _table(model: type[Any]) -> Table:
    table: Table = model.__table__
    return table
