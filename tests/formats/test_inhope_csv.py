"""The table of a hotline without SCART: literal rows in, literal records out."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from monitor.db import transaction
from monitor.errors import DeliveryError
from monitor.formats.catalogue import reader
from monitor.formats.files import read_lines
from monitor.formats.inhope_csv import COLUMNS, parse
from monitor.formats.records import Context, NoticeRecord, Record, Rejected, SightingRecord
from monitor.ingest.delivery import DeliveryFile, load
from monitor.instants import parse_instant
from monitor.settings import Source
from monitor.urls import address_of, trimmed
from monitor.vault import Vault
from monitor.vocabulary import CLOCK_STARTING, DeliveryState, State
from tests.conftest import Database

SAMPLE = Path(__file__).parent / "samples" / "inhope-csv.csv"
CASES = Path(__file__).parent / "samples" / "cases"
RECEIVED = parse_instant("2026-04-10T12:00:00Z")
CONTEXT = Context(RECEIVED)
HEADER = ",".join(COLUMNS)
SENT = parse_instant("2026-04-09T08:00:00Z")
CHECKED = parse_instant("2026-04-10T07:30:00Z")


def row(**changed: str) -> str:
    values = dict.fromkeys(COLUMNS, "") | {
        "report_id": "R-1", "url": "https://s1.example/a", "notice_sent_at": "2026-04-09T08:00:00Z",
        "status": "online", "checked_at": "2026-04-10T07:30:00Z",
    } | changed  # fmt: skip
    text = StringIO()
    csv.writer(text).writerow(values.values())
    return text.getvalue().removesuffix("\r\n")


def numbered(content: bytes) -> list[Record | Rejected]:
    return list(parse(iter(list(enumerate(content.split(b"\n"), 1))), CONTEXT))


def read(*lines: str) -> list[Record | Rejected]:
    return numbered("\n".join(lines).encode())


def only(*lines: str) -> Record:
    [record] = read(HEADER, *lines)
    assert isinstance(record, Record)
    return record


def test_the_sample() -> None:
    assert list(parse(read_lines(SAMPLE), CONTEXT)) == [
        Record(
            2,
            "https://s1.example/a",
            notices=(
                NoticeRecord(
                    SENT,
                    recipient="Delta, Datacenters",
                    recipient_country="NL",
                    recipient_email="abuse@delta.example",
                    address="192.0.2.7",
                    reference="R-1",
                ),
            ),
            sightings=(SightingRecord(CHECKED, State.ONLINE),),
        ),
        Record(
            3,
            'https://s1.example/b?q="x",y',
            notices=(
                NoticeRecord(
                    SENT, recipient="Delta Datacenters", recipient_country="NL", address="192.0.2.7", reference="R-2"
                ),
            ),
            sightings=(SightingRecord(CHECKED, State.OFFLINE),),
        ),
        Record(
            4,
            "https://s2.example/c",
            notices=(NoticeRecord(SENT, address="2001:db8::9", reference="R-3"),),
            sightings=(SightingRecord(CHECKED, State.MOVED, country="DE"),),
        ),
        Record(
            5,
            "https://s3.example/d",
            notices=(NoticeRecord(SENT, recipient_email="abuse@kilo.example", reference="R-4"),),
            sightings=(SightingRecord(CHECKED, State.UNKNOWN),),
        ),
        Record(6, "https://s4.example/e", flags=("not_sent",)),
    ]


def test_the_sample_is_stored_once(database: Database, vault: Vault, tmp_path: Path) -> None:
    """The same rows in another file, with another column, are known. Only the catalogue was told of the format."""
    again = tmp_path / "again.csv"
    lines = SAMPLE.read_text("utf-8").splitlines()
    again.write_text("".join(f"{line},{end}\n" for line, end in zip(lines, ["content_class", *"ABCDE"], strict=True)))
    told = []
    for path in (SAMPLE, again):
        with transaction(database.engine) as session:
            delivery_file = DeliveryFile(Source("example_hotline"), "inhope-csv", path, RECEIVED)
            answer = load(session, vault, delivery_file, RECEIVED)
        told.append((answer.accepted, answer.duplicate, answer.notices_new, answer.sightings_new, answer.warnings))
    assert told == [(5, 0, 4, 4, ("not_sent: 1 rows",)), (0, 5, 0, 0, ("not_sent: 1 rows",))]


def test_line_ends_a_byte_order_mark_and_the_order_of_columns_do_not_matter(tmp_path: Path) -> None:
    rows = list(csv.reader(SAMPLE.read_text("utf-8").splitlines()))
    text = StringIO()
    csv.writer(text).writerows(reversed(line) for line in rows)  # ends lines in CR LF, as RFC 4180 has it
    path = tmp_path / "other.csv"
    path.write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode())
    assert list(parse(read_lines(path), CONTEXT)) == list(parse(read_lines(SAMPLE), CONTEXT))


@pytest.mark.parametrize(
    ("changed", "reason", "column"),
    [
        ({"notice_sent_at": "2026-04-09T08:00:00"}, "time_without_zone", "notice_sent_at"),
        ({"notice_sent_at": "2026-04-09"}, "not_a_time", "notice_sent_at"),
        ({"notice_sent_at": "09/04/2026 08:00"}, "not_a_time", "notice_sent_at"),  # as spreadsheets make it
        ({"notice_sent_at": "2026-02-30T08:00:00Z"}, "not_a_time", "notice_sent_at"),
        ({"notice_sent_at": "0226-04-09T08:00:00Z"}, "implausible_time", "notice_sent_at"),
        ({"notice_sent_at": "2026-04-10T12:05:01Z"}, "notice_in_future", "notice_sent_at"),
        ({"checked_at": "2026-04-10T14:05:01+02:00"}, "checked_in_future", "checked_at"),
        ({"checked_at": ""}, "no_time", "checked_at"),
        ({"status": ""}, "no_status", "status"),
        ({"status": "gone"}, "unknown_status", "status"),
        ({"recipient_country": "https://s1.example/a"}, "text_holds_address", "recipient_country"),
        ({"destination_country": "DE"}, "destination_without_move", "destination_country"),
        ({"status": "moved", "destination_country": "s1.example"}, "text_holds_address", "destination_country"),
    ],
)
def test_a_row_that_cannot_be_taken(changed: dict[str, str], reason: str, column: str) -> None:
    assert read(HEADER, row(**changed), row()) == [
        Rejected(2, reason, column, row(**changed).encode()),
        Record(
            3,
            "https://s1.example/a",
            notices=(NoticeRecord(SENT, reference="R-1"),),
            sightings=(SightingRecord(CHECKED, State.ONLINE),),
        ),
    ]


def test_times_with_a_short_offset_and_fractions_are_taken() -> None:
    rows = list(parse(read_lines(CASES / "times-with-short-offset.csv"), CONTEXT))
    sent, checked = parse_instant("2026-04-09T08:00:00Z"), parse_instant("2026-04-10T07:00:07Z")
    found = [(r.notices[0].sent_at, r.sightings[0].seen_at, r.flags) for r in rows if isinstance(r, Record)]
    assert found == [(sent + 60 * minute, checked + 60 * minute, ()) for minute in range(20)]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"R-1,https://s1.example/\x00,,,,,,,,", "nul_character"),
        (b"R-1,https://s1.example/\xff,,,,,,,,", "not_utf8"),
        (b"R-1,https://s1.example/a", "wrong_number_of_columns"),
        (b"R-1;https://s1.example/a;;;;;;;;", "wrong_number_of_columns"),
        (b'"R-1"x,https://s1.example/a,,,,,,,,', "quotes_do_not_pair"),
        (b"R-1,https://s1.example/a\r,,,,,,,,", "quotes_do_not_pair"),  # as a lone carriage return would end a row
        (b'R-1,"https://s1.example/a,,,,,,,,', "quotes_do_not_pair"),
    ],
)
def test_bytes_that_are_no_row(raw: bytes, reason: str) -> None:
    bad, good = numbered(b"\n".join([HEADER.encode(), raw, row().encode()]))
    assert bad == Rejected(2, reason, None, raw)
    assert isinstance(good, Record)
    assert good.line == 3


def test_a_line_too_long_is_that_row_only() -> None:
    lines = [(1, HEADER.encode()), (2, None), (3, row().encode())]
    bad, good = parse(iter(lines), CONTEXT)
    assert bad == Rejected(2, "line_too_long", None, b"")
    assert isinstance(good, Record)


MORE = f"{HEADER},delivery,received_at,classified_at"


@pytest.mark.parametrize("word", list(DeliveryState))
def test_whether_a_notice_arrived(word: DeliveryState) -> None:
    [record] = read(MORE, f"{row()},{word},,")
    assert isinstance(record, Record)
    assert record.notices == (NoticeRecord(SENT, delivery=word, reference="R-1"),)
    assert record.flags == (() if word in CLOCK_STARTING else ("notice_not_delivered",))


@pytest.mark.parametrize(
    ("line", "reason", "column"),
    [
        (f"{row()},bounced,,", "unknown_delivery", "delivery"),
        (f"{row(notice_sent_at='')},failed,,", "no_time", "notice_sent_at"),
    ],
)
def test_a_notice_of_which_it_is_not_known_whether_it_arrived_or_when(line: str, reason: str, column: str) -> None:
    assert read(MORE, line) == [Rejected(2, reason, column, line.encode())]


def test_a_notice_that_came_back_ends_nothing_and_starts_nothing() -> None:
    [record] = read(MORE, f"{row(status='offline', checked_at='2026-04-09T07:00:00Z')},refused,,")
    assert isinstance(record, Record)
    assert record.sightings == (SightingRecord(parse_instant("2026-04-09T07:00:00Z"), State.OFFLINE),)


@pytest.mark.parametrize(
    ("received", "classified", "flags", "found"),
    [
        ("", "", (), (None, None)),
        ("2026-04-09T06:00:00Z", "2026-04-09T07:00:00Z", (), (SENT - 7200, SENT - 3600)),
        ("2026-04-09T08:00+02", "", (), (SENT - 7200, None)),
        ("2026-04-09T07:00:01Z", "2026-04-09T07:00:00Z", ("classified_before_received",), (SENT - 3599, SENT - 3600)),
        ("", "2026-04-09T08:00:01Z", ("sent_before_classified",), (None, SENT + 1)),
        ("2026-04-09T08:00:01Z", "", ("sent_before_received",), (SENT + 1, None)),
        ("2026-04-10T12:05:01Z", "", ("received_in_future",), (None, None)),
        (
            "yesterday",
            "2026-04-09T07:00:00",
            ("received_at:not_a_time", "classified_at:time_without_zone"),
            (None, None),
        ),
    ],
)
def test_when_an_item_was_reported_and_classified(
    received: str, classified: str, flags: tuple[str, ...], found: tuple[int | None, int | None]
) -> None:
    """Neither starts a clock: what is wrong with them is counted, and takes no notice with it."""
    [record] = read(MORE, f"{row()},,{received},{classified}")
    assert isinstance(record, Record)
    assert (record.reported_at, record.classified_at, record.flags) == (*found, flags)
    assert record.notices == (NoticeRecord(SENT, reference="R-1"),)


def test_the_earliest_time_that_was_ever_stated_counts(database: Database, vault: Vault, tmp_path: Path) -> None:
    """A system sets them anew when it imports an item again: whatever the order of deliveries, the first are known."""
    stated = [("07:00", ""), ("07:30", "07:40"), ("06:00", "07:50"), ("07:00", "07:40"), ("06:30", "")]
    news = []
    for number, times in enumerate(stated):
        path = tmp_path / f"{number}.csv"
        cells = ",".join(at and f"2026-04-09T{at}Z" for at in times)
        path.write_text(f"{MORE}\n{row()},,{cells}\n")
        with transaction(database.engine) as session:
            file = DeliveryFile(Source("example_hotline"), "inhope-csv", path, RECEIVED)
            news.append(load(session, vault, file, RECEIVED).accepted)
    other = DeliveryFile(Source("second_hotline"), "inhope-csv", tmp_path / "1.csv", RECEIVED)
    with transaction(database.engine) as session:
        load(session, vault, other, RECEIVED)
    assert news == [1, 1, 1, 0, 0]
    with transaction(database.engine) as session:
        rows = 'SELECT id, source, "at", delivery_id FROM {} ORDER BY id'
        kept = {
            table: [
                (number, source, at - SENT, by) for number, source, at, by in session.execute(text(rows.format(table)))
            ]
            for table in ("reports", "classifications")
        }
    assert kept == {
        "reports": [
            (1, "example_hotline", -3600, 1), (2, "example_hotline", -7200, 3), (3, "second_hotline", -1800, 6),
        ],
        "classifications": [(1, "example_hotline", -1200, 2), (2, "second_hotline", -1200, 6)],
    }  # fmt: skip


def test_what_stands_with_an_address_is_taken_off() -> None:
    for written in ("[2001:db8::9]", "[2001:db8::9]:443", "2001:db8::9/128"):
        assert only(row(host_ip=written)).notices == only(row(host_ip="2001:db8::9")).notices
    for written in ("192.0.2.7:443", "192.0.2.7/32", "192[.]0[.]2[.]7", "192(dot)0(dot)2(dot)7"):
        assert only(row(host_ip=written)).notices == only(row(host_ip="192.0.2.7")).notices
    for written in ("192.0.2.7/24", "192.0.2.7, 192.0.2.8", "192.000.002.007"):  # which of them is not said
        assert address_of(only(row(host_ip=written)).notices[0].address or "") is None
    assert only(row(host_ip="[2001:db8::9]")).notices == (NoticeRecord(SENT, address="2001:db8::9", reference="R-1"),)


def test_the_table_that_a_spreadsheet_saved_with_semicolons() -> None:
    with pytest.raises(DeliveryError) as raised:
        list(reader("inhope-csv")(CASES / "semicolon-from-excel.csv", CONTEXT))
    assert str(raised.value) == (
        "line 1: the columns are separated by semicolons, and inhope-csv by commas; "
        "export it again with the other separator (a spreadsheet takes that of its region)"
    )


def test_a_formula_is_text_and_nothing_else() -> None:
    """A company cannot keep out of the table by its name; what goes out as CSV is escaped there."""
    record = only(row(recipient='=HYPERLINK("https://x.example")', report_id="@SUM(1)"))
    assert record.notices == (NoticeRecord(SENT, recipient='=HYPERLINK("https://x.example")', reference="@SUM(1)"),)


def test_a_field_over_several_lines_is_one_field() -> None:
    written = row(recipient="Delta\nDatacenters").split("\n")
    first, second = read(HEADER, *written, row(report_id="R-2"))
    assert isinstance(first, Record)
    assert (first.line, first.notices[0].recipient) == (2, "Delta\nDatacenters")
    assert isinstance(second, Record)
    assert (second.line, second.notices[0].reference) == (4, "R-2")


def test_a_quote_left_open_takes_no_good_row_with_it() -> None:
    opened, closed = 'R-1,"https://s1.example/a,,,,,,,,', 'R-3,https://s1.example/c",,,,,,,,'
    bad, good, *_ = read(HEADER, opened, row(), closed)
    assert bad == Rejected(2, "quotes_do_not_pair", None, opened.encode())
    assert isinstance(good, Record)
    assert good.line == 3


def test_a_notice_about_what_had_gone_is_over_by_the_delivery() -> None:
    record = only(row(status="offline", checked_at="2026-04-09T07:00:00Z"))
    assert record.flags == ("gone_before_notice",)
    assert record.sightings == (
        SightingRecord(parse_instant("2026-04-09T07:00:00Z"), State.OFFLINE),
        SightingRecord(RECEIVED, State.OFFLINE),
    )


@pytest.mark.parametrize("state", [State.ONLINE, State.MOVED, State.UNKNOWN])
def test_other_checks_before_the_notice_say_what_they_say(state: State) -> None:
    """A notice after a move may well have gone to the new host: that move must not end it."""
    record = only(row(status=str(state), checked_at="2026-04-09T07:00:00Z"))
    assert record.sightings == (SightingRecord(parse_instant("2026-04-09T07:00:00Z"), state),)
    assert record.flags == ()


@pytest.mark.parametrize("column", COLUMNS)
def test_a_missing_column_stops_the_delivery(column: str) -> None:
    with pytest.raises(DeliveryError, match=f"line 1: no column '{column}'"):
        read(HEADER.replace(column, "other"), row())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no column 'report_id'"),
        (b"\xff", r"no header line \(not_utf8\)"),
        (b'"', r"no header line \(quotes_do_not_pair\)"),
        (HEADER.encode() + b",url", "column 'url' stands there twice"),
        (row().encode(), "no column 'report_id'"),
    ],
)
def test_without_a_header_nothing_is_guessed(content: bytes, message: str) -> None:
    with pytest.raises(DeliveryError, match=message) as raised:
        numbered(content)
    assert "example" not in str(raised.value)


def test_a_class_of_content_is_passed_over_and_an_unknown_column_warns() -> None:
    classed, noted = f"{HEADER},content_class", f"{HEADER},notes,https://s9.example/x"
    [record] = read(classed, f"{row()},A1")
    assert isinstance(record, Record)
    assert record == only(row())
    [record] = read(noted, f"{row()},A1,")
    assert isinstance(record, Record)
    assert record.flags == ("unknown_column:11", "unknown_column:12")


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\n"), max_size=9),
            st.sampled_from(list(State)),
        )
    )
)
def test_what_is_written_as_rfc_4180_is_read_as_it_was(rows: list[tuple[str, State]]) -> None:
    written = [row(recipient=name, status=str(state)) for name, state in rows]
    records = read(HEADER, *written)
    assert [r.line for r in records] == list(range(2, len(rows) + 2))
    found = [(r.notices[0].recipient, r.sightings[0].state) for r in records if isinstance(r, Record)]
    assert found == [(trimmed(name) or None, state) for name, state in rows]


@pytest.mark.parametrize(
    ("text", "code", "flags"),
    [
        ("The Netherlands", "NL", ()),
        ("deu", "DE", ()),
        ("Duitsland", "DE", ()),
        ("unknown", None, ()),
        ("Europe", None, ("unknown_country",)),
        ("=1+1", None, ("unknown_country",)),
    ],
)
def test_a_country_however_it_is_written(text: str, code: str | None, flags: tuple[str, ...]) -> None:
    [recipient] = read(HEADER, row(recipient_country=text))
    assert isinstance(recipient, Record)
    assert (recipient.notices[0].recipient_country, recipient.flags) == (code, flags)
    [moved] = read(HEADER, row(status="moved", destination_country=text))
    assert isinstance(moved, Record)
    assert (moved.sightings, moved.flags) == ((SightingRecord(CHECKED, State.MOVED, country=code),), flags)
