"""The directory: whom an alias, address, domain, prefix or ASN belonged to on a day, and claims of two at once."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import combinations
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.attribute.networks import NO_MATCH, V4, Keys, RangeIndex, index_families
from monitor.errors import DeliveryError
from monitor.formats.netblocks import packed
from monitor.formats.registry import ClaimRecord, CompanyRecord
from monitor.models.company import Company, CompanyClaim, CompanyDetail
from monitor.names import alias_form, matching_form
from monitor.urls import site_of
from monitor.vault import Vault
from monitor.vocabulary import Claim

# The directory: whom an alias, abuse address, domain, prefix or ASN belonged to on a given day.

Holding = tuple[int, date | None, date | None]
# How firmly a name is a company's: an alias of the registry, its name there, one it had there before, the name of a
# company that no entry names but a person has confirmed, one that only a delivery or a table of networks gave.
_CLAIMED, _NAMED, _ONCE, _CONFIRMED, _HEARD = 4, 3, 2, 1, 0


class NameMatch(NamedTuple):
    """The company a name is of; `ambiguous`: several that the registry has may be meant, so none is."""

    company: int | None
    ambiguous: bool = False


class _NameHolding(NamedTuple):
    company: int
    start: date | None
    end: date | None
    rank: int


_UNKNOWN = NameMatch(None)


@dataclass(frozen=True)
class Names:
    """Names of companies: exactly as they are (`names.alias_form`), and without what does not tell names apart."""

    exact: dict[str, list[_NameHolding]] = field(default_factory=lambda: defaultdict(list))
    alike: dict[str, list[_NameHolding]] = field(default_factory=lambda: defaultdict(list))

    def add(self, name: str, company: int, start: date | None, end: date | None, rank: int) -> None:
        """Note a name of a company, from a day (included) to a day (not included)."""
        holding = _NameHolding(company, start, end, rank)
        self.exact[alias_form(name)].append(holding)
        self.alike[matching_form(name)].append(holding)

    def find(self, name: str, day: date) -> NameMatch:
        """Whose name it was on a day: of who is named exactly so; where nobody is, of the one known company alike.

        Two companies that the registry or a person knows are never taken for each other: a name that is like those of
        both is ambiguous. What only deliveries named counts where nothing else does.
        """
        exact = [holding for holding in self.exact.get(alias_form(name), ()) if _in_force(holding, day)]
        if (best := max((holding.rank for holding in exact), default=_HEARD)) > _HEARD:
            return _one_of([holding for holding in exact if holding.rank == best])
        alike = [holding for holding in self.alike.get(matching_form(name), ()) if _in_force(holding, day)]
        known = [holding for holding in alike if holding.rank in (_CLAIMED, _NAMED, _CONFIRMED)]
        once = [holding for holding in alike if holding.rank == _ONCE]
        return _one_of(known or once or exact or alike) if alike else _UNKNOWN


def _one_of(found: list[_NameHolding]) -> NameMatch:
    companies = {holding.company for holding in found}
    if len(companies) == 1 or found[0].rank == _HEARD:  # of those that only deliveries named, the first that was
        return NameMatch(min(companies))
    return NameMatch(None, ambiguous=True)


def _in_force(holding: _NameHolding, day: date) -> bool:
    return (holding.start is None or holding.start <= day) and (holding.end is None or day < holding.end)


class _Claimed(NamedTuple):
    """What a claim says: the first four fields say which one it is."""

    company_id: int
    claim: Claim
    value: str
    valid_from: date | None
    valid_to: date | None


@dataclass(frozen=True)
class Directory:
    """Registry claims, looked up by value as of a day. Domains and abuse addresses are kept by keyed digest.

    `divided`: the digests of sites of which a name below is claimed.
    """

    holdings: dict[tuple[Claim, str | bytes], list[Holding]]
    prefixes_v4: RangeIndex
    prefixes_v6: RangeIndex
    prefix_names: list[str]
    names: Names = field(default_factory=Names)
    divided: frozenset[bytes] = frozenset()

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
        if row.claim is not Claim.ALIAS:
            holdings[row.claim, _lookup_value(row, vault)].append((row.company_id, row.valid_from, row.valid_to))
    divided = {
        vault.site_digest(site) for row in latest if row.claim is Claim.DOMAIN and (site := _site_above(row.value))
    }
    return _directory(dict(holdings), latest, load_names(session, latest), frozenset(divided))


def load_names(session: Session, latest: Sequence[_Claimed] | None = None) -> Names:
    """Names and aliases of all companies; a registered alias goes before a name. `latest`: the claims as they stand."""
    names, latest = Names(), _latest(session, None) if latest is None else latest
    registered = {row.company_id for row in latest}
    for row in latest:
        if row.claim is Claim.ALIAS:
            names.add(row.value, row.company_id, row.valid_from, row.valid_to, _CLAIMED)
    own = {(row.company_id, row.value) for row in latest if row.claim is Claim.ALIAS}
    details = list(session.scalars(select(CompanyDetail).order_by(CompanyDetail.id)))
    now = {detail.company_id: detail for detail in details}
    for company, name in dict.fromkeys((detail.company_id, detail.name) for detail in details):
        if (company, alias_form(name)) in own:
            continue  # the alias says from when to when it was its name
        names.add(name, company, None, now[company].ended_on, _rank(now[company], name, company in registered))
    return names


def _rank(detail: CompanyDetail, name: str, has_claims: bool) -> int:
    if detail.review:
        return _HEARD
    if not has_claims and detail.country is None:  # nobody has put it into the registry
        return _CONFIRMED
    return _NAMED if name == detail.name else _ONCE


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


def _directory(
    holdings: dict[tuple[Claim, str | bytes], list[Holding]],
    claims: list[_Claimed],
    names: Names | None = None,
    divided: frozenset[bytes] = frozenset(),
) -> Directory:
    prefixes = sorted({row.value for row in claims if row.claim is Claim.PREFIX})
    index = index_families(list(_prefix_ranges(prefixes)))
    return Directory(holdings, *index, prefixes, names or Names(), divided)


def _lookup_value(row: _Claimed, vault: Vault) -> str | bytes:
    if row.claim is Claim.DOMAIN:
        return vault.site_digest(row.value)
    return vault.digest(row.value) if row.claim is Claim.ABUSE_ADDRESS else row.value


def _site_above(host: str) -> str | None:
    """The site that a host is a part of; None where it is the whole site."""
    site = site_of(host)
    return None if site == host else site


def _prefix_ranges(names: Iterable[str]) -> Iterable[tuple[bytes, bytes, int]]:
    for index, name in enumerate(names):
        network = ipaddress.ip_network(name)
        yield packed(str(network[0])), packed(str(network[-1])), index


# Claims that two companies make at one time. Such a registry is refused: else whoever was read last would have it.

_TOLD = 5
_WORDS = {
    Claim.ALIAS: "name", Claim.ABUSE_ADDRESS: "abuse address", Claim.ASN: "ASN", Claim.PREFIX: "prefix",
    Claim.DOMAIN: "domain",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Holding:
    """A claim of a company: who makes it and where, and the place among its claims of that kind (0: its name)."""

    company: str
    where: str
    place: int
    record: ClaimRecord

    @property
    def what(self) -> str:
        """How it is told from the others. Never by its value: a domain or mail address may be one in a reported URL."""
        ordinal = f"{_WORDS[self.record.claim]} {self.place}" if self.place else "name"
        return f"{ordinal} of {self.where}"

    def overlaps(self, other: _Holding) -> bool:
        """Whether there is a day on which both hold."""
        return _first(self.record) < _end(other.record) and _first(other.record) < _end(self.record)


def own_name(record: CompanyRecord) -> ClaimRecord | None:
    """A company's name as a claim, until it ended; None where an alias says with dates when it was its name."""
    form = alias_form(record.name)
    if any(claim.claim is Claim.ALIAS and claim.value == form for claim in record.claims):
        return None
    return ClaimRecord(Claim.ALIAS, form, None, record.ended_on)


def require_no_conflict(session: Session, records: Sequence[CompanyRecord], today: date) -> None:
    """Raise DeliveryError where two companies claim one name, mail address, ASN, prefix or domain at one time.

    Held against each other are the companies of the file, and those that the database has beside them as they are in
    force. A more specific prefix within another company's, or a host below another's domain, is no conflict.
    """
    by_value: dict[tuple[Claim, str], list[_Holding]] = defaultdict(list)
    for holding in (*_of_file(records), *_of_database(session, {record.key for record in records}, today)):
        by_value[holding.record.claim, holding.record.value].append(holding)
    found = [
        f"{one.what} and {other.what}"
        for holdings in by_value.values()
        for one, other in combinations(holdings, 2)
        if one.company != other.company and one.overlaps(other)
    ]
    if found:
        more = f"; and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
        raise DeliveryError(
            f"claimed by two companies at one time: {'; '.join(found[:_TOLD])}{more}. "
            "Take each from one of the two, or say from when to when with valid_from and valid_to. Nothing was changed"
        )


def _of_file(records: Iterable[CompanyRecord]) -> Iterator[_Holding]:
    for record in records:
        where = record.where or record.key
        places: dict[Claim, int] = defaultdict(int)
        if (name := own_name(record)) is not None:
            yield _Holding(record.key, where, 0, name)
        for claim in record.claims:
            places[claim.claim] += 1
            yield _Holding(record.key, where, places[claim.claim], claim)


def _of_database(session: Session, but: set[str], today: date) -> Iterator[_Holding]:
    """The claims in force of the registered companies that the file does not name, and their names."""
    keys = {row.id: row.key for row in session.execute(select(Company.id, Company.key)) if row.key not in but}
    claims = {
        (row.company_id, row.claim, row.value, row.valid_from): row
        for row in session.scalars(select(CompanyClaim).order_by(CompanyClaim.id))
        if row.company_id in keys
    }
    details = {row.company_id: row for row in session.scalars(select(CompanyDetail).order_by(CompanyDetail.id))}
    of_company: dict[int, list[ClaimRecord]] = defaultdict(list)
    for row in claims.values():
        of_company[row.company_id].append(ClaimRecord(row.claim, row.value, row.valid_from, row.valid_to))
    for company, own in of_company.items():  # one that only a delivery or a table of networks named has none
        detail = details[company]
        where = f"{keys[company]} (registered before)"
        record = CompanyRecord(keys[company], detail.name, ended_on=detail.ended_on, claims=tuple(own), where=where)
        yield from (holding for holding in _of_file([record]) if _end(holding.record) > today)


def _first(record: ClaimRecord) -> date:
    return record.valid_from or date.min


def _end(record: ClaimRecord) -> date:
    return record.valid_to or date.max
