"""Loading the registry of companies; loading the same thing twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.attribute.conflicts import require_no_conflict
from monitor.db import lock_writers
from monitor.errors import DeliveryError
from monitor.formats.registry import ClaimRecord, CompanyRecord
from monitor.models.company import Company, CompanyClaim, CompanyDetail


@dataclass(frozen=True)
class RegistryAnswer:
    """How many companies the file names, how many were new or changed, and claims added or ended."""

    companies: int
    new: int
    changed: int
    claims_added: int
    claims_ended: int


DETAIL_FIELDS = (
    "name", "country", "legal_name", "legal_form", "registration", "natural_person", "parent_id", "successor_id",
    "ended_on", "proxy", "review",
)  # fmt: skip


def load_registry(session: Session, records: Iterable[CompanyRecord], recorded_at: datetime) -> RegistryAnswer:
    """Add what is new or different. A claim the file no longer makes ends; nothing is overwritten.

    Raises DeliveryError, with nothing added, where a company names a parent or successor that nobody knows, where
    these go round in a circle, and where two companies claim the same at one time.
    """
    lock_writers(session)
    records = list(records)
    _check_relations(session, records)
    require_no_conflict(session, records, recorded_at.date())
    counts = dict.fromkeys(("companies", "new", "changed", "claims_added", "claims_ended"), 0)
    companies = {record.key: find_or_add_company(session, record.key, recorded_at) for record in records}
    identifiers = {row.key: row.id for row in session.execute(select(Company.key, Company.id))}
    for record in records:
        company, is_new = companies[record.key]
        counts["companies"] += 1
        counts["new"] += is_new
        detail = _detail(record, identifiers, recorded_at)
        counts["changed"] += _add_detail(session, detail) and not is_new
        added, ended = _update_claims(session, company.id, record.claims, recorded_at)
        counts["claims_added"] += added
        counts["claims_ended"] += ended
    session.flush()
    return RegistryAnswer(**counts)


def _detail(record: CompanyRecord, identifiers: Mapping[str, int], recorded_at: datetime) -> CompanyDetail:
    same = {
        name: getattr(record, name) for name in DETAIL_FIELDS if name not in ("parent_id", "successor_id", "review")
    }
    return CompanyDetail(
        company_id=identifiers[record.key],
        parent_id=identifiers[record.parent] if record.parent else None,
        successor_id=identifiers[record.successor] if record.successor else None,
        review=False,
        recorded_at=recorded_at,
        **same,
    )


def latest_details(session: Session) -> dict[int, CompanyDetail]:
    """What is known of each company now, by its id."""
    return {row.company_id: row for row in session.scalars(select(CompanyDetail).order_by(CompanyDetail.id))}


def _check_relations(session: Session, records: Sequence[CompanyRecord]) -> None:
    """Raise DeliveryError for a parent or successor that nobody knows, and for a circle of them."""
    keys = {row.id: row.key for row in session.execute(select(Company.id, Company.key))}
    known = {*keys.values(), *(record.key for record in records)}
    details = latest_details(session).values()
    for relation in ("parent", "successor"):
        others = {keys[row.company_id]: keys.get(getattr(row, f"{relation}_id") or 0) for row in details}
        others |= {record.key: getattr(record, relation) for record in records}
        for record in records:
            other = others[record.key]
            if other and other not in known:
                raise DeliveryError(
                    f"{record.where}: `{relation}` names the key {other!r}, which no company has; "
                    "add that company to the file, or leave it out"
                )
            if other and _returns(others, record.key):
                raise DeliveryError(
                    f"{record.where}: `{relation}` leads back to {record.key} by way of {other}; "
                    f"one of them has no {relation}"
                )


def _returns(others: Mapping[str, str | None], key: str) -> bool:
    """Whether following a relation from a company comes back to it."""
    seen: set[str] = set()
    at = others.get(key)
    while at is not None and at not in seen:
        if at == key:
            return True
        seen.add(at)
        at = others.get(at)
    return False


def find_or_add_company(session: Session, key: str, recorded_at: datetime) -> tuple[Company, bool]:
    """The company under that key, and whether it had to be added."""
    company = session.scalars(select(Company).where(Company.key == key)).one_or_none()
    if company is not None:
        return company, False
    company = Company(key=key, recorded_at=recorded_at)
    session.add(company)
    session.flush()
    return company, True


def _add_detail(session: Session, detail: CompanyDetail) -> bool:
    """Append the detail where it differs from the one in force."""
    latest = select(CompanyDetail).where(CompanyDetail.company_id == detail.company_id)
    known = session.scalars(latest.order_by(CompanyDetail.id.desc()).limit(1)).one_or_none()
    if known is not None and all(getattr(known, name) == getattr(detail, name) for name in DETAIL_FIELDS):
        return False
    session.add(detail)
    return True


def _update_claims(
    session: Session, company_id: int, wanted: Iterable[ClaimRecord], recorded_at: datetime
) -> tuple[int, int]:
    """Append claims that are new, and for those the file dropped a row that ends them the day they were dropped."""
    known = {
        (row.claim, row.value, row.valid_from): row
        for row in session.scalars(
            select(CompanyClaim).where(CompanyClaim.company_id == company_id).order_by(CompanyClaim.id)
        )
    }
    named = {(record.claim, record.value, record.valid_from): record for record in wanted}
    new = [record for key, record in named.items() if key not in known or known[key].valid_to != record.valid_to]
    today = recorded_at.date()
    dropped = [
        ClaimRecord(row.claim, row.value, row.valid_from, today)
        for key, row in known.items()
        if key not in named and row.valid_to is None
    ]
    session.add_all(
        CompanyClaim(
            company_id=company_id,
            claim=record.claim,
            value=record.value,
            valid_from=record.valid_from,
            valid_to=record.valid_to,
            recorded_at=recorded_at,
        )
        for record in (*new, *dropped)
    )
    session.flush()
    return len(new), len(dropped)
