"""`inhope-csv`, the table of a hotline without SCART: a row a notice, and the last check of what it was about.

RFC 4180 (commas, doubled quotes) with a header, UTF-8, times in ISO 8601 with their zone. What the columns mean is
written down in docs/sources.md.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from functools import partial

from monitor.errors import DeliveryError
from monitor.formats.header import Header, header_line, is_empty_row, read_header
from monitor.formats.records import Context, NoticeRecord, Record, Rejected, SightingRecord
from monitor.formats.rows import (
    Lines,
    RowError,
    address_alone,
    decode,
    in_order,
    read_country,
    read_zoned_time,
    refuse_future,
)
from monitor.formats.scart.dialect import whole_rows
from monitor.urls import trimmed
from monitor.vocabulary import CLOCK_STARTING, DeliveryState, State

COLUMNS = (
    "report_id", "url", "host_ip", "notice_sent_at", "recipient", "recipient_country", "recipient_email", "status",
    "checked_at", "destination_country",
)  # fmt: skip
OPTIONAL = ("delivery", "received_at", "classified_at")
_ROUNDED = re.compile(r"-?\d(?:[.,]\d+)?E\+\d{2,3}", re.ASCII)  # `1.23457E+15`
NOT_READ = ("content_class",)  # may be there, and is nobody's business here


def parse(lines: Lines, context: Context) -> Iterator[Record | Rejected]:
    """Each row's notice, where one was sent, and what the last check saw, where there was one."""
    header = _header(lines)
    unknown = list(header.flags)
    for line, raw, _ in whole_rows(lines, partial(_is_row, header), _open_quotes):
        if is_empty_row(raw):
            continue
        try:
            yield _record(line, _fields(raw, header), context, unknown)
        except RowError as error:
            yield Rejected(line, error.reason, error.column, raw or b"")


def _header(lines: Lines) -> Header:
    line, raw = header_line(lines)
    try:
        names = _split(raw)
    except RowError as error:
        raise DeliveryError(f"line {line}: this is no header line ({error.reason}); is this inhope-csv?") from None
    return read_header(names, COLUMNS, line, (*OPTIONAL, *NOT_READ))


def _split(raw: bytes | None) -> list[str]:
    try:
        return [trimmed(field) for field in next(csv.reader([decode(raw)], strict=True))]
    except csv.Error:
        raise RowError("quotes_do_not_pair") from None


def _is_row(header: Header, raw: bytes) -> bool:
    """Whether a line is a whole row by itself: then it is never taken for the rest of a field that was left open."""
    try:
        return len(_split(raw)) == header.width
    except RowError:
        return False


def _open_quotes(before: int, raw: bytes) -> int:
    return (before + raw.count(b'"')) % 2


def _fields(raw: bytes | None, header: Header) -> dict[str, str]:
    fields = _split(raw)
    if len(fields) != header.width:
        raise RowError("wrong_number_of_columns")
    return {name: fields[at] for name, at in header.positions.items() if name not in NOT_READ}


def _record(line: int, row: Mapping[str, str], context: Context, unknown: list[str]) -> Record:
    flags = [*unknown]
    notice, checked = _notice(row, context, flags), _checked(row, context, flags)
    sightings: tuple[SightingRecord, ...] = () if checked is None else (checked,)
    if notice is None:
        flags.append("not_sent")
    elif notice.delivery not in CLOCK_STARTING:
        flags.append("notice_not_delivered")
    elif checked and checked.state is State.OFFLINE and checked.seen_at < notice.sent_at:
        # The notice came too late, and nothing would ever end its episode: that the item is gone holds to this day.
        flags.append("gone_before_notice")
        sightings += (SightingRecord(context.received_at, State.OFFLINE),)
    reported, classified = (_optional_instant(row, column, flags) for column in ("received_at", "classified_at"))
    reported, classified = in_order(reported, classified, notice.sent_at if notice else None, context, flags)
    return Record(
        line,
        row["url"],
        notices=() if notice is None else (notice,),
        sightings=sightings,
        flags=tuple(flags),
        reported_at=reported,
        classified_at=classified,
    )


def _notice(row: Mapping[str, str], context: Context, flags: list[str]) -> NoticeRecord | None:
    country = read_country(row["recipient_country"], "recipient_country", context, flags)
    sent_at, delivery = _instant(row, "notice_sent_at"), _delivery(row)
    if sent_at is None and row.get("delivery"):
        raise RowError("no_time", "notice_sent_at")
    if sent_at is None:
        return None
    refuse_future(sent_at, context.received_at, "notice_in_future", "notice_sent_at")
    return NoticeRecord(
        sent_at,
        delivery=delivery,
        recipient=row["recipient"] or None,
        recipient_country=country,
        recipient_email=row["recipient_email"] or None,
        address=address_alone(row["host_ip"]) or None,
        reference=_number(row["report_id"], flags),
    )


def _number(text: str, flags: list[str]) -> str | None:
    """The sender's number of the notice; None for one that a spreadsheet rounded, which many may share."""
    if _ROUNDED.fullmatch(text):
        flags.append("rounded_number")
        return None
    return text or None


def _checked(row: Mapping[str, str], context: Context, flags: list[str]) -> SightingRecord | None:
    """What the last check saw; RowError where status, time and destination do not go together."""
    status, checked_at = row["status"].lower(), _instant(row, "checked_at")
    country = read_country(row["destination_country"], "destination_country", context, flags)
    if status not in {"", *State}:
        raise RowError("unknown_status", "status")
    if row["destination_country"] and status != State.MOVED:
        raise RowError("destination_without_move", "destination_country")
    if not status and checked_at is None:
        return None
    if not status:
        raise RowError("no_status", "status")
    if checked_at is None:
        raise RowError("no_time", "checked_at")
    refuse_future(checked_at, context.received_at, "checked_in_future", "checked_at")
    return SightingRecord(checked_at, State(status), country=country)


def _delivery(row: Mapping[str, str]) -> DeliveryState:
    """Whether the notice arrived; where the sender does not say, that is assumed."""
    word = row.get("delivery", "").lower() or DeliveryState.ASSUMED
    if word not in {*DeliveryState}:
        raise RowError("unknown_delivery", "delivery")
    return DeliveryState(word)


def _optional_instant(row: Mapping[str, str], column: str, flags: list[str]) -> int | None:
    """As `_instant`, of a column that may be missing and starts no clock: what is no time is flagged, and none."""
    try:
        return _instant(row, column) if column in row else None
    except RowError as error:
        flags.append(f"{column}:{error.reason}")
        return None


def _instant(row: Mapping[str, str], column: str) -> int | None:
    """The instant of a time with its zone, None for no time."""
    return read_zoned_time(row[column], column) if row[column] else None
