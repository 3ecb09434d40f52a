"""`monitor netblocks` as people type it, and the migration that packs tables which lay there row by row."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from monitor.cli import cli
from monitor.db import transaction
from monitor.errors import DeliveryError
from monitor.migrate import downgrade, upgrade
from tests.conftest import Database

RIS = "64496\t192.0.2.0/24\t350\n64497\t2001:db8::/32\t350\n"


@pytest.fixture
def at_home(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MONITOR_HOME", str(tmp_path))
    monkeypatch.setenv("MONITOR_DATABASE_URL", database.url)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ris").write_text(RIS, "utf-8")
    (tmp_path / "registry.yaml").write_text("companies: [{key: delta, name: Delta, asns: [64496]}]", "utf-8")
    return tmp_path


def said(*arguments: str) -> str:
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_load_list_and_count(at_home: Path) -> None:
    assert said("netblocks", "list").startswith("no tables yet")
    loaded = said("netblocks", "load", "ris", "--format", "ris", "--date", "2026-05-01")
    assert loaded == "table 1: 2 rows, 2 ranges, 0 networks named\n"
    assert "was there already" in said("netblocks", "load", "ris", "--format", "ris", "--date", "2026-05-01")
    said("registry", "load", "registry.yaml")
    assert json.loads(said("netblocks", "list", "--json")) == [
        {"table": 1, "dated": "2026-05-01", "format": "ris", "rows": 2, "ranges_v4": 1, "ranges_v6": 1}
    ]
    assert "1 ranges of IPv4         1 of IPv6" in said("netblocks", "list")
    assert json.loads(said("netblocks", "volume", "--date", "2026-05-01", "--json")) == [
        {"company": "delta", "name": "Delta", "ipv4": 256, "ipv6_48": 0}
    ]
    assert "256 IPv4               0 /48 of IPv6" in said("netblocks", "volume")


def test_a_table_unlike_the_one_before_it_needs_a_word(at_home: Path) -> None:
    said("netblocks", "load", "ris", "--format", "ris", "--date", "2026-05-01")
    (at_home / "ris").write_text(RIS.replace("64496", "64511"), "utf-8")
    arguments = ("netblocks", "load", "ris", "--format", "ris", "--date", "2026-05-02")
    with pytest.raises(DeliveryError, match="--despite-change"):
        said(*arguments)
    assert said(*arguments, "--despite-change").startswith("table 2")


FOUR, SIX = b"\x00" * 10 + b"\xff\xff", b"\x20\x01\x0d\xb8"


def test_tables_of_rows_are_packed_and_unpacked(database: Database) -> None:
    rows = [
        (1, FOUR + bytes([192, 0, 2, 0]), FOUR + bytes([192, 0, 2, 255]), 64496),
        (2, FOUR + bytes([192, 0, 2, 64]), FOUR + bytes([192, 0, 2, 127]), 64497),
        (3, SIX + b"\x00" * 12, SIX + b"\xff" * 12, 64496),
    ]
    downgrade(database.engine, "0005")
    with transaction(database.engine) as session:
        session.execute(
            text(
                "INSERT INTO netblock_tables (id, dated, sha256, rows, recorded_at) VALUES (7, '2026-05-01', 'x', 3, 0)"
            )
        )
        insert = text("INSERT INTO netblocks (id, table_id, first, last, asn) VALUES (:id, 7, :first, :last, :asn)")
        session.execute(insert, [dict(zip(("id", "first", "last", "asn"), row, strict=True)) for row in rows])
    upgrade(database.engine)
    with transaction(database.engine) as session:
        heads = session.execute(text("SELECT format, rows, ranges_v4, ranges_v6 FROM netblock_tables")).all()
    assert [tuple(head) for head in heads] == [("ranges", 3, 3, 1)]
    downgrade(database.engine, "0005")
    with transaction(database.engine) as session:
        found = session.execute(text("SELECT first, last, asn FROM netblocks ORDER BY id")).all()
    assert [(bytes(first)[-4:], bytes(last)[-1], asn) for first, last, asn in found] == [
        (bytes([192, 0, 2, 0]), 63, 64496),
        (bytes([192, 0, 2, 64]), 127, 64497),
        (bytes([192, 0, 2, 128]), 255, 64496),
        (bytes(4), 255, 64496),
    ]
