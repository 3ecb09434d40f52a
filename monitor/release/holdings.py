"""What the registry lets the public know of a company: its other names, its networks and its ranges.

Never shown: abuse addresses, for they are mailboxes; domains, for a rule may name a site that was reported; and
ranges so narrow that they point at one server.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.disclosure.rows import PublicTable, Row
from monitor.instants import to_datetime
from monitor.models.company import Company, CompanyClaim
from monitor.names import alias_form
from monitor.period import Period, parse_period
from monitor.release.published import Holding, Holdings
from monitor.vocabulary import Claim

_TOLD = (Claim.ALIAS, Claim.ASN, Claim.PREFIX)
_NARROWEST = {4: 24, 6: 48}  # what the routing tables of the internet show anyway
_OWN_NETWORK = re.compile(r"as(\d{1,10})")


def all_holdings(session: Session, table: PublicTable) -> dict[str, Holdings]:
    """By company of a table what was recorded when it was made, and held at some time in its period.

    Aliases are those that do not read as its name. A company that is named after its network (`as64496`) holds that
    one where the registry names none.
    """
    recorded = _recorded(session, datetime.fromisoformat(table.known_at))
    found = {row.company: _holdings(row, recorded.get(row.company, ()), table.period) for row in table.rows}
    return {key: held for key, held in found.items() if held}


def _holdings(row: Row, recorded: Iterable[CompanyClaim], period: str) -> Holdings:
    span = parse_period(period)
    held = {kind: [claim for claim in recorded if claim.claim is kind and _held(claim, span)] for kind in _TOLD}
    ranges = sorted(held[Claim.PREFIX], key=lambda claim: (":" in claim.value, ipaddress.ip_network(claim.value)))
    wide = [claim for claim in ranges if not _narrow(claim.value)]
    return Holdings(
        aliases=_told((claim for claim in held[Claim.ALIAS] if claim.value != alias_form(row.name)), span),
        networks=_told(sorted(held[Claim.ASN], key=lambda claim: int(claim.value)), span, "AS")
        or _own_network(row.company),
        ranges=_told(wide, span),
        narrower=len(ranges) - len(wide),
    )


def _recorded(session: Session, known_at: datetime) -> dict[str, list[CompanyClaim]]:
    """By company each claim as it was recorded last by then."""
    query = (
        select(Company.key, CompanyClaim)
        .join(Company, Company.id == CompanyClaim.company_id)
        .where(CompanyClaim.recorded_at <= known_at, CompanyClaim.claim.in_(_TOLD))
        .order_by(CompanyClaim.value, CompanyClaim.id)
    )
    last = {(key, row.claim, row.value, row.valid_from): row for key, row in session.execute(query)}
    found: dict[str, list[CompanyClaim]] = {}
    for (key, *_), row in last.items():
        found.setdefault(key, []).append(row)
    return found


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
