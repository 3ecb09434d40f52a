"""The exports with one row an item: `whois` and `all` with their own last check, and `report`, which has no quotes."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType

from monitor.errors import DeliveryError
from monitor.formats.records import Context, NoticeRecord, Record, Rejected, SightingRecord
from monitor.formats.rows import Header, Lines, LocalClock, RowError, decode, read_header
from monitor.formats.scart.rows import (
    CHANGED,
    CLOSED,
    HASH_ANSWERS,
    ITEM_NUMBER,
    SEPARATOR,
    STATUSES,
    TYPES,
    Column,
    Form,
    Row,
    clock_of,
    fields_of,
    first_line,
    open_quotes,
    outcome,
    quoted_header,
    read_row,
    recover,
    status_of,
    whole_rows,
)
from monitor.names import named, names_nobody
from monitor.urls import begins_like_url
from monitor.vocabulary import Channel, DeliveryState, State

# The exports `whois` and `all`: one row an item, with its own last check and whom the hotline takes it to be with.
#
# Columns as SCART's own exporter names them (open source, AbuseIO/SCART). `NTD` counts notices by mail, sent or
# waiting, and `first NTD` is the first by mail to anybody: neither says who was told when, so neither makes a notice.
# A `hoster NTD` that holds a time instead of a count does.

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


# The export `report`: one row an item, no quotes, no trailing `;`; the anonymous form has no URL, host or address.
#
# Later versions of SCART quote its fields and double a quote inside them; such a row is read as what it is.

_RECEIVED = "received_at"
_WHERE = ("url", "url_host", "url_ip", "url_referer")
READ = (
    "filenumber", "hashcheck_at", "hashcheck_return", "firstseen_at", "lastseen_at", "type_code", "police",
    "status_code", "hoster_contact", "hoster_country", "hoster_owner", "hoster_first_ntd_at",
)  # fmt: skip
_REPORT_UNREAD = (
    "reference", "url_type", "source_code", "note", "iccam_hotline_country", "registrar_contact",
    "grade_code", "number_of_ntd", "delivered_items",
)  # fmt: skip
_COLUMNS = ItemColumns(
    "firstseen_at", "lastseen_at", "status_code", "hoster_country", "hoster_owner", "hoster_contact", "url_ip",
    "hoster_first_ntd_at", _RECEIVED,
)  # fmt: skip
_REPORT_BEGINS = re.compile(rb'"?[A-Z]\d+"?;')


def _matches(pattern: str) -> Form:
    return re.compile(pattern, re.IGNORECASE).fullmatch


def _no_time(text: str) -> bool:
    """No text that may hold a separator has a time of its own between two: that is a column of times."""
    return not _A_TIME.fullmatch(text)


def _no_scheme(text: str) -> bool:
    return "://" not in text and not begins_like_url(text)


def _address(text: str) -> bool:
    return "@" in text


_TIME = _matches(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)?")
_A_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n?")
_COUNTRY = _matches(r"[^\W\d_]?[^;\d_@/:]{0,48}|\?")
_CODE = _matches(r"\w*")
_WORD = _matches(r"[\w .,()/+-]{0,64}")  # where nothing depends on it: any word, in a row that no known one fits
_FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "filenumber": ITEM_NUMBER.fullmatch,
        "reference": _no_scheme,
        "url": begins_like_url,
        "url_host": _matches(r"[^\s/?#=&%@]+"),
        "url_ip": _matches(r"([0-9a-f]*[:.][0-9a-f:.]*|\[[0-9a-f:.]+\](:\d{1,5})?)?"),
        "url_type": _CODE,
        "url_referer": _no_time,
        "received_at": _TIME,
        "hashcheck_at": _TIME,
        "hashcheck_return": lambda text: text.lower() in HASH_ANSWERS,
        "firstseen_at": _TIME,
        "lastseen_at": _TIME,
        "type_code": lambda text: text in TYPES or text == "",
        "police": lambda text: text in {"y", "n", ""},
        "source_code": _matches(r"[\w .-]*"),
        "status_code": lambda text: text in STATUSES,
        "iccam_hotline_country": _COUNTRY,
        "hoster_contact": lambda text: _address(text) or names_nobody(text),
        "hoster_country": _COUNTRY,
        "hoster_owner": _no_time,
        "hoster_first_ntd_at": _TIME,
        "registrar_contact": _no_time,
        "grade_code": _CODE,
        "number_of_ntd": _matches(r"\d*"),
        "delivered_items": _matches(r"\d*"),
    }
)
_WORDS = frozenset({"url_type", "hashcheck_return", "type_code", "source_code", "grade_code"})
_FREE: Mapping[str, tuple[Form | None, Form | None]] = MappingProxyType(
    {
        "reference": (None, _no_scheme),
        "url": (begins_like_url, _no_time),
        "url_referer": (None, _no_time),
        "note": (None, None),
        "hoster_contact": (None, _address),
        "hoster_owner": (None, _no_time),
        "registrar_contact": (None, _no_time),
    }
)  # of each text that may hold separators: the form of what comes before the first, and of all that is between them


def parse_report(lines: Lines, context: Context) -> Iterator[Record | Rejected]:
    """Rows of the `report` export, full or anonymous: an item's status, last check, and first notice to its hoster."""
    clock = clock_of(context)
    layout = _layout(*first_line(lines))
    for line, raw, broken in whole_rows(lines, _REPORT_BEGINS.match, layout.missing_after):
        if raw != b"":
            reading = _ReportReading(layout, clock, context, line, broken)
            yield from read_row(line, raw, reading.records)


@dataclass(frozen=True)
class _Layout:
    header: Header
    columns: tuple[Column, ...]

    def recover(self, cells: Sequence[str]) -> list[str]:
        """One text a column; where the words that are known fit in no way, those that are not may stand there too."""
        try:
            return recover(cells, self.columns)
        except RowError as error:
            if error.reason != "columns_do_not_fit":
                raise
            with suppress(RowError):
                return recover(cells, [replace(c, form=_WORD) if c.name in _WORDS else c for c in self.columns])
            raise

    def missing_after(self, before: int, raw: bytes) -> int:
        """Separators a row lacks after a line; -1 for the second quote of a quoted row."""
        if before < 0 or (before == 0 and raw.startswith(b'"')):
            return -((raw.count(b'"') - before) % 2)
        wanted = before or self.header.width - 1
        return max(0, wanted - raw.count(b";")) if raw else before


def _layout(line: int, text: str) -> _Layout:
    """Where each column stands; DeliveryError where columns are missing, or some of those about the URL."""
    names = [name.strip().strip('"') for name in text.split(SEPARATOR)]
    header = read_header(names, READ, line, (*_WHERE, _RECEIVED, *_REPORT_UNREAD))
    missing = [name for name in _WHERE if name not in header.positions]
    if missing and len(missing) < len(_WHERE):
        raise DeliveryError(
            f"line {line}: no column {', '.join(map(repr, missing))}; an anonymous report lacks all four"
        )
    return _Layout(header, tuple(_column(name) for name in names))


def _column(name: str) -> Column:
    known = name in READ or name in _WHERE or name in _REPORT_UNREAD or name == _RECEIVED
    free = name in _FREE or not known
    read = name in READ or name in {"url", "url_ip", _RECEIVED}
    return Column(name, _FORMS.get(name), free, read, *_FREE.get(name, ()))


@dataclass(frozen=True)
class _ReportReading:
    layout: _Layout
    clock: LocalClock
    context: Context
    line: int
    broken: bool

    def records(self, raw: bytes | None) -> Iterator[Record]:
        header = self.layout.header
        text = decode(raw)
        cells = _quoted(text) if text.startswith('"') else text.split(SEPARATOR)
        flags = ["columns_dropped"] if header.unknown else []
        flags += ["line_break_in_field"] if self.broken else []
        flags += ["separator_in_field"] if len(cells) > header.width else []
        fields = self.layout.recover(cells)
        yield _report_record(self.line, Row(fields, header.positions, self.clock, self.context, flags))


def _quoted(text: str) -> list[str]:
    """The cells of a row of a later version; a separator inside a field is part of it, so no cell is spare."""
    try:
        return next(csv.reader([text], delimiter=SEPARATOR, strict=True))
    except csv.Error:
        raise RowError("quotes_do_not_pair") from None


def _report_record(line: int, row: Row) -> Record:
    row.flag_unknown("type_code", TYPES, "unknown_type")
    answer = row.text("hashcheck_return").lower()
    if answer not in HASH_ANSWERS:
        row.flags.append("unknown_hash_answer")
    record = item_record(line, row, _COLUMNS)
    if not HASH_ANSWERS.get(answer):
        return record  # false may mean that the service was off
    checked = row.past("hashcheck_at", "hash_check_in_future")
    row.flags.append("hash_hit" if checked is not None else "hash_hit_without_time")
    return replace(record, flags=tuple(row.flags), hash_hit_at=checked)
