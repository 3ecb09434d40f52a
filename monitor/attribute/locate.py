"""Where an address lies: the company of the most specific registered prefix, else of the network, as of a day."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, partial
from typing import NamedTuple

from sqlalchemy.orm import Session

from monitor.attribute.directory import Directory, load_directory
from monitor.attribute.networks import NO_MATCH, Keys, family_of, keys_of
from monitor.attribute.registry import find_or_add_company
from monitor.attribute.tables import TableHeader, Tables, load_tables, organisation
from monitor.db import rows_where, table_of
from monitor.formats.announcements import UNKNOWN_ORIGIN
from monitor.models.company import Company, CompanyDetail
from monitor.names import matching_form, without_legal_form
from monitor.vault import Vault
from monitor.vocabulary import Basis, Claim


class AddressMatch(NamedTuple):
    """The company an address lies at, on which basis, and the table that was asked."""

    company_id: int | None
    basis: Basis = Basis.NONE
    netblock_table_id: int | None = None


_NO_MATCH = AddressMatch(None)


@dataclass
class Locator:
    """Looks addresses up in the registry and the tables of networks, within the caller's transaction."""

    session: Session
    directory: Directory
    tables: Tables
    recorded_at: datetime
    companies: dict[str, int] = field(default_factory=dict)
    recipients: dict[str, int] = field(default_factory=dict)  # by `names.matching_form`

    def places(self, asked: Sequence[tuple[str | None, date]]) -> list[AddressMatch]:
        """Where each (address, day) lies; nowhere, where there is no address."""
        places = [_NO_MATCH] * len(asked)
        for (family, header), members in self._by_table(asked).items():
            keys = keys_of(family, [asked[index][0] or "" for index in members])
            prefixes, asns = self.directory.prefixes(family, keys), self._asns(header, family, keys)
            self._know_networks(set(asns))
            place = cache(partial(self._place, header))  # few differ in their day, prefix and network
            for index, prefix, asn in zip(members, prefixes, asns, strict=True):
                places[index] = place(asked[index][1], prefix, asn)
        return places

    def recipient(self, name: str) -> int:
        """The company that a recipient is by itself, whom no entry names: one for all spellings of its name."""
        form = matching_form(name)
        if form not in self.recipients:
            self.recipients[form] = self.own_company(f"recipient-{_slug(without_legal_form(name))}", name)
        return self.recipients[form]

    def own_company(self, key: str, name: str) -> int:
        """The company under that key; where there is none, a new one of that name, which a person has to confirm."""
        if key not in self.companies:
            company, is_new = find_or_add_company(self.session, key, self.recorded_at)
            if is_new:
                detail = CompanyDetail(company_id=company.id, name=name, country=None, registration=None)
                detail.proxy, detail.review, detail.recorded_at = False, True, self.recorded_at
                self.session.add(detail)
                self.session.flush()
            self.companies[key] = company.id
        return self.companies[key]

    def _by_table(self, asked: Sequence[tuple[str | None, date]]) -> dict[tuple[int, TableHeader | None], list[int]]:
        """Where the addresses stand that are looked up in one table."""
        by_day: dict[tuple[int, date], list[int]] = defaultdict(list)
        for index, (address, day) in enumerate(asked):
            if address:
                by_day[family_of(address), day].append(index)
        by_table: dict[tuple[int, TableHeader | None], list[int]] = defaultdict(list)
        for (family, day), members in by_day.items():
            by_table[family, self.tables.as_of(day, family)] += members
        return by_table

    def _asns(self, header: TableHeader | None, family: int, keys: Keys) -> list[int]:
        if header is None:
            return [NO_MATCH] * len(keys)
        found: list[int] = self.tables.read(header.identifier, family).find(keys).tolist()
        return found

    def _place(self, header: TableHeader | None, day: date, prefix: str | None, asn: int) -> AddressMatch:
        table = header.identifier if header else None
        company = self.directory.company(Claim.PREFIX, prefix, day) if prefix else None
        if company is not None:
            return AddressMatch(company, Basis.IP_RANGE, table)
        if asn in (NO_MATCH, UNKNOWN_ORIGIN):
            return AddressMatch(None, Basis.NONE, table)
        company = self.directory.company(Claim.ASN, str(asn), day)
        return AddressMatch(self._network(asn, day) if company is None else company, Basis.ASN, table)

    def _know_networks(self, asns: set[int]) -> None:
        """Find the companies that these networks are by themselves, where they are known already, in one query."""
        unknown = {network_key(asn) for asn in asns} - self.companies.keys()
        rows = rows_where(self.session, table_of(Company), ("key", "id"), "key", unknown) if unknown else ()
        self.companies.update((key, identifier) for key, identifier in rows)

    def _network(self, asn: int, day: date) -> int:
        """The company that a network is by itself; only a new one has to be named."""
        key = network_key(asn)
        if key not in self.companies:
            self.own_company(key, network_name(asn, organisation(self.session, self.tables, asn, day)))
        return self.companies[key]


def locator(session: Session, vault: Vault, recorded_at: datetime) -> Locator:
    """A locator over the registry and the tables as they stand now."""
    return Locator(session, load_directory(session, vault), load_tables(session), recorded_at)


def _slug(words: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", words).strip("-")[:60]
    exact = slug.replace("-", " ") == words
    return slug if exact else f"{slug}-{hashlib.sha256(words.encode()).hexdigest()[:6]}".lstrip("-")


def network_key(asn: int) -> str:
    """The key of the company that a network is where no registry entry names its ASN."""
    return f"as{asn}"


def network_name(asn: int, organisation: str) -> str:
    """And its name."""
    return f"AS{asn}" if organisation in ("", f"AS{asn}") else f"AS{asn} {organisation}"
