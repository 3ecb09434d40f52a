"""Address to ASN: the dated tables of ranges as sorted arrays, searched many addresses at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.formats.netblocks import packed
from monitor.models.company import Netblock, NetblockTable, Network

NOWHERE = -1
_V4 = b"\x00" * 10 + b"\xff\xff"

Keys = npt.NDArray[Any]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RangeIndex:
    """Ranges sorted by start; where they overlap, the one that starts last (the most specific) is found.

    `enclosing[i]` is the nearest earlier range that reaches beyond the end of range i, or NOWHERE.
    """

    first: Keys
    last: Keys
    value: Integers
    enclosing: Integers

    @classmethod
    def build(cls, first: Keys, last: Keys, value: Integers) -> RangeIndex:
        """An index over ranges [first, last], both included; the three arrays have one length."""
        widest_first = np.lexsort((np.arange(len(last)), -_order(last), _order(first)))
        first, last, value = first[widest_first], last[widest_first], value[widest_first]
        return cls(first, last, value, _enclosing(first, last))

    def find(self, keys: Keys) -> Integers:
        """The value of the range each key lies in, or NOWHERE."""
        order = np.argsort(keys)  # neighbours among the keys are found in neighbouring ranges: half the time
        result = np.full(len(keys), NOWHERE, dtype=np.int64)
        if len(self.first):
            result[order] = self._find_sorted(keys[order])
        return result

    def _find_sorted(self, keys: Keys) -> Integers:
        at = np.searchsorted(self.first, keys, side="right") - 1
        outside = (at >= 0) & (self.last[at] < keys)
        while outside.any():
            at[outside] = self.enclosing[at[outside]]
            outside = (at >= 0) & (self.last[at] < keys)
        return np.where(at >= 0, self.value[at], NOWHERE)


def _order(keys: Keys) -> Integers:
    """The rank of each key: numbers that sort as the keys do, whatever their type."""
    return np.unique(keys, return_inverse=True)[1].astype(np.int64)


def _enclosing(first: Keys, last: Keys) -> Integers:
    enclosing = np.full(len(first), NOWHERE, dtype=np.int64)
    reach = np.maximum.accumulate(_order(last))
    order_last = _order(last)
    overlapped = 1 + np.flatnonzero(_reached(first, last, reach, order_last))
    for index in overlapped:  # few: published tables hardly overlap
        candidate = int(index) - 1
        while candidate != NOWHERE and order_last[candidate] <= order_last[index]:
            candidate = int(enclosing[candidate])
        enclosing[index] = candidate
    return enclosing


def _reached(first: Keys, last: Keys, reach: Integers, order_last: Integers) -> npt.NDArray[np.bool_]:
    """Which ranges (from the second on) start before an earlier one has ended."""
    by_rank = np.empty(int(order_last.max(initial=0)) + 1, dtype=last.dtype)
    by_rank[order_last] = last
    result: npt.NDArray[np.bool_] = by_rank[reach[:-1]] >= first[1:]
    return result


@dataclass(frozen=True)
class NetworkTable:
    """One dated table: ASN of an address, organisation of an ASN."""

    identifier: int
    dated: date
    v4: RangeIndex
    v6: RangeIndex
    organisations: dict[int, str]

    def find(self, addresses: list[str]) -> Integers:
        """ASN of each address, or NOWHERE."""
        return find_addresses(self.v4, self.v6, addresses)


def find_addresses(v4: RangeIndex, v6: RangeIndex, addresses: list[str]) -> Integers:
    """Look each address up in the index of its family."""
    keys = [packed(address) for address in addresses]
    is_v4 = np.array([key.startswith(_V4) for key in keys], dtype=bool)
    result = np.full(len(keys), NOWHERE, dtype=np.int64)
    if is_v4.any():
        result[is_v4] = v4.find(v4_keys([key for key in keys if key.startswith(_V4)]))
    if not is_v4.all():
        result[~is_v4] = v6.find(np.array([key for key in keys if not key.startswith(_V4)], dtype="S16"))
    return result


def v4_keys(keys: list[bytes]) -> Integers:
    """The last four bytes of mapped IPv4 addresses as numbers."""
    return np.frombuffer(b"".join(key[12:] for key in keys), dtype=">u4").astype(np.int64)


def index_families(ranges: list[tuple[bytes, bytes, int]]) -> tuple[RangeIndex, RangeIndex]:
    """One index for IPv4 and one for IPv6 of (first, last, value) with 16-byte ends."""
    v4 = [row for row in ranges if row[0].startswith(_V4)]
    v6 = [row for row in ranges if not row[0].startswith(_V4)]
    return (
        RangeIndex.build(v4_keys([r[0] for r in v4]), v4_keys([r[1] for r in v4]), _values(v4)),
        RangeIndex.build(
            np.array([r[0] for r in v6], dtype="S16"), np.array([r[1] for r in v6], dtype="S16"), _values(v6)
        ),
    )


def _values(ranges: list[tuple[bytes, bytes, int]]) -> Integers:
    return np.array([row[2] for row in ranges], dtype=np.int64)


def load_tables(session: Session) -> list[NetworkTable]:
    """All tables of networks there are, oldest first."""
    rows = session.execute(
        select(NetblockTable.id, NetblockTable.dated).order_by(NetblockTable.dated, NetblockTable.id)
    )
    return [_load_table(session, identifier, dated) for identifier, dated in rows]


def _load_table(session: Session, identifier: int, dated: date) -> NetworkTable:
    ranges = session.execute(select(Netblock.first, Netblock.last, Netblock.asn).where(Netblock.table_id == identifier))
    v4, v6 = index_families([(first, last, asn) for first, last, asn in ranges])
    names = session.execute(select(Network.asn, Network.organisation).where(Network.table_id == identifier))
    return NetworkTable(identifier, dated, v4, v6, {row.asn: row.organisation for row in names})


def table_as_of(tables: list[NetworkTable], day: date) -> NetworkTable | None:
    """The newest table dated that day or before; the oldest one for a day before all tables."""
    earlier = [table for table in tables if table.dated <= day]
    candidates = earlier or tables[:1]
    return candidates[-1] if candidates else None
