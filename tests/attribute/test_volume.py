"""Volume: what each company announces, each address counted once, held against counting address by address."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from sqlalchemy import select

from monitor.attribute.netblocks import Announced, TableFile, announced, load_netblocks, volume
from monitor.attribute.networks import NO_MATCH, V4, V6, RangeIndex, flatten
from monitor.attribute.registry import load_registry
from monitor.db import transaction
from monitor.formats.registry import read_registry
from monitor.models.company import Company
from tests.attribute.test_interval_map import PLACES, SPACE, index, looked_up, ranges
from tests.conftest import Database

NOW = datetime(2026, 6, 2, tzinfo=UTC)
NAMES = [f"prefix {number}" for number in range(6)]


def holder(prefix: str | None, origin: int) -> int | None:
    """Prefixes 0 to 3 are held by companies 10 to 13, 4 and 5 by nobody; origins above 0 by themselves."""
    number = NAMES.index(prefix) if prefix else NO_MATCH
    if 0 <= number < 4:
        return 10 + number
    return origin or None


@pytest.mark.parametrize(("family", "base"), PLACES)
@given(table=ranges, prefixes=ranges)
def test_against_counting_each_address(
    family: int, base: int, table: list[tuple[int, int, int]], prefixes: list[tuple[int, int, int]]
) -> None:
    expected: Counter[int] = Counter()
    for number in range(SPACE):
        origin, prefix = looked_up(table, number), looked_up(prefixes, number)
        company = holder(None if prefix == NO_MATCH else NAMES[prefix], origin)
        if origin != NO_MATCH and company is not None:
            expected[company] += 1
    found = volume(flatten(family, index(family, base, table)), index(family, base, prefixes), NAMES, holder)
    assert found == dict(expected)


def test_the_whole_of_both_families_is_exact() -> None:
    for family, last in ((V4, np.array([2**32 - 1])), (V6, np.array([b"\xff" * 16], "S16"))):
        first = np.array([0]) if family == V4 else np.array([b"\x00" * 16], "S16")
        everything = RangeIndex.build(first, last, np.array([7]))
        nothing = RangeIndex.build(first[:0], last[:0], np.array([], dtype=np.int64))
        found = volume(flatten(family, everything), nothing, [], holder)
        assert found == {7: 2**32 if family == V4 else 2**128}


REGISTRY = """
companies:
- {key: delta, name: Delta, asns: [64496], prefixes: [198.51.100.0/25, "2001:db8:8000::/33", 203.0.113.0/24]}
- {key: klinker, name: Klinker, asns: [{value: 64497, valid_to: 2026-05-15}], prefixes: [198.51.100.0/26]}
"""
# 64496: 256 addresses and a /32; 64497: 256; 64498 is nobody's; 203.0.113.0/24 is registered but not announced.
TABLE = """192.0.2.0,192.0.2.255,64496,
198.51.100.0,198.51.100.255,64497,
203.0.113.128,203.0.113.129,64498,
2001:db8::,2001:db8:ffff:ffff:ffff:ffff:ffff:ffff,64496,
"""


def by_key(database: Database, day: date, known_at: datetime = NOW) -> dict[str, Announced]:
    with transaction(database.engine) as session:
        keys = {company.id: company.key for company in session.scalars(select(Company))}
        return {keys[company]: found for company, found in announced(session, known_at, day).items()}


@pytest.fixture
def registered(database: Database, tmp_path: Path) -> Database:
    (tmp_path / "registry.yaml").write_text(REGISTRY)
    with transaction(database.engine) as session:
        load_registry(session, read_registry(tmp_path / "registry.yaml"), NOW)
    return database


def test_claims_of_asns_and_prefixes(registered: Database, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(TABLE)
    with transaction(registered.engine) as session:
        load_netblocks(session, TableFile(tmp_path / "table.csv", date(2026, 5, 1)), NOW)
    assert by_key(registered, date(2026, 5, 1)) == {
        "delta": Announced(256 + 64 + 2, 65536),
        "klinker": Announced(64 + 128, 0),
    }
    assert by_key(registered, date(2026, 6, 1))["klinker"] == Announced(64, 0)
    assert by_key(registered, date(2026, 5, 1), datetime(2026, 6, 1, tzinfo=UTC)) == {}


def test_what_no_table_speaks_of_is_not_nothing(registered: Database, tmp_path: Path) -> None:
    assert by_key(registered, date(2026, 5, 1)) == {}
    (tmp_path / "table.csv").write_text("192.0.2.0,192.0.2.255,64496,\n")
    with transaction(registered.engine) as session:
        load_netblocks(session, TableFile(tmp_path / "table.csv", date(2026, 5, 1)), NOW)
    assert by_key(registered, date(2026, 5, 1)) == {"delta": Announced(256, None)}
