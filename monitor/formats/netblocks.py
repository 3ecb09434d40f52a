"""Tables of address ranges: `start,end,asn,organisation`, both ends included."""

from __future__ import annotations

import csv
import ipaddress
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import TypeAlias

from monitor.errors import DeliveryError
from monitor.formats.files import Openable, read_lines
from monitor.formats.rows import RowError, decode, header_line, read_header

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
