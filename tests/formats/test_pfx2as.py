"""CAIDA's prefix-to-AS table: which lines become ranges, and of whom."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.errors import DeliveryError
from monitor.formats.pfx2as import read_pfx2as
from tests.formats.test_ris import expected, nobody_counts


def ranges(folder: Path, text: str) -> list[tuple[str, str, int]]:
    """(first, last, ASN) of a table."""
    path = folder / "table.pfx2as"
    path.write_text(text, "utf-8")
    return [(record.first.hex(), record.last.hex(), record.asn) for record in read_pfx2as(path, nobody_counts)]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        pytest.param("192.0.2.0\t24\t64496", [("192.0.2.0", "192.0.2.255", 64496)], id="one origin, as it is printed"),
        pytest.param(
            "2001:db8::\t48\t64496", [("2001:db8::", "2001:db8:0:ffff:ffff:ffff:ffff:ffff", 64496)], id="IPv6"
        ),
        pytest.param("192.0.2.0\t24\t64496_64497", [("192.0.2.0", "192.0.2.255", 0)], id="several origins"),
        pytest.param("192.0.2.0\t24\t64496,64497", [("192.0.2.0", "192.0.2.255", 0)], id="an AS set"),
        pytest.param("192.0.2.0\t24\t64496_64497,64498", [("192.0.2.0", "192.0.2.255", 0)], id="an origin and a set"),
        pytest.param(
            "192.0.2.0\t24\t64496_64512", [("192.0.2.0", "192.0.2.255", 64496)], id="a private ASN is no other origin"
        ),
        pytest.param("10.0.0.0\t8\t64496", [], id="private"),
    ],
)
def test_line(tmp_path: Path, line: str, found: list[tuple[str, str, int]]) -> None:
    assert ranges(tmp_path, f"{line}\n") == [expected(*row) for row in found]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("192.0.2.0 24", "line 1: 2 columns, where address, length, origin are expected"),
        ("192.0.2.0\t24\t", "line 1: 2 columns, where address, length, origin are expected"),
        ("192.0.2.0/24\t24\t64496", "line 1, column address: no IP address"),
        ("192.0.2.0\tx\t64496", "line 1, column length: no length of a prefix"),
        ("192.0.2.0\t-1\t64496", "line 1, column length: no length of a prefix"),
        ("192.0.2.0\t33\t64496", "line 1 is not address, length, origin"),
        ("192.0.2.0\t24\t64496_", "line 1, column origin: no AS number, set or several"),
    ],
)
def test_a_line_that_is_wrong_refuses_the_table(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(DeliveryError, match=message):
        ranges(tmp_path, f"{line}\n")
