"""Where an address lies: the company of the most specific registered prefix, else of the network, as of a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.attribute.directory import Directory, load_directory
from monitor.attribute.networks import NOWHERE, find_addresses
from monitor.attribute.registry import find_or_add_company
from monitor.attribute.steps import V4, V6
from monitor.attribute.tables import TableHeader, Tables, load_tables, organisation
from monitor.formats.announcements import UNTOLD
from monitor.formats.netblocks import MAPPED, packed
from monitor.models.company import Company, CompanyDetail
from monitor.models.words import Basis, Claim
from monitor.vault import Vault


@dataclass(frozen=True, slots=True)
class Place:
    """The company an address lies at, on which basis, and the table that was asked."""

    company_id: int | None
    basis: Basis = Basis.NONE
    netblock_table_id: int | None = None


@dataclass
class Locator:
    """Looks addresses up in the registry and the tables of networks, within the caller's transaction."""

    session: Session
    directory: Directory
    tables: Tables
    recorded_at: datetime
    companies: dict[str, int] = field(default_factory=dict)

    def places(self, asked: Sequence[tuple[str, date]]) -> list[Place]:
        """Where each (address, day) lies."""
        places = [Place(None)] * len(asked)
        for header, members in self._by_table(asked).items():
            addresses = [asked[index][0] for index in members]
            prefixes = self.directory.prefixes(addresses)
            for index, prefix, asn in zip(members, prefixes, self._asns(header, addresses), strict=True):
                places[index] = self._place(asked[index][1], prefix, asn, header)
        return places

    def own_company(self, key: str, name: str, *, review: bool) -> int:
        """The company under that key; where there is none, a new one of that name, for review or not."""
        if key not in self.companies:
            company, is_new = find_or_add_company(self.session, key, self.recorded_at)
            if is_new:
                detail = CompanyDetail(company_id=company.id, name=name, country=None, registration=None)
                detail.proxy, detail.review, detail.recorded_at = False, review, self.recorded_at
                self.session.add(detail)
                self.session.flush()
            self.companies[key] = company.id
        return self.companies[key]

    def _by_table(self, asked: Sequence[tuple[str, date]]) -> dict[TableHeader | None, list[int]]:
        members: dict[TableHeader | None, list[int]] = defaultdict(list)
        as_of = cache(self.tables.as_of)
        for index, (address, day) in enumerate(asked):
            family = V4 if packed(address).startswith(MAPPED) else V6
            members[as_of(day, family)].append(index)
        return members

    def _asns(self, header: TableHeader | None, addresses: list[str]) -> list[int]:
        if header is None:
            return [NOWHERE] * len(addresses)
        v4, v6 = (self.tables.read(header.identifier, family) for family in (V4, V6))
        return [int(asn) for asn in find_addresses(v4, v6, addresses)]

    def _place(self, day: date, prefix: str | None, asn: int, header: TableHeader | None) -> Place:
        table = header.identifier if header else None
        company = self.directory.company(Claim.PREFIX, prefix, day) if prefix else None
        if company is not None:
            return Place(company, Basis.IP_RANGE, table)
        if asn in (NOWHERE, UNTOLD):
            return Place(None, Basis.NONE, table)
        company = self.directory.company(Claim.ASN, str(asn), day)
        return Place(self._network(asn, day) if company is None else company, Basis.ASN, table)

    def _network(self, asn: int, day: date) -> int:
        """The company that a network is by itself; only a new one has to be named."""
        key = network_key(asn)
        known = self.companies.get(key) or self.session.scalar(select(Company.id).where(Company.key == key))
        if known is None:
            name = network_name(asn, organisation(self.session, self.tables, asn, day))
            known = self.own_company(key, name, review=False)
        self.companies[key] = known
        return known


def locator(session: Session, vault: Vault, recorded_at: datetime) -> Locator:
    """A locator over the registry and the tables as they stand now."""
    return Locator(session, load_directory(session, vault), load_tables(session), recorded_at)


def network_key(asn: int) -> str:
    """The key of the company that a network is where no registry entry names its ASN."""
    return f"as{asn}"


def network_name(asn: int, organisation: str) -> str:
    """And its name."""
    return f"AS{asn}" if organisation in ("", f"AS{asn}") else f"AS{asn} {organisation}"
