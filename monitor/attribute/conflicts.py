"""Claims that two companies make at one time. Such a registry is refused: else whoever was read last would have it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.errors import DeliveryError
from monitor.formats.registry import ClaimRecord, CompanyRecord
from monitor.models.company import Company, CompanyClaim, CompanyDetail
from monitor.names import alias_form
from monitor.vocabulary import Claim

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
