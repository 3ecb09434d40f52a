"""The fast path: what it makes of a delivery is what the parser of one row makes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from monitor.db import connect, transaction
from monitor.formats.catalogue import FAST_PATHS
from monitor.formats.fast_path import LONGEST_TEXT, FastPath, RegularRows
from monitor.formats.files import Openable, read_lines
from monitor.formats.records import Context, Record, Rejected
from monitor.formats.scart.ntd import NTD_COLUMNS
from monitor.formats.urlhaus import COLUMNS
from monitor.ingest.batches import ReadTask, batches
from monitor.ingest.delivery import DeliveryFile, ingest
from monitor.ingest.rows import RowResult
from monitor.instants import parse_instant
from monitor.models.facts import Attribution, Content, Delivery, Notice, Quarantined, Sighting
from monitor.settings import Source
from monitor.thresholds import Thresholds
from monitor.vault import ExportedKey, Vault
from monitor.vocabulary import Verdict
from tests.conftest import NewDatabase
from tests.faults.facts import facts
from tests.fuzz.reading import Delivered, by_row, told

CONTEXT = Context(parse_instant("2026-04-12T00:00:00Z"), "Europe/Amsterdam", 5 * 3600)
VAULT = Vault(ExportedKey(7, bytes(range(64))))

TIMES = [
    "2026-04-10 12:00:05", "2026-04-09 12:00:59", "2026-04-10 23:59:59", "", "0000-00-00 00:00:00",
    "2025-10-26 02:30:00",  # occurs twice
    "2026-03-29 02:30:00",  # does not exist
    "0000-00-00 00:00:01", "2026-04-10 12:00", "2026-04-10 12:00:", "2026-04-10 12:00:5", "2026-04-10 12:00:60",
    "2026-02-30 12:00:00", "2026-04-10T12:00:00", " 2026-04-10 12:00:00 ", "2026-04-12 02:04:00", "2026-04-12 02:06:00",
    "2030-01-01 00:00:00", "1960-01-01 00:00:00", "1970-01-01 00:59:59", "２026-04-10 12:00:00", "2026-04-10 +1:00:00",
]  # fmt: skip
URLS = [
    "https://img.s1.example/a.jpg",
    "http://192.0.2.7:38905/x", "http://s1.example:65535/", "http://s1.example:65536/", "http://s1.example:080/",
    "http://192.0.2.7:8080/i", "https://s2.example/?a=b;c#d", "https://s1.example/a,b",
    "HTTPS://S1.example/a", "https://s1.example", "https://s1.example:443/a", "http://[2001:db8::7]/x", "nonsense", "",
    "https://s1.example/a b", "https://bücher.example/", "https://s1.example/é", "https://s1.example/?", "ftp://s1.example/",
    "https://s3.example/".ljust(254, "x"), "https://s3.example/".ljust(255, "x"), "https://s3.example/".ljust(300, "x"),
    "hxxps://img.s1[.]example/a.jpg", "https://s1.example/%7ea", "https://s1.example/a/../b", "https://s1.example/a#b",
    "https://s1.example/#!/a", "http://3221225991/x", "https://s1(.)example/a", "foo://s1.example/", "https://s1.example./a",
    "https://198.51.100.07/", " https://s1.example/a.jpg ", "https://s1.example/'", "https://s1.example/\\d",
]  # fmt: skip
ADDRESSES = ["192.0.2.7", "198.51.100.1", "", "2001:DB8::7", "::ffff:192.0.2.7", "192.0.2.256", "192.0.2", "n/a"]
TEXTS = [
    "Delta Datacenters",
    "",
    "Müller GmbH",
    "x" * 64,
    "x" * 65,
    "x" * 256,
    "a;b",
    " a ",
    "\t",
    "it\\'s",
    "(unknown)",
]
NTD_CELLS = {
    "NTD filenumber": TEXTS,
    "NTD type": ["img", ""],
    "NTD status": ["sent_succes", "sent_api_succes", "sent_failed", "sent_api_failed", "queued", "lost", "", " close"],
    "NTD status time": TIMES,
    "abuse owner": TEXTS,
    "abuse type": ["hoster", "registrar", "police", "site_owner", "unknown", "nobody", ""],
    "abuse country": ["NL", "", "Nederland", "x" * 65],
    "abuse email": ["Abuse@delta.example", "", "abuse@ß.example"],
    "url": URLS,
    "IP": ADDRESSES,
    "first seen": TIMES,
    "last seen": TIMES,
    "online counter": ["1", "", "x", "²", "١", "-1"],
}  # fmt: skip
FEED_CELLS = {
    "id": ["1"],
    "dateadded": TIMES,
    "url": URLS,
    "url_status": ["online", "offline", "unknown", "", " offline "],
    "last_online": TIMES,
    "threat": ["malware_download"],
    "tags": ["elf,mips", "None", 'a""b'],
    "urlhaus_link": ["https://feed.example/1"],
    "reporter": ["", "#"],
}
MANGLED: list[Callable[[bytes], bytes]] = [  # what befalls a line: nothing, mostly
    *([lambda raw: raw] * 12), lambda raw: raw + b"\r", lambda raw: raw + b" ", lambda raw: b" " + raw,
    lambda raw: raw[:-1], lambda raw: raw[: len(raw) // 2], lambda raw: raw + raw,
    lambda raw: raw.replace(b'"', b"", 1),
    lambda raw: raw.replace(b"a", b"\x00", 1), lambda raw: raw.replace(b"a", b"\xff", 1), lambda raw: b"",
    lambda raw: raw.replace(b"a", b'\\"', 1), lambda raw: raw.replace(b"a", b'""', 1), lambda raw: raw + b"x" * 5000,
    lambda raw: raw.replace(b"a", b"\n", 1), lambda raw: raw.replace(b"a", b"\r\n", 1),
    lambda raw: b"# " + raw, lambda raw: raw.replace(b"a", b"\x85", 1), lambda raw: raw.replace(b"a", b'";"', 1),
    lambda raw: raw.replace(b"a", b'","', 1), lambda raw: raw.replace(b'"', b"'"), lambda raw: b"x" * 300_000,
]  # fmt: skip


def row(cells: dict[str, list[str]]) -> st.SearchStrategy[dict[str, str]]:
    """A row of which most cells are the first of their kind: one irregular cell alone must be enough."""
    usual = st.just(cells["url"][0])
    one = {name: st.one_of(*[st.just(words[0])] * 4, st.sampled_from(words)) for name, words in cells.items()}
    return st.fixed_dictionaries(one | {"url": st.one_of(usual, st.sampled_from(cells["url"]))})


def ntd_line(names: list[str], cells: dict[str, str]) -> bytes:
    return "".join(f'"{cells.get(name, "")}";' for name in names).encode()


def feed_line(names: list[str], cells: dict[str, str]) -> bytes:
    return ",".join(f'"{cells.get(name, "")}"' for name in names).encode()


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[str, bytes]:
    """A format, and a file in it: its columns in any order, some that nobody knows, whole rows and crooked ones."""
    is_ntd = draw(st.booleans())
    known, cells = (NTD_COLUMNS, NTD_CELLS) if is_ntd else (COLUMNS, FEED_CELLS)
    names = [*draw(st.permutations(known)), *draw(st.sampled_from([[], ["new"], ["new", "http://x.example/"]]))]
    write = ntd_line if is_ntd else feed_line
    rows = draw(st.lists(st.tuples(row(cells), st.sampled_from(MANGLED)), max_size=12))
    header = write(names, {name: name for name in names}) if is_ntd else ("# " + ",".join(names)).encode()
    return "scart-ntd" if is_ntd else "urlhaus", b"\n".join([header, *(spoil(write(names, r)) for r, spoil in rows)])


def _by_columns(reading: ReadTask) -> list[Any]:
    return [told(batch, VAULT) for batch in batches(reading, VAULT)]


def _by_row(reading: ReadTask) -> list[Any]:
    return [told(batch, VAULT) for batch in by_row(reading, VAULT)]


def split(format_name: str, file: Openable) -> tuple[RegularRows, list[Record | Rejected]]:
    path = FAST_PATHS[format_name](read_lines(file), CONTEXT)
    return path.split(list(path.rows))


def one_irregular_thing_a_row(format_name: str) -> bytes:
    """A file of rows that are plain but for one cell, or one thing that befell the line; each there is, once."""
    is_ntd = format_name == "scart-ntd"
    cells, write = (NTD_CELLS, ntd_line) if is_ntd else (FEED_CELLS, feed_line)
    plain = {name: words[0] for name, words in cells.items()}
    names = [*cells, "new", "new"]
    lines = [write(names, plain | {name: word}) for name, words in cells.items() for word in words]
    spoiled = [spoil(lines[0]) for spoil in MANGLED]
    head = write(names, {name: name for name in names}) if is_ntd else ("# " + ",".join(names)).encode()
    return b"\n".join([head, *lines, *spoiled])


@pytest.mark.parametrize("format_name", FAST_PATHS)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_one_irregular_thing_is_enough(format_name: str, size: int) -> None:
    reading = ReadTask(Delivered(one_irregular_thing_a_row(format_name)), format_name, CONTEXT, size)
    assert _by_columns(reading) == _by_row(reading)


@settings(max_examples=200, deadline=None)
@given(deliveries(), st.integers(1, 14))
def test_both_parsers_say_the_same_of_every_row(delivery: tuple[str, bytes], size: int) -> None:
    reading = ReadTask(Delivered(delivery[1]), delivery[0], CONTEXT, size)
    assert _by_columns(reading) == _by_row(reading)


@pytest.mark.parametrize(
    ("format_name", "header", "line"),
    [
        ("scart-ntd", NTD_COLUMNS, ntd_line(list(NTD_COLUMNS), {name: words[0] for name, words in NTD_CELLS.items()})),
        ("urlhaus", COLUMNS, feed_line(list(COLUMNS), {name: words[0] for name, words in FEED_CELLS.items()})),
    ],
)
def test_a_plain_row_goes_by_columns(format_name: str, header: tuple[str, ...], line: bytes) -> None:
    write = ntd_line if format_name == "scart-ntd" else feed_line
    head = (b"" if format_name == "scart-ntd" else b"# ") + write(list(header), {name: name for name in header})
    irregular = line.replace(b"s1.example/", b"S1.example/")
    rows, others = split(format_name, Delivered(b"\n".join([head, line, irregular, line])))
    assert (rows.line, [other.line for other in others]) == ([2, 4], [3])


def test_a_text_that_a_regular_row_may_hold_fits_its_column() -> None:
    lengths = [getattr(Notice, name).type.length for name in ("recipient", "recipient_country")]
    assert min(lengths) >= LONGEST_TEXT


@pytest.mark.shared
def test_the_real_feed_goes_by_columns_and_says_the_same(shared_data: Path) -> None:
    path = shared_data / "urlhaus-2026-04-10T1207Z.csv.gz"
    rows, others = split("urlhaus", path)
    assert len(rows.line) > 20 * len(others)
    reading = ReadTask(path, "urlhaus", Context(parse_instant("2026-04-10T12:07:00Z"), "UTC", 6 * 3600), 2000)
    assert _by_columns(reading) == _by_row(reading)


def test_both_parsers_leave_the_same_in_the_database(
    new_database: NewDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Facts, ids, counts, warnings, quarantine and what became of each row; a second file repeats part of the first."""
    files = [_crooked_export(tmp_path / f"{part}.csv", part) for part in (0, 1)]
    found = []
    for read_by_row in (False, True):
        if read_by_row:
            monkeypatch.setattr(FastPath, "split", _split_nothing)
        url = new_database()
        answers = [_ingested(url, path) for path in files]
        found.append((answers, facts(url, VAULT), _ids(url)))
    assert found[0] == found[1]
    assert sum(answer[0]["accepted"] for answer in found[0][0]) > 300


def _split_nothing(path: FastPath, rows: Sequence[tuple[int, bytes | None]]) -> Any:
    nothing = RegularRows._make([] for _ in RegularRows._fields)
    return nothing, [path.read_row(line, raw) for line, raw in rows]


def _crooked_export(path: Path, part: int) -> Path:
    """Every irregular cell and every mangled line once, each between plain rows, some about one content."""
    plain = {name: words[0] for name, words in NTD_CELLS.items()}
    lines = [ntd_line(list(NTD_COLUMNS), {name: name for name in NTD_COLUMNS})]
    irregular = [{name: word} for name, words in NTD_CELLS.items() for word in words]
    for number, changed in enumerate(irregular * 2):
        url = {"url": f"https://img.s{number % 7}.example/{(number + part * 60) % 250}"}
        lines += [ntd_line(list(NTD_COLUMNS), plain | url | more) for more in ({}, changed)]
    lines += [spoil(lines[1]) for spoil in MANGLED if spoil(lines[1])]
    path.write_bytes(b"\n".join(lines))
    return path


def _ingested(url: str, path: Path) -> tuple[dict[str, Any], list[RowResult]]:
    engine, outcomes = connect(url), list[RowResult]()
    source = Source("scart", zone="Europe/Amsterdam", gate=Thresholds(shares_from_rows=10**6))
    with transaction(engine) as session:
        what = DeliveryFile(source, "scart-ntd", path, CONTEXT.received_at)
        answer = ingest(session, VAULT, what, CONTEXT.received_at, on_row=outcomes.append)
    engine.dispose()
    assert answer.verdict is Verdict.OK, answer.reasons
    return answer.as_json(), outcomes


def _ids(url: str) -> list[list[Any]]:
    """Which number each fact was given."""
    engine = connect(url)
    with transaction(engine) as session:
        questions = [
            select(Content.id, Content.url_digest, Content.site_id),
            select(Notice.id, Notice.content_id, Notice.sent_at, Notice.reference_sealed, Notice.recipient),
            select(Sighting.id, Sighting.content_id, Sighting.seen_at),
            select(Attribution.id, Attribution.content_id, Attribution.company_id),
            select(Quarantined.id, Quarantined.line, Quarantined.reason),
            select(Delivery.id, Delivery.warnings, Delivery.measures),
        ]
        found = [[tuple(row) for row in session.execute(question.order_by(text("1")))] for question in questions]
    engine.dispose()
    return found
