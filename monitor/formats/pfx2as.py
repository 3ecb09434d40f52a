"""CAIDA's prefix-to-AS table, made from RouteViews: `address length origin`, tab-separated.

Several origins stand joined by `_` (most frequent first, without counts), the members of an AS set by `,`.
https://data.caida.org/datasets/routing/routeviews-prefix2as/README.txt
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.errors import DeliveryError
from monitor.formats.announcements import Announcement, netblocks, read_asn, read_prefix
from monitor.formats.files import Openable, read_lines
from monitor.formats.netblocks import Counted, NetblockRecord, ReadColumns, cells, packed, what_is_wrong, whole_number
from monitor.formats.rows import RowError, decode

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
