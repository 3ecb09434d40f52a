"""One row of an export with its columns by name: the quoted dialect, rows without quotes, and SCART's words."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from monitor.errors import ConfigurationError, DeliveryError
from monitor.formats.files import LINE_LIMIT
from monitor.formats.records import Context, Record, Rejected, SightingRecord
from monitor.formats.rows import (
    EARLY,
    Header,
    Lines,
    LocalClock,
    RowError,
    address_alone,
    decode,
    header_line,
    in_order,
    read_country,
    read_header,
    read_time,
    refuse_future,
)
from monitor.urls import trimmed
from monitor.vocabulary import Channel, DeliveryState, Pause, State

# The words of SCART: what each status of a notice or an item says, and the values that columns may hold.

CUT_AT = 255  # characters of a URL that a notice keeps

SENT: Mapping[str, tuple[DeliveryState, Channel]] = MappingProxyType(
    {
        "sent_succes": (DeliveryState.ASSUMED, Channel.EMAIL),
        "sent_api_succes": (DeliveryState.DELIVERED, Channel.API),
        "sent_failed": (DeliveryState.FAILED, Channel.EMAIL),
        "sent_api_failed": (DeliveryState.FAILED, Channel.API),
    }
)
NOT_SENT = frozenset(
    {"init", "grouping", "queued", "queue_directly", "queue_directly_police", "close", "close_notNL", "close_notGDPR"}
)
OFFLINE = frozenset({"close_offline", "close_offline_manual"})
PAUSED: Mapping[str, Pause] = MappingProxyType(
    {
        "abusecontact_changed": Pause.HOST_CHANGED,
        "first_police": Pause.POLICE_HOLD,
        "scheduler_checkonline_manual": Pause.MANUAL_CHECK,
    }
)
BEING_CHECKED = frozenset(
    {"open", "scheduler_scrape", "scheduler_ai_analyze", "cannot_scrape", "work", "ai_analyze", "grade",
     "scheduler_checkonline", "close_double"}
)  # fmt: skip
CHANGED, CLOSED = "abusecontact_changed", "close"
STATUSES = OFFLINE | BEING_CHECKED | frozenset(PAUSED) | {CLOSED}
TYPES = frozenset(
    {"website", "filehost", "imagehost", "imagestore", "imageboard", "bannersite", "linksite", "socialsite",
     "redirector", "webarchived", "searchprovider", "blog", "forum", "webpage", "notdetermined", "notapplicable"}
)  # fmt: skip
HASH_ANSWERS: Mapping[str, bool] = MappingProxyType(
    {"1": True, "true": True, "y": True, "": False, "0": False, "false": False, "n": False}
)

ITEM_NUMBER = re.compile(r"[IN]\d+", re.ASCII)


# SCART's quoted dialect: backslash escapes, a trailing `;`, bare empty fields, rows run together, line breaks.
#
# Every field is `"`..`";` as PHP's addslashes leaves it. `all` writes what an item lacks as a bare `;`, and runs two
# rows together where it appended to its file (every 10,000 rows). A text answer may hold line breaks.

# Possessive, and only where a field must begin: a quote without an end costs its length once, not squared.
_FIELD = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"(?:;|$)|;', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_LINES = 200


def split_row(text: str) -> list[str]:
    """The fields of one row; raises ValueError where the quoting does not come out even."""
    if text.startswith('"') and text.endswith('";') and "\\" not in text:
        fields = text[1:-2].split('";"')
        if text.count('"') == 2 * len(fields):
            return fields
    return _split_slowly(text)


def _split_slowly(text: str) -> list[str]:
    fields, position = [], 0
    while match := _FIELD.match(text, position):
        fields.append(match[1] or "")
        position = match.end()
    if position != len(text):
        raise ValueError("quotes do not pair")
    return [_ESCAPED.sub(_unescape, field) if "\\" in field else field for field in fields]


def _unescape(match: re.Match[str]) -> str:
    return "\x00" if match[1] == "0" else match[1]


def fields_of(raw: bytes | None) -> list[str]:
    """The fields of a line as it came; RowError where it cannot be read."""
    text = decode(raw)
    try:
        fields = split_row(text)
    except ValueError:
        raise RowError("quotes_do_not_pair") from None
    if "\\0" in text and any("\x00" in field for field in fields):
        raise RowError("nul_character")
    return fields


def whole_rows(
    lines: Lines, begins: Callable[[bytes], object], missing_after: Callable[[int, bytes], int], *, quoted: bool = False
) -> Iterator[tuple[int, bytes | None, bool]]:
    """Number of the first line, bytes, and whether a field held a line break, of each row.

    `missing_after` says of what a row lacked before a line what it lacks after it, 0 for nothing. A row that lacks
    something goes on in the next line, unless that `begins` a row: one that is broken never takes a good one with it.
    A row has at most 200 lines, and no more bytes than a line may have. `quoted`: what may be missing is a quote, of
    `open_quotes`; of a line without a backslash that is told without calling it.
    """
    number, size, missing, pending = 0, 0, 0, list[bytes]()
    for following, raw in lines:
        if not pending and (
            raw is None
            or (quoted and b"\\" not in raw and not raw.count(b'"') & 1)  # as nearly all of them are
            or not missing_after(0, raw)
        ):
            yield following, raw, False
            continue
        size += len(raw or b"") + 1
        if pending and raw is not None and not begins(raw) and len(pending) < _LINES and size <= LINE_LIMIT:
            pending.append(raw)
            missing = missing_after(missing, raw)
            if not missing:
                yield number, b"\n".join(pending), True
                pending = []
            continue
        if pending:
            yield number, b"\n".join(pending), len(pending) > 1
            pending = []
        missing = 0 if raw is None else missing_after(0, raw)
        if raw is None or not missing:
            yield following, raw, False
        else:
            number, size, pending = following, len(raw), [raw]
    if pending:
        yield number, b"\n".join(pending), len(pending) > 1


def open_quotes(before: int, raw: bytes) -> int:
    """1 where a quote is open after a line, before which `before` were."""
    plain = _ESCAPE.sub(b"", raw) if b"\\" in raw else raw
    return (before + plain.count(b'"')) % 2


# Rows without quotes: which of the cells between `;` belong to which column, where a text holds a `;` itself.
#
# A column has a form (a time, a status, an address) or is free text. All ways to lay the cells over the columns in
# order are followed at once, from the left and from the right. A column that we read must come out the same in every
# way that fits, else the row is refused: nothing is ever shifted.
#
# A set of places between cells is kept as the bits of one number, so that the time a row takes does not grow with the
# number of ways. What the form of a column says of a text with separators, it says of the cells between them.

SEPARATOR = ";"
_MORE = 40  # separators inside texts that one row may hold
_DOUBLINGS = tuple(1 << power for power in range(_MORE.bit_length()))

Form: TypeAlias = Callable[[str], object]


@dataclass(frozen=True)
class Column:
    """The form of one column (None: any text); `free` where its text may hold separators; `read` where we take it.

    Of a text with separators `first` is the form of what comes before the first, `part` of all that is between them.
    """

    name: str
    form: Form | None
    free: bool
    read: bool
    first: Form | None = None
    part: Form | None = None


class _Fit(NamedTuple):
    """Where a column can begin and end, going by its form and what is left of it; cells that fit as a whole or part."""

    begins: int
    ends: int
    alone: int
    first: int
    part: int


def recover(cells: Sequence[str], columns: Sequence[Column]) -> list[str]:
    """One text a column; RowError where no way fits, or a column that is read comes out in more than one."""
    more = len(cells) - len(columns)
    if not 0 <= more <= _MORE:
        raise RowError("wrong_number_of_columns")
    fits = list(_from_left(cells, columns, more))
    found, wanted, unclear = list[str](), 1 << len(cells), None
    for column, fit in zip(reversed(columns), reversed(fits), strict=True):
        ends = fit.ends & wanted
        wanted = _begins_of(fit, ends)
        if not wanted:
            raise RowError("columns_do_not_fit")
        if column.read and (wanted.bit_count() > 1 or ends.bit_count() > 1):
            unclear = column.name
        begin = _lowest(wanted)
        found.append(SEPARATOR.join(cells[begin : _lowest(ends & -(2 << begin))]))
    if unclear:
        raise RowError("more_than_one_reading", unclear)
    return found[::-1]


def _from_left(cells: Sequence[str], columns: Sequence[Column], more: int) -> Iterator[_Fit]:
    """What each column can be, given what those before it can be."""
    begins, window = 1, (2 << more) - 1
    for number, column in enumerate(columns):
        fit = _fit(cells, column, begins, window << number)
        if not fit.ends:
            raise RowError("columns_do_not_fit", column.name if column.read else None)
        yield fit
        begins = fit.ends


def _fit(cells: Sequence[str], column: Column, begins: int, window: int) -> _Fit:
    alone = _where(cells, column.form, begins)
    if not column.free or not window & (window - 1):
        return _Fit(begins, alone << 1, alone, 0, 0)
    part = _where(cells, column.part, window & -_lowest_bit(begins))
    first = _where(cells, column.first, begins & part)
    spread, through = first << 1 & part, part
    for step in _DOUBLINGS:
        spread |= spread << step & through
        through &= through << step
    return _Fit(begins, (alone | spread) << 1, alone, first, part)


def _begins_of(fit: _Fit, ends: int) -> int:
    """Where the column begins in the ways that end where it is wanted to."""
    last = ends >> 1
    spread, through = last & fit.part, fit.part
    for step in _DOUBLINGS if fit.first else ():
        spread |= spread >> step & through
        through &= through >> step
    return (fit.alone & last) | (fit.first & spread >> 1)


def _where(cells: Sequence[str], form: Form | None, places: int) -> int:
    """Those of the places at which a cell of that form stands."""
    if form is None:
        return places
    fitting, rest = 0, places
    while rest:
        bit = _lowest_bit(rest)
        rest ^= bit
        if form(cells[bit.bit_length() - 1]):
            fitting |= bit
    return fitting


def _lowest_bit(places: int) -> int:
    return places & -places


def _lowest(places: int) -> int:
    """The first of the places."""
    return _lowest_bit(places).bit_length() - 1


# One row of an export with its columns by name, and what the item's status and its checks say.


@dataclass(slots=True)
class Row:
    """One row with its columns by name, reading times in the source's zone and collecting flags."""

    fields: Sequence[str]
    positions: Mapping[str, int]
    clock: LocalClock
    context: Context
    flags: list[str] = field(default_factory=list)

    def text(self, column: str) -> str:
        """What stands in a column; nothing where the export has none of that name."""
        position = self.positions.get(column)
        return "" if position is None else trimmed(self.fields[position])

    def address(self, column: str) -> str | None:
        """The IP address in a column, without what may stand with it, None for none."""
        return address_alone(self.text(column)) or None

    def instant(self, column: str, *, later: bool = False) -> int | None:
        """The time in a column, None for none; of one that occurs twice the earlier, unless told otherwise."""
        return read_time(self.clock, self.text(column), column, self.flags, later=later)

    def past(self, column: str, reason: str, *, later: bool = False) -> int | None:
        """As `instant`; RowError with the reason where it lies after the delivery."""
        at = self.instant(column, later=later)
        if at is not None:
            refuse_future(at, self.context.received_at, reason, column)
        return at

    def seen(self, first_column: str, last_column: str) -> tuple[SightingRecord, ...]:
        """The last check that found the item online, where there was one."""
        first, last = self.instant(first_column), self.past(last_column, "last_seen_in_future")
        if last is None:
            return ()
        if first is not None and last < first:
            self.flags.append(EARLY)
        return (SightingRecord(last, State.ONLINE),)

    def country(self, column: str) -> str | None:
        """The code of the country in a column; None for none, and for a text that is none."""
        return read_country(self.text(column), column, self.context, self.flags)

    def is_abroad(self, country: str | None) -> bool:
        """Whether a country is another than the hotline's. One that is not known is never abroad."""
        return country is not None and country != self.context.home_country

    def flag_unknown(self, column: str, words: Container[str], flag: str) -> None:
        """Flag a word nobody knows in a column on which nothing depends."""
        if self.text(column) and self.text(column) not in words:
            self.flags.append(flag)

    def times_before(self, received: str, classified: str, sent_at: int | None) -> tuple[int | None, int | None]:
        """When the item was reported and classified, as far as that has been; flags what is not in that order."""
        return in_order(self.instant(received), self.instant(classified), sent_at, self.context, self.flags)

    def one_of(self, column: str, words: Container[str], reason: str) -> str:
        """The word in a column; RowError where it is none of those."""
        word = self.text(column)
        if word not in words:
            raise RowError(reason, column)
        return word


def outcome(
    row: Row, status: str, country: str | None, offline: tuple[SightingRecord, ...]
) -> tuple[SightingRecord, ...]:
    """What an item's status says at the time of the delivery; `offline` is what to say of one closed as offline."""
    at = row.context.received_at
    if status in OFFLINE:
        return offline
    if status in PAUSED:
        return (SightingRecord(at, State.UNKNOWN, pause=PAUSED[status]),)
    if status == CLOSED:
        if row.is_abroad(country):
            return (SightingRecord(at, State.MOVED, country=country),)
        row.flags.append("closed_for_no_stated_reason")
        return (SightingRecord(at, State.UNKNOWN),)
    return ()


def status_of(row: Row, column: str) -> str:
    """The status of an item; RowError where SCART has no such status."""
    return row.one_of(column, STATUSES, "unknown_status")


def clock_of(context: Context) -> LocalClock:
    """The source's clock; raises ConfigurationError where nobody said which zone its times are in."""
    if context.zone is None:
        raise ConfigurationError(
            "SCART times have no zone: say which one with --zone, or with zone = \"Europe/Amsterdam\" "
            "under [sources.NAME] in monitor.toml"
        )  # fmt: skip
    return LocalClock(context.zone)


def first_line(lines: Lines) -> tuple[int, str]:
    """Number and text of the header line; DeliveryError where there is none."""
    line, raw = header_line(lines)
    try:
        return line, (raw or b"").decode("utf-8").rstrip()
    except ValueError as error:
        raise DeliveryError(f"line {line}: this is not the header line of a SCART export") from error


def quoted_header(lines: Lines, columns: Sequence[str], optional: Sequence[str] = ()) -> Header:
    """The header of an export in the quoted dialect; it may end in a space."""
    line, text = first_line(lines)
    try:
        names = split_row(text)
    except ValueError as error:
        raise DeliveryError(f"line {line}: this is not the header line of a SCART export") from error
    return read_header([name for name in names if name.strip()], columns, line, optional)


def read_row(
    line: int, raw: bytes | None, read: Callable[[bytes | None], Iterator[Record]]
) -> Sequence[Record | Rejected]:
    """The records of one row as it came, or why it cannot be taken; all of it or nothing."""
    try:
        return list(read(raw))
    except RowError as error:
        return (Rejected(line, error.reason, error.column, raw or b""),)
