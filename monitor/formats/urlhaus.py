"""URLhaus, the public feed of malware URLs: a CSV whose header stands in the last comment line; times in UTC."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from monitor.errors import DeliveryError
from monitor.formats.header import Header, read_header
from monitor.formats.localtime import LocalClock
from monitor.formats.records import Context, NoticeRecord, Record, Rejected, SightingRecord
from monitor.formats.rows import Lines, RowError, decode, read_time, refuse_future
from monitor.models.words import State

COLUMNS = (
    "id",
    "dateadded",
    "url",
    "url_status",
    "last_online",
    "threat",
    "tags",
    "urlhaus_link",
    "reporter",
)
_CLOCK = LocalClock("UTC")


def parse(lines: Lines, context: Context) -> Iterator[Record | Rejected]:
    """Rows of the feed: the notice at `dateadded`, the last check that found it online, and the removal."""
    header = None
    for line, raw in lines:
        if raw == b"":
            continue
        if header is None or (raw or b"").startswith(b"#"):
            header = header or _header(line, raw)
            continue
        try:
            yield _row(line, _fields(raw, header), context, list(header.flags))
        except RowError as error:
            yield Rejected(line, error.reason, error.column, raw or b"")
    if header is None:
        raise DeliveryError("no line names the columns (dateadded, url, url_status, ...); is this a URLhaus export?")


def _header(line: int, raw: bytes | None) -> Header | None:
    """The header, if this line is it; a line of data before any header stops the delivery."""
    text = (raw or b"").decode("utf-8", "replace")
    try:
        names = next(csv.reader([text.lstrip("# ").rstrip()]), [])
    except csv.Error:  # a carriage return within, or too long: no header, so at most a comment
        names = []
    if "dateadded" in names or not text.startswith("#"):
        return read_header(names, COLUMNS, line)
    return None


def _fields(raw: bytes | None, header: Header) -> dict[str, str]:
    try:
        fields = next(csv.reader([decode(raw)], strict=True))
    except (csv.Error, StopIteration):
        raise RowError("quotes_do_not_pair") from None
    if len(fields) != header.width:
        raise RowError("wrong_number_of_columns")
    return {name: fields[position].strip() for name, position in header.positions.items()}


def _row(line: int, row: dict[str, str], context: Context, flags: list[str]) -> Record:
    added = read_time(_CLOCK, row["dateadded"], "dateadded", flags, later=True)
    last = read_time(_CLOCK, row["last_online"], "last_online", flags)
    if added is None:
        raise RowError("no_time", "dateadded")
    refuse_future(added, context.received_at, "notice_in_future", "dateadded")
    if last is not None:
        refuse_future(last, context.received_at, "last_seen_in_future", "last_online")
        if last < added:
            flags.append("last_seen_before_first_seen")
    sightings = _sightings(row["url_status"], last, context)
    return Record(line, row["url"], False, (NoticeRecord(added),), sightings, tuple(flags))


def _sightings(status: str, last: int | None, context: Context) -> tuple[SightingRecord, ...]:
    online = () if last is None else (SightingRecord(last, State.ONLINE),)
    if status == "online":
        return online
    if status == "offline":
        return (*online, SightingRecord(removed_by(last, context), State.OFFLINE))
    raise RowError("unknown_status", "url_status")


def removed_by(last_online: int | None, context: Context) -> int:
    """When a closed item was offline at the latest: one recheck gap after the last check that found it
    online, never later than the delivery says so; the delivery's time alone where no check is known."""
    if last_online is None or context.recheck_gap_seconds is None:
        return context.received_at
    return min(last_online + context.recheck_gap_seconds, context.received_at)
