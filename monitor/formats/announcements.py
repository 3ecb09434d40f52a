"""Tables of announced prefixes: CAIDA's prefix-to-AS table and the RIS whois dump, as ranges with an origin."""

from __future__ import annotations

import socket
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from monitor.errors import DeliveryError
from monitor.formats.files import Openable, read_lines
from monitor.formats.netblocks import (
    MAPPED,
    Counted,
    NetblockRecord,
    ReadColumns,
    cells,
    packed,
    what_is_wrong,
    whole_number,
)
from monitor.formats.rows import RowError, decode

# What tables of announced prefixes share: reading a prefix, what is left out, and which origin a prefix has.
#
# The rules stand in docs/sources.md. In doubt a range has no origin: a wrong one harms a company.

UNKNOWN_ORIGIN = 0  # in place of an ASN: announced, but by whom cannot be told. AS 0 announces nothing (RFC 7607)
CLEAR_SHARE = 0.9
_KEY = 17  # bytes: the first address and the length
_SHORTEST = {4: 8, 6: 16}
# Not on the public internet (RFC 6890 and the registries of IANA), as first and last address, mapped into IPv6.
# Documentation prefixes and ASNs are not among them: nobody announces them, and examples live there.
_SPECIAL_V4 = (
    ("0.0.0.0", "0.255.255.255"),  # noqa: S104 -- nothing is bound
    ("10.0.0.0", "10.255.255.255"),
    ("100.64.0.0", "100.127.255.255"),
    ("127.0.0.0", "127.255.255.255"),
    ("169.254.0.0", "169.254.255.255"),
    ("172.16.0.0", "172.31.255.255"),
    ("192.0.0.0", "192.0.0.255"),
    ("192.168.0.0", "192.168.255.255"),
    ("198.18.0.0", "198.19.255.255"),
    ("224.0.0.0", "255.255.255.255"),
)
_STARTS = [MAPPED + socket.inet_aton(first) for first, _ in _SPECIAL_V4]
_ENDS = [MAPPED + socket.inet_aton(last) for _, last in _SPECIAL_V4]
_PRIVATE_ASNS = ((64512, 65535), (4200000000, 4294967295))
_TRANSITION_ASN = 23456  # stands in for an ASN of 32 bits where only 16 fit


@dataclass(frozen=True, slots=True)
class Announcement:
    """A prefix (first address as 16 bytes, length of 128), one of its origins, and how many peers saw it there."""

    first: bytes
    length: int
    asn: int
    seen: int = 1


def read_prefix(address: str, length: str) -> tuple[bytes, int]:
    """First address and length, IPv4 mapped into IPv6; ValueError where it is no prefix."""
    is_v4 = ":" not in address
    try:
        packed = socket.inet_pton(socket.AF_INET if is_v4 else socket.AF_INET6, address)
    except OSError as error:
        raise ValueError("no address") from error
    number = whole_number(length)
    first, bits = (MAPPED + packed, 96 + number) if is_v4 else (packed, number)
    if not (96 if is_v4 else 0) <= bits <= 128 or int.from_bytes(first) & ((1 << (128 - bits)) - 1):
        raise ValueError("no prefix")
    return first, bits


def is_public(announcement: Announcement) -> bool:
    """Whether prefix and origin can be on the public internet."""
    first, length = announcement.first, announcement.length
    if first.startswith(MAPPED):
        end = _ENDS[bisect_right(_STARTS, first) - 1]
        routable = length - 96 >= _SHORTEST[4] and (first > end or last_of(first, length) > end)
    else:
        routable = length >= _SHORTEST[6] and first[0] >> 5 == 1  # 2000::/3
    asn = announcement.asn
    return routable and asn != _TRANSITION_ASN and not any(low <= asn <= high for low, high in _PRIVATE_ASNS)


def last_of(first: bytes, length: int) -> bytes:
    """The last address of a prefix."""
    return (int.from_bytes(first) | (1 << (128 - length)) - 1).to_bytes(16)


def read_asn(text: str) -> int:
    """An ASN, or UNKNOWN_ORIGIN for a set of several; ValueError where it is neither."""
    numbers = {whole_number(part) for part in text.strip("{}").split(",")}
    if not all(0 < number < 2**32 for number in numbers):
        raise ValueError("no ASN")
    return numbers.pop() if len(numbers) == 1 else UNKNOWN_ORIGIN


def netblocks(announcements: Iterable[Announcement]) -> Iterator[NetblockRecord]:
    """One range a prefix, in the order of their addresses, with the origin that `_origin` finds."""
    keys, asns, seen = bytearray(), array("Q"), array("Q")
    for announcement in announcements:
        if is_public(announcement):
            keys += announcement.first + bytes((announcement.length,))
            asns.append(announcement.asn)
            seen.append(announcement.seen)
    order = np.argsort(np.frombuffer(keys, f"S{_KEY}"), kind="stable") if keys else np.array([], dtype=np.int64)
    prefixes = groupby(order.tolist(), lambda at: bytes(keys[_KEY * at : _KEY * at + _KEY]))
    for key, members in prefixes:
        first = key[:16]
        yield NetblockRecord(first, last_of(first, key[16]), _origin([(asns[at], seen[at]) for at in members]), "")


def _origin(votes: list[tuple[int, int]]) -> int:
    """The one origin, or the one that nine in ten of the sightings agree on; UNKNOWN_ORIGIN where there is none."""
    counts: dict[int, int] = {}
    for asn, seen in votes:
        counts[asn] = counts.get(asn, 0) + seen
    asn, most = max(counts.items(), key=lambda count: count[1])
    return asn if most >= CLEAR_SHARE * sum(counts.values()) else UNKNOWN_ORIGIN


# CAIDA's prefix-to-AS table, made from RouteViews: `address length origin`, tab-separated.
#
# Several origins stand joined by `_` (most frequent first, without counts), the members of an AS set by `,`.
# https://data.caida.org/datasets/routing/routeviews-prefix2as/README.txt

_READERS: ReadColumns = {
    "address": (packed, "no IP address"),
    "length": (whole_number, "no length of a prefix"),
    "origin": (lambda text: [read_asn(origin) for origin in text.split("_")], "no AS number, set or several"),
}


def read_pfx2as(path: Openable, counted: Counted) -> Iterator[NetblockRecord]:
    """The ranges of a table; raises DeliveryError naming the line of the first that cannot be understood."""
    return netblocks(_announcements(path, counted))


def _announcements(path: Openable, counted: Counted) -> Iterator[Announcement]:
    for line, raw in read_lines(path):
        if raw == b"":
            continue
        counted()
        try:
            address, length, origins = decode(raw).split()
            first, bits = read_prefix(address, length)
            asns = [read_asn(origin) for origin in origins.split("_")]
        except (RowError, ValueError) as error:
            raise DeliveryError(what_is_wrong(line, cells(raw), _READERS)) from error
        for asn in asns:
            yield Announcement(first, bits, asn)


# The RIS whois dump of the RIPE NCC: `origin prefix seen-by`, tab-separated, `%` before a comment.
#
# https://ris.ripe.net/docs/ris-whois: riswhoisdump.IPv4.gz and riswhoisdump.IPv6.gz, made daily.

MINIMUM_SEEN_BY = 5  # peers; as in the RIPE NCC's own RPKI validator. What fewer see is a leak, a test or local
_RIS_READERS: ReadColumns = {
    "origin": (read_asn, "no AS number or set"),
    "prefix": (lambda text: read_prefix(*text.partition("/")[::2]), "no prefix such as 192.0.2.0/24"),
    "seen-by": (whole_number, "no number of peers"),
}


def read_ris(path: Openable, counted: Counted) -> Iterator[NetblockRecord]:
    """The ranges of a dump; raises DeliveryError naming the line of the first that cannot be understood."""
    return netblocks(_ris_announcements(path, counted))


def _ris_announcements(path: Openable, counted: Counted) -> Iterator[Announcement]:
    for line, raw in read_lines(path):
        if raw is not None and (not raw.strip() or raw.startswith(b"%")):
            continue
        counted()
        try:
            origin, prefix, seen_by = decode(raw).split()
            announcement = Announcement(*read_prefix(*prefix.split("/")), read_asn(origin), whole_number(seen_by))
        except (RowError, ValueError, TypeError) as error:
            raise DeliveryError(what_is_wrong(line, cells(raw), _RIS_READERS)) from error
        if announcement.seen >= MINIMUM_SEEN_BY:
            yield announcement
