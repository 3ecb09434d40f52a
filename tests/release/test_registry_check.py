"""`monitor registry check`: what loading a registry would change, told beforehand; nothing is changed."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from monitor.attribute.netblocks import TableFile, load_netblocks
from monitor.attribute.registry import RegistryAnswer, load_registry
from monitor.db import transaction
from monitor.formats.registry import read_registry
from monitor.ingest.delivery import ingest
from monitor.instants import parse_instant, to_datetime
from monitor.models.company import Company, CompanyClaim, CompanyDetail
from monitor.models.facts import Attribution
from monitor.models.release import Release, ReleaseRow, Stage
from monitor.release.registry_check import CompanyChange, RegistryCheck, check_registry
from monitor.vault import Vault
from tests.conftest import Database
from tests.release.conftest import Run
from tests.samples import Closed, Ntd, delivery_file

RECORDED = parse_instant("2026-04-11T00:00:00Z")
NOW = to_datetime(parse_instant("2026-04-12T00:00:00Z"))
BEFORE = "key,name,country,asns\ngolf,Golf Hosting,NL,64496\nhotel,Hotel Cloud,NL,64497\n"
AFTER = "key,name,country,legal_name,asns\ngolf,Golf Hosting,NL,Golf B.V.,\nindia,India,,,64496\n"
SENT = "2026-04-10 12:00:00"
COUNTED = (Company, CompanyDetail, CompanyClaim, Attribution)


def test_it_is_told_what_would_change_and_nothing_does(database: Database, vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "before.csv").write_text(BEFORE)
    (tmp_path / "after.csv").write_text(AFTER)
    (tmp_path / "nets.csv").write_text("start,end,asn,organisation\n192.0.2.0,192.0.2.255,64496,\n")
    urls = [f"https://s{n}.example/" for n in range(3)]
    deliveries = tmp_path / "deliveries"
    deliveries.mkdir()
    sent = [Ntd(url, SENT, owner="", ip="192.0.2.1") for url in urls]
    with transaction(database.engine) as session:
        load_registry(session, read_registry(tmp_path / "before.csv"), to_datetime(RECORDED))
        load_netblocks(session, TableFile(tmp_path / "nets.csv", NOW.date().replace(month=1)), to_datetime(RECORDED))
        for rows in (sent, [Closed(urls[0])]):
            ingest(session, vault, delivery_file(deliveries, "2026-04-10T18:00:00Z", *rows), RECORDED)
        session.add(
            Release(
                id=1, period="2026Q1", version=1, stage=Stage.PUBLISHED, drafted_at=NOW, table_json="{}", manifest={},
                manifest_sha256="",
            )
        )  # fmt: skip
        session.flush()
        for position, key in enumerate(("golf", "hotel")):
            session.add(ReleaseRow(release_id=1, position=position, company_key=key, row_json="{}"))
    with transaction(database.engine) as session:
        before = [session.scalars(select(model.id).order_by(model.id)).all() for model in COUNTED]
        found = check_registry(session, vault, read_registry(tmp_path / "after.csv"), NOW)
    assert found == RegistryCheck(
        RegistryAnswer(2, 1, 1, 1, 1),
        (
            CompanyChange("golf", False, ("legal_name",), 0, 1),
            CompanyChange("india", True, ("name", "proxy", "review"), 1, 0),
        ),
        items=3,  # what india claims without a first day is its own for all time
        open_items=2,
        published=("golf",),
    )
    with transaction(database.engine) as session:
        assert [session.scalars(select(model.id).order_by(model.id)).all() for model in COUNTED] == before
    (tmp_path / "mended.csv").write_text(
        "key,name,country,aliases,asns,prefixes\nhotel,Hotel Cloud,NL,,64497,192.0.2.0/25\n"
    )
    with transaction(database.engine) as session:
        found = check_registry(session, vault, read_registry(tmp_path / "mended.csv"), NOW)
    assert (found.items, found.open_items, found.published) == (3, 2, ("golf", "hotel"))


def test_by_command_it_exits_1_where_it_would_be_refused(database: Database, run: Run, tmp_path: Path) -> None:
    run("init", "--create-keys")
    (tmp_path / "r.csv").write_text("key,name,asns\ngolf,Golf,64496\nhotel,Hotel,64496\n")
    assert "r.csv: claimed by two companies at one time" in str(run("registry", "check", tmp_path / "r.csv").error)
    (tmp_path / "r.csv").write_text("key,name,country\na,Alpha,NL\n")
    said = run("registry", "check", tmp_path / "r.csv")
    assert said.error is None
    assert said.out == (
        "1 companies: 1 would be new, 0 changed; 0 claims added, 0 ended\n"
        "  a: new; 0 claims added, 0 changed or ended\n"
        "after `monitor attribute` 0 items would be another company's, 0 of them open; "
        "published companies concerned: none\n"
    )
    with transaction(database.engine) as session:
        assert session.scalars(select(Company.id)).all() == []
