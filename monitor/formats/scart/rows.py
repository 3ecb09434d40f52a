"""One row of an export with its columns by name, and what the item's status and its checks say."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from monitor.errors import ConfigurationError, DeliveryError
from monitor.formats.header import Header, header_line, read_header
from monitor.formats.localtime import LocalClock
from monitor.formats.records import Context, Record, Rejected, SightingRecord
from monitor.formats.rows import (
    EARLY,
    Lines,
    RowError,
    address_alone,
    in_order,
    read_country,
    read_time,
    refuse_future,
)
from monitor.formats.scart.dialect import split_row
from monitor.formats.scart.words import CLOSED, OFFLINE, PAUSED, STATUSES
from monitor.urls import trimmed
from monitor.vocabulary import State


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
