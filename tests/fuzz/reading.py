"""What must hold of whatever bytes a parser is given; a fuzzer looks for bytes of which it does not hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from itertools import islice
from typing import Any, Literal

from monitor.errors import DeliveryError
from monitor.formats.catalogue import FAST_PATHS, FORMATS
from monitor.formats.files import read_lines
from monitor.formats.records import Context, Record, Rejected
from monitor.formats.rows import RowError
from monitor.ingest.batches import Batch, ReadTask, batch_of_records, batches
from monitor.ingest.rows import prepare
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
        if format_name in FAST_PATHS:
            reading = ReadTask(Delivered(content), format_name, CONTEXT, 100)
            by_columns = [told(batch, vault) for batch in batches(reading, vault)]
            assert by_columns == [told(batch, vault) for batch in by_row(reading, vault)], "the fast path differs"
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


def by_row(reading: ReadTask, vault: Vault) -> Iterator[Batch]:
    """What is read where every row goes by itself, for a format whose regular rows go by columns."""
    path = FAST_PATHS[reading.format](read_lines(reading.file), reading.context)
    while rows := list(islice(path.rows, reading.size)):
        yield batch_of_records([path.read_row(line, raw) for line, raw in rows], vault)


def told(batch: Batch, vault: Vault) -> list[Any]:
    """What a batch says, its seals opened."""
    version = vault.version
    rows = batch.rows._replace(url_sealed=[vault.open(sealed, version) for sealed in batch.rows.url_sealed])
    addresses: list[Any] = [sealed and vault.open(sealed, version) for sealed in batch.notices.address_sealed]
    notices = batch.notices._replace(address_sealed=addresses)
    refused = [refusal._replace(row_sealed=vault.open(refusal.row_sealed, version)) for refusal in batch.refused]
    return [rows, notices, batch.sightings, refused, dict(batch.flags), batch.size]
