"""The exports `ntd` (notices sent by mail, one row a URL) and `ntdclosed` (what became of the day's URLs).

`last seen` in both is a snapshot made when the notice was sent: it proves that the item was online then, and says
nothing about when it went.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from monitor.clear_text import is_mail
from monitor.countries import country_code
from monitor.formats.fast_path import (
    Cells,
    FastPath,
    LineLayout,
    RegularRows,
    addresses_of,
    hosts_of,
    irregular_places,
    is_irregular_text,
    not_in_order,
    of_instants,
    of_texts,
)
from monitor.formats.header import Header
from monitor.formats.localtime import NO_TIME, PlainTimes
from monitor.formats.records import Context, NoticeRecord, Record, Rejected, SightingRecord
from monitor.formats.rows import CLOCK_SKEW, Lines, RowError
from monitor.formats.scart.dialect import fields_of, open_quotes, whole_rows
from monitor.formats.scart.rows import Row, clock_of, outcome, quoted_header, status_of
from monitor.formats.scart.words import CUT_AT, ITEM_NUMBER, NOT_SENT, SENT
from monitor.names import names_nobody
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
_ROLES = {str(role): role for role in Role} | {"": Role.UNKNOWN}  # SCART's own default is `unknown`, or nothing
_REGULAR_ROLES = frozenset(_ROLES) - {"", str(Role.UNKNOWN)}
_TIMES = ("NTD status time", "first seen", "last seen")
_DELIVERY = {status: str(delivery) for status, (delivery, _) in SENT.items()}
_CHANNEL = {status: str(channel) for status, (_, channel) in SENT.items()}
_HOSTER = str(Role.HOSTER)
_BEGINS = re.compile(rb'"[A-Z]\d+";')


def parse_ntd(lines: Lines, context: Context) -> Iterator[Record | Rejected]:
    """Rows of the `ntd` export: one notice each, and the check before it that found the item online."""
    return _parse(lines, context, NTD_COLUMNS, _ntd_row)


def parse_ntdclosed(lines: Lines, context: Context) -> Iterator[Record | Rejected]:
    """Rows of the `ntdclosed` export: what became of an item that a notice was sent about."""
    return _parse(lines, context, CLOSED_COLUMNS, _closed_row)


def ntd_fast_path(lines: Lines, context: Context) -> FastPath:
    """The `ntd` export, to be read by columns where its rows are regular."""
    return _fast_path(lines, context, NTD_COLUMNS, _ntd_row)


def _parse(
    lines: Lines, context: Context, columns: tuple[str, ...], read: Callable[[int, Row], Record]
) -> Iterator[Record | Rejected]:
    export = _fast_path(lines, context, columns, read)
    for line, raw in export.rows:
        yield export.read_row(line, raw)


def _fast_path(
    lines: Lines, context: Context, columns: tuple[str, ...], read: Callable[[int, Row], Record]
) -> FastPath:
    clock = clock_of(context)
    header = quoted_header(lines, columns)
    flags = header.flags

    def read_one(line: int, raw: bytes | None) -> Record | Rejected:
        broken = ("line_break_in_field",) if raw and b"\n" in raw else ()
        try:
            return read(line, Row(_fields(raw, header.width), header.positions, clock, context, [*flags, *broken]))
        except RowError as error:
            return Rejected(line, error.reason, error.column, raw or b"")

    layout = LineLayout(header.positions, header.width, separator=";", end=";")
    regular = RegularNtd(PlainTimes(clock), context)
    rows = whole_rows(lines, partial(_begins_row, header), open_quotes, quoted=True)
    return FastPath(((line, raw) for line, raw, _ in rows if raw != b""), read_one, layout, regular, flags)


def _begins_row(header: Header, raw: bytes) -> bool:
    """Whether a line is a row by itself, or the first of one: then it is not the rest of a field that was left open."""
    try:
        return len(fields_of(raw)) == header.width
    except RowError:
        return _BEGINS.match(raw) is not None


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
    if role is Role.UNKNOWN:
        row.flags.append("recipient_role_unknown")
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
    if row.context.sending is not None and row.context.sending.is_outside(row.text("NTD status time")):
        row.flags.append("sent_outside_hours")
    delivery, channel = SENT[status]
    hoster = role is Role.HOSTER
    return NoticeRecord(
        sent_at,
        role=role,
        delivery=delivery,
        channel=channel,
        recipient=row.text("abuse owner") or None if hoster else None,
        recipient_country=row.country("abuse country"),
        recipient_email=row.text("abuse email") or None if hoster else None,
        address=row.address("IP"),
        reference=row.text("NTD filenumber") or None,
    )


def _closed_row(line: int, row: Row) -> Record:
    status = status_of(row, "status")
    _check_counter(row)
    offline = (SightingRecord(row.context.received_at, State.OFFLINE),)
    sightings = (*row.seen("first seen", "last seen"), *outcome(row, status, row.country("abuse country"), offline))
    url, number = row.text("url"), row.text("filenumber")
    item = number if ITEM_NUMBER.fullmatch(number) else None
    return Record(line, url, len(url) == CUT_AT, (), sightings, tuple(row.flags), file_number=item)


@dataclass(frozen=True)
class RegularNtd:
    """Reads the regular rows of an `ntd` export by columns, as `_ntd_row` reads them one by one.

    A country that is none is left to the parser of one row, which warns of it.
    """

    times: PlainTimes
    context: Context

    def __call__(self, lines: Sequence[int], cells: Cells) -> tuple[RegularRows, set[int]]:
        """The rows by columns, and the places of those that are not regular."""
        sent, first, last = (self.times.read(cells[name]) for name in _TIMES)
        hosts, irregular_urls = hosts_of(cells["url"])
        addresses, irregular_addresses = addresses_of(cells["IP"], hosts)
        roles, statuses = cells["abuse type"], cells["NTD status"]
        countries = [country_code(text, self.context.countries) for text in cells["abuse country"]]
        if self.context.sending is not None:  # what is flagged is left to the parser of one row
            irregular_urls |= irregular_places(cells["NTD status time"], self.context.sending.is_outside)
        rows = RegularRows(
            line=list(lines),
            url=cells["url"],
            host=hosts,
            sent_at=sent,
            role=roles,
            delivery=[_DELIVERY.get(status, "") for status in statuses],
            channel=[_CHANNEL.get(status, "") for status in statuses],
            recipient=_if_hoster(roles, cells["abuse owner"]),
            recipient_country=countries,
            recipient_email=_if_hoster(roles, cells["abuse email"]),
            address=addresses,
            reference=of_texts(cells["NTD filenumber"]),
            online_at=of_instants(last),
            offline_at=[None] * len(lines),
            flag=not_in_order(first, last),
        )
        irregular = irregular_urls | irregular_addresses | self._irregular_times(sent, first, last)
        return rows, irregular | self._unknown_countries(cells["abuse country"]) | _irregular_words(cells)

    def _unknown_countries(self, texts: Sequence[str]) -> set[int]:
        own = self.context.countries
        return irregular_places(texts, lambda text: not names_nobody(text) and country_code(text, own) is None)

    def _irregular_times(self, sent: Sequence[int], first: Sequence[int], last: Sequence[int]) -> set[int]:
        """Where the notice has no time, something lies in the future, or only the clock can read the time."""
        latest = self.context.received_at + CLOCK_SKEW
        irregular = irregular_places(sent, lambda at: not 0 <= at <= latest)
        irregular |= irregular_places(last, lambda at: not (0 <= at <= latest or at == NO_TIME))
        return irregular | irregular_places(first, lambda at: not (at >= 0 or at == NO_TIME))


def _irregular_words(cells: Cells) -> set[int]:
    irregular = irregular_places(cells["NTD status"], lambda status: status not in SENT)
    irregular |= irregular_places(cells["abuse type"], lambda role: role not in _REGULAR_ROLES)
    irregular |= irregular_places(cells["online counter"], lambda counter: counter and not counter.isdecimal())
    for column in ("abuse owner", "abuse country", "NTD filenumber"):
        irregular |= irregular_places(cells[column], is_irregular_text)
    return irregular | irregular_places(cells["abuse email"], lambda mail: not is_mail(mail))


def _if_hoster(roles: Sequence[str], texts: Sequence[str]) -> list[str | None]:
    return [text or None if role == _HOSTER else None for role, text in zip(roles, texts, strict=True)]
