"""When an item is offline or has moved, by what a server or a DNS resolver answers: errors towards "nobody knows"."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.attribute.locate import AddressMatch
from monitor.models.company import CompanyDetail
from monitor.models.facts import Attribution
from monitor.models.run import ObserverState
from monitor.observe.items import item_numbers
from monitor.vocabulary import Basis, State

# What a server's answer says of an item, and when an item is offline. Each rule errs towards "nobody knows".

FAILURES = 3
APART = timedelta(minutes=15)
_GONE = frozenset({404, 410, 451})  # not there, not there any more, not for legal reasons


def meaning(status: int | None) -> State:
    """The state that an HTTP status (None: no answer) speaks for.

    ONLINE for 2xx. OFFLINE, one failure of the three, for 404, 410 and 451. UNKNOWN for all else: a redirect may lead
    to the item or to a front page; 401 and 403 may be for us alone; 405 and 501 refuse the question, 429 and 5xx say
    how the server is; and who gets no answer, or a bad certificate, cannot tell the server's fault from his own.
    """
    if status is not None and 200 <= status < 300:
        return State.ONLINE
    return State.OFFLINE if status in _GONE else State.UNKNOWN


def conclude(state: ObserverState, status: int | None, now: datetime) -> State:
    """Count the answer in `state`, and say what may be concluded: OFFLINE at the third failure in a row.

    A failure less than APART after the one before it is not counted. What is unknown neither counts nor clears.
    """
    seen = meaning(status)
    if seen is State.ONLINE:
        state.failures, state.failed_at = 0, None
    if seen is not State.OFFLINE:
        return seen
    if state.failed_at is None or state.failed_at + APART <= now:
        state.failures, state.failed_at = state.failures + 1, now
    if state.failures < FAILURES:
        return State.UNKNOWN
    state.failures, state.failed_at = 0, None
    return State.OFFLINE


# When the addresses of a name say that an item moved to another company. Each rule errs towards "it did not".

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
