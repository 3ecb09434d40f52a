"""URLhaus, the public feed of malware URLs: a CSV whose header stands in the last comment line; times in UTC."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from functools import partial

from monitor.errors import DeliveryError
from monitor.formats.fast_path import (
    Cells,
    FastPath,
    LineLayout,
    RegularRows,
    addresses_of,
    hosts_of,
    irregular_places,
    not_in_order,
    of_instants,
)
from monitor.formats.records import Context, NoticeRecord, Record, Rejected, SightingRecord
from monitor.formats.rows import (
    CLOCK_SKEW,
    EARLY,
    NO_TIME,
    Header,
    Lines,
    LocalClock,
    PlainTimes,
    RowError,
    decode,
    read_header,
    read_time,
    refuse_future,
)
from monitor.vocabulary import State

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
ONLINE, OFFLINE = "online", "offline"
_CLOCK = LocalClock("UTC")


def parse(lines: Lines, context: Context) -> Iterator[Record | Rejected]:
    """Rows of the feed: the notice at `dateadded`, the last check that found it online, and the removal."""
    feed = fast_path(lines, context)
    for line, raw in feed.rows:
        yield feed.read_row(line, raw)


def fast_path(lines: Lines, context: Context) -> FastPath:
    """The feed, to be read by columns where its rows are regular."""
    header = _first_header(lines)

    def read_one(line: int, raw: bytes | None) -> Record | Rejected:
        try:
            return _row(line, _fields(raw, header), context, list(header.flags))
        except RowError as error:
            return Rejected(line, error.reason, error.column, raw or b"")

    rows = (row for row in lines if row[1] is None or (row[1] and not row[1].startswith(b"#")))
    layout = LineLayout(header.positions, header.width, separator=",")
    return FastPath(rows, read_one, layout, partial(_regular, PlainTimes(_CLOCK), context), header.flags)


def _first_header(lines: Lines) -> Header:
    for line, raw in lines:
        if raw != b"" and (header := _header(line, raw)):
            return header
    raise DeliveryError("no line names the columns (dateadded, url, url_status, ...); is this a URLhaus export?")


def _regular(times: PlainTimes, context: Context, lines: Sequence[int], cells: Cells) -> tuple[RegularRows, set[int]]:
    """The rows by columns, and the places of those that `_row` must read."""
    added, last = times.read(cells["dateadded"]), times.read(cells["last_online"])
    hosts, irregular = hosts_of(cells["url"])
    latest = context.received_at + CLOCK_SKEW
    irregular |= irregular_places(added, lambda at: not 0 <= at <= latest)
    irregular |= irregular_places(last, lambda at: not (0 <= at <= latest or at == NO_TIME))
    irregular |= irregular_places(cells["url_status"], lambda status: status not in (ONLINE, OFFLINE))
    online = of_instants(last)
    removed = [
        removed_by(at, context) if status == OFFLINE else None
        for status, at in zip(cells["url_status"], online, strict=True)
    ]
    addresses, _ = addresses_of([""] * len(hosts), hosts)
    usual = NoticeRecord(0)
    nothing: list[str | None] = [None] * len(lines)
    rows = RegularRows(
        list(lines), cells["url"], hosts, added, [str(usual.role)] * len(lines), [str(usual.delivery)] * len(lines),
        [str(usual.channel)] * len(lines), nothing, nothing, nothing, addresses, nothing, online, removed,
        not_in_order(added, last),
    )  # fmt: skip
    return rows, irregular


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
            flags.append(EARLY)
    sightings = _sightings(row["url_status"], last, context)
    return Record(line, row["url"], False, (NoticeRecord(added),), sightings, tuple(flags))


def _sightings(status: str, last: int | None, context: Context) -> tuple[SightingRecord, ...]:
    online = () if last is None else (SightingRecord(last, State.ONLINE),)
    if status == ONLINE:
        return online
    if status == OFFLINE:
        return (*online, SightingRecord(removed_by(last, context), State.OFFLINE))
    raise RowError("unknown_status", "url_status")


def removed_by(last_online: int | None, context: Context) -> int:
    """When a closed item was offline at the latest: one recheck gap after the last check that found it
    online, never later than the delivery says so; the delivery's time alone where no check is known."""
    if last_online is None or context.recheck_gap_seconds is None:
        return context.received_at
    return min(last_online + context.recheck_gap_seconds, context.received_at)
