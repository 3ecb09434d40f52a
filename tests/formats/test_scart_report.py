"""SCART `report`, full and anonymous: rows without quotes, recovered where just one reading fits, else refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import DeliveryError
from monitor.formats.files import read_lines
from monitor.formats.records import Context, NoticeRecord, Record, Rejected, SightingRecord
from monitor.formats.scart import parse_report
from monitor.instants import parse_instant
from monitor.vocabulary import Channel, DeliveryState, State

CASES = Path(__file__).parent / "samples" / "cases"
RECEIVED = parse_instant("2026-04-10T18:00:00Z")
CONTEXT = Context(RECEIVED, "Europe/Amsterdam", 5 * 3600)
URL = "https://www.s0001.example/a.jpg"
WHERE = {"url", "url_host", "url_ip", "url_referer"}
ROW = {
    "filenumber": "N2026041000001", "reference": "", "url": URL, "url_host": "www.s0001.example",
    "url_ip": "192.0.2.10", "url_type": "imageurl", "url_referer": "", "received_at": "2026-04-10 08:00:00",
    "hashcheck_at": "", "hashcheck_return": "", "firstseen_at": "2026-04-10 09:00:00",
    "lastseen_at": "2026-04-10 11:30:00", "type_code": "imagehost", "police": "n", "source_code": "webform",
    "status_code": "scheduler_checkonline", "note": "", "iccam_hotline_country": "",
    "hoster_contact": "abuse@delta.example", "hoster_country": "NL", "hoster_owner": "Delta Datacenters",
    "hoster_first_ntd_at": "2026-04-10 12:00:00", "registrar_contact": "", "grade_code": "illegal", "question": "yes",
}  # fmt: skip
ONLINE = SightingRecord(parse_instant("2026-04-10T09:30:00Z"), State.ONLINE)
FIRST = NoticeRecord(
    parse_instant("2026-04-10T10:00:00Z"),
    delivery=DeliveryState.DELIVERED,
    channel=Channel.API,
    recipient="Delta Datacenters",
    recipient_country="NL",
    recipient_email="abuse@delta.example",
    address="192.0.2.10",
)


def line(**changed: str) -> str:
    return ";".join((ROW | changed).values())


def header() -> str:
    return ";".join(ROW)


def anonymous(row: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in row.items() if name not in WHERE}


def parsed(text: str, tmp_path: Path) -> list[Record | Rejected]:
    path = tmp_path / "export.csv"
    path.write_text(text, "utf-8")
    return list(parse_report(read_lines(path), CONTEXT))


def read(tmp_path: Path, *lines: str) -> list[Record | Rejected]:
    return parsed("\n".join((header(), *lines)), tmp_path)


def test_an_item_and_its_first_notice(tmp_path: Path) -> None:
    assert read(tmp_path, line()) == [
        Record(
            2,
            URL,
            sightings=(ONLINE,),
            flags=("columns_dropped",),
            file_number="N2026041000001",
            first_notice=FIRST,
            reported_at=parse_instant("2026-04-10T06:00:00Z"),
            classified_at=parse_instant("2026-04-10T07:00:00Z"),
        )
    ]


def test_the_anonymous_form_names_no_place(tmp_path: Path) -> None:
    [record] = parsed(";".join(anonymous(ROW)) + "\n" + ";".join(anonymous(ROW).values()), tmp_path)
    assert isinstance(record, Record)
    assert (record.url, record.file_number, record.sightings) == ("", "N2026041000001", (ONLINE,))
    assert record.first_notice is not None
    assert record.first_notice.address is None


@pytest.mark.parametrize(
    "changed",
    [
        {"url": "https://www.s0001.example/?a=1;b=2"},
        {"url": "https://www.s0001.example/;;;x;"},
        {"url": "https://www.s0001.example/;10.0.0.1;website;n"},
        {"url_referer": "https://from.example/?a;b;c"},
        {"note": "first; second; third"},
        {"hoster_owner": "Delta; Data; Centers"},
        {"registrar_contact": "Names; Ltd"},
        {"question": "yes; and no"},
        {"url": "https://www.s0001.example/?a;b", "note": "x;y", "hoster_owner": "A;B", "question": "p;q"},
    ],
    ids=lambda changed: "+".join(changed),
)
def test_a_separator_in_a_text_is_recovered(tmp_path: Path, changed: dict[str, str]) -> None:
    [record] = read(tmp_path, line(**changed))
    assert isinstance(record, Record)
    assert record.url == changed.get("url", URL)
    assert record.first_notice is not None
    assert record.first_notice.recipient == changed.get("hoster_owner", "Delta Datacenters")
    assert record.first_notice.address == "192.0.2.10"
    assert (record.sightings, "separator_in_field" in record.flags) == ((ONLINE,), True)


@pytest.mark.parametrize(
    ("text", "reason", "column"),
    [
        # the URL may end before its `;` or after: host and address fit both times
        (
            line(url="https://a.example/;www.s0001.example;192.0.2.9;x", url_referer="https://b.example/"),
            "more_than_one_reading",
            "url",
        ),
        (line(lastseen_at="yesterday"), "columns_do_not_fit", "lastseen_at"),
        (line(status_code="gone"), "columns_do_not_fit", "status_code"),
        (line(url="no address"), "columns_do_not_fit", "url"),
        (line(filenumber="A17"), "columns_do_not_fit", "filenumber"),
        (line(lastseen_at="2026-04-11 12:00:00"), "last_seen_in_future", "lastseen_at"),
        (line(lastseen_at="2026-02-30 12:00:00"), "not_a_time", "lastseen_at"),
        (line(hoster_first_ntd_at="2026-04-11 12:00:00"), "notice_in_future", "hoster_first_ntd_at"),
        (line().rsplit(";", 2)[0], "wrong_number_of_columns", None),
        (line(note=";" * 60), "wrong_number_of_columns", None),
    ],
)
def test_what_fits_in_no_one_way_is_refused(tmp_path: Path, text: str, reason: str, column: str | None) -> None:
    [bad, good] = read(tmp_path, text, line())
    assert bad == Rejected(2, reason, column, text.encode())
    assert isinstance(good, Record)


@pytest.mark.parametrize(
    ("changed", "flags"),
    [
        ({"type_code": "notapplicable"}, ()),
        ({"type_code": "webpage"}, ()),
        ({"type_code": "pamphlet"}, ("unknown_type",)),
        ({"hashcheck_return": "maybe"}, ("unknown_hash_answer",)),
        ({"url_type": "main-url", "grade_code": "not illegal", "source_code": "web/form"}, ()),
    ],
)
def test_a_word_on_which_nothing_depends_is_a_flag(
    tmp_path: Path, changed: dict[str, str], flags: tuple[str, ...]
) -> None:
    [record] = read(tmp_path, line(**changed))
    assert isinstance(record, Record)
    assert (record.first_notice, record.hash_hit_at) == (FIRST, None)
    assert record.flags == ("columns_dropped", *flags)


def test_no_row_of_a_report_with_types_of_its_own_is_lost() -> None:
    records = list(parse_report(read_lines(CASES / "report-type-notapplicable.csv"), CONTEXT))
    assert len(records) == 44
    assert {record.flags for record in records if isinstance(record, Record)} == {()}


_texts = st.text(st.sampled_from("ab;=/.1n "), max_size=12)


@given(url=_texts, referer=_texts, note=_texts, owner=_texts)
def test_whatever_the_texts_hold_a_row_is_read_as_written_or_refused(
    tmp_path_factory: pytest.TempPathFactory, url: str, referer: str, note: str, owner: str
) -> None:
    written = {"url": f"https://h.example/{url}", "url_referer": referer, "note": note, "hoster_owner": f"D{owner}"}
    [record] = read(tmp_path_factory.getbasetemp(), line(**written))
    if isinstance(record, Record):
        assert record.url == written["url"].strip()
        assert record.sightings == (ONLINE,)
        assert record.first_notice is not None
        assert record.first_notice.recipient == written["hoster_owner"].strip()


def test_a_line_break_in_a_note(tmp_path: Path) -> None:
    first, second = read(tmp_path, line(note="one\ntwo\nthree"), line())
    assert isinstance(first, Record)
    assert (first.first_notice, first.flags) == (FIRST, ("columns_dropped", "line_break_in_field"))
    assert (first.line, second.line) == (2, 5)


def test_a_row_of_a_later_version_is_quoted(tmp_path: Path) -> None:
    quoted = ";".join('"' + value.replace('"', '""') + '"' for value in (ROW | {"url": URL + '?"a";b'}).values())
    [record] = read(tmp_path, quoted)
    assert isinstance(record, Record)
    assert (record.url, record.first_notice) == (URL + '?"a";b', FIRST)


@pytest.mark.parametrize(
    ("answer", "hit"),
    [("1", True), ("true", True), ("y", True), ("0", False), ("false", False), ("", False)],
)
def test_only_a_true_answer_of_the_hash_service_is_information(tmp_path: Path, answer: str, hit: bool) -> None:
    [record] = read(tmp_path, line(hashcheck_at="2026-04-10 08:05:00", hashcheck_return=answer))
    assert isinstance(record, Record)
    assert record.hash_hit_at == (parse_instant("2026-04-10T06:05:00Z") if hit else None)
    assert ("hash_hit" in record.flags) is hit


@pytest.mark.parametrize(
    "changed",
    [{"status_code": "abusecontact_changed"}, {"status_code": "close"}, {"hoster_country": "DE"}, {"police": "y"}],
)
def test_a_notice_that_may_have_been_to_another_is_nobody_s(tmp_path: Path, changed: dict[str, str]) -> None:
    [record] = read(tmp_path, line(**changed))
    assert isinstance(record, Record)
    assert (record.first_notice, "first_notice_to_whom" in record.flags) == (None, True)


def test_notes_grades_and_answers_are_dropped(tmp_path: Path) -> None:
    dropped = dict.fromkeys(
        ("reference", "note", "grade_code", "question", "registrar_contact", "url_referer"), "SECRET"
    )
    [record] = read(tmp_path, line(**dropped))
    assert isinstance(record, Record)
    assert "SECRET" not in repr(record)


def test_an_anonymous_report_lacks_all_four_columns_or_none(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="line 1: no column 'url_ip'; an anonymous report lacks all four"):
        parsed(header().replace(";url_ip", "") + "\n", tmp_path)


def test_a_missing_column_stops_the_delivery(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="line 1: no column 'police'"):
        parsed(header().replace(";police", "") + "\n", tmp_path)
