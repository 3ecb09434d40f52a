"""The exports `whois` and `all`: one row an item, with its own last check and whom the hotline takes it to be with.

Columns as SCART's own exporter names them (open source, AbuseIO/SCART). `NTD` counts notices by mail, sent or waiting,
and `first NTD` is the first by mail to anybody: neither says who was told when, so neither makes a notice. A `hoster
NTD` that holds a time instead of a count does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from monitor.formats.header import Header
from monitor.formats.localtime import LocalClock
from monitor.formats.records import Context, NoticeRecord, Record, Rejected, SightingRecord
from monitor.formats.rows import Lines, RowError
from monitor.formats.scart.dialect import fields_of, open_quotes, whole_rows
from monitor.formats.scart.rows import Row, clock_of, outcome, quoted_header, read_row, status_of
from monitor.formats.scart.words import CHANGED, CLOSED, ITEM_NUMBER, STATUSES, TYPES
from monitor.names import named
from monitor.vocabulary import Channel, DeliveryState, State

_ITEM_COLUMNS = (
    "filenumber", "url type", "status", "received", "first seen", "first NTD", "last seen", "police", "hoster owner",
    "hoster country", "hoster abuse email", "hoster NTD",
)  # fmt: skip
WHOIS_COLUMNS = (*_ITEM_COLUMNS, "url", "IP")
ALL_COLUMNS = (*_ITEM_COLUMNS, "type")
_UNREAD = (
    "host", "classification", "source", "reference", "site owner", "site owner country", "site owner abuse email",
    "site NTD", "registrar owner", "registrar country", "registrar abuse email", "registrar NTD",
)  # fmt: skip
_BEGINS = re.compile(rb'"[A-Z]\d+";')


@dataclass(frozen=True)
class ItemColumns:
    """What the columns about an item are called in one export."""

    first_seen: str
    last_seen: str
    status: str
    country: str
    owner: str
    email: str
    address: str
    notice: str
    received: str


_ITEM = ItemColumns(
    "first seen", "last seen", "status", "hoster country", "hoster owner", "hoster abuse email", "IP", "hoster NTD",
    "received",
)  # fmt: skip


def parse_whois(lines: Lines, context: Context) -> Iterator[Record | Rejected]:
    """Rows of the `whois` export: the whole URL of an item, its status and its own last check."""
    return _parse(lines, context, WHOIS_COLUMNS)


def parse_all(lines: Lines, context: Context) -> Iterator[Record | Rejected]:
    """Rows of the `all` export: as `whois`, without the URL; what comes after the known columns is dropped unread."""
    return _parse(lines, context, ALL_COLUMNS)


def _parse(lines: Lines, context: Context, columns: tuple[str, ...]) -> Iterator[Record | Rejected]:
    clock = clock_of(context)
    header = quoted_header(lines, columns, _UNREAD)
    for line, raw, broken in whole_rows(lines, _BEGINS.match, open_quotes, quoted=True):
        if raw != b"":
            reading = _Reading(header, clock, context, line, broken)
            yield from read_row(line, raw, reading.records)


@dataclass(frozen=True)
class _Reading:
    header: Header
    clock: LocalClock
    context: Context
    line: int
    broken: bool

    def records(self, raw: bytes | None) -> Iterator[Record]:
        """The rows of one line: more than one where the exporter ran them together."""
        fields = fields_of(raw)
        seams = [0, *_seams(fields, self.header), len(fields)]
        for begin, end in pairwise(seams):
            row = self._row(fields[begin:end])
            if begin:
                row.flags.append("rows_run_together")
            yield _record(self.line, row)

    def _row(self, fields: Sequence[str]) -> Row:
        """Questions nobody answered are left out at the end of a row; no other column may be missing."""
        last = max(self.header.positions.values())
        if not last < len(fields) <= self.header.width:
            raise RowError("wrong_number_of_columns")
        flags = ["columns_dropped"] if self.header.unknown else []
        flags += ["line_break_in_field"] if self.broken else []
        return Row(fields, self.header.positions, self.clock, self.context, flags)


def _seams(fields: Sequence[str], header: Header) -> list[int]:
    """Where a further row begins: a file number, a status and `y` or `n` at the distances of the header."""
    number, status, police = (header.positions[name] for name in ("filenumber", "status", "police"))
    last = max(header.positions.values())
    if number:  # only where the number comes first is a seam known by it
        return []
    found = [0]
    for place, text in enumerate(fields[: len(fields) - last]):
        begins = place > found[-1] + last and ITEM_NUMBER.fullmatch(text) and fields[place + status] in STATUSES
        if begins and fields[place + police] in {"y", "n"}:
            found.append(place)
    return found[1:]


def _record(line: int, row: Row) -> Record:
    row.flag_unknown("type", TYPES, "unknown_type")
    mail_known = row.instant("first NTD") is not None
    return replace(item_record(line, row, _ITEM), mail_known=mail_known)


def item_record(line: int, row: Row, columns: ItemColumns) -> Record:
    """What an item's own record says: online at its last check, its status now, and the first notice to its hoster."""
    number = row.text("filenumber")
    if not ITEM_NUMBER.fullmatch(number):
        raise RowError("not_a_file_number", "filenumber")
    status, country = status_of(row, columns.status), row.country(columns.country)
    row.one_of("police", frozenset({"y", "n", ""}), "not_yes_or_no")
    seen = row.seen(columns.first_seen, columns.last_seen)
    sightings = (*seen, *outcome(row, status, country, _offline(row, columns.last_seen)))
    url = row.text("url")
    if not url and "url" in row.positions:
        raise RowError("url_without_host", "url")
    first = _first_notice(row, columns, status, country)
    reported, classified = row.times_before(columns.received, columns.first_seen, first.sent_at if first else None)
    return Record(
        line,
        url,
        sightings=sightings,
        flags=tuple(row.flags),
        file_number=number,
        first_notice=first,
        reported_at=reported,
        classified_at=classified,
    )


def _offline(row: Row, column: str) -> tuple[SightingRecord, ...]:
    """Closed as offline: gone one recheck gap after the last check that found it, and still at the delivery.

    The second also ends an episode whose notice was sent after the item had gone.
    """
    at, gap = row.context.received_at, row.context.recheck_gap_seconds
    last, _ = row.clock.read(row.text(column), later=True)
    moments = {at} if last is None or gap is None else {min(last + gap, at), at}
    return tuple(SightingRecord(moment, State.OFFLINE) for moment in sorted(moments))


def _first_notice(row: Row, columns: ItemColumns, status: str, country: str | None) -> NoticeRecord | None:
    """The first notice to the hoster named in the row; None where there is none, or it may have been to another.

    The hoster may have changed since; later versions of SCART also give the first notice to the police here.
    """
    if row.text(columns.notice).isdecimal():
        return None
    sent_at = row.past(columns.notice, "notice_in_future", later=True)
    if sent_at is None:
        return None
    if row.is_abroad(country) or status in {CHANGED, CLOSED} or row.text("police") == "y":
        row.flags.append("first_notice_to_whom")
        return None
    return NoticeRecord(
        sent_at,
        delivery=DeliveryState.DELIVERED,
        channel=Channel.API,
        recipient=named(row.text(columns.owner)),
        recipient_country=country,
        recipient_email=named(row.text(columns.email)),
        address=row.address(columns.address),
    )
