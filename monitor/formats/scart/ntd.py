"""The exports `ntd` (notices sent by mail, one row a URL) and `ntdclosed` (what became of the day's URLs).

`last seen` in both is a snapshot made when the notice was sent: it proves that the item was online then, and says
nothing about when it went.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from monitor.formats.localtime import PlainTimes
from monitor.formats.records import Context, NoticeRecord, Record, Rejected, SightingRecord
from monitor.formats.regular import Lanes, Shape
from monitor.formats.rows import Lines, RowError
from monitor.formats.scart.dialect import fields_of
from monitor.formats.scart.regular import RegularNtd
from monitor.formats.scart.rows import Row, clock_of, outcome, quoted_header, status_of
from monitor.formats.scart.words import CUT_AT, ITEM_NUMBER, NOT_SENT, SENT
from monitor.vocabulary import Role, State

NTD_COLUMNS = (
    "NTD filenumber", "NTD type", "NTD status", "NTD status time", "abuse owner", "abuse type", "abuse country",
    "abuse email", "url", "IP", "first seen", "last seen", "online counter",
)  # fmt: skip
CLOSED_COLUMNS = (
    "filenumber", "url", "status", "abuse owner", "abuse country", "abuse email", "IP", "first seen", "last seen",
    "online counter",
)  # fmt: skip

_STATUSES = NOT_SENT | frozenset(SENT)
_ROLES = {str(role): role for role in Role}


def parse_ntd(lines: Lines, context: Context) -> Iterator[Record | Rejected]:
    """Rows of the `ntd` export: one notice each, and the check before it that found the item online."""
    return _parse(lines, context, NTD_COLUMNS, _ntd_row)


def parse_ntdclosed(lines: Lines, context: Context) -> Iterator[Record | Rejected]:
    """Rows of the `ntdclosed` export: what became of an item that a notice was sent about."""
    return _parse(lines, context, CLOSED_COLUMNS, _closed_row)


def ntd_lanes(lines: Lines, context: Context) -> Lanes:
    """The `ntd` export, to be read by columns where its rows are regular."""
    return _lanes(lines, context, NTD_COLUMNS, _ntd_row)


def _parse(
    lines: Lines, context: Context, columns: tuple[str, ...], read: Callable[[int, Row], Record]
) -> Iterator[Record | Rejected]:
    lanes = _lanes(lines, context, columns, read)
    for line, raw in lanes.rows:
        yield lanes.read(line, raw)


def _lanes(lines: Lines, context: Context, columns: tuple[str, ...], read: Callable[[int, Row], Record]) -> Lanes:
    clock = clock_of(context)
    header = quoted_header(lines, columns)
    flags = header.flags

    def read_one(line: int, raw: bytes | None) -> Record | Rejected:
        try:
            return read(line, Row(_fields(raw, header.width), header.positions, clock, context, list(flags)))
        except RowError as error:
            return Rejected(line, error.reason, error.column, raw or b"")

    shape = Shape(header.positions, header.width, separator=";", end=";")
    regular = RegularNtd(PlainTimes(clock), context.received_at)
    return Lanes((row for row in lines if row[1] != b""), read_one, shape, regular, flags)


def _fields(raw: bytes | None, width: int) -> list[str]:
    fields = fields_of(raw)
    if len(fields) != width:
        raise RowError("wrong_number_of_columns")
    return fields


def _check_counter(row: Row) -> None:
    """A counter that is no number says that the columns have shifted."""
    counter = row.text("online counter")
    if counter and not counter.isdecimal():
        raise RowError("not_a_number", "online counter")


def _ntd_row(line: int, row: Row) -> Record:
    status = row.one_of("NTD status", _STATUSES, "unknown_status")
    role = _ROLES[row.one_of("abuse type", _ROLES, "unknown_type")]
    _check_counter(row)
    sightings = row.seen("first seen", "last seen")
    notices: tuple[NoticeRecord, ...] = ()
    if status in SENT:
        notices = (_notice(row, status, role),)
    else:
        row.flags.append("not_sent")
    url = row.text("url")
    return Record(line, url, len(url) == CUT_AT, notices, sightings, tuple(row.flags))


def _notice(row: Row, status: str, role: Role) -> NoticeRecord:
    sent_at = row.past("NTD status time", "notice_in_future", later=True)
    if sent_at is None:
        raise RowError("no_time", "NTD status time")
    delivery, channel = SENT[status]
    hoster = role is Role.HOSTER
    return NoticeRecord(
        sent_at,
        role=role,
        delivery=delivery,
        channel=channel,
        recipient=row.text("abuse owner") or None if hoster else None,
        recipient_country=row.text("abuse country") or None,
        recipient_email=row.text("abuse email") or None if hoster else None,
        address=row.text("IP") or None,
        reference=row.text("NTD filenumber") or None,
    )


def _closed_row(line: int, row: Row) -> Record:
    status = status_of(row, "status")
    _check_counter(row)
    offline = (SightingRecord(row.context.received_at, State.OFFLINE),)
    sightings = (*row.seen("first seen", "last seen"), *outcome(row, status, row.text("abuse country"), offline))
    url, number = row.text("url"), row.text("filenumber")
    item = number if ITEM_NUMBER.fullmatch(number) else None
    return Record(line, url, len(url) == CUT_AT, (), sightings, tuple(row.flags), file_number=item)
