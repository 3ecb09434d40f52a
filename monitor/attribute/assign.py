"""Attribution as of the notice: decision, hotline's recipient, domain rule, registry prefix, ASN, in that order."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from monitor.attribute.directory import Directory, load_directory
from monitor.attribute.networks import NOWHERE, NetworkTable, load_tables, table_as_of
from monitor.attribute.registry import find_or_add_company
from monitor.db import bulk_insert, lock_writers, next_identifier
from monitor.formats.registry import alias_form
from monitor.ingest.store import select_in
from monitor.instants import to_instant
from monitor.models.company import CompanyDetail
from monitor.models.facts import Attribution, Content, Correction, Notice, Site
from monitor.models.words import Basis, Claim, Decision, Role
from monitor.vault import Vault

_BATCH = 2000


@dataclass(frozen=True, slots=True)
class Verdict:
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
    directory: Directory
    tables: list[NetworkTable]
    companies: dict[str, int] = field(default_factory=dict)

    def attribute(self, notices: Sequence[Row[Any]]) -> int:
        """Append what differs from the attributions in force; returns how many rows that were."""
        in_force = self._in_force({notice.content_id for notice in notices})
        decided = self._decisions({notice.content_id for notice in notices})
        placed = self._places(notices)
        rows = []
        for notice, place in zip(notices, placed, strict=True):
            verdict = self._verdict(notice, place, decided)
            sent_at = to_instant(notice.sent_at)
            if _differs(in_force[notice.content_id], sent_at, verdict):
                in_force[notice.content_id].append((sent_at, verdict.company_id, verdict.other_company_id))
                rows.append(self._row(notice.content_id, sent_at, verdict))
        self._insert(rows)
        return len(rows)

    def _verdict(
        self, notice: Row[Any], place: tuple[int | None, Basis, int | None], decided: dict[int, list[Correction]]
    ) -> Verdict:
        located, location_basis, table = place
        day = notice.sent_at.date()
        ranked = [
            (_decision(decided.get(notice.content_id, []), notice.sent_at), Basis.DECISION),
            (self._recipient(notice, day), Basis.HOTLINE),
            (self.directory.company(Claim.DOMAIN, notice.digest, day), Basis.DOMAIN_RULE),
            (located, location_basis),
        ]
        named = [(company, basis) for company, basis in ranked if company is not None]
        if not named:
            return Verdict(None, Basis.NONE, None, table)
        company, basis = named[0]
        others = [other for other, _ in named[1:] if other != company]
        contradicted = others[0] if others and basis is not Basis.DECISION else None
        return Verdict(company, basis, contradicted, table)

    def _recipient(self, notice: Row[Any], day: date) -> int | None:
        """The company the hotline wrote to; one that nobody knows becomes a company of its own, for review."""
        if not notice.recipient or not (alias := alias_form(notice.recipient)):
            return None
        known = self.directory.company(Claim.ALIAS, alias, day)
        if known is None and notice.recipient_digest:
            known = self.directory.company(Claim.ABUSE_ADDRESS, notice.recipient_digest, day)
        return known or self._own_company(f"recipient-{_slug(alias)}", notice.recipient, review=True)

    def _places(self, notices: Sequence[Row[Any]]) -> list[tuple[int | None, Basis, int | None]]:
        """For each notice the company that holds its address, on which basis, and the table that was asked."""
        places: list[tuple[int | None, Basis, int | None]] = [(None, Basis.NONE, None)] * len(notices)
        by_table: dict[int, list[tuple[int, str]]] = defaultdict(list)
        chosen: dict[int, NetworkTable | None] = {}
        for index, notice in enumerate(notices):
            if notice.address_sealed:
                table = table_as_of(self.tables, notice.sent_at.date())
                chosen[table.identifier if table else 0] = table
                address = self.vault.open_text(notice.address_sealed, notice.key_version)
                by_table[table.identifier if table else 0].append((index, address))
        for identifier, asked in by_table.items():
            addresses = [address for _, address in asked]
            prefixes = self.directory.prefixes(addresses)
            table = chosen[identifier]
            asns = table.find(addresses) if table else [NOWHERE] * len(asked)
            for (index, _), prefix, asn in zip(asked, prefixes, asns, strict=True):
                places[index] = self._place(notices[index].sent_at.date(), prefix, int(asn), table)
        return places

    def _place(
        self, day: date, prefix: str | None, asn: int, table: NetworkTable | None
    ) -> tuple[int | None, Basis, int | None]:
        identifier = table.identifier if table else None
        company = self.directory.company(Claim.PREFIX, prefix, day) if prefix else None
        if company is not None:
            return company, Basis.IP_RANGE, identifier
        if asn == NOWHERE or table is None:
            return None, Basis.NONE, identifier
        company = self.directory.company(Claim.ASN, str(asn), day)
        if company is None:
            company = self._own_company(f"as{asn}", _network_name(asn, table.organisations.get(asn, "")), review=False)
        return company, Basis.ASN, identifier

    def _own_company(self, key: str, name: str, *, review: bool) -> int:
        if key not in self.companies:
            company, is_new = find_or_add_company(self.session, key, self.recorded_at)
            if is_new:
                detail = CompanyDetail(company_id=company.id, name=name, country=None, registration=None)
                detail.proxy, detail.review, detail.recorded_at = False, review, self.recorded_at
                self.session.add(detail)
                self.session.flush()
            self.companies[key] = company.id
        return self.companies[key]

    def _in_force(self, contents: set[int]) -> dict[int, list[tuple[int, int | None, int | None]]]:
        query = select(
            Attribution.content_id, Attribution.valid_from, Attribution.company_id, Attribution.other_company_id
        ).order_by(Attribution.id)
        timeline: dict[int, list[tuple[int, int | None, int | None]]] = defaultdict(list)
        for content, start, company, other in select_in(self.session, query, Attribution.content_id, contents):
            timeline[content].append((to_instant(start), company, other))
        return timeline

    def _decisions(self, contents: set[int]) -> dict[int, list[Correction]]:
        query = select(Correction).where(Correction.decision == Decision.REASSIGN).order_by(Correction.id)
        decided: dict[int, list[Correction]] = defaultdict(list)
        for (correction,) in select_in(self.session, query, Correction.content_id, contents):
            decided[correction.content_id].append(correction)
        return decided

    def _row(self, content: int, sent_at: int, verdict: Verdict) -> dict[str, Any]:
        return {
            "content_id": content,
            "company_id": verdict.company_id,
            "valid_from": sent_at,
            "basis": str(verdict.basis),
            "other_company_id": verdict.other_company_id,
            "netblock_table_id": verdict.netblock_table_id,
            "recorded_at": to_instant(self.recorded_at),
        }

    def _insert(self, rows: list[dict[str, Any]]) -> None:
        table: Any = Attribution.__table__
        start = next_identifier(self.session, table)
        bulk_insert(self.session, table, [{"id": start + number} | row for number, row in enumerate(rows)])


def attribute_notices(session: Session, vault: Vault, recorded_at: datetime, delivery_id: int | None = None) -> int:
    """(Re)attribute the notices to hosters of one delivery, or of all; returns how many attributions changed."""
    lock_writers(session)
    attributor = Attributor(session, vault, recorded_at, load_directory(session, vault), load_tables(session))
    return sum(attributor.attribute(batch) for batch in _batches(session, delivery_id))


def _batches(session: Session, delivery_id: int | None) -> Iterator[Sequence[Row[Any]]]:
    last = 0
    while batch := session.execute(_notices(delivery_id).where(Notice.id > last)).all():
        yield batch
        last = batch[-1].id


def _notices(delivery_id: int | None) -> Select[*tuple[Any, ...]]:
    query = (
        select(
            Notice.id, Notice.content_id, Notice.sent_at, Notice.recipient, Notice.recipient_digest,
            Notice.key_version, Notice.address_sealed, Site.digest,
        )
        .join(Content, Content.id == Notice.content_id)
        .join(Site, Site.id == Content.site_id)
        .where(Notice.recipient_role == Role.HOSTER)
        .order_by(Notice.id)
        .limit(_BATCH)
    )  # fmt: skip
    return query if delivery_id is None else query.where(Notice.delivery_id == delivery_id)


def _differs(timeline: list[tuple[int, int | None, int | None]], at: int, verdict: Verdict) -> bool:
    """Whether the attribution in force at `at` says something else than the verdict, or nothing."""
    best: tuple[int, int | None, int | None] | None = None
    for entry in timeline:  # in the order they were recorded: of two with one start the later supersedes
        if entry[0] <= at and (best is None or entry[0] >= best[0]):
            best = entry
    return best is None or best[1:] != (verdict.company_id, verdict.other_company_id)


def _decision(corrections: list[Correction], at: datetime) -> int | None:
    for correction in reversed(corrections):
        started = correction.starts_at is None or correction.starts_at <= at
        if started and (correction.ends_at is None or at < correction.ends_at):
            return correction.company_id
    return None


def _slug(alias: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", alias).strip("-")[:60]
    exact = slug.replace("-", " ") == alias
    return slug if exact else f"{slug}-{hashlib.sha256(alias.encode()).hexdigest()[:6]}".lstrip("-")


def _network_name(asn: int, organisation: str) -> str:
    return f"AS{asn}" if organisation in ("", f"AS{asn}") else f"AS{asn} {organisation}"
