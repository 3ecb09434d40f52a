"""The dated tables of networks: which one is asked for a day, and the origins of its addresses, read when asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache, partial
from typing import TypeAlias

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.attribute.interval_map import IntervalMap, unpack
from monitor.attribute.networks import V4
from monitor.models.company import NetblockSteps, NetblockTable, Network
from monitor.names import named

# Of two tables of one day: what the operator chose, then what counts how many peers saw an origin, then what does not.
PRECEDENCE = ("ranges", "ris", "pfx2as")
_KEPT = 8  # tables held in memory, about 15 MB each

Read: TypeAlias = Callable[[int, int], IntervalMap]


@dataclass(frozen=True)
class TableHeader:
    """A table but for its addresses."""

    identifier: int
    dated: date
    format: str
    rows: int
    ranges_v4: int
    ranges_v6: int

    def ranges(self, family: int) -> int:
        """How many ranges of a family it has; 0: it is silent on that family."""
        return self.ranges_v4 if family == V4 else self.ranges_v6


@dataclass(frozen=True)
class Tables:
    """All headers, the one that goes before all others last, and how to read the steps of a (table, family)."""

    headers: Sequence[TableHeader]
    read: Read

    def as_of(self, day: date, family: int) -> TableHeader | None:
        """The newest table dated that day or before that speaks of the family.

        For a day before all of them it is the oldest: an address seldom changes hands, and nobody at all would be
        further from the truth. None where no table speaks of the family.
        """
        speaking = [header for header in self.headers if header.ranges(family)]
        earlier = [header for header in speaking if header.dated <= day]
        return earlier[-1] if earlier else oldest(speaking)


def oldest(headers: Sequence[TableHeader]) -> TableHeader | None:
    """The table of the first day; of several, the one that goes before the others."""
    first = min((header.dated for header in headers), default=None)
    return [header for header in headers if header.dated == first][-1] if headers else None


def load_tables(session: Session, known_at: datetime | None = None) -> Tables:
    """The tables there are, or that were recorded by `known_at`."""
    query = select(NetblockTable)
    rows = session.scalars(query if known_at is None else query.where(NetblockTable.recorded_at <= known_at))
    return Tables(
        sorted(map(header, rows), key=lambda h: (h.dated, -PRECEDENCE.index(h.format), h.identifier)),
        lru_cache(_KEPT)(partial(read_steps, session)),
    )


def header(row: NetblockTable) -> TableHeader:
    """What stands at the head of a table."""
    return TableHeader(row.id, row.dated, row.format, row.rows, row.ranges_v4, row.ranges_v6)


def read_steps(session: Session, table_id: int, family: int) -> IntervalMap:
    """The origins of one family in a table; none where it is silent on that family."""
    packed = session.scalar(
        select(NetblockSteps.packed).where(NetblockSteps.table_id == table_id, NetblockSteps.family == family)
    )
    if packed is None:
        nothing = np.array([], dtype=np.int64 if family == V4 else "S16")
        return IntervalMap(family, nothing, np.array([], dtype=np.int64))
    return unpack(family, packed)


def organisation(session: Session, tables: Tables, asn: int, day: date) -> str:
    """How the newest table not after the day that names the ASN names it, else the oldest that does; or nothing."""
    rows = session.execute(select(Network.table_id, Network.organisation).where(Network.asn == asn))
    names = {row.table_id: row.organisation for row in rows if named(row.organisation)}
    naming = [header for header in tables.headers if header.identifier in names]
    earlier = [header for header in naming if header.dated <= day]
    chosen = earlier[-1] if earlier else oldest(naming)
    return names[chosen.identifier] if chosen else ""
