"""Shared by the row parsers of all formats: why a row is refused, decoding, and the checks of times."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

from monitor.clear_text import holds_address
from monitor.countries import country_code
from monitor.formats.localtime import BadTimeError, LocalClock
from monitor.formats.records import Context
from monitor.instants import NotATimeError, read_instant
from monitor.names import names_nobody
from monitor.urls import BRACKETED, MEANT, trimmed

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
