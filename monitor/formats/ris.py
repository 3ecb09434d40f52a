"""The RIS whois dump of the RIPE NCC: `origin prefix seen-by`, tab-separated, `%` before a comment.

https://ris.ripe.net/docs/ris-whois: riswhoisdump.IPv4.gz and riswhoisdump.IPv6.gz, made daily.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.errors import DeliveryError
from monitor.formats.announcements import Announcement, netblocks, read_asn, read_prefix
from monitor.formats.files import Openable, read_lines
from monitor.formats.netblocks import Counted, NetblockRecord, ReadColumns, cells, what_is_wrong, whole_number
from monitor.formats.rows import RowError, decode

MINIMUM_SEEN_BY = 5  # peers; as in the RIPE NCC's own RPKI validator. What fewer see is a leak, a test or local
_READERS: ReadColumns = {
    "origin": (read_asn, "no AS number or set"),
    "prefix": (lambda text: read_prefix(*text.partition("/")[::2]), "no prefix such as 192.0.2.0/24"),
    "seen-by": (whole_number, "no number of peers"),
}


def read_ris(path: Openable, counted: Counted) -> Iterator[NetblockRecord]:
    """The ranges of a dump; raises DeliveryError naming the line of the first that cannot be understood."""
    return netblocks(_announcements(path, counted))


def _announcements(path: Openable, counted: Counted) -> Iterator[Announcement]:
    for line, raw in read_lines(path):
        if raw is not None and (not raw.strip() or raw.startswith(b"%")):
            continue
        counted()
        try:
            origin, prefix, seen_by = decode(raw).split()
            announcement = Announcement(*read_prefix(*prefix.split("/")), read_asn(origin), whole_number(seen_by))
        except (RowError, ValueError, TypeError) as error:
            raise DeliveryError(what_is_wrong(line, cells(raw), _READERS)) from error
        if announcement.seen >= MINIMUM_SEEN_BY:
            yield announcement
