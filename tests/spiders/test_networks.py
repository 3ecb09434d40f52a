"""Tables of networks: fetched where they have changed, dated by their server or name, refused where they are absurd."""

from __future__ import annotations

import gzip

import pytest

from tests.spiders.installation import Installation
from tests.spiders.server import Site

TABLES = "SELECT format, rows, ranges_v4, ranges_v6 FROM netblock_tables ORDER BY id"
DAYS = "SELECT CAST(dated AS VARCHAR) FROM netblock_tables ORDER BY id"
V4 = "% RIS\n64496\t192.0.2.0/24\t350\n64497\t198.51.100.0/24\t350\n64498\t198.51.100.0/25\t3\n"
V6 = "% RIS\n64496\t2001:db8::/32\t350\n64496\t2001:db8:1::/48\t350\n"
PFX2AS = "192.0.2.0\t24\t64496\n198.51.100.0\t24\t64497_64498\n"
MADE = """# Format: <sequence> <time> <path>
7011\t1780230000\t2026/05/routeviews-rv2-20260531-1200.pfx2as.gz
7013\t1780400000\t2026/06/routeviews-rv2-20260602-1200.pfx2as.gz
7012\t1780300000\t2026/06/routeviews-rv2-20260601-1200.pfx2as.gz
7014\t1780500000\t../../elsewhere/routeviews-rv2-20260603-1200.pfx2as.gz
"""


def ris(site: Site, v4: str = V4, v6: str = V6) -> None:
    """Serve both dumps."""
    for family, text in (("4", v4), ("6", v6)):
        site.files[f"/dumps/riswhoisdump.IPv{family}.gz"] = gzip.compress(text.encode(), mtime=0)
    site.modified = "Mon, 01 Jun 2026 23:59:59 GMT"


def test_both_dumps_of_ris_once(site: Site, installation: Installation) -> None:
    ris(site)
    installation.configure("ris", location=f"{site.address}/dumps/", minimum_rows=2)
    first = installation.collect("ris")
    assert (first.status, first.answer["verdict"], first.answer["rows"]) == (0, "ok", 5)
    assert installation.rows(TABLES) == [("ris", 3, 2, 0), ("ris", 2, 0, 1)]
    assert installation.rows(DAYS) == [("2026-06-01",), ("2026-06-01",)]
    again = installation.collect("ris")
    assert (again.status, again.answer["verdict"]) == (0, "unchanged")
    assert site.counts() == {200: 2, 304: 2}
    assert installation.deliveries() == []


@pytest.mark.parametrize(
    ("v4", "reason"),
    [
        pytest.param("64496\t192.0.2.0/24\t350\n" * 8, "too many rows: more than the 7 expected", id="too many"),
        pytest.param(
            V4.replace("64496", "64511"), "and 50% of its IPv4 addresses have another origin", id="another world"
        ),
    ],
)
def test_an_absurd_dump_is_refused_and_the_other_taken(
    site: Site, installation: Installation, v4: str, reason: str
) -> None:
    ris(site)
    installation.configure("ris", location=f"{site.address}/dumps/", minimum_rows=2, maximum_rows=7)
    installation.collect("ris")
    ris(site, v4, V6 + "64496\t2001:db8:2::/48\t350\n")
    site.modified = "Tue, 02 Jun 2026 23:59:59 GMT"
    ended = installation.collect("ris")
    assert ended.status == 1
    assert reason in ended.err
    assert installation.rows(TABLES)[2:] == [("ris", 3, 0, 1)]


def test_the_newest_file_that_the_log_of_caida_names(site: Site, installation: Installation) -> None:
    site.put("/prefix2as/pfx2as-creation.log", MADE)
    path = "/prefix2as/2026/06/routeviews-rv2-20260602-1200.pfx2as.gz"
    site.files[path] = gzip.compress(PFX2AS.encode())
    installation.configure("pfx2as", location=f"{site.address}/prefix2as", minimum_rows=2)
    first = installation.collect("pfx2as")
    assert (first.status, first.answer["verdict"], first.answer["rows"]) == (0, "ok", 2)
    assert site.asked == ["/prefix2as/pfx2as-creation.log", path]
    assert installation.rows(TABLES) == [("pfx2as", 2, 2, 0)]
    assert installation.rows(DAYS) == [("2026-06-02",)]
    assert installation.collect("pfx2as").answer["verdict"] == "unchanged"


def test_a_dated_file_of_caida_by_another_name_of_the_source(site: Site, installation: Installation) -> None:
    path = "/2026/06/routeviews-rv6-20260605-1200.pfx2as.gz"
    site.files[path] = gzip.compress(b"2001:db8::\t32\t64496\n")
    installation.configure("caida6", format="pfx2as", location=site.address + path, minimum_rows=1)
    assert installation.collect("caida6").status == 0
    assert installation.rows(TABLES) == [("pfx2as", 1, 0, 1)]
    assert installation.rows(DAYS) == [("2026-06-05",)]


@pytest.mark.parametrize(
    ("log", "reason"),
    [("# nothing yet\n", "the log: it names no file"), (None, "the log: the server answered 404")],
)
def test_a_log_without_a_file(site: Site, installation: Installation, log: str | None, reason: str) -> None:
    if log is not None:
        site.put("/pfx2as-creation.log", log)
    installation.configure("pfx2as", location=site.address)
    ended = installation.collect("pfx2as")
    assert ended.status == 1
    assert reason in ended.err
