"""URLhaus: literal rows in, literal records out, and the real feed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from monitor.errors import DeliveryError
from monitor.formats.files import read_lines
from monitor.formats.records import Context, NoticeRecord, Record, Rejected, SightingRecord
from monitor.formats.urlhaus import parse
from monitor.instants import parse_instant
from monitor.vocabulary import State

HEADER = "# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter"
RECEIVED = parse_instant("2026-04-10T12:07:25Z")
CONTEXT = Context(RECEIVED, "UTC", 6 * 3600)


def row(**changed: str) -> str:
    values = {
        "id": "1", "added": "2026-04-09 06:00:00", "url": "http://192.0.2.7/bin.sh", "status": "online",
        "last": "2026-04-10 03:00:00", "threat": "malware_download", "tags": "elf,mirai", "link": "", "reporter": "",
    } | changed  # fmt: skip
    return ",".join(f'"{value}"' for value in values.values())


def read(tmp_path: Path, *lines: str) -> list[Record | Rejected]:
    path = tmp_path / "feed.csv"
    path.write_bytes("\r\n".join((*lines, "")).encode())
    return list(parse(read_lines(path), CONTEXT))


ONLINE = SightingRecord(parse_instant("2026-04-10T03:00:00Z"), State.ONLINE)


@pytest.mark.parametrize(
    ("changed", "sightings"),
    [
        ({}, (ONLINE,)),
        (
            {"status": "offline"},
            (ONLINE, SightingRecord(parse_instant("2026-04-10T09:00:00Z"), State.OFFLINE)),
        ),
        (  # never later than the delivery's own time
            {"status": "offline", "last": "2026-04-10 12:00:00"},
            (
                SightingRecord(parse_instant("2026-04-10T12:00:00Z"), State.ONLINE),
                SightingRecord(RECEIVED, State.OFFLINE),
            ),
        ),
        ({"status": "offline", "last": ""}, (SightingRecord(RECEIVED, State.OFFLINE),)),
        ({"status": "online", "last": ""}, ()),
    ],
)
def test_what_a_row_says(tmp_path: Path, changed: dict[str, str], sightings: tuple[SightingRecord, ...]) -> None:
    notice = NoticeRecord(parse_instant("2026-04-09T06:00:00Z"))
    [record] = read(tmp_path, "#####", HEADER, row(**changed))
    assert record == Record(3, "http://192.0.2.7/bin.sh", False, (notice,), sightings)


@pytest.mark.parametrize(
    ("line", "reason", "column"),
    [
        (row(status="gone"), "unknown_status", "url_status"),
        (row(added="2026-04-11 06:00:00"), "notice_in_future", "dateadded"),
        (row(added=""), "no_time", "dateadded"),
        (row(last="yesterday"), "not_a_time", "last_online"),
        (row(last="2026-04-11 06:00:00"), "last_seen_in_future", "last_online"),
        ('"1","2"', "wrong_number_of_columns", None),
        ('"1"x,"2', "quotes_do_not_pair", None),
    ],
)
def test_a_bad_row_never_stops_the_good_ones(tmp_path: Path, line: str, reason: str, column: str | None) -> None:
    bad, good = read(tmp_path, HEADER, line, row())
    assert bad == Rejected(2, reason, column, line.encode())
    assert isinstance(good, Record)


def test_last_seen_before_the_notice_is_flagged(tmp_path: Path) -> None:
    [record] = read(tmp_path, HEADER, row(last="2026-04-09 05:00:00"))
    assert isinstance(record, Record)
    assert record.flags == ("last_seen_before_first_seen",)


def test_a_missing_column_stops_the_delivery(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="line 1: no column 'last_online'"):
        read(tmp_path, HEADER.replace("last_online,", ""), row())


def test_without_a_header_nothing_is_guessed(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="line 2: no column"):
        read(tmp_path, "# a comment", row())


@pytest.mark.shared
def test_the_real_feed(shared_data: Path) -> None:
    records = list(parse(read_lines(shared_data / "urlhaus-2026-04-10T1207Z.csv.gz"), CONTEXT))
    states = Counter(record.sightings[-1].state for record in records if isinstance(record, Record))
    assert (len(records), states) == (21_578, {State.OFFLINE: 19_702, State.ONLINE: 1_876})


def test_an_unknown_column_warns_by_its_number(tmp_path: Path) -> None:
    [record] = read(tmp_path, f"{HEADER},payload,https://canary.example/x", f'{row()},"a","b"')
    assert isinstance(record, Record)
    assert record.flags == ("unknown_column:10", "unknown_column:11")
