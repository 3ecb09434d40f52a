"""Tables of announced prefixes: CAIDA's prefix-to-AS table, the RIS whois dump, and tables of address ranges."""

from __future__ import annotations

import csv
import ipaddress
import socket
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, groupby
from typing import TypeAlias

import numpy as np

from monitor.errors import DeliveryError
from monitor.formats.files import Openable, read_lines
from monitor.formats.rows import RowError, decode, header_line, read_header

# Tables of address ranges: `start,end,asn,organisation`, both ends included.

COLUMNS = ("start", "end", "asn", "organisation")
MAPPED = b"\x00" * 10 + b"\xff\xff"
_LONGEST = 64  # characters of an address; 65,536 are remembered
_LONGEST_NAME = 255  # characters of an organisation that are kept

Counted: TypeAlias = Callable[[], None]  # told of each row of a table as it comes; may raise where they are too many


@dataclass(frozen=True, slots=True)
class NetblockRecord:
    """A range of addresses as 16 bytes each (IPv4 mapped into IPv6), its ASN and organisation."""

    first: bytes
    last: bytes
    asn: int
    organisation: str


def packed(address: str) -> bytes:
    """16 bytes of an address, IPv4 mapped into IPv6; ValueError where it is none."""
    if len(address) > _LONGEST or "%" in address:
        raise ValueError("no address is that long, and none on the internet has a zone")
    return _packed(address)


@lru_cache(maxsize=65536)
def _packed(address: str) -> bytes:
    try:
        return MAPPED + socket.inet_pton(socket.AF_INET, address)  # a tenth of the time that `ipaddress` takes
    except OSError:
        pass
    raw = ipaddress.ip_address(address).packed
    return raw if len(raw) == 16 else MAPPED + raw


def read_netblocks(path: Openable, counted: Counted) -> Iterator[NetblockRecord]:
    """The ranges of a table; raises DeliveryError naming the line of the first that cannot be understood.

    A wrong range would attribute notices to the wrong company, so one bad row refuses the whole table.
    A table may come without a header line. ASN 0 says "announced by nobody": such a range is left out.
    """
    positions = {name: index for index, name in enumerate(COLUMNS)}
    lines = read_lines(path)
    first = header_line(lines)
    for line, raw in chain((first,), lines):
        try:
            fields = next(csv.reader([decode(raw)], strict=True), [])
            if line == first[0] and "start" in fields:
                positions = read_header(fields, COLUMNS, line).positions
            elif any(fields):
                counted()
                record = _row([fields[positions[name]] for name in COLUMNS])
                if record.asn:
                    yield record
        except (RowError, csv.Error, IndexError, ValueError) as error:
            raise DeliveryError(_what_is_wrong(line, raw, positions)) from error


ReadColumns: TypeAlias = Mapping[str, tuple[Callable[[str], object], str]]  # each raises ValueError; what it should be


def what_is_wrong(line: int, fields: Sequence[str], readers: ReadColumns) -> str:
    """Which column of a row cannot be read, and why; never what stands in it."""
    if len(fields) != len(readers):
        return f"line {line}: {len(fields)} columns, where {', '.join(readers)} are expected"
    for text, (column, (read, what)) in zip(fields, readers.items(), strict=True):
        try:
            read(text)
        except ValueError:
            return f"line {line}, column {column}: {what}"
    return f"line {line} is not {', '.join(readers)}"


def cells(raw: bytes | None) -> list[str]:
    """The cells of a row between white space, for `what_is_wrong`."""
    return (raw or b"").decode("utf-8", "replace").split()


def _what_is_wrong(line: int, raw: bytes | None, positions: Mapping[str, int]) -> str:
    text = (raw or b"").decode("utf-8", "replace")
    for sign, name in ((";", "semicolons"), ("\t", "tabs")):
        if text.count(sign) >= 2 and text.count(",") < len(COLUMNS) - 1:
            advice = "export it with commas, or give the --format that it is in"
            return f"line {line}: the columns are separated by {name}, not by commas; {advice}"
    try:
        found = next(csv.reader([decode(raw)], strict=True))
    except RowError as error:
        return f"line {line}: it cannot be read ({error.reason})"
    except csv.Error:
        return f"line {line}: its quotes do not pair"
    if len(found) <= max(positions.values()):
        return f"line {line}: {len(found)} columns, where {', '.join(COLUMNS)} are expected"
    fields = [found[positions[name]] for name in COLUMNS]
    readers: ReadColumns = {
        "start": (packed, "no IP address"),
        "end": (packed, "no IP address"),
        "asn": (_asn, "no AS number, which is a whole number of 32 bits"),
        "organisation": (str, ""),
    }
    wrong = what_is_wrong(line, fields, readers)
    return wrong if ", column " in wrong else f"line {line}, column end: it lies before start, or in another family"


def whole_number(text: str) -> int:
    """A number written in digits alone; ValueError for all else that `int` takes, such as two joined by `_`."""
    if not (text.isascii() and text.isdecimal()):
        raise ValueError("no whole number")
    return int(text)


def _asn(text: str) -> int:
    number = whole_number(text)
    if not 0 <= number < 2**32:
        raise ValueError("no AS number")
    return number


def _row(fields: list[str]) -> NetblockRecord:
    start, end, asn, organisation = fields
    first, last, number = packed(start), packed(end), _asn(asn)
    if last < first or (first[:12] == MAPPED) != (last[:12] == MAPPED):
        raise ValueError("a range ends after it starts, in one family, and an ASN has 32 bits")
    return NetblockRecord(first, last, number, organisation.strip()[:_LONGEST_NAME])


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
