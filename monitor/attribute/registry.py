"""Loading the registry of companies; loading the same thing twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.db import lock_writers
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


def load_registry(session: Session, records: Iterable[CompanyRecord], recorded_at: datetime) -> RegistryAnswer:
    """Add what is new or different. A claim the file no longer makes ends; nothing is overwritten."""
    lock_writers(session)
    counts = dict.fromkeys(("companies", "new", "changed", "claims_added", "claims_ended"), 0)
    for record in records:
        company, is_new = find_or_add_company(session, record.key, recorded_at)
        counts["companies"] += 1
        counts["new"] += is_new
        detail = CompanyDetail(
            company_id=company.id,
            name=record.name,
            country=record.country,
            registration=record.registration,
            proxy=record.proxy,
            review=False,
            recorded_at=recorded_at,
        )
        counts["changed"] += _add_detail(session, detail) and not is_new
        added, ended = _update_claims(session, company.id, record.claims, recorded_at)
        counts["claims_added"] += added
        counts["claims_ended"] += ended
    session.flush()
    return RegistryAnswer(**counts)


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
    fields = ("name", "country", "registration", "proxy", "review")
    if known is not None and all(getattr(known, name) == getattr(detail, name) for name in fields):
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
