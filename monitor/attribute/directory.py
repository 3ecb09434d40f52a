"""The directory: whom an alias, abuse address, domain, prefix or ASN belonged to on a given day."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.attribute.networks import NO_MATCH, V4, Keys, RangeIndex, index_families
from monitor.formats.netblocks import packed
from monitor.formats.registry import alias_form
from monitor.models.company import CompanyClaim, CompanyDetail
from monitor.vault import Vault, site_of
from monitor.vocabulary import Claim

Holding = tuple[int, date | None, date | None]


class _Claimed(NamedTuple):
    """What a claim says: the first four fields say which one it is."""

    company_id: int
    claim: Claim
    value: str
    valid_from: date | None
    valid_to: date | None


@dataclass(frozen=True)
class Directory:
    """Registry claims, looked up by value as of a day. Domains and abuse addresses are kept by keyed digest."""

    holdings: dict[tuple[Claim, str | bytes], list[Holding]]
    prefixes_v4: RangeIndex
    prefixes_v6: RangeIndex
    prefix_names: list[str]

    def company(self, claim: Claim, value: str | bytes, day: date) -> int | None:
        """Id of the company that the value belonged to on that day; the claim recorded last wins."""
        for company, start, end in reversed(self.holdings.get((claim, value), [])):
            if (start is None or start <= day) and (end is None or day < end):
                return company
        return None

    def prefixes(self, family: int, keys: Keys) -> list[str | None]:
        """The most specific registered prefix of each address of a family."""
        found = (self.prefixes_v4 if family == V4 else self.prefixes_v6).find(keys)
        return [None if index == NO_MATCH else self.prefix_names[index] for index in found.tolist()]


def load_directory(session: Session, vault: Vault) -> Directory:
    """The directory as the registry stands now."""
    latest = _latest(session, None)
    holdings: dict[tuple[Claim, str | bytes], list[Holding]] = defaultdict(list)
    for row in latest:
        holdings[row.claim, _lookup_value(row, vault)].append((row.company_id, row.valid_from, row.valid_to))
    names = select(CompanyDetail.company_id, CompanyDetail.name).order_by(CompanyDetail.id)
    for company, name in session.execute(names):
        own_name = (Claim.ALIAS, alias_form(name))
        holdings[own_name] = [(company, None, None), *holdings[own_name]]  # a registered alias goes before
    return _directory(dict(holdings), latest)


def load_claims(session: Session, known_at: datetime) -> Directory:
    """The directory of networks alone, ASNs and prefixes, as it was known at an instant; it needs no key."""
    latest = _latest(session, known_at)
    holdings: dict[tuple[Claim, str | bytes], list[Holding]] = defaultdict(list)
    for row in latest:
        if row.claim in (Claim.ASN, Claim.PREFIX):
            holdings[row.claim, row.value].append((row.company_id, row.valid_from, row.valid_to))
    return _directory(dict(holdings), latest)


def _latest(session: Session, known_at: datetime | None) -> list[_Claimed]:
    """Each claim as it was recorded last, by `known_at` where that is given."""
    columns = (getattr(CompanyClaim, name) for name in _Claimed._fields)
    query = select(*columns).order_by(CompanyClaim.id)
    rows = session.execute(query if known_at is None else query.where(CompanyClaim.recorded_at <= known_at))
    return list({row[:4]: row for row in (_Claimed(*row) for row in rows)}.values())


def _directory(holdings: dict[tuple[Claim, str | bytes], list[Holding]], claims: list[_Claimed]) -> Directory:
    names = sorted({row.value for row in claims if row.claim is Claim.PREFIX})
    return Directory(holdings, *index_families(list(_prefix_ranges(names))), names)


def _lookup_value(row: _Claimed, vault: Vault) -> str | bytes:
    if row.claim is Claim.DOMAIN:
        return vault.digest(site_of(row.value))
    if row.claim is Claim.ABUSE_ADDRESS:
        return vault.digest(row.value)
    return row.value


def _prefix_ranges(names: Iterable[str]) -> Iterable[tuple[bytes, bytes, int]]:
    for index, name in enumerate(names):
        network = ipaddress.ip_network(name)
        yield packed(str(network[0])), packed(str(network[-1])), index
