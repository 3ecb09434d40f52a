"""What tables of announced prefixes share: reading a prefix, what is left out, and which origin a prefix has.

The rules stand in docs/sources.md. In doubt a range has no origin: a wrong one harms a company.
"""

from __future__ import annotations

import socket
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from monitor.formats.netblocks import MAPPED, NetblockRecord, whole_number

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
