"""The simulated exports about items: as crooked as SCART's own, and true."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import pytest

from monitor.errors import MonitorError
from monitor.formats.files import read_lines
from monitor.formats.records import Context, Record
from monitor.formats.scart import parse_all, parse_report, parse_whois
from monitor.instants import parse_instant
from monitor.simulate import EXPORTS, item_exports, simulate
from monitor.simulate.hours import ZONE
from monitor.vocabulary import State
from tests.simulate.hotline_reader import Row, exports, truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from monitor.formats.records import Rejected
    from monitor.formats.rows import Lines

NUMBER = re.compile(r'"[IN]\d{13}";"20')


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every export of one small history; `all` is flushed after every 100 rows instead of 10,000."""
    path = tmp_path_factory.mktemp("exports")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(item_exports._WRITERS, "all", partial(item_exports.all_text, flushed_every=100))
        simulate("tudelft-2020", path, scale=0.004, exports=EXPORTS)
    return path


def last(folder: Path, name: str) -> Path:
    """The newest export of that name."""
    return max((folder / "deliveries").glob(f"*-scart-{name}.csv"))


def records(path: Path, parse: Callable[[Lines, Context], Iterator[Record | Rejected]]) -> list[Record]:
    """The rows of an export, none of them refused."""
    received = int(datetime.strptime(path.name[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp())
    found = list(parse(read_lines(path), Context(received, ZONE, 5 * 3600)))
    assert all(isinstance(record, Record) for record in found)
    return [record for record in found if isinstance(record, Record)]


def test_all_is_as_crooked_as_the_real_one(folder: Path) -> None:
    text = last(folder, "all").read_text("utf-8")
    header, rest = text.split("\n", 1)
    assert header.startswith(
        '"filenumber";"received";"url type";"status";"classification";"type";"source";"reference";'
    )
    assert header.endswith('"question 2"; ')
    assert not text.endswith("\n")
    assert len(NUMBER.findall(rest)) == len(truth(folder))
    begun = [line for line in rest.split("\n") if NUMBER.match(line)]
    assert len(truth(folder)) - len(begun) == (len(truth(folder)) - 1) // 100  # rows that begin on no line of their own
    assert ";" * 13 in rest  # an item without WHOIS
    assert "two\nlines; and more" in rest
    assert len(records(last(folder, "all"), parse_all)) == len(truth(folder))


def test_whois_leaves_out_what_has_none(folder: Path) -> None:
    urls = [row["url"] for row in truth(folder)]
    found = [record.url for record in records(last(folder, "whois"), parse_whois)]
    assert found == [url for number, url in enumerate(urls) if number % 97]


def test_every_url_is_recovered_from_the_unquoted_report(folder: Path) -> None:
    path = last(folder, "report")
    urls = [row["url"] for row in truth(folder)]
    assert '"' not in re.sub(r'q="all"', "", path.read_text("utf-8"))
    assert any(";" in url for url in urls)
    assert any(len(url) > 255 for url in urls)
    assert [record.url for record in records(path, parse_report)] == urls


def test_the_anonymous_report_names_no_place(folder: Path) -> None:
    path = last(folder, "report-anonymous")
    assert "://s00000.test" not in path.read_text("utf-8")
    full, anonymous = records(last(folder, "report"), parse_report), records(path, parse_report)
    assert [(r.file_number, r.sightings) for r in anonymous] == [(r.file_number, r.sightings) for r in full]
    assert {record.url for record in anonymous} == {""}


@pytest.mark.parametrize(("name", "parse"), [("report", parse_report), ("whois", parse_whois)])
def test_the_truth_lies_within_what_an_item_says(
    folder: Path, name: str, parse: Callable[[Lines, Context], Iterator[Record | Rejected]]
) -> None:
    true = {row["url"]: row for row in truth(folder)}
    removed = 0
    for record in records(last(folder, name), parse):
        row = true[record.url]
        online = [s.seen_at for s in record.sightings if s.state is State.ONLINE]
        offline = [s.seen_at for s in record.sightings if s.state is State.OFFLINE]
        gone = row["removed_at"] or row["relocated"]
        if gone:
            assert online[0] < parse_instant(gone)
        if offline:
            removed += 1
            assert parse_instant(row["removed_at"]) <= min(offline)
    assert removed > 100


def test_what_is_sent_by_api_is_in_the_report_alone(folder: Path) -> None:
    by_api = {row["url"]: row for row in truth(folder) if row["delivery"] == "delivered"}
    noted: list[Row] = [row for _, rows in exports(folder, "ntd") for row in rows]
    assert by_api
    assert not {row["url"] for row in noted} & {url[:255] for url in by_api}
    told = {record.url: record.first_notice for record in records(last(folder, "report"), parse_report)}
    for url, row in by_api.items():
        notice = told[url]
        if not row["relocated"]:
            assert notice is not None
            assert notice.sent_at == parse_instant(row["sent_at"])


def test_more_exports_change_nothing_of_the_course(tmp_path: Path) -> None:
    simulate("quiet", tmp_path / "two", scale=0.2)
    simulate("quiet", tmp_path / "six", scale=0.2, exports=EXPORTS)
    assert (tmp_path / "two" / "truth.csv").read_bytes() == (tmp_path / "six" / "truth.csv").read_bytes()
    for path in (tmp_path / "two" / "deliveries").glob("*ntdclosed.csv"):
        assert path.read_bytes() == (tmp_path / "six" / "deliveries" / path.name).read_bytes()


def test_an_export_nobody_makes(tmp_path: Path) -> None:
    with pytest.raises(MonitorError, match="no export csam; there are: all, ntd, ntdclosed, report, report-anonymous"):
        simulate("quiet", tmp_path, exports=["ntd", "csam"])
