"""Dated tables of networks: loading one as a whole and once, and how much of the internet a company announces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.attribute.directory import load_claims
from monitor.attribute.locate import TableHeader, load_tables, network_key, read_steps
from monitor.attribute.networks import NO_MATCH, V4, V6, IntervalMap, RangeIndex, flatten, pack, share_changed
from monitor.db import bulk_insert, lock_writers, next_identifier, table_of
from monitor.errors import DeliveryError
from monitor.formats.announcements import UNKNOWN_ORIGIN, read_pfx2as, read_ris
from monitor.formats.files import Openable, fingerprint
from monitor.formats.netblocks import MAPPED, Counted, NetblockRecord, read_netblocks
from monitor.models.company import Company, NetblockSteps, NetblockTable, Network
from monitor.vocabulary import Claim

# Loading a dated table of networks as a whole, once, and only where it is plausible beside the one before it.

MOST_CHANGED = 0.25  # share of the addresses; from one day to the next it is about a hundredth
LEAST_RATIO, MOST_RATIO = 0.5, 2.0  # of the number of rows

Reader: TypeAlias = Callable[[Openable, Counted], Iterator[NetblockRecord]]
READERS: Mapping[str, Reader] = MappingProxyType({"ranges": read_netblocks, "ris": read_ris, "pfx2as": read_pfx2as})


@dataclass(frozen=True)
class TableFile:
    """A file with a table of one day, its format (a key of READERS), and how many rows it must and may have."""

    path: Openable
    dated: date
    format: str = "ranges"
    minimum_rows: int = 1
    maximum_rows: int | None = None


@dataclass(frozen=True)
class NetblocksAnswer:
    """The stored table: its rows, ranges after nesting was resolved, named networks; `repeated`: it was there."""

    table: int
    rows: int
    ranges: int
    networks: int
    repeated: bool


@dataclass(frozen=True)
class ReadTable:
    """A table that was read: the hash of its file, its rows, and the steps of each family; who each ASN is."""

    sha256: str
    rows: int
    families: Mapping[int, IntervalMap]
    organisations: Mapping[int, str]


def read_table(file: TableFile) -> ReadTable:
    """Read a table, which takes seconds and needs no database: done under no lock, nobody waits for it.

    Raises DeliveryError where a row of it is wrong, or where it has too few or too many rows.
    """
    sha256, rows = fingerprint(file.path), _Rows(file)
    organisations: dict[int, str] = {}
    families = _families(READERS[file.format](file.path, rows), organisations)
    rows.judge()
    return ReadTable(sha256, rows.count, families, organisations)


def load_netblocks(
    session: Session,
    file: TableFile,
    recorded_at: datetime,
    *,
    despite_change: bool = False,
    table: ReadTable | None = None,
) -> NetblocksAnswer:
    """Store one dated table as a whole, in the caller's transaction; `table`: what `read_table` read of it.

    Raises DeliveryError as that does, and where it holds too much that is different from the table of its format
    before it. `despite_change` leaves that check to the caller.
    """
    table = table or read_table(file)
    lock_writers(session)
    query = select(NetblockTable).where(NetblockTable.sha256 == table.sha256, NetblockTable.dated == file.dated)
    known = session.scalars(query).one_or_none()
    if known is not None:
        return NetblocksAnswer(known.id, known.rows, known.ranges_v4 + known.ranges_v6, 0, repeated=True)
    if not despite_change:
        _compare(session, file, table.families, table.rows)
    stored = _store(session, file, table, recorded_at)
    _store_networks(session, stored.id, table.organisations)
    ranges = stored.ranges_v4 + stored.ranges_v6
    return NetblocksAnswer(stored.id, table.rows, ranges, len(table.organisations), repeated=False)


@dataclass
class _Rows:
    """Counts the rows as they are read, so that a file without end is refused before it fills the memory."""

    file: TableFile
    count: int = 0

    def __call__(self) -> None:
        self.count += 1
        most = self.file.maximum_rows
        if most is not None and self.count > most:
            raise DeliveryError(f"too many rows: more than the {most} expected")

    def judge(self) -> None:
        if self.count < self.file.minimum_rows:
            least = self.file.minimum_rows
            raise DeliveryError(f"too few rows: {self.count}, at least {least} expected")


def _families(records: Iterable[NetblockRecord], organisations: dict[int, str]) -> dict[int, IntervalMap]:
    """The steps of each family, from ranges that may nest; the organisation of each ASN on the side."""
    ends = {V4: (bytearray(), bytearray()), V6: (bytearray(), bytearray())}
    values: dict[int, list[int]] = {V4: [], V6: []}
    for record in records:
        family = V4 if record.first.startswith(MAPPED) else V6
        first, last = ends[family]
        first += record.first
        last += record.last
        values[family].append(record.asn)
        if record.organisation:
            organisations.setdefault(record.asn, record.organisation)
    return {family: _steps(family, *ends[family], values[family]) for family in (V4, V6)}


def _steps(family: int, first: bytearray, last: bytearray, values: list[int]) -> IntervalMap:
    index = RangeIndex.build(_keys(family, first), _keys(family, last), np.array(values, dtype=np.int64))
    return flatten(family, index)


def _keys(family: int, packed: bytearray) -> Any:
    if family == V4:  # the last four of the sixteen bytes
        return np.frombuffer(packed, dtype=">u4")[3::4].astype(np.int64)
    return np.frombuffer(packed, dtype="S16")


def _compare(session: Session, file: TableFile, families: Mapping[int, IntervalMap], rows: int) -> None:
    """Raise DeliveryError where the table is too different from its predecessor: one of the two is broken."""
    headers = [header for header in load_tables(session).headers if header.format == file.format]
    for family, steps in families.items():
        before = _neighbour([header for header in headers if header.ranges(family)], file.dated)
        if before is None or not steps.ranges:
            continue
        changed = share_changed(read_steps(session, before.identifier, family), steps) or 0.0
        if not LEAST_RATIO <= rows / before.rows <= MOST_RATIO or changed > MOST_CHANGED:
            raise DeliveryError(
                f"{rows} rows where table {before.identifier} of {before.dated} has {before.rows}, "
                f"and {changed:.0%} of its IPv{family} addresses have another origin; "
                "look at the file, then load it with `monitor netblocks load --despite-change`"
            )


def _neighbour(headers: list[TableHeader], day: date) -> TableHeader | None:
    """The newest table not after the day, else the oldest after it."""
    earlier = [header for header in headers if header.dated <= day]
    return earlier[-1] if earlier else next(iter(headers), None)


def _store(session: Session, file: TableFile, read: ReadTable, recorded_at: datetime) -> NetblockTable:
    families = read.families
    table = NetblockTable(
        dated=file.dated, sha256=read.sha256, format=file.format, rows=read.rows, recorded_at=recorded_at
    )
    table.ranges_v4, table.ranges_v6 = families[V4].ranges, families[V6].ranges
    if not table.ranges_v4 + table.ranges_v6:
        raise DeliveryError("the table has no range")
    session.add(table)
    session.flush()
    stored = {family: pack(steps) for family, steps in families.items() if steps.ranges}
    session.add_all(NetblockSteps(table_id=table.id, family=family, packed=packed) for family, packed in stored.items())
    session.flush()
    return table


def _store_networks(session: Session, table_id: int, organisations: Mapping[int, str]) -> None:
    target = table_of(Network)
    start = next_identifier(session, target)
    rows = [
        {"id": start + number, "table_id": table_id, "asn": asn, "organisation": organisation[:255]}
        for number, (asn, organisation) in enumerate(organisations.items())
    ]
    bulk_insert(session, target, rows)


# How much of the internet a company announces: IPv4 addresses, and IPv6 in networks of /48, as of a day.

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
        if held is None and asn != UNKNOWN_ORIGIN:
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
    steps: IntervalMap, prefixes: RangeIndex, names: list[str], company: Callable[[str | None, int], int | None]
) -> dict[int, int]:
    """Addresses by company: each announced one is counted once, for `company(its registered prefix, its origin)`."""
    registered = flatten(steps.family, prefixes)
    start = np.union1d(steps.start, registered.start)
    positions = IntervalMap(steps.family, start, start).positions
    origins, inside = steps.find(start).tolist(), registered.find(start).tolist()
    sizes: Counter[tuple[int, int]] = Counter()
    for (first, following), origin, prefix in zip(pairwise(positions), origins, inside, strict=True):
        if origin != NO_MATCH:
            sizes[prefix, origin] += following - first
    totals: Counter[int] = Counter()
    for (prefix, origin), size in sizes.items():
        holder = company(None if prefix == NO_MATCH else names[prefix], origin)
        if holder is not None:
            totals[holder] += size
    return dict(totals)
