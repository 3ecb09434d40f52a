"""Dated tables side by side: which one is asked, what is loaded once, and what is too unlike the one before it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monitor.attribute.locate import load_tables, organisation
from monitor.attribute.netblocks import TableFile, load_netblocks
from monitor.attribute.networks import NO_MATCH, V4, V6, family_of, keys_of
from monitor.db import transaction
from monitor.errors import DeliveryError
from monitor.formats.announcements import UNKNOWN_ORIGIN
from monitor.models.company import NetblockSteps, NetblockTable
from tests.conftest import Database

NOW = datetime(2026, 6, 2, tzinfo=UTC)
RANGES = "192.0.2.0,192.0.2.255,64496,Delta\n198.51.100.0,198.51.100.255,64497,Klinker\n"
RIS = "64498\t192.0.2.0/24\t350\n64498\t198.51.100.0/24\t350\n"
PFX2AS = "192.0.2.0\t24\t64499\n198.51.100.0\t24\t64499\n"


def load(session: Session, folder: Path, text: str, day: date, kind: str = "ranges", **options: Any) -> int:
    path = folder / "table"
    path.write_text(text, "utf-8")
    return load_netblocks(session, TableFile(path, day, kind), NOW, **options).table


def asn_on(session: Session, address: str, day: date, family: int = V4) -> int | None:
    """The ASN of an address on a day; None where no table is asked."""
    tables = load_tables(session)
    header = tables.as_of(day, family)
    if header is None:
        return None
    own = family_of(address)
    return int(tables.read(header.identifier, own).find(keys_of(own, [address]))[0])


def test_the_newest_table_not_after_the_day_and_the_oldest_before_all(database: Database, tmp_path: Path) -> None:
    with transaction(database.engine) as session:
        load(session, tmp_path, RIS, date(2026, 5, 1), "ris")
        load(session, tmp_path, RANGES, date(2026, 4, 1))
        found = [asn_on(session, "192.0.2.1", date(2026, month, 15)) for month in (1, 4, 5)]
    assert found == [64496, 64496, 64498]


@pytest.mark.parametrize("order", [("ranges", "ris", "pfx2as"), ("pfx2as", "ris", "ranges")])
def test_of_one_day_the_operator_s_goes_before_ris_and_that_before_pfx2as(
    database: Database, tmp_path: Path, order: tuple[str, ...]
) -> None:
    day = date(2026, 5, 1)
    texts = {"ranges": RANGES, "ris": RIS, "pfx2as": PFX2AS}
    with transaction(database.engine) as session:
        found = []
        for kind in order:
            load(session, tmp_path, texts[kind], day, kind)
            found.append(asn_on(session, "192.0.2.1", day))
        before = asn_on(session, "192.0.2.1", date(2026, 1, 1))
    assert found == ([64496] * 3 if order[0] == "ranges" else [64499, 64498, 64496])
    assert before == 64496


def test_a_table_is_not_asked_about_a_family_it_is_silent_on(database: Database, tmp_path: Path) -> None:
    day = date(2026, 5, 2)
    with transaction(database.engine) as session:
        assert asn_on(session, "2001:db8::1", day, V6) is None
        load(session, tmp_path, "64496\t2001:db8::/32\t350\n", date(2026, 5, 1), "ris")
        load(session, tmp_path, RIS, day, "ris")
        assert asn_on(session, "2001:db8::1", day, V6) == 64496
        assert asn_on(session, "192.0.2.1", day) == 64498
        assert asn_on(session, "203.0.113.1", day) == NO_MATCH


def test_an_origin_that_cannot_be_told_hides_the_range_around_it(database: Database, tmp_path: Path) -> None:
    text = "192.0.0.0\t16\t64496\n192.0.2.0\t24\t64497_64498\n"
    with transaction(database.engine) as session:
        load(session, tmp_path, text, date(2026, 5, 1), "pfx2as")
        assert asn_on(session, "192.0.1.1", date(2026, 5, 1)) == 64496
        assert asn_on(session, "192.0.2.1", date(2026, 5, 1)) == UNKNOWN_ORIGIN


def test_a_name_comes_from_whichever_table_has_one(database: Database, tmp_path: Path) -> None:
    with transaction(database.engine) as session:
        load(session, tmp_path, RANGES, date(2026, 4, 1))
        load(session, tmp_path, RANGES.replace("Delta", "Delta B.V."), date(2026, 6, 1))
        load(session, tmp_path, "64496\t192.0.2.0/24\t350\n", date(2026, 5, 1), "ris")
        tables = load_tables(session)
        names = [organisation(session, tables, 64496, date(2026, month, 15)) for month in (1, 5, 6)]
        assert names == ["Delta", "Delta", "Delta B.V."]
        assert organisation(session, tables, 64511, date(2026, 5, 15)) == ""


def test_the_same_table_again_changes_nothing(database: Database, tmp_path: Path) -> None:
    with transaction(database.engine) as session:
        first = load(session, tmp_path, RIS, date(2026, 5, 1), "ris")
        assert load(session, tmp_path, RIS, date(2026, 5, 1), "ris") == first
        counts = [session.scalar(select(func.count()).select_from(model)) for model in (NetblockTable, NetblockSteps)]
    assert counts == [1, 1]


TEN = [f"64496\t203.0.113.{16 * n}/28\t350\n" for n in range(10)]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        pytest.param(
            [line.replace("64496", "64497") for line in TEN[:3]] + TEN[3:], "30% of its IPv4 addresses", id="moved"
        ),
        pytest.param(TEN[:4], "4 rows where table 1 of 2026-05-01 has 10, and 60%", id="mostly missing"),
        pytest.param(
            [f"64496\t203.0.113.{8 * n}/29\t350\n" for n in range(21)],
            "21 rows where table 1 of 2026-05-01 has 10, and 5%",
            id="too many rows",
        ),
    ],
)
def test_a_table_too_unlike_the_one_before_it_is_refused(
    database: Database, tmp_path: Path, lines: list[str], reason: str
) -> None:
    with transaction(database.engine) as session:
        load(session, tmp_path, "".join(TEN), date(2026, 5, 1), "ris")
    with transaction(database.engine) as session, pytest.raises(DeliveryError, match=reason):
        load(session, tmp_path, "".join(lines), date(2026, 5, 2), "ris")
    with transaction(database.engine) as session:
        load(session, tmp_path, "".join(lines), date(2026, 5, 2), "ris", despite_change=True)
        assert len(load_tables(session).headers) == 2


def test_a_table_like_the_one_before_it_is_taken(database: Database, tmp_path: Path) -> None:
    with transaction(database.engine) as session:
        load(session, tmp_path, "".join(TEN), date(2026, 5, 1), "ris")
        load(session, tmp_path, "".join(TEN[:8]) + TEN[8].replace("64496", "64497") + TEN[9], date(2026, 5, 2), "ris")


@pytest.mark.parametrize(
    ("minimum", "maximum", "reason"),
    [(3, None, "too few rows: 2, at least 3"), (1, 1, "too many rows: more than the 1"), (1, 2, None)],
)
def test_rows_expected(
    database: Database, tmp_path: Path, minimum: int, maximum: int | None, reason: str | None
) -> None:
    path = tmp_path / "table"
    path.write_text("64496\t192.0.2.0/24\t1\n64496\t192.0.2.0/24\t9\n", "utf-8")
    file = TableFile(path, date(2026, 5, 1), "ris", minimum, maximum)
    with transaction(database.engine) as session:
        if reason is None:
            assert load_netblocks(session, file, NOW).rows == 2
        else:
            with pytest.raises(DeliveryError, match=reason):
                load_netblocks(session, file, NOW)


def test_a_table_without_a_range_is_refused(database: Database, tmp_path: Path) -> None:
    with transaction(database.engine) as session, pytest.raises(DeliveryError, match="the table has no range"):
        load(session, tmp_path, "64496\t10.0.0.0/8\t350\n", date(2026, 5, 1), "ris")


def test_tables_recorded_later_are_not_known_yet(database: Database, tmp_path: Path) -> None:
    with transaction(database.engine) as session:
        load(session, tmp_path, RIS, date(2026, 5, 1), "ris")
        assert load_tables(session, datetime(2026, 6, 1, tzinfo=UTC)).headers == []
        assert len(load_tables(session, NOW).headers) == 1
