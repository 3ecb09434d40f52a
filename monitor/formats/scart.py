"""SCART, the hotline's own system: the `ntd` and `ntdclosed` exports.

Every field is quoted, `"`, `'`, `\\` and NUL are escaped with a backslash, fields end in `;` (the last one too).
Times are local and without a zone. What the values mean is written down in docs/sources.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from monitor.errors import ConfigurationError, DeliveryError
from monitor.formats.header import Header, read_header
from monitor.formats.localtime import LocalClock
from monitor.formats.records import Context, NoticeRecord, Record, Rejected, SightingRecord
from monitor.formats.rows import Lines, RowError, decode, read_time, refuse_future
from monitor.models.words import Channel, DeliveryState, Pause, Role, State

CUT_AT = 255

NTD_COLUMNS = (
    "NTD filenumber", "NTD type", "NTD status", "NTD status time", "abuse owner", "abuse type", "abuse country",
    "abuse email", "url", "IP", "first seen", "last seen", "online counter",
)  # fmt: skip
CLOSED_COLUMNS = (
    "filenumber", "url", "status", "abuse owner", "abuse country", "abuse email", "IP", "first seen", "last seen",
    "online counter",
)  # fmt: skip

SENT: Mapping[str, tuple[DeliveryState, Channel]] = MappingProxyType(
    {
        "sent_succes": (DeliveryState.ASSUMED, Channel.EMAIL),
        "sent_api_succes": (DeliveryState.DELIVERED, Channel.API),
        "sent_failed": (DeliveryState.FAILED, Channel.EMAIL),
        "sent_api_failed": (DeliveryState.FAILED, Channel.API),
    }
)
NOT_SENT = frozenset({"init", "grouping", "queued", "queue_directly", "queue_directly_police", "close"})
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
_HOME_NAMES: Mapping[str, frozenset[str]] = MappingProxyType(
    {"NL": frozenset({"nl", "nld", "netherlands", "the netherlands", "nederland"})}
)

_FIELD = re.compile(r'"((?:[^"\\]|\\.)*)"(?:;|$)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def parse_ntd(lines: Lines, context: Context) -> Iterator[Record | Rejected]:
    """Rows of the `ntd` export: one notice each, and the check before it that found the item online."""
    return _parse(lines, context, NTD_COLUMNS, _ntd_row)


def parse_ntdclosed(lines: Lines, context: Context) -> Iterator[Record | Rejected]:
    """Rows of the `ntdclosed` export: what became of an item that a notice was sent about."""
    return _parse(lines, context, CLOSED_COLUMNS, _closed_row)


def split_row(text: str) -> list[str]:
    """The fields of one row; raises ValueError where the quoting does not come out even."""
    if text.startswith('"') and text.endswith('";') and "\\" not in text:
        return text[1:-2].split('";"')
    fields, position = [], 0
    for match in _FIELD.finditer(text):
        if match.start() != position:
            break
        fields.append(match[1])
        position = match.end()
    if position != len(text):
        raise ValueError("quotes do not pair")
    return [_ESCAPED.sub(_unescape, field) if "\\" in field else field for field in fields]


def _unescape(match: re.Match[str]) -> str:
    return "\x00" if match[1] == "0" else match[1]


@dataclass(frozen=True)
class _Row:
    """One row with its columns by name, reading times in the source's zone and collecting flags."""

    fields: list[str]
    positions: Mapping[str, int]
    clock: LocalClock
    context: Context
    flags: list[str]

    def text(self, column: str) -> str:
        return self.fields[self.positions[column]].strip()

    def instant(self, column: str, *, later: bool = False) -> int | None:
        return read_time(self.clock, self.text(column), column, self.flags, later=later)

    def seen(self) -> tuple[SightingRecord, ...]:
        """The last check that found the item online, where there was one."""
        first, last = self.instant("first seen"), self.instant("last seen")
        if last is None:
            return ()
        refuse_future(last, self.context.received_at, "last_seen_in_future", "last seen")
        if first is not None and last < first:
            self.flags.append("last_seen_before_first_seen")
        return (SightingRecord(last, State.ONLINE),)

    def check_counter(self) -> None:
        """A counter that is no number says that the columns have shifted."""
        counter = self.text("online counter")
        if counter and not counter.isdecimal():
            raise RowError("not_a_number", "online counter")


def _parse(
    lines: Lines, context: Context, columns: tuple[str, ...], read: Callable[[int, _Row], Record]
) -> Iterator[Record | Rejected]:
    if context.zone is None:
        raise ConfigurationError(
            "SCART times have no zone: say which one with --zone, or with zone = \"Europe/Amsterdam\" "
            "under [sources.NAME] in monitor.toml"
        )  # fmt: skip
    header = _header(lines, columns)
    clock = LocalClock(context.zone)
    for line, raw in lines:
        if raw == b"":
            continue
        try:
            flags = [f"unknown_column:{name}" for name in header.unknown]
            yield read(line, _Row(_fields(raw, header.width), header.positions, clock, context, flags))
        except RowError as error:
            yield Rejected(line, error.reason, error.column, raw or b"")


def _header(lines: Lines, columns: tuple[str, ...]) -> Header:
    line, raw = next(lines)
    try:
        names = split_row((raw or b"").decode("utf-8").rstrip())
    except ValueError as error:
        raise DeliveryError(f"line {line}: this is not the header line of a SCART export") from error
    return read_header([name for name in names if name.strip()], columns, line)


def _fields(raw: bytes | None, width: int) -> list[str]:
    text = decode(raw)
    try:
        fields = split_row(text)
    except ValueError:
        raise RowError("quotes_do_not_pair") from None
    if len(fields) != width:
        raise RowError("wrong_number_of_columns")
    if "\\0" in text and any("\x00" in field for field in fields):
        raise RowError("nul_character")
    return fields


def _ntd_row(line: int, row: _Row) -> Record:
    status, role = row.text("NTD status"), row.text("abuse type")
    if status not in SENT and status not in NOT_SENT:
        raise RowError("unknown_status", "NTD status")
    if role not in {*Role}:
        raise RowError("unknown_type", "abuse type")
    row.check_counter()
    sightings = row.seen()
    notices: tuple[NoticeRecord, ...] = ()
    if status in SENT:
        notices = (_notice(row, status, Role(role)),)
    else:
        row.flags.append("not_sent")
    url = row.text("url")
    return Record(line, url, len(url) == CUT_AT, notices, sightings, tuple(row.flags))


def _notice(row: _Row, status: str, role: Role) -> NoticeRecord:
    sent_at = row.instant("NTD status time", later=True)
    if sent_at is None:
        raise RowError("no_time", "NTD status time")
    refuse_future(sent_at, row.context.received_at, "notice_in_future", "NTD status time")
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


def _closed_row(line: int, row: _Row) -> Record:
    status = row.text("status")
    row.check_counter()
    sightings = (*row.seen(), *_outcome(row, status))
    url = row.text("url")
    return Record(line, url, len(url) == CUT_AT, (), sightings, tuple(row.flags))


def _outcome(row: _Row, status: str) -> tuple[SightingRecord, ...]:
    """What the status says at the time of the delivery, which is all that is known of when."""
    at = row.context.received_at
    if status in OFFLINE:
        return (SightingRecord(at, State.OFFLINE),)
    if status in PAUSED:
        return (SightingRecord(at, State.UNKNOWN, pause=PAUSED[status]),)
    if status == "close":
        country = row.text("abuse country")
        if country and not _at_home(country, row.context.home_country):
            return (SightingRecord(at, State.MOVED, country=country),)
        row.flags.append("closed_for_no_stated_reason")
        return (SightingRecord(at, State.UNKNOWN),)
    if status in BEING_CHECKED:
        return ()
    raise RowError("unknown_status", "status")


def _at_home(country: str, home: str) -> bool:
    return country.casefold() in _HOME_NAMES.get(home, frozenset({home.casefold()}))
