"""Tables of ranges as CSV: literal rows in, literal ranges out."""

from __future__ import annotations

from pathlib import Path

from monitor.formats.netblocks import read_netblocks
from tests.formats.test_ris import nobody_counts


def test_ranges(tmp_path: Path) -> None:
    path = tmp_path / "ranges.csv"
    path.write_text('organisation,asn,start,end\n"Delta, Inc.",64496,192.0.2.0,192.0.2.9\n,0,192.0.2.10,192.0.2.20\n')
    found = list(read_netblocks(path, nobody_counts))
    assert [(record.first[12:], record.last[12:], record.asn, record.organisation) for record in found] == [
        (bytes([192, 0, 2, 0]), bytes([192, 0, 2, 9]), 64496, "Delta, Inc.")
    ]


def test_rows_are_counted_as_they_come(tmp_path: Path) -> None:
    path = tmp_path / "ranges.csv"
    path.write_text("192.0.2.0,192.0.2.9,64496,Delta\n\n192.0.2.10,192.0.2.20,0,\n")
    counted: list[int] = []
    list(read_netblocks(path, lambda: counted.append(1)))
    assert len(counted) == 2
