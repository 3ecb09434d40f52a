"""What the row parsers of all formats share: columns by name, refusals, decoding, times and their zones."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeAlias
from zoneinfo import ZoneInfo

from monitor.clear_text import holds_address
from monitor.countries import country_code
from monitor.errors import DeliveryError
from monitor.formats.records import Context
from monitor.instants import NotATimeError, read_instant
from monitor.names import names_nobody
from monitor.urls import BRACKETED, MEANT, trimmed

# Finds columns by name: a missing one stops the delivery, an unknown one is reported by number and not read.

_MOST_COLUMNS = 1000
_MOST_NUMBERED = 20
# Nothing but separators, or the line by which a spreadsheet is told its separator: `sep=;`.
_NO_HEADER = re.compile(rb"[\s,;|]*+|\"?sep=.?\"?\s*+", re.IGNORECASE)
_EMPTY = re.compile(rb"(?:[\s,]|\"\s*+\")*+")


@dataclass(frozen=True)
class Header:
    """Where each column stands from 0, how many there are, and the numbers (from 1) of those that nobody asked for.

    What an unknown column is called is repeated nowhere: it may be anything, a URL too (S1).
    """

    positions: dict[str, int]
    width: int
    unknown: tuple[int, ...]

    @property
    def flags(self) -> tuple[str, ...]:
        """A warning for each unknown column by its number; of very many the first few, and how many more there are."""
        numbered = tuple(f"unknown_column:{number}" for number in self.unknown[:_MOST_NUMBERED])
        more = len(self.unknown) - len(numbered)
        return (*numbered, f"unknown_column:{more} more") if more else numbered


def header_line(lines: Iterator[tuple[int, bytes | None]]) -> tuple[int, bytes | None]:
    """Number and bytes of the first line that may name columns; one without anything where there is none."""
    return next((row for row in lines if row[1] is None or not _NO_HEADER.fullmatch(row[1])), (1, b""))


def is_empty_row(raw: bytes | None) -> bool:
    """Whether no cell of a row holds anything: a spreadsheet keeps rows that were emptied, as `,,,,`."""
    return raw is not None and _EMPTY.fullmatch(raw) is not None


def read_header(names: Sequence[str], wanted: Collection[str], line: int, optional: Collection[str] = ()) -> Header:
    """Find each wanted column by name; raises DeliveryError that names the missing or doubled ones.

    An `optional` column may be missing; where it is there it has its position, and is not unknown.
    """
    if len(names) > _MOST_COLUMNS:
        raise DeliveryError(
            f"line {line}: {len(names)} columns, at most {_MOST_COLUMNS} are read; is it the right format?"
        )
    stripped = [trimmed(name) for name in names]
    standing = Counter(stripped)
    missing = [name for name in wanted if name not in standing]
    if missing:
        raise DeliveryError(f"line {line}: no column {', '.join(map(repr, missing))}; is this the right format?")
    known = [*wanted, *(name for name in optional if name in standing)]
    doubled = sorted({name for name in known if standing[name] > 1})
    if doubled:
        raise DeliveryError(f"line {line}: column {', '.join(map(repr, doubled))} stands there twice")
    taken = set(known)
    unknown = tuple(number for number, name in enumerate(stripped, 1) if name not in taken)
    return Header({name: stripped.index(name) for name in known}, len(stripped), unknown)


# Shared by the row parsers of all formats: why a row is refused, decoding, and the checks of times.

Lines: TypeAlias = Iterator[tuple[int, bytes | None]]

EARLY = "last_seen_before_first_seen"
UNKNOWN_COUNTRY, HOLDS_ADDRESS = "unknown_country", "text_holds_address"
CLOCK_SKEW = 300  # seconds by which a source's clock may run ahead of ours
# An address with more: `[2001:db8::7]:443` as in URLs, `192.0.2.7:443`, `192.0.2.7/32` as PostgreSQL writes one.
_MORE_THAN_ADDRESS = re.compile(
    r"\[(?=[^:]*+:)([0-9A-F:.]++)\](?::\d{1,5})?|(\d{1,3}(?:\.\d{1,3}){3})(?::\d{1,5}|/32)|(?=[^:]*+:)([0-9A-F:.]++)/128",
    re.ASCII | re.IGNORECASE,
)
_DEFANGED = re.compile(BRACKETED, re.IGNORECASE)
_EARLIEST = 631_152_000  # 1990: before the web there was nothing to report on it


class RowError(Exception):
    """A row that cannot be taken: the reason, and the column where there is one. Never carries its content."""

    def __init__(self, reason: str, column: str | None = None) -> None:
        """`reason` is a code such as `unknown_status`."""
        super().__init__(reason)
        self.reason, self.column = reason, column


def decode(raw: bytes | None) -> str:
    """The text of a line; RowError where it is too long, not UTF-8, or holds a NUL."""
    if raw is None:
        raise RowError("line_too_long")
    if b"\x00" in raw:
        raise RowError("nul_character")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise RowError("not_utf8") from None


def read_time(clock: LocalClock, text: str, column: str, flags: list[str], *, later: bool = False) -> int | None:
    """The instant of a local time, None for no time; what was odd about it is added to `flags`."""
    try:
        instant, flag = clock.read(text, later=later)
    except BadTimeError:
        raise RowError("not_a_time", column) from None
    if flag:
        flags.append(flag)
    return instant


def read_country(text: str, column: str, context: Context, flags: list[str]) -> str | None:
    """The ISO 3166 code of a country; None, and a flag, for a text that is none: nothing follows from it.

    RowError for an address, which says that the columns have shifted.
    """
    code = country_code(text, context.countries)
    if code is None and not names_nobody(text):
        if holds_address(text):
            raise RowError(HOLDS_ADDRESS, column)
        flags.append(UNKNOWN_COUNTRY)
    return code


def address_alone(text: str) -> str:
    """An address without the brackets, port, length or marks of a defanged one that a sender wrote with it."""
    plain = _DEFANGED.sub(lambda mark: MEANT.get(mark[1].lower(), mark[1]), trimmed(text))
    match = _MORE_THAN_ADDRESS.fullmatch(plain)
    return match[1] or match[2] or match[3] if match else plain


def read_zoned_time(text: str, column: str) -> int:
    """The instant of a time that its format promises with a zone; RowError where there is none: nobody guesses it."""
    try:
        instant = read_instant(text)
    except NotATimeError as error:
        raise RowError(error.reason, column) from None
    if instant < _EARLIEST:
        raise RowError("implausible_time", column)
    return instant


def in_order(
    reported: int | None, classified: int | None, sent: int | None, context: Context, flags: list[str]
) -> tuple[int | None, int | None]:
    """When an item was reported and classified, None for what lies after the delivery.

    A notice follows the classification and that the report; what does not is flagged, and stays as it was stated.
    """
    latest = context.received_at + CLOCK_SKEW
    if reported is not None and reported > latest:
        flags.append("received_in_future")
        reported = None
    if classified is not None and classified > latest:
        flags.append("classified_in_future")
        classified = None
    if reported is not None and classified is not None and classified < reported:
        flags.append("classified_before_received")
    if sent is not None and classified is not None and sent < classified:
        flags.append("sent_before_classified")
    elif sent is not None and reported is not None and sent < reported:
        flags.append("sent_before_received")
    return reported, classified


def refuse_future(instant: int, received_at: int, reason: str, column: str) -> None:
    """RowError for what is said to have happened after the delivery arrived."""
    if instant > received_at + CLOCK_SKEW:
        raise RowError(reason, column)


# Local times without a zone, made into instants by a stated rule.
#
# A time that occurs twice (autumn) is taken the way that shortens the exposure: a notice the later time, a sighting
# the earlier. A time that does not exist (spring) is read with the offset before the change, as a clock that was not
# yet put forward. Both are flagged.

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 -- arithmetic on wall-clock readings, the zone is added after
_NO_TIME = ("", "0000-00-00 00:00:00")

AMBIGUOUS = "time_occurs_twice"
NONEXISTENT = "time_does_not_exist"

NO_TIME, NOT_PLAIN = -(2**50), -(2**60)  # far enough apart that no seconds make one of the other
_SECONDS = {f"{second:02}": second for second in range(60)} | {"": NO_TIME}
_NEVER = {"": 0, _NO_TIME[1][:17]: NO_TIME}  # what stands in for the minute of no time
_MINUTES_KEPT = 200_000


class BadTimeError(ValueError):
    """The text is no `Y-m-d H:i:s` that exists in the calendar."""


class LocalClock:
    """Reads `2026-04-10 12:07:25` as wall-clock time of one zone."""

    def __init__(self, zone: str) -> None:
        """A clock of an IANA zone."""
        self._zone = ZoneInfo(zone)
        self._offsets = lru_cache(maxsize=100_000)(self._find_offsets)

    def read(self, text: str, *, later: bool = False) -> tuple[int | None, str | None]:
        """The instant, and a flag where the time was ambiguous or non-existent; (None, None) for no time."""
        if text in _NO_TIME:
            return None, None
        earlier_offset, later_offset, flag = self._offsets(text[:15])
        wall = _wall_seconds(text)
        return wall - (later_offset if later else earlier_offset), flag

    def _find_offsets(self, ten_minutes: str) -> tuple[int, int, str | None]:
        """Offsets from UTC in seconds (giving the earlier and the later instant) within ten minutes."""
        wall = _EPOCH.fromtimestamp(_wall_seconds(f"{ten_minutes}0:00"), UTC).replace(tzinfo=self._zone)
        first, second = (round(_offset(wall.replace(fold=fold))) for fold in (0, 1))
        if first == second:
            return first, first, None
        if first < second:  # the gap in spring: fold 0 carries the offset before the change
            return first, first, NONEXISTENT
        return first, second, AMBIGUOUS


class PlainTimes(dict[str, int]):
    """Reads many local times at once: of each minute (`2026-04-10 12:07:`, the key) the clock is asked once."""

    def __init__(self, clock: LocalClock) -> None:
        """For the times of one clock."""
        super().__init__(_NEVER)
        self._clock = clock

    def read(self, texts: Sequence[str]) -> list[int]:
        """The instant of each; NO_TIME for none; any other number below 0 where only the clock itself can tell."""
        if len(self) > _MINUTES_KEPT:
            self.clear()
            self.update(_NEVER)
        return [self[text[:17]] + _SECONDS.get(text[17:], NOT_PLAIN) for text in texts]

    def __missing__(self, minute: str) -> int:
        """Read a minute, and keep it."""
        try:
            instant, flag = self._clock.read(f"{minute}00")
        except BadTimeError:
            instant, flag = None, None
        self[minute] = NOT_PLAIN if instant is None or flag else instant
        return self[minute]


def _offset(moment: datetime) -> float:
    offset = moment.utcoffset()
    assert offset is not None
    return offset.total_seconds()


def _wall_seconds(text: str) -> int:
    try:
        if len(text) != 19 or text[10] != " ":
            raise BadTimeError
        day = _day_seconds(text[:10])
        hour, minute, second = int(text[11:13]), int(text[14:16]), int(text[17:19])
    except ValueError:
        raise BadTimeError("not a time such as 2026-04-10 12:07:25") from None
    if text[13] != ":" or text[16] != ":" or not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60):
        raise BadTimeError("not a time such as 2026-04-10 12:07:25")
    return day + hour * 3600 + minute * 60 + second


@lru_cache(maxsize=10_000)
def _day_seconds(day: str) -> int:
    return int((datetime.strptime(day, "%Y-%m-%d") - _EPOCH).total_seconds())  # noqa: DTZ007
