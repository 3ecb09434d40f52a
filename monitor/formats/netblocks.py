"""Tables of address ranges: `start,end,asn,organisation`, both ends included."""

from __future__ import annotations

import csv
import ipaddress
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from monitor.errors import DeliveryError
from monitor.formats.files import Openable, read_lines
from monitor.formats.header import read_header
from monitor.formats.rows import RowError, decode

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
    if len(address) > _LONGEST:
        raise ValueError("no address is that long")
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
    for line, raw in read_lines(path):
        try:
            fields = next(csv.reader([decode(raw)], strict=True), [])
            if line == 1 and "start" in fields:
                positions = read_header(fields, COLUMNS, line).positions
            elif fields:
                counted()
                record = _row([fields[positions[name]] for name in COLUMNS])
                if record.asn:
                    yield record
        except (RowError, csv.Error, IndexError, ValueError) as error:
            raise DeliveryError(f"line {line} is not start,end,asn,organisation") from error


def _row(fields: list[str]) -> NetblockRecord:
    start, end, asn, organisation = fields
    first, last, number = packed(start), packed(end), int(asn)
    if last < first or not 0 <= number < 2**32 or (first[:12] == MAPPED) != (last[:12] == MAPPED):
        raise ValueError("a range ends after it starts, in one family, and an ASN has 32 bits")
    return NetblockRecord(first, last, number, organisation.strip()[:_LONGEST_NAME])
