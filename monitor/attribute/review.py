"""What a person reviews: unattributed items, contradictions, and companies whose name only a delivery gave.

No name that only a delivery or a table of networks gave is published before a person has confirmed it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from monitor import audit
from monitor.attribute.directory import load_names
from monitor.attribute.registry import DETAIL_FIELDS
from monitor.errors import MonitorError
from monitor.models.company import Company, CompanyDetail
from monitor.models.facts import Attribution, Notice
from monitor.names import names_nobody
from monitor.vocabulary import Basis, Role


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
        same = {name: getattr(last, name) for name in DETAIL_FIELDS}
        session.add(CompanyDetail(company_id=company, recorded_at=at, **(same | {"review": False})))
        audit.record(session, at, actor, "company.confirm", row["company"], {})
    session.flush()
    return waiting


@dataclass(frozen=True)
class Review:
    """Contents by basis; contents nobody could be named for; contradictions; companies to confirm.

    `ambiguous`: names of recipients that may be of several registered companies, and how many notices have each.
    """

    by_basis: dict[str, int]
    unattributed: list[int]
    contradictions: list[dict[str, Any]]
    to_confirm: list[dict[str, str]]
    ambiguous: list[dict[str, Any]]


def review(session: Session) -> Review:
    """The list of `monitor attribute`, from the attributions in force. Content is named by its number only."""
    latest = _latest().subquery()
    counts = session.execute(select(latest.c.basis, func.count()).group_by(latest.c.basis))
    nobody = select(latest.c.content_id).where(latest.c.basis == Basis.NONE).order_by(latest.c.content_id)
    by_basis = {str(basis): count for basis, count in counts}
    contradictions, ambiguous = _contradictions(session, latest), _ambiguous(session)
    return Review(by_basis, list(session.scalars(nobody)), contradictions, unconfirmed(session), ambiguous)


def _ambiguous(session: Session) -> list[dict[str, Any]]:
    """Asked as of the last notice to each name."""
    query = select(Notice.recipient, func.count(), func.max(Notice.sent_at)).group_by(Notice.recipient)
    rows = session.execute(query.where(Notice.recipient.is_not(None), Notice.recipient_role == Role.HOSTER))
    names = load_names(session)
    return [
        {"name": name, "notices": count}
        for name, count, last in sorted(rows, key=lambda row: (-row[1], row[0]))
        if name and not names_nobody(name) and names.find(name, last.date()).ambiguous
    ]


def _latest() -> Any:
    """Per content the attribution in force last."""
    newest_first = [column.desc() for column in Attribution.precedence()]
    place = func.row_number().over(partition_by=Attribution.content_id, order_by=newest_first)
    ranked = select(Attribution, place.label("place")).subquery()
    return select(ranked).where(ranked.c.place == 1)


def _contradictions(session: Session, latest: Any) -> list[dict[str, Any]]:
    one, other = aliased(Company), aliased(Company)
    query = (
        select(one.key, other.key, latest.c.basis, func.count())
        .join(one, one.id == latest.c.company_id)
        .join(other, other.id == latest.c.other_company_id)
        .group_by(one.key, other.key, latest.c.basis)
        .order_by(func.count().desc(), one.key, other.key)
    )
    return [
        {"company": company, "other": contradicting, "basis": str(basis), "contents": count}
        for company, contradicting, basis, count in session.execute(query)
    ]
