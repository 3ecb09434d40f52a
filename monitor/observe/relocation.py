"""When the addresses of a name say that an item moved to another company. Each rule errs towards "it did not"."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.attribute.locate import AddressMatch
from monitor.models.company import CompanyDetail
from monitor.models.facts import Attribution
from monitor.models.run import ObserverState
from monitor.observe.items import item_numbers
from monitor.vocabulary import Basis

LOOKS = 2  # an interval apart
_BY_ADDRESS = (Basis.IP_RANGE, Basis.ASN)
_WHEREVER_IT_LIES = (Basis.DECISION, Basis.DOMAIN_RULE)


@dataclass(frozen=True, slots=True)
class Standing:
    """The attribution in force: whose the item is, on which basis, and whom its address named instead."""

    company_id: int | None
    basis: Basis
    other_company_id: int | None = None

    @property
    def by_address(self) -> int | None:
        """The company, where it was its address that named it."""
        return self.company_id if self.basis in _BY_ADDRESS else None


@dataclass(frozen=True, slots=True)
class Move:
    """An item moved: to a place, or None where its addresses lie at several companies."""

    place: AddressMatch | None


def located(places: Sequence[AddressMatch], proxies: Collection[int]) -> frozenset[int]:
    """The companies that a name's addresses lie at.

    Empty where there is no address, one of them lies nowhere, or one at a reverse proxy: what is behind it is hidden.
    """
    companies = {place.company_id for place in places if place.company_id is not None}
    complete = all(place.company_id is not None for place in places)
    return frozenset(companies) if complete and not companies & set(proxies) else frozenset()


def move(
    standing: Standing | None, before: int | None, places: Sequence[AddressMatch], proxies: Collection[int]
) -> Move | None:
    """Whether an item that its attribution puts at `standing` and its address put at `before` has moved, and where to.

    It has where every address now lies at a company that is neither of these, nor the one its address contradicted
    the attribution with. What rests on a decision or a domain rule is not moved by an address. Of an item whose
    earlier place is not known, or was behind a proxy, nobody can say that it moved.
    """
    now = located(places, proxies)
    if standing is None or standing.company_id is None or standing.basis in _WHEREVER_IT_LIES or not now:
        return None
    if before is None or {before, standing.company_id} & set(proxies):
        return None
    if now & {before, standing.company_id, standing.other_company_id}:
        return None
    return Move(places[0] if len(now) == 1 else None)


def confirmed(state: ObserverState, now: datetime, *, elsewhere: bool) -> bool:
    """Whether this look is the LOOKS-th in a row to find a name elsewhere: one answer of a resolver ends no clock."""
    state.failures, state.failed_at = (state.failures + 1, now) if elsewhere else (0, None)
    if state.failures < LOOKS:
        return False
    state.failures, state.failed_at = 0, None
    return True


def standings(session: Session, contents: Collection[int], at: datetime) -> dict[int, Standing]:
    """By item the attribution in force at a moment."""
    items = item_numbers()
    query = (
        select(items.c.item, Attribution.company_id, Attribution.basis, Attribution.other_company_id)
        .join(items, items.c.id == Attribution.content_id)
        .where(items.c.item.in_(list(contents)), Attribution.valid_from <= at)
        .order_by(*Attribution.precedence())
    )
    return {item: Standing(company, basis, other) for item, company, basis, other in session.execute(query)}


def proxies(session: Session) -> frozenset[int]:
    """The companies that are reverse proxies."""
    return frozenset(detail.company_id for detail in _details(session) if detail.proxy)


def country(session: Session, company_id: int) -> str | None:
    """The country of a company, where it is known."""
    return next((detail.country for detail in _details(session) if detail.company_id == company_id), None)


def _details(session: Session) -> Iterable[CompanyDetail]:
    """Of each company the detail in force."""
    rows = session.scalars(select(CompanyDetail).order_by(CompanyDetail.id))
    return {detail.company_id: detail for detail in rows}.values()
