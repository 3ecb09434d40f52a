"""SCART `whois` and `all`: literal rows in, literal records out; each flaw of the dialect; each bad row's reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.errors import DeliveryError
from monitor.formats.files import read_lines
from monitor.formats.records import Context, NoticeRecord, Record, Rejected, SightingRecord
from monitor.formats.scart import parse_all, parse_whois
from monitor.instants import parse_instant
from monitor.vocabulary import Channel, DeliveryState, Pause, State

RECEIVED = parse_instant("2026-04-10T18:00:00Z")
CONTEXT = Context(RECEIVED, "Europe/Amsterdam", 5 * 3600)
URL = "https://www.s0001.example/a.jpg"
CONTACTS = (
    '"police";"hoster owner";"hoster country";"hoster abuse email";"hoster NTD";"site owner";"site owner country";'
    '"site owner abuse email";"site NTD";"registrar owner";"registrar country";"registrar abuse email";"registrar NTD";'
)
WHOIS = (
    '"filenumber";"url";"host";"IP";"url type";"status";"classification";"source";"received";"first seen";"first NTD";'
    f'"last seen";{CONTACTS}'
)
ALL = (
    '"filenumber";"received";"url type";"status";"classification";"type";"source";"reference";"first seen";"first NTD";'
    f'"last seen";{CONTACTS}"question one";"question two"; '
)
ONLINE = SightingRecord(parse_instant("2026-04-10T09:30:00Z"), State.ONLINE)
GONE_BY = SightingRecord(parse_instant("2026-04-10T14:30:00Z"), State.OFFLINE)
STILL_GONE = SightingRecord(RECEIVED, State.OFFLINE)


REPORTED, CLASSIFIED = parse_instant("2026-04-10T06:00:00Z"), parse_instant("2026-04-10T07:00:00Z")


def whois(**changed: str) -> str:
    row = {
        "number": "I2026041000001", "url": URL, "host": "www.s0001.example", "ip": "192.0.2.10", "url_type": "mainurl",
        "status": "close_offline", "grade": "illegal", "source": "webform", "received": "2026-04-10 08:00:00",
        "first": "2026-04-10 09:00:00", "ntd": "2026-04-10 12:00:05", "last": "2026-04-10 11:30:00", "police": "n",
        "owner": "Delta Datacenters", "country": "NL", "email": "abuse@delta.example", "ntds": "1",
        "site": "(not set))", "site_country": "", "site_email": "", "site_ntds": "0", "registrar": "(unknown)",
        "registrar_country": "", "registrar_email": "", "registrar_ntds": "0",
    } | changed  # fmt: skip
    return "".join(f'"{value}";' for value in row.values())


def row_of_all(answers: str = '"yes";"no";', contacts: str | None = None, **changed: str) -> str:
    row = {
        "number": "I2026041000001", "received": "2026-04-10 08:00:00", "url_type": "mainurl", "status": "close_offline",
        "grade": "illegal", "type": "website", "source": "webform", "reference": "", "first": "2026-04-10 09:00:00",
        "ntd": "2026-04-10 12:00:05", "last": "2026-04-10 11:30:00", "police": "n",
    } | changed  # fmt: skip
    hosts = '"Delta Datacenters";"NL";"abuse@delta.example";"1";"";"";"";"0";"";"";"";"0";'
    return "".join(f'"{value}";' for value in row.values()) + (hosts if contacts is None else contacts) + answers


def read(tmp_path: Path, *lines: str) -> list[Record | Rejected]:
    path = tmp_path / "export.csv"
    path.write_bytes("\n".join(lines).encode())
    parse = parse_whois if lines[0] == WHOIS else parse_all
    return list(parse(read_lines(path), CONTEXT))


def test_an_item_with_its_url(tmp_path: Path) -> None:
    assert read(tmp_path, WHOIS, whois()) == [
        Record(
            2,
            URL,
            sightings=(ONLINE, GONE_BY, STILL_GONE),
            file_number="I2026041000001",
            mail_known=True,
            reported_at=REPORTED,
            classified_at=CLASSIFIED,
        )
    ]


def test_an_item_without_a_url(tmp_path: Path) -> None:
    flags = ("columns_dropped",)
    seen = (ONLINE, GONE_BY, STILL_GONE)
    number = "I2026041000001"
    expected = Record(
        2,
        "",
        sightings=seen,
        flags=flags,
        file_number=number,
        mail_known=True,
        reported_at=REPORTED,
        classified_at=CLASSIFIED,
    )
    assert read(tmp_path, ALL, row_of_all()) == [expected]


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("2026-04-10 11:30:00", (ONLINE, GONE_BY, STILL_GONE)),
        ("2026-04-10 17:00:00", (SightingRecord(parse_instant("2026-04-10T15:00:00Z"), State.ONLINE), STILL_GONE)),
        ("", (STILL_GONE,)),
    ],
    ids=["a recheck gap after the last check", "never after the delivery", "no check is known"],
)
def test_removed_by(tmp_path: Path, last: str, expected: tuple[SightingRecord, ...]) -> None:
    [record] = read(tmp_path, WHOIS, whois(last=last))
    assert isinstance(record, Record)
    assert record.sightings == expected


def test_a_last_check_in_the_hour_that_occurs_twice_leaves_the_removal_open_longest(tmp_path: Path) -> None:
    """Seen online at 00:30 UTC or 01:30 UTC: online from the earlier, gone five hours after the later at the latest."""
    [record] = read(tmp_path, WHOIS, whois(last="2025-10-26 02:30:00", first="", ntd=""))
    assert isinstance(record, Record)
    assert record.sightings[:2] == (
        SightingRecord(parse_instant("2025-10-26T00:30:00Z"), State.ONLINE),
        SightingRecord(parse_instant("2025-10-26T06:30:00Z"), State.OFFLINE),
    )
    assert record.flags == ("time_occurs_twice",)


@pytest.mark.parametrize(
    ("status", "country", "expected"),
    [
        ("close_offline_manual", "NL", (GONE_BY, STILL_GONE)),
        ("close", "DE", (SightingRecord(RECEIVED, State.MOVED, country="DE"),)),
        ("close", "NL", (SightingRecord(RECEIVED, State.UNKNOWN),)),
        ("abusecontact_changed", "NL", (SightingRecord(RECEIVED, State.UNKNOWN, Pause.HOST_CHANGED),)),
        ("first_police", "NL", (SightingRecord(RECEIVED, State.UNKNOWN, Pause.POLICE_HOLD),)),
        ("scheduler_checkonline_manual", "NL", (SightingRecord(RECEIVED, State.UNKNOWN, Pause.MANUAL_CHECK),)),
        ("scheduler_checkonline", "NL", ()),
    ],
)
def test_what_became_of_an_item(
    tmp_path: Path, status: str, country: str, expected: tuple[SightingRecord, ...]
) -> None:
    [record] = read(tmp_path, WHOIS, whois(status=status, country=country))
    assert isinstance(record, Record)
    assert record.sightings == (ONLINE, *expected)


def test_a_count_of_notices_is_no_notice_but_a_time_is(tmp_path: Path) -> None:
    counted, timed, changed = read(
        tmp_path,
        WHOIS,
        whois(ntds="3", status="scheduler_checkonline"),
        whois(ntds="2026-04-10 12:00:00", status="scheduler_checkonline"),
        whois(ntds="2026-04-10 12:00:00", status="abusecontact_changed"),
    )
    assert isinstance(counted, Record)
    assert isinstance(timed, Record)
    assert isinstance(changed, Record)
    assert counted.first_notice is None
    assert timed.first_notice == NoticeRecord(
        parse_instant("2026-04-10T10:00:00Z"),
        delivery=DeliveryState.DELIVERED,
        channel=Channel.API,
        recipient="Delta Datacenters",
        recipient_country="NL",
        recipient_email="abuse@delta.example",
        address="192.0.2.10",
    )
    assert (changed.first_notice, changed.flags) == (None, ("first_notice_to_whom",))


def test_an_item_without_whois_has_bare_fields(tmp_path: Path) -> None:
    [record] = read(tmp_path, ALL, row_of_all(contacts=";" * 12))
    assert isinstance(record, Record)
    assert record.sightings == (ONLINE, GONE_BY, STILL_GONE)


def test_questions_that_nobody_answered_are_left_out(tmp_path: Path) -> None:
    assert read(tmp_path, ALL, row_of_all(answers="")) == read(tmp_path, ALL, row_of_all())


def test_rows_run_together_are_two_rows(tmp_path: Path) -> None:
    """After every 10,000 rows the exporter goes on without a line feed."""
    fused = row_of_all(answers="") + row_of_all(number="N2026041000002", status="scheduler_checkonline")
    first, second, third = read(tmp_path, ALL, fused, row_of_all(number="I2026041000003"))
    assert [r.line for r in (first, second, third)] == [2, 2, 3]
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert (first.file_number, first.sightings) == ("I2026041000001", (ONLINE, GONE_BY, STILL_GONE))
    assert (second.file_number, second.sightings) == ("N2026041000002", (ONLINE,))
    assert second.flags == ("columns_dropped", "rows_run_together")


def test_of_rows_run_together_both_count_or_none(tmp_path: Path) -> None:
    line = row_of_all() + row_of_all(last="yesterday")
    assert read(tmp_path, ALL, line) == [Rejected(2, "not_a_time", "last seen", line.encode())]


def test_a_line_break_in_an_answer(tmp_path: Path) -> None:
    first, second = read(tmp_path, ALL, row_of_all(answers='"one\ntwo; \\"three\\"";"";'), row_of_all())
    assert isinstance(first, Record)
    assert first.flags == ("columns_dropped", "line_break_in_field")
    assert (first.line, second.line) == (2, 4)


def test_a_row_that_is_broken_takes_no_good_one_with_it(tmp_path: Path) -> None:
    broken = row_of_all(answers='"never closed')
    bad, good = read(tmp_path, ALL, broken, row_of_all())
    assert bad == Rejected(2, "quotes_do_not_pair", None, broken.encode())
    assert isinstance(good, Record)


@pytest.mark.parametrize(
    ("changed", "reason", "column"),
    [
        ({"number": "A17"}, "not_a_file_number", "filenumber"),
        ({"status": "gone"}, "unknown_status", "status"),
        ({"police": "maybe"}, "not_yes_or_no", "police"),
        ({"last": "2026-04-11 12:00:00"}, "last_seen_in_future", "last seen"),
        ({"received": "long ago"}, "not_a_time", "received"),
        ({"ntd": "2026-02-30 00:00:00"}, "not_a_time", "first NTD"),
        ({"ntds": "many"}, "not_a_time", "hoster NTD"),
        ({"ntds": "2026-04-11 12:00:00"}, "notice_in_future", "hoster NTD"),
        ({"url": ""}, "url_without_host", "url"),
    ],
)
def test_a_bad_row_is_rejected_with_its_reason(
    tmp_path: Path, changed: dict[str, str], reason: str, column: str
) -> None:
    line = whois(**changed)
    assert read(tmp_path, WHOIS, line) == [Rejected(2, reason, column, line.encode())]


@pytest.mark.parametrize(
    ("changed", "flags", "times"),
    [
        ({"received": "", "first": ""}, (), (None, None)),
        ({"received": "2026-04-10 09:00:01"}, ("classified_before_received",), ("07:00:01", "07:00:00")),
        (
            {"ntds": "2026-04-10 08:59:59"},
            ("sent_before_classified",),
            ("06:00:00", "07:00:00"),
        ),  # as SCART resets the time of an item that is classified again
        ({"received": "2026-04-10 23:00:00", "first": ""}, ("received_in_future",), (None, None)),
        (
            {"received": "2026-04-10 08:00:00", "first": "2026-04-11 09:00:00"},
            ("classified_in_future",),
            ("06:00:00", None),
        ),
    ],
)
def test_when_an_item_was_reported_and_classified(
    tmp_path: Path, changed: dict[str, str], flags: tuple[str, ...], times: tuple[str | None, str | None]
) -> None:
    [record] = read(tmp_path, WHOIS, whois(**changed))
    assert isinstance(record, Record)
    assert tuple(flag for flag in record.flags if flag != "last_seen_before_first_seen") == flags
    expected = tuple(None if at is None else parse_instant(f"2026-04-10T{at}Z") for at in times)
    assert (record.reported_at, record.classified_at) == expected


def test_a_type_that_scart_does_not_have(tmp_path: Path) -> None:
    [record] = read(tmp_path, ALL, row_of_all(type="pamphlet"))
    assert isinstance(record, Record)
    assert record.flags == ("columns_dropped", "unknown_type")


@pytest.mark.parametrize("line", [whois() + '"one more";', whois().removesuffix('"registrar_ntds";')[:-10]])
def test_too_many_or_too_few_columns(tmp_path: Path, line: str) -> None:
    [bad] = read(tmp_path, WHOIS, line)
    assert isinstance(bad, Rejected)
    assert bad.reason in {"wrong_number_of_columns", "quotes_do_not_pair"}


def test_nothing_but_the_allow_list_is_read(tmp_path: Path) -> None:
    [record] = read(tmp_path, ALL, row_of_all(answers='"SECRET";"SECRET";', grade="SECRET", reference="SECRET"))
    assert "SECRET" not in repr(record)


def test_a_missing_column_stops_the_delivery(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="line 1: no column 'last seen'"):
        read(tmp_path, ALL.replace('"last seen";', ""), row_of_all())
