"""Lines that end with a bare CR, as old exports do: read like any other, in every format whose rows are lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.formats.announcements import read_pfx2as, read_ris
from monitor.formats.catalogue import FORMATS
from monitor.formats.files import _line_feeds, _lines, read_lines
from monitor.formats.netblocks import read_netblocks
from monitor.formats.records import Context, Record
from monitor.formats.registry import read_registry
from monitor.instants import parse_instant
from tests.fuzz.reading import Delivered
from tests.fuzz.samples import SAMPLES

CONTEXT = Context(parse_instant("2026-04-12T00:00:00Z"), "Europe/Amsterdam", 5 * 3600)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "xarf"])
def test_every_format_of_lines_reads_them(name: str) -> None:
    content = SAMPLES[name].replace(b"\r\n", b"\n")
    assert b"\r" not in content
    expected = list(FORMATS[name](Delivered(content), CONTEXT))
    assert any(isinstance(row, Record) for row in expected)
    for end in (b"\r", b"\r\n"):
        assert list(FORMATS[name](Delivered(content.replace(b"\n", end)), CONTEXT)) == expected


def _uncounted() -> None:
    """Nobody counts the rows."""


@pytest.mark.parametrize(
    ("name", "read", "text"),
    [
        ("r.csv", read_registry, "key,name,country\ndelta,Delta,NL\ngolf,Golf,NL\n"),
        ("r.yaml", read_registry, "companies:\n- key: delta\n  name: Delta\n- {key: golf, name: Golf}\n"),
        (
            "n.csv",
            lambda path: list(read_netblocks(path, _uncounted)),
            "192.0.2.0,192.0.2.9,64496,D\n192.0.2.16,192.0.2.31,64497,G\n",
        ),
        ("ris", lambda path: list(read_ris(path, _uncounted)), "% a comment\n64496\t192.0.2.0/24\t50\n"),
        ("pfx", lambda path: list(read_pfx2as(path, _uncounted)), "192.0.2.0\t24\t64496\n198.51.100.0\t24\t64497\n"),
    ],
)
def test_registry_and_tables_of_networks_too(
    tmp_path: Path, name: str, read: Callable[[Path], list[object]], text: str
) -> None:
    (tmp_path / name).write_bytes(text.encode())
    expected = read(tmp_path / name)
    assert expected
    (tmp_path / name).write_bytes(text.replace("\n", "\r").encode())
    assert read(tmp_path / name) == expected


def test_a_bare_cr_after_the_first_line_is_part_of_its_line() -> None:
    assert list(read_lines(Delivered(b"a\nb\rc\r\nd"))) == [(1, b"a"), (2, b"b\rc"), (3, b"d")]
    assert list(read_lines(Delivered(b"a\rb\nc\r\nd\r\re"))) == [
        (1, b"a"), (2, b"b"), (3, b"c"), (4, b"d"), (5, b""), (6, b"e"),
    ]  # fmt: skip


@given(st.text("a\r\n", max_size=12).map(str.encode), st.integers(1, 5))
def test_where_the_bytes_are_cut_into_chunks_makes_no_difference(text: bytes, size: int) -> None:
    def lines(length: int) -> list[tuple[int, bytes | None]]:
        chunks = (text[start : start + length] for start in range(0, len(text), length))
        return list(_lines(_line_feeds(chunks)))

    assert lines(size) == lines(len(text) + 1)
