"""What the registry lets the public know of a company: its other names, its networks and its ranges.

Never shown: abuse addresses, for they are mailboxes; domains, for a rule may name a site that was reported; and
ranges so narrow that they point at one server.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.instants import to_datetime
from monitor.models.company import Company, CompanyClaim
from monitor.names import alias_form
from monitor.period import Period, parse_period
from monitor.vocabulary import Claim

_TOLD = (Claim.ALIAS, Claim.ASN, Claim.PREFIX)
_NARROWEST = {4: 24, 6: 48}  # what the routing tables of the internet show anyway
_OWN_NETWORK = re.compile(r"as(\d{1,10})")


@dataclass(frozen=True, slots=True)
class Holding:
    """One name, network or range; the days are given only where it began or ended within the period."""

    value: str
    begins: date | None
    ends: date | None


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a company held in a period, as the registry knew it then; `narrower` ranges are not shown."""

    aliases: tuple[Holding, ...]
    networks: tuple[Holding, ...]
    ranges: tuple[Holding, ...]
    narrower: int

    def __bool__(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.aliases or self.networks or self.ranges or self.narrower)


def holdings(session: Session, key: str, name: str, period: str, known_at: str) -> Holdings:
    """Of the company with that key, what was recorded by `known_at` (ISO 8601) and held at some time in the period.

    Aliases are those that do not read as its name. A company that is named after its network (`as64496`) holds that
    one where the registry names none.
    """
    span = parse_period(period)
    recorded = _recorded(session, key, datetime.fromisoformat(known_at))
    held = {kind: [row for row in recorded if row.claim is kind and _held(row, span)] for kind in _TOLD}
    ranges = sorted(held[Claim.PREFIX], key=lambda row: (":" in row.value, ipaddress.ip_network(row.value)))
    wide = [row for row in ranges if not _narrow(row.value)]
    return Holdings(
        aliases=_told((row for row in held[Claim.ALIAS] if row.value != alias_form(name)), span),
        networks=_told(sorted(held[Claim.ASN], key=lambda row: int(row.value)), span, "AS") or _own_network(key),
        ranges=_told(wide, span),
        narrower=len(ranges) - len(wide),
    )


def _recorded(session: Session, key: str, known_at: datetime) -> list[CompanyClaim]:
    """Each claim as it was recorded last by then."""
    query = (
        select(CompanyClaim)
        .join(Company, Company.id == CompanyClaim.company_id)
        .where(Company.key == key, CompanyClaim.recorded_at <= known_at)
        .where(CompanyClaim.claim.in_(_TOLD))
        .order_by(CompanyClaim.value, CompanyClaim.id)
    )
    return list({(row.claim, row.value, row.valid_from): row for row in session.scalars(query)}.values())


def _held(claim: CompanyClaim, period: Period) -> bool:
    start, end = _days(period)
    began = claim.valid_from is None or claim.valid_from < end
    return began and (claim.valid_to is None or claim.valid_to > start)


def _days(period: Period) -> tuple[date, date]:
    return to_datetime(period.start).date(), to_datetime(period.end).date()


def _narrow(prefix: str) -> bool:
    network = ipaddress.ip_network(prefix)
    return network.prefixlen > _NARROWEST[network.version]


def _told(claims: Iterable[CompanyClaim], period: Period, sign: str = "") -> tuple[Holding, ...]:
    start, end = _days(period)

    def within(day: date | None) -> date | None:
        return day if day is not None and start < day < end else None

    return tuple(Holding(sign + claim.value, within(claim.valid_from), within(claim.valid_to)) for claim in claims)


def _own_network(key: str) -> tuple[Holding, ...]:
    found = _OWN_NETWORK.fullmatch(key)
    return (Holding(f"AS{found[1]}", None, None),) if found else ()
