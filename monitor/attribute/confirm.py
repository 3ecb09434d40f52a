"""Who a company is, confirmed by a person: no name that only a delivery or a table of networks gave is published."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monitor import audit
from monitor.errors import MonitorError
from monitor.models.company import Company, CompanyDetail


def unconfirmed(session: Session, keys: Collection[str] | None = None) -> list[dict[str, str]]:
    """The companies (of those `keys`, where given) that nobody has confirmed: `company` and `name`, by key."""
    newest = select(func.max(CompanyDetail.id)).group_by(CompanyDetail.company_id)
    query = (
        select(Company.key, CompanyDetail.name)
        .join(CompanyDetail, CompanyDetail.company_id == Company.id)
        .where(CompanyDetail.id.in_(newest), CompanyDetail.review)
        .order_by(Company.key)
    )
    found = session.execute(query)
    return [{"company": key, "name": name} for key, name in found if keys is None or key in keys]


def confirm(session: Session, keys: Sequence[str], at: datetime, actor: str) -> list[dict[str, str]]:
    """Record that `actor` has confirmed the companies of these keys; those that it was news for.

    Raises MonitorError, with nothing recorded, where there is no company of a key.
    """
    known = {key: number for number, key in session.execute(select(Company.id, Company.key)) if key in set(keys)}
    for place, key in enumerate(keys, 1):
        if key not in known:
            raise MonitorError(f"there is no company of key {place} of the {len(keys)} given; see `monitor attribute`")
    waiting = unconfirmed(session, keys)
    for row in waiting:
        company = known[row["company"]]
        query = select(CompanyDetail).where(CompanyDetail.company_id == company).order_by(CompanyDetail.id.desc())
        last = session.scalars(query.limit(1)).one()
        session.add(
            CompanyDetail(
                company_id=company, name=last.name, country=last.country, registration=last.registration,
                proxy=last.proxy, review=False, recorded_at=at,
            )
        )  # fmt: skip
        audit.record(session, at, actor, "company.confirm", row["company"], {})
    session.flush()
    return waiting
