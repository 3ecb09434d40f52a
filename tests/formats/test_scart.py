"""SCART exports: literal rows in, literal records out; every bad row with its reason."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import ConfigurationError, DeliveryError
from monitor.formats.files import read_lines
from monitor.formats.records import Context, NoticeRecord, Record, Rejected, SightingRecord
from monitor.formats.scart import parse_ntd, parse_ntdclosed, split_row
from monitor.formats.scart.ntd import ntd_fast_path
from monitor.instants import parse_instant
from monitor.sending import SendingHours
from monitor.settings import load_settings
from monitor.vocabulary import Channel, DeliveryState, Pause, Role, State

NTD = (
    '"NTD filenumber";"NTD type";"NTD status";"NTD status time";"abuse owner";"abuse type";"abuse country";'
    '"abuse email";"url";"IP";"first seen";"last seen";"online counter";'
)
CLOSED = (
    '"filenumber";"url";"status";"abuse owner";"abuse country";"abuse email";"IP";"first seen";"last seen";'
    '"online counter";'
)
CASES = Path(__file__).parent / "samples" / "cases"
RECEIVED = parse_instant("2026-04-10T18:00:00Z")
CONTEXT = Context(RECEIVED, "Europe/Amsterdam", 5 * 3600)


def ntd(**changed: str) -> str:
    row = {
        "number": "M2026041000001", "type": "img", "status": "sent_succes", "time": "2026-04-10 12:00:00",
        "owner": "Delta Datacenters", "role": "hoster", "country": "NL", "email": "abuse@delta.example",
        "url": "https://www.s0001.example/a.jpg", "ip": "192.0.2.10", "first": "2026-04-10 09:00:00",
        "last": "2026-04-10 11:30:00", "counter": "3",
    } | changed  # fmt: skip
    return "".join(f'"{value}";' for value in row.values())


def closed(**changed: str) -> str:
    row = {
        "number": "N1", "url": "https://www.s0001.example/a.jpg", "status": "close_offline", "owner": "Delta",
        "country": "NL", "email": "", "ip": "192.0.2.10", "first": "2026-04-10 09:00:00",
        "last": "2026-04-10 11:30:00", "counter": "3",
    } | changed  # fmt: skip
    return "".join(f'"{value}";' for value in row.values())


def read(tmp_path: Path, *lines: str, closed_export: bool = False) -> list[Record | Rejected]:
    path = tmp_path / "export.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    parse = parse_ntdclosed if closed_export else parse_ntd
    return list(parse(read_lines(path), CONTEXT))


def test_a_sent_notice(tmp_path: Path) -> None:
    assert read(tmp_path, NTD, ntd()) == [
        Record(
            line=2,
            url="https://www.s0001.example/a.jpg",
            notices=(
                NoticeRecord(
                    sent_at=parse_instant("2026-04-10T10:00:00Z"),
                    role=Role.HOSTER,
                    delivery=DeliveryState.ASSUMED,
                    channel=Channel.EMAIL,
                    recipient="Delta Datacenters",
                    recipient_country="NL",
                    recipient_email="abuse@delta.example",
                    address="192.0.2.10",
                    reference="M2026041000001",
                ),
            ),
            sightings=(SightingRecord(parse_instant("2026-04-10T09:30:00Z"), State.ONLINE),),
        )
    ]


@pytest.mark.parametrize(
    ("status", "delivery", "channel"),
    [
        ("sent_succes", DeliveryState.ASSUMED, Channel.EMAIL),
        ("sent_api_succes", DeliveryState.DELIVERED, Channel.API),
        ("sent_failed", DeliveryState.FAILED, Channel.EMAIL),
        ("sent_api_failed", DeliveryState.FAILED, Channel.API),
    ],
)
def test_what_a_status_says_of_the_delivery(
    tmp_path: Path, status: str, delivery: DeliveryState, channel: Channel
) -> None:
    [record] = read(tmp_path, NTD, ntd(status=status))
    assert isinstance(record, Record)
    assert [(n.delivery, n.channel) for n in record.notices] == [(delivery, channel)]


@pytest.mark.parametrize("status", ["init", "grouping", "queued", "queue_directly", "queue_directly_police", "close"])
def test_a_notice_that_was_not_sent_is_none(tmp_path: Path, status: str) -> None:
    [record] = read(tmp_path, NTD, ntd(status=status, time=""))
    assert isinstance(record, Record)
    assert (record.notices, record.flags) == ((), ("not_sent",))


def test_a_recipient_who_is_no_hoster_is_not_named(tmp_path: Path) -> None:
    [record] = read(tmp_path, NTD, ntd(role="site_owner"))
    assert isinstance(record, Record)
    assert (record.notices[0].role, record.notices[0].recipient) == (Role.SITE_OWNER, None)


@pytest.mark.parametrize(
    ("changed", "reason", "column"),
    [
        ({"status": "verzonden"}, "unknown_status", "NTD status"),
        ({"role": "reseller"}, "unknown_type", "abuse type"),
        ({"time": "10-04-2026 12:00"}, "not_a_time", "NTD status time"),
        ({"time": "2026-02-30 12:00:00"}, "not_a_time", "NTD status time"),
        ({"time": ""}, "no_time", "NTD status time"),
        ({"time": "2026-04-11 12:00:00"}, "notice_in_future", "NTD status time"),
        ({"last": "2026-04-11 12:00:00"}, "last_seen_in_future", "last seen"),
        ({"counter": "https"}, "not_a_number", "online counter"),
        ({"url": "a\\0b"}, "nul_character", None),
    ],
)
def test_a_bad_row_is_rejected_with_its_reason(
    tmp_path: Path, changed: dict[str, str], reason: str, column: str | None
) -> None:
    line = ntd(**changed)
    assert read(tmp_path, NTD, line) == [Rejected(2, reason, column, line.encode())]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('"one";"two";', "wrong_number_of_columns"),
        ('"never closed', "quotes_do_not_pair"),
        (ntd() + ntd(), "wrong_number_of_columns"),
    ],
)
def test_a_row_of_the_wrong_shape(tmp_path: Path, line: str, reason: str) -> None:
    bad, good = read(tmp_path, NTD, line, ntd())
    assert (bad.line, getattr(bad, "reason", None), type(good)) == (2, reason, Record)


def test_an_item_reclassified_after_it_was_last_seen_is_flagged_only(tmp_path: Path) -> None:
    [record] = read(tmp_path, NTD, ntd(first="2026-04-10 11:45:00"))
    assert isinstance(record, Record)
    assert record.flags == ("last_seen_before_first_seen",)


def test_spring_and_autumn(tmp_path: Path) -> None:
    gap, twice = read(
        tmp_path,
        NTD,
        ntd(time="2026-03-29 02:30:00", first="", last=""),
        ntd(time="2025-10-26 02:30:00", first="", last="2025-10-26 02:10:00"),
    )
    assert isinstance(gap, Record)
    assert isinstance(twice, Record)
    assert (gap.notices[0].sent_at, gap.flags) == (parse_instant("2026-03-29T01:30:00Z"), ("time_does_not_exist",))
    # read so that the exposure is shortest: the notice late, the sighting early
    assert twice.notices[0].sent_at == parse_instant("2025-10-26T01:30:00Z")
    assert twice.sightings[0].seen_at == parse_instant("2025-10-26T00:10:00Z")
    assert twice.flags == ("time_occurs_twice", "time_occurs_twice")


def test_a_url_of_255_characters_was_cut(tmp_path: Path) -> None:
    url = "https://www.s0001.example/".ljust(255, "x")
    cut, whole = read(tmp_path, NTD, ntd(url=url), ntd(url=url[:-1]))
    assert (getattr(cut, "truncated", None), getattr(whole, "truncated", None)) == (True, False)


def test_an_ipv6_address_is_kept(tmp_path: Path) -> None:
    [record] = read(tmp_path, NTD, ntd(ip="2001:db8::7", url="https://[2001:db8::7]/a"))
    assert isinstance(record, Record)
    assert record.notices[0].address == "2001:db8::7"


@pytest.mark.parametrize(
    ("status", "country", "expected"),
    [
        ("close_offline", "NL", SightingRecord(RECEIVED, State.OFFLINE)),
        ("close_offline_manual", "NL", SightingRecord(RECEIVED, State.OFFLINE)),
        ("close", "DE", SightingRecord(RECEIVED, State.MOVED, country="DE")),
        ("close", "Netherlands", SightingRecord(RECEIVED, State.UNKNOWN)),
        ("close", "", SightingRecord(RECEIVED, State.UNKNOWN)),
        ("abusecontact_changed", "NL", SightingRecord(RECEIVED, State.UNKNOWN, pause=Pause.HOST_CHANGED)),
        ("first_police", "NL", SightingRecord(RECEIVED, State.UNKNOWN, pause=Pause.POLICE_HOLD)),
        ("scheduler_checkonline_manual", "NL", SightingRecord(RECEIVED, State.UNKNOWN, pause=Pause.MANUAL_CHECK)),
        ("scheduler_checkonline", "NL", None),
        ("work", "NL", None),
    ],
)
def test_what_became_of_an_item(tmp_path: Path, status: str, country: str, expected: SightingRecord | None) -> None:
    [record] = read(tmp_path, CLOSED, closed(status=status, country=country), closed_export=True)
    assert isinstance(record, Record)
    online = SightingRecord(parse_instant("2026-04-10T09:30:00Z"), State.ONLINE)
    assert record.sightings == (online, *([expected] if expected else []))
    assert record.notices == ()


@pytest.mark.parametrize("role", ["unknown", ""])
def test_a_recipient_whose_role_the_sender_does_not_know_is_flagged(tmp_path: Path, role: str) -> None:
    [record] = read(tmp_path, NTD, ntd(role=role))
    assert isinstance(record, Record)
    [notice] = record.notices
    assert (notice.role, notice.recipient, notice.recipient_email) == (Role.UNKNOWN, None, None)
    assert record.flags == ("recipient_role_unknown",)


def test_no_row_of_an_export_without_roles_is_lost() -> None:
    records = list(parse_ntd(read_lines(CASES / "ntd-abuse-type-unknown.csv"), CONTEXT))
    roles = Counter(record.notices[0].role for record in records if isinstance(record, Record))
    assert roles == {Role.HOSTER: 35, Role.UNKNOWN: 5}


@pytest.mark.parametrize("closed_export", [False, True])
def test_a_line_break_in_a_name(tmp_path: Path, *, closed_export: bool) -> None:
    write, header = (closed, CLOSED) if closed_export else (ntd, NTD)
    first, second = read(tmp_path, header, write(owner="Golf\nHosting"), write(), closed_export=closed_export)
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert (first.line, first.flags, second.line, second.flags) == (2, ("line_break_in_field",), 4, ())
    if not closed_export:
        assert first.notices[0].recipient == "Golf\nHosting"


def test_a_row_that_is_broken_takes_no_good_one_with_it(tmp_path: Path) -> None:
    broken = ntd()[:120]
    bad, good, last = read(tmp_path, NTD, broken, ntd(), ntd(owner="Golf\nHosting"))
    assert bad == Rejected(2, "quotes_do_not_pair", None, broken.encode())
    assert isinstance(good, Record)
    assert isinstance(last, Record)
    assert (good.line, last.line) == (3, 4)


@pytest.mark.parametrize(
    ("sent", "outside"),
    [
        ("2026-04-09 21:59:00", False),  # a Thursday
        ("2026-04-10 16:30:59", False),  # a Friday
        ("2026-04-10 16:31:00", True),
        ("2026-04-11 12:00:00", True),
        ("2026-04-12 12:00:00", True),
        ("2026-04-06 12:00:00", True),  # Easter Monday, which is listed
        ("2026-04-07 17:00:00", False),
    ],
)
def test_a_notice_at_a_time_at_which_nothing_is_sent_is_flagged(sent: str, outside: bool) -> None:
    context = replace(CONTEXT, received_at=RECEIVED + 7 * 86400, sending=SendingHours(free_days=("2026-04-06",)))
    lines = [(1, NTD.encode()), (2, ntd(time=sent).encode())]
    [record] = parse_ntd(iter(lines), context)
    assert isinstance(record, Record)
    assert ("sent_outside_hours" in record.flags) is outside
    export = ntd_fast_path(iter(lines), context)
    regular, others = export.split(list(export.rows))
    assert (len(regular.line), others) == ((0, [record]) if outside else (1, []))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('latest_before_free_day = "25:00"', "latest_before_free_day must be a time such as 16:30"),
        ('free_days = ["Christmas"]', "free_days must be days such as 2026-12-25"),
        ("until = 3", r"unknown \['until'\]"),
    ],
)
def test_hours_of_sending_that_are_none(tmp_path: Path, table: str, message: str) -> None:
    path = tmp_path / "monitor.toml"
    path.write_text(f"[sources.scart.sending]\n{table}\n")
    with pytest.raises(ConfigurationError, match=message):
        load_settings({"MONITOR_CONFIG": str(path)})


def test_hours_of_sending_are_a_setting_of_the_source(tmp_path: Path) -> None:
    path = tmp_path / "monitor.toml"
    path.write_text("[sources.scart.sending]\nfree_days = [2026-12-25]\n")
    settings = load_settings({"MONITOR_CONFIG": str(path)})
    assert settings.source("scart").sending == SendingHours("16:30", ("2026-12-25",))
    assert settings.source("other").sending is None


def test_an_ipv6_address_in_brackets_keeps_its_address(tmp_path: Path) -> None:
    [record] = read(tmp_path, NTD, ntd(ip="[2001:db8::7]"))
    assert isinstance(record, Record)
    assert record.notices[0].address == "2001:db8::7"


def test_an_unknown_status_of_an_item_is_rejected(tmp_path: Path) -> None:
    line = closed(status="gone")
    assert read(tmp_path, CLOSED, line, closed_export=True) == [Rejected(2, "unknown_status", "status", line.encode())]


def test_a_missing_column_stops_the_delivery(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="line 1: no column 'last seen'"):
        read(tmp_path, NTD.replace('"last seen";', ""), ntd())


def test_an_unknown_column_warns(tmp_path: Path) -> None:
    [record] = read(tmp_path, NTD + '"grade";', ntd() + '"x";')
    assert isinstance(record, Record)
    assert record.flags == ("unknown_column:14",)


def test_columns_are_taken_by_name(tmp_path: Path) -> None:
    moved = '"online counter";' + NTD.replace('"online counter";', "")
    [record] = read(tmp_path, moved, '"3";' + ntd().removesuffix('"3";'))
    assert record == read(tmp_path, NTD, ntd())[0]


def test_a_header_that_ends_in_a_space(tmp_path: Path) -> None:
    [record] = read(tmp_path, NTD + " ", ntd())
    assert isinstance(record, Record)


def test_without_a_zone_nothing_is_guessed(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(NTD + "\n" + ntd() + "\n")
    with pytest.raises(ConfigurationError, match="--zone"):
        list(parse_ntd(read_lines(path), Context(RECEIVED)))


def test_escapes() -> None:
    assert split_row(r'"a\"b";"c\\";"it\'s";"";') == ['a"b', "c\\", "it's", ""]


@given(st.lists(st.text(), min_size=1))
def test_any_fields_survive_being_quoted(fields: list[str]) -> None:
    def quote(text: str) -> str:
        for character in ("\\", '"', "'"):
            text = text.replace(character, "\\" + character)
        return '"' + text.replace("\x00", "\\0") + '";'

    assert split_row("".join(map(quote, fields))) == fields


@given(st.text())
def test_no_text_makes_the_splitter_fail_in_another_way(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert all(isinstance(field, str) for field in split_row(text))
