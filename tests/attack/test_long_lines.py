"""Every parser, on lines and rows made against it: its time grows as their length does, up to the longest there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path

import pytest

from monitor.errors import DeliveryError
from monitor.formats.announcements import read_pfx2as, read_ris
from monitor.formats.catalogue import FORMATS
from monitor.formats.files import LINE_LIMIT
from monitor.formats.netblocks import read_netblocks
from monitor.formats.records import Context, Record, Rejected
from monitor.formats.registry import read_registry
from monitor.formats.scart.rows import Column, recover
from monitor.ingest.batches import batch_of_records
from monitor.instants import parse_instant
from monitor.vault import ExportedKey, Vault
from tests.attack.pumping import seconds
from tests.fuzz.reading import Delivered
from tests.fuzz.samples import SAMPLES

CONTEXT = Context(parse_instant("2026-04-12T00:00:00Z"), "Europe/Amsterdam", 5 * 3600)
VAULT = Vault(ExportedKey(1, bytes(range(64))))
LINES = [name for name in FORMATS if name != "xarf"]
_GROWTH = 9.0  # for four times the length: four, and as much again for a machine that is shared
_STARTED = 0.02  # seconds: less than this says nothing
_AT_MOST = 5.0  # seconds for a line, where 0.05 are usual and a minute was
PUMPS = (
    b'"', b'\\"', b'"\\', b"\\", b";", b'";"', b'";', b";;\"", b",", b'","', b"a", b"0", b" ", b"\t", b"\r", b"\x00",
    b".", b":", b"/", b"://", b"@", b"-", b"|", b"%2f", b"\xc3\xa9", b"\xff", b'"M1";', b"N1;", b"a.",
    b"2026-04-10 12:00:00;", b"2026-04-10 12:00:00", b"[", b"{", b'{"":', b'\\u0041"',
)  # fmt: skip


def _rows(name: str, content: bytes) -> int:
    """Read and prepare all of it, as taking it in does before it stores."""
    try:
        return batch_of_records(FORMATS[name](Delivered(content), CONTEXT), VAULT).size
    except DeliveryError:
        return 0


def _starts(name: str) -> Iterator[bytes]:
    """Where hostile text may begin: in the first cell of a row, within its URL, at its end, in the header."""
    head, _, rest = SAMPLES[name].partition(b"\n")
    row = rest.split(b"\n")[0]
    yield head + b"\n"
    yield head + b'\n"'
    yield head + b"\n" + row.partition(b"://")[0] + b"://"
    yield head + b"\n" + row
    yield head


def _too_slow(run: Callable[[int], object]) -> str | None:
    """What is too slow about reading so many bytes; nothing where time grows as they do."""
    for times in (1, 3, 6):
        took = seconds(lambda: run(LINE_LIMIT - 2048), times)
        if took < _STARTED:
            return None
        growth = took / max(seconds(lambda: run(LINE_LIMIT // 4), times), 1e-6)
        if growth < _GROWTH and took < _AT_MOST:
            return None
    return f"{took:.2f} s, {growth:.0f} times as long as a quarter of it"


@pytest.mark.parametrize("name", LINES)
def test_one_long_line(name: str) -> None:
    for start, pump in product(_starts(name), PUMPS):
        slow = _too_slow(lambda size: _rows(name, start + pump * (size // len(pump)) + b"\n"))  # noqa: B023
        assert slow is None, (pump, start[-20:], slow)


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("row", [b'"', b'"\n\n', b'"a', b'a"b', b'"M1";"', b"N1;", b'"a\r', b'\\"', b";"])
def test_quotes_that_are_never_closed(name: str, row: bytes) -> None:
    """Each line opens one anew; no row takes in more than its bound, and the good row after them is read."""
    head, _, rest = SAMPLES[name].partition(b"\n")
    good = rest.split(b"\n")[0]

    def read(size: int) -> int:
        lines = row * 2 if row.endswith(b"\n") else row + b"\n"
        return _rows(name, head + b"\n" + lines * (size // 4 // len(lines)))

    assert _too_slow(read) is None
    told = list(FORMATS[name](Delivered(head + b"\n" + (row + b"\n") * 1000 + good + b"\n"), CONTEXT))
    assert isinstance(told[-1], Record), "a broken row took a good one with it"
    if name == "inhope-csv" and not row.strip(b'"\n'):
        return  # cells without anything in them: a row that a spreadsheet emptied is no row
    assert len([row for row in told if isinstance(row, Rejected)]) >= 1000 // 200, "what is broken was passed over"


@pytest.mark.parametrize("name", LINES)
def test_one_quote_that_swallows_all_that_follows(name: str) -> None:
    """None of the lines begins a row: the row that was opened ends at a bound, and reading goes on after it."""
    head, _, rest = SAMPLES[name].partition(b"\n")
    good = rest.split(b"\n")[0]
    content = head + b'\n"' + b"no row\n" * 100_000 + good + b"\n"
    told = list(FORMATS[name](Delivered(content), CONTEXT))
    assert isinstance(told[-1], Record)
    assert max(len(row.raw) for row in told if isinstance(row, Rejected)) <= LINE_LIMIT
    assert len(told) > 1


TABLES: Mapping[str, tuple[Callable[[Path], object], bytes]] = {
    "r.csv": (read_registry, b"key,name,aliases\n"),
    "r.yaml": (read_registry, b"companies:\n- name: "),
    "ranges": (lambda path: list(read_netblocks(path, lambda: None)), b"192.0.2.0,192.0.2.9,64496,"),
    "ris": (lambda path: list(read_ris(path, lambda: None)), b"64496\t"),
    "pfx2as": (lambda path: list(read_pfx2as(path, lambda: None)), b"192.0.2.0\t24\t"),
}


@pytest.mark.parametrize("name", TABLES)
def test_registry_and_tables_of_networks(name: str, tmp_path: Path) -> None:
    read, start = TABLES[name]

    def tried(size: int, pump: bytes) -> None:
        (tmp_path / name).write_bytes(start + pump * (size // len(pump)))
        try:
            read(tmp_path / name)
        except DeliveryError:
            return

    for pump in (*PUMPS, b"_1", b",1", b"{1},", b"\n", b'"\n', b"? ", b"- ", b"&a ", b"!!a ", b"'", b"\n  "):
        slow = _too_slow(lambda size: tried(size, pump))  # noqa: B023 -- called at once
        assert slow is None, (pump, slow)


def test_a_table_with_a_quote_that_is_never_closed_is_refused_at_its_line(tmp_path: Path) -> None:
    (tmp_path / "n.csv").write_text('192.0.2.0,192.0.2.9,64496,"Delta\n' + "192.0.2.16,192.0.2.31,64497,Golf\n" * 1000)
    with pytest.raises(DeliveryError, match="line 1: its quotes do not pair"):
        list(read_netblocks(tmp_path / "n.csv", lambda: None))


def test_a_row_without_quotes_costs_the_same_however_many_ways_there_are_to_read_it() -> None:
    """A thousand columns of any text, forty separators too many: 840 spans each, once."""

    def tried(columns: int, cells: int) -> float:
        free = [Column(f"c{number}", None, free=True, read=False) for number in range(columns)]
        return seconds(lambda: recover(["x"] * cells, free), 3)

    assert tried(1000, 1040) < 30 * max(tried(1000, 1000), 1e-4)


def test_the_longest_row_without_quotes(tmp_path: Path) -> None:
    """Each of the texts that may hold separators long, and as many separators as a row may have."""
    name: str = "scart-report"
    head, _, rest = SAMPLES[name].partition(b"\n")
    cells = rest.split(b"\n")[0].split(b";")
    for place in range(len(cells)):

        def read(size: int) -> object:
            long = b";".join([b"@" * (size // 41)] * 41)
            row = b";".join([*cells[:place], long, *cells[place + 1 :]])  # noqa: B023 -- called at once
            return _rows(name, head + b"\n" + row + b"\n")

        assert _too_slow(read) is None, place
