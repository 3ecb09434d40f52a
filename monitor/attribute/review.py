"""What a person should look at: unattributed items, contradictions, and recipients nobody knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from monitor.attribute.confirm import unconfirmed
from monitor.models.company import Company
from monitor.models.facts import Attribution
from monitor.vocabulary import Basis


@dataclass(frozen=True)
class Review:
    """Contents by basis; contents nobody could be named for; contradictions; companies to confirm."""

    by_basis: dict[str, int]
    unattributed: list[int]
    contradictions: list[dict[str, Any]]
    to_confirm: list[dict[str, str]]


def review(session: Session) -> Review:
    """The list of `monitor attribute`, from the attributions in force. Content is named by its number only."""
    latest = _latest().subquery()
    counts = session.execute(select(latest.c.basis, func.count()).group_by(latest.c.basis))
    nobody = select(latest.c.content_id).where(latest.c.basis == Basis.NONE).order_by(latest.c.content_id)
    by_basis = {str(basis): count for basis, count in counts}
    return Review(by_basis, list(session.scalars(nobody)), _contradictions(session, latest), unconfirmed(session))


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
