"""What must hold of whatever bytes a parser is given; a fuzzer looks for bytes of which it does not hold."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from typing import Literal

from monitor.errors import DeliveryError
from monitor.formats.catalogue import FORMATS
from monitor.formats.records import Context, Record, Rejected
from monitor.formats.rows import RowError
from monitor.ingest.items import prepare
from monitor.instants import parse_instant, to_datetime
from monitor.vault import Vault

CONTEXT = Context(parse_instant("2026-04-12T00:00:00Z"), "Europe/Amsterdam", 5 * 3600)
_OF_DATABASES = 2**63


@dataclass(frozen=True)
class Delivered:
    """A delivery in memory."""

    content: bytes
    name: str = "delivery"

    def open(self, mode: Literal["rb"]) -> BufferedReader:  # noqa: ARG002 -- there is only one
        """Its bytes."""
        return BufferedReader(BytesIO(self.content))


def hold(format_name: str, content: bytes, vault: Vault) -> int:
    """Read a delivery to its end and hold what comes of it against the rules; returns how many rows that was.

    Any exception but DeliveryError is a finding, and so is a broken rule (AssertionError).
    """
    rows = kept = 0
    with suppress(DeliveryError):
        for row in FORMATS[format_name](Delivered(content), CONTEXT):
            rows += 1
            kept += len(row.raw) if isinstance(row, Rejected) else _record(row, vault)
    assert rows <= len(content) + 1, "more rows than bytes"
    assert kept <= 64 * (len(content) + 64), "much more text than was delivered"
    return rows


def _record(record: Record, vault: Vault) -> int:
    """What was understood can be stored: instants that exist, text that columns and databases take."""
    for at in [notice.sent_at for notice in record.notices] + [seen.seen_at for seen in record.sightings]:
        assert -_OF_DATABASES < at < _OF_DATABASES
        to_datetime(at)
    try:
        item = prepare(record, vault)
    except RowError:
        return len(record.url)
    for notice in item.record.notices:
        for text, longest in ((notice.recipient, 255), (notice.recipient_country, 64), (notice.reference, 64)):
            assert text is None or len(text) <= longest
            assert text is None or ("\x00" not in text and text.encode())
    return len(repr(record))
