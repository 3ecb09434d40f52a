"""How much of the internet a company announces: IPv4 addresses, and IPv6 in networks of /48, as of a day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.attribute.directory import load_claims
from monitor.attribute.locate import network_key
from monitor.attribute.networks import NOWHERE, V4, V6, RangeIndex
from monitor.attribute.steps import Steps, flatten
from monitor.attribute.tables import load_tables
from monitor.formats.announcements import UNTOLD
from monitor.models.company import Company
from monitor.vocabulary import Claim

_SLASH_48 = 2**80  # addresses: the smallest network that is commonly announced, and what one site is given


@dataclass(frozen=True)
class Announced:
    """IPv4 addresses, and whole /48s of IPv6; None where no table speaks of the family, never 0 for that."""

    v4: int | None
    v6: int | None


def announced(session: Session, known_at: datetime, day: date) -> dict[int, Announced]:
    """By company what it announced on a day, by the registry and the tables recorded by `known_at`.

    An address counts where the table of that day has it announced, for the company of the most specific registered
    prefix around it, else for the company of its ASN (the claim, else the network itself): as notices are attributed.
    Companies that announce nothing are absent.
    """
    claims = load_claims(session, known_at)
    keys = select(Company.key, Company.id).where(Company.recorded_at <= known_at)
    networks = {row.key: row.id for row in session.execute(keys)}

    def company(prefix: str | None, asn: int) -> int | None:
        held = claims.company(Claim.PREFIX, prefix, day) if prefix else None
        if held is None and asn != UNTOLD:
            held = claims.company(Claim.ASN, str(asn), day)
            held = networks.get(network_key(asn)) if held is None else held
        return held

    tables = load_tables(session, known_at)
    sums: dict[int, dict[int, int] | None] = {}
    for family, index in ((V4, claims.prefixes_v4), (V6, claims.prefixes_v6)):
        header = tables.as_of(day, family)
        steps = tables.read(header.identifier, family) if header else None
        sums[family] = volume(steps, index, claims.prefix_names, company) if steps else None
    v4, v6 = sums[V4], sums[V6]
    return {
        holder: Announced(
            None if v4 is None else v4.get(holder, 0), None if v6 is None else v6.get(holder, 0) // _SLASH_48
        )
        for holder in (v4 or {}).keys() | (v6 or {}).keys()
    }


def volume(
    steps: Steps, prefixes: RangeIndex, names: list[str], company: Callable[[str | None, int], int | None]
) -> dict[int, int]:
    """Addresses by company: each announced one is counted once, for `company(its registered prefix, its origin)`."""
    registered = flatten(steps.family, prefixes)
    start = np.union1d(steps.start, registered.start)
    positions = Steps(steps.family, start, start).positions
    origins, inside = steps.find(start).tolist(), registered.find(start).tolist()
    sizes: Counter[tuple[int, int]] = Counter()
    for (first, following), origin, prefix in zip(pairwise(positions), origins, inside, strict=True):
        if origin != NOWHERE:
            sizes[prefix, origin] += following - first
    totals: Counter[int] = Counter()
    for (prefix, origin), size in sizes.items():
        holder = company(None if prefix == NOWHERE else names[prefix], origin)
        if holder is not None:
            totals[holder] += size
    return dict(totals)
