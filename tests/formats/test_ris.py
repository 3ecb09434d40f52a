"""The RIS whois dump: which lines become ranges, of whom, and which are left out."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from monitor.errors import DeliveryError
from monitor.formats.announcements import read_ris
from monitor.formats.netblocks import packed


def nobody_counts() -> None:
    """Rows are not counted here."""


def ranges(folder: Path, text: str) -> list[tuple[str, str, int]]:
    """(first, last, ASN) of a dump, compressed as it comes."""
    path = folder / "dump.gz"
    path.write_bytes(gzip.compress(text.encode()))
    return [(record.first.hex(), record.last.hex(), record.asn) for record in read_ris(path, nobody_counts)]


def expected(first: str, last: str, asn: int) -> tuple[str, str, int]:
    """The same, of addresses as people write them."""
    return packed(first).hex(), packed(last).hex(), asn


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        pytest.param(
            "64496\t192.0.2.0/24\t350", [("192.0.2.0", "192.0.2.255", 64496)], id="one origin, as it is printed"
        ),
        pytest.param(
            "64496\t2001:db8::/32\t350",
            [("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 64496)],
            id="IPv6",
        ),
        pytest.param("64496\t192.0.2.0/24\t4", [], id="seen by fewer than five peers"),
        pytest.param("64496\t192.0.2.0/24\t5", [("192.0.2.0", "192.0.2.255", 64496)], id="seen by five"),
        pytest.param(
            "64496\t192.0.2.0/24\t180\n64497\t192.0.2.0/24\t20",
            [("192.0.2.0", "192.0.2.255", 64496)],
            id="two origins, nine in ten agree",
        ),
        pytest.param(
            "64496\t192.0.2.0/24\t179\n64497\t192.0.2.0/24\t21",
            [("192.0.2.0", "192.0.2.255", 0)],
            id="two origins, fewer agree: announced, by whom cannot be told",
        ),
        pytest.param(
            "64497\t192.0.2.0/24\t4\n64496\t192.0.2.0/24\t10",
            [("192.0.2.0", "192.0.2.255", 64496)],
            id="an origin that few see has no vote",
        ),
        pytest.param("{64496,64497}\t192.0.2.0/24\t350", [("192.0.2.0", "192.0.2.255", 0)], id="an AS set"),
        pytest.param("{64496}\t192.0.2.0/24\t350", [("192.0.2.0", "192.0.2.255", 64496)], id="a set of one"),
        pytest.param(
            "64497\t198.51.100.0/24\t9\n64496\t192.0.2.0/25\t9\n64496\t192.0.2.0/24\t9",
            [
                ("192.0.2.0", "192.0.2.255", 64496),
                ("192.0.2.0", "192.0.2.127", 64496),
                ("198.51.100.0", "198.51.100.255", 64497),
            ],
            id="in the order of addresses, the wider first",
        ),
        pytest.param("64496\t0.0.0.0/0\t350\n64496\t::/0\t350", [], id="the default route"),
        pytest.param("64496\t10.1.0.0/16\t350\n64496\t224.0.0.0/8\t350", [], id="private and multicast"),
        pytest.param("64496\tfd00::/32\t350\n64496\t3000::/8\t350", [], id="outside 2000::/3, or too wide"),
        pytest.param("64512\t192.0.2.0/24\t350\n23456\t192.0.2.0/24\t350", [], id="private and transition ASNs"),
        pytest.param("% 64496\t192.0.2.0/24\t350\n\n", [], id="a comment and an empty line"),
    ],
)
def test_lines(tmp_path: Path, lines: str, found: list[tuple[str, str, int]]) -> None:
    assert ranges(tmp_path, f"% RIS\n{lines}\n") == [expected(*row) for row in found]


@pytest.mark.parametrize(
    "line",
    [
        "64496\t192.0.2.0/24",
        "64496\t192.0.2.1/24\t350",
        "64496\t192.0.2.0/33\t350",
        "64496\t192.0.2.0\t350",
        "64496\t192.0.2.0/24/8\t350",
        "64496\t192.0.2/24\t350",
        "AS64496\t192.0.2.0/24\t350",
        "0\t192.0.2.0/24\t350",
        "{}\t192.0.2.0/24\t350",
        "4294967296\t192.0.2.0/24\t350",
        "64496\t192.0.2.0/24\tmany",
        "64496\t192.0.2.0/24\t-1",
        "64_496\t192.0.2.0/24\t350",
        "64496\t192.0.2.0/+24\t350",
        "\x00",
    ],
)
def test_a_line_that_is_wrong_refuses_the_dump(tmp_path: Path, line: str) -> None:
    with pytest.raises(DeliveryError, match=r"^line 3(: . columns, where|, column (origin|prefix|seen-by): no )"):
        ranges(tmp_path, f"% RIS\n64496\t192.0.2.0/24\t350\n{line}\n")
