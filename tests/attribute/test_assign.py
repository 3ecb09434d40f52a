"""Attribution: which basis wins, as of which day, and what is left for a person to look at."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from monitor.attribute.assign import attribute_notices
from monitor.attribute.netblocks import TableFile, load_netblocks
from monitor.attribute.registry import load_registry
from monitor.attribute.review import review
from monitor.db import transaction
from monitor.errors import DeliveryError
from monitor.formats.registry import read_registry
from monitor.ingest.delivery import ingest
from monitor.instants import parse_instant
from monitor.models.company import Company, CompanyDetail
from monitor.models.facts import Attribution, Content, Correction
from monitor.vault import Vault
from monitor.vocabulary import Decision
from tests.conftest import Database
from tests.samples import Ntd, delivery_file, feed

NOW = datetime(2026, 4, 11, tzinfo=UTC)
REGISTRY = """
companies:
- {key: delta, name: Delta Datacenters, country: NL, aliases: [Delta DC B.V.], abuse_addresses: [abuse@delta.example],
   prefixes: [192.0.2.0/25], domains: [imagehost.example]}
- {key: klinker, name: Klinker Colo, country: NL, asns: [64500], proxy: true,
   prefixes: [192.0.2.64/26, "2001:db8:7::/48"]}
- {key: veenland, name: Veenland Colo, country: NL,
   asns: [{value: 64501, valid_from: 2026-01-01, valid_to: 2026-04-01}]}
"""
NETBLOCKS = """start,end,asn,organisation
192.0.2.0,192.0.2.255,64500,Klinker
198.51.100.0,198.51.100.255,64501,Veenland Networks
203.0.113.0,203.0.113.127,64510,Zilvermeeuw
203.0.113.32,203.0.113.63,64511,AS64511
"""


@pytest.fixture
def ready(database: Database, tmp_path: Path) -> Database:
    (tmp_path / "registry.yaml").write_text(REGISTRY)
    (tmp_path / "netblocks.csv").write_text(NETBLOCKS)
    with transaction(database.engine) as session:
        load_registry(session, read_registry(tmp_path / "registry.yaml"), NOW)
        load_netblocks(session, TableFile(tmp_path / "netblocks.csv", date(2026, 1, 1)), NOW)
    return database


def attributed(database: Database) -> list[tuple[str | None, str, str | None]]:
    """(company, basis, contradicting company) in the order of the notices."""
    with transaction(database.engine) as session:
        keys = {company.id: company.key for company in session.scalars(select(Company))}
        rows = session.scalars(select(Attribution).order_by(Attribution.content_id, Attribution.id))
        return [(keys.get(row.company_id or 0), str(row.basis), keys.get(row.other_company_id or 0)) for row in rows]


def take(database: Database, vault: Vault, tmp_path: Path, *rows: Ntd) -> None:
    folder = tmp_path / "deliveries"
    folder.mkdir(exist_ok=True)
    with transaction(database.engine) as session:
        ingest(
            session, vault, delivery_file(folder, "2026-04-10T18:00:00Z", *rows), parse_instant("2026-04-11T00:00:00Z")
        )


SENT = "2026-04-10 12:00:00"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param(Ntd("https://s1.example/", SENT, owner="delta dc bv."), ("delta", "hotline", None), id="alias"),
        pytest.param(
            Ntd("https://s1.example/", SENT, owner="Unheard Of", email="Abuse@Delta.example"),
            ("delta", "hotline", None),
            id="abuse address",
        ),
        pytest.param(
            Ntd("https://s1.example/", SENT, owner="Unheard Of B.V."),
            ("recipient-unheard-of", "hotline", None),
            id="a recipient nobody knows",
        ),
        pytest.param(
            Ntd("https://cdn.imagehost.example/", SENT, owner="", ip="198.51.100.7"),
            ("delta", "domain_rule", "as64501"),
            id="domain rule before address",
        ),
        pytest.param(
            Ntd("https://s1.example/", SENT, owner="", ip="192.0.2.1"), ("delta", "ip_range", None), id="prefix"
        ),
        pytest.param(
            Ntd("https://s1.example/", SENT, owner="", ip="192.0.2.65"),
            ("klinker", "ip_range", None),
            id="the longest prefix",
        ),
        pytest.param(
            Ntd("https://s1.example/", SENT, owner="", ip="2001:db8:7::1"), ("klinker", "ip_range", None), id="IPv6"
        ),
        pytest.param(Ntd("https://s1.example/", SENT, owner="", ip="192.0.2.200"), ("klinker", "asn", None), id="ASN"),
        pytest.param(
            Ntd("https://s1.example/", "2026-03-10 12:00:00", owner="", ip="198.51.100.7"),
            ("veenland", "asn", None),
            id="ASN while it was theirs",
        ),
        pytest.param(
            Ntd("https://s1.example/", SENT, owner="", ip="198.51.100.7"), ("as64501", "asn", None), id="ASN after that"
        ),
        pytest.param(
            Ntd("https://s1.example/", SENT, owner="", ip="203.0.113.40"),
            ("as64511", "asn", None),
            id="range in a range",
        ),
        pytest.param(
            Ntd("https://s1.example/", SENT, owner="", ip="203.0.113.64"),
            ("as64510", "asn", None),
            id="range around it",
        ),
        pytest.param(
            Ntd("https://s1.example/", SENT, owner="", ip="203.0.113.200"), (None, "none", None), id="no range"
        ),
        pytest.param(Ntd("https://s1.example/", SENT, owner=""), (None, "none", None), id="nothing known"),
        pytest.param(
            Ntd("https://s1.example/", SENT, owner="Delta Datacenters", ip="198.51.100.7"),
            ("delta", "hotline", "as64501"),
            id="the company's own name, and a contradiction",
        ),
    ],
)
def test_precedence(
    ready: Database, vault: Vault, tmp_path: Path, row: Ntd, expected: tuple[str | None, str, str | None]
) -> None:
    take(ready, vault, tmp_path, row)
    assert attributed(ready) == [expected]


def test_the_network_is_its_own_company(ready: Database, vault: Vault, tmp_path: Path) -> None:
    rows = [
        Ntd(f"https://s{n}.example/", SENT, owner="", ip=ip) for n, ip in enumerate(("203.0.113.1", "203.0.113.40"))
    ]
    take(ready, vault, tmp_path, *rows)
    with transaction(ready.engine) as session:
        names = session.scalars(select(CompanyDetail.name).order_by(CompanyDetail.id.desc()).limit(2)).all()
    assert set(names) == {"AS64510 Zilvermeeuw", "AS64511"}


def test_a_decision_goes_before_all(ready: Database, vault: Vault, tmp_path: Path) -> None:
    take(ready, vault, tmp_path, Ntd("https://s1.example/", SENT, owner="Delta DC B.V."))
    with transaction(ready.engine) as session:
        content = session.scalars(select(Content)).one()
        klinker = session.scalars(select(Company).where(Company.key == "klinker")).one()
        decision = Correction(decision=Decision.REASSIGN, content_id=content.id, company_id=klinker.id)
        decision.reason, decision.decided_by, decision.recorded_at = "resold server", "regulator", NOW
        session.add(decision)
        session.flush()
        assert attribute_notices(session, vault, NOW) == 1
        assert attribute_notices(session, vault, NOW) == 0
    assert attributed(ready) == [("delta", "hotline", None), ("klinker", "decision", None)]


def test_a_second_notice_to_the_same_company_adds_nothing_to_another_a_row(
    ready: Database, vault: Vault, tmp_path: Path
) -> None:
    url = "https://s1.example/"
    rows = [
        Ntd(url, "2026-04-08 12:00:00", owner="Delta DC B.V."),
        Ntd(url, "2026-04-09 12:00:00", owner="Delta DC B.V."),
        Ntd(url, "2026-04-10 12:00:00", owner="Klinker Colo"),
    ]
    take(ready, vault, tmp_path, *rows)
    assert [row[0] for row in attributed(ready)] == ["delta", "klinker"]


def test_a_new_table_of_networks_changes_what_it_is_asked_for_only(
    database: Database, vault: Vault, tmp_path: Path
) -> None:
    rows = [
        ("2026-03-09 06:00:00", "http://192.0.2.7/x", "online", ""),
        ("2026-04-09 06:00:00", "http://192.0.2.8/x", "online", ""),
    ]
    (tmp_path / "feeds").mkdir()
    with transaction(database.engine) as session:
        for number, day in ((64500, date(2026, 1, 1)), (64502, date(2026, 4, 1))):
            path = tmp_path / f"{day}.csv"
            path.write_text(f"192.0.2.0,192.0.2.255,{number},Network\n")
            load_netblocks(session, TableFile(path, day), NOW, despite_change=True)
        ingest(session, vault, feed(tmp_path / "feeds", "2026-04-10T12:00:00Z", *rows), parse_instant("2026-04-11"))
    assert [row[0] for row in attributed(database)] == ["as64500", "as64502"]


def test_the_list_for_review(ready: Database, vault: Vault, tmp_path: Path) -> None:
    take(
        ready,
        vault,
        tmp_path,
        Ntd("https://s1.example/", SENT, owner="Unheard Of"),
        Ntd("https://s2.example/", SENT, owner="Delta DC B.V.", ip="198.51.100.7"),
        Ntd("https://s3.example/", SENT, owner=""),
    )
    with transaction(ready.engine) as session:
        found = review(session)
    assert found.by_basis == {"hotline": 2, "none": 1}
    assert len(found.unattributed) == 1
    assert found.contradictions == [{"company": "delta", "other": "as64501", "basis": "hotline", "contents": 1}]
    assert found.to_confirm == [
        {"company": "as64501", "name": "AS64501 Veenland Networks"},
        {"company": "recipient-unheard-of", "name": "Unheard Of"},
    ]


def test_loading_the_registry_again_changes_nothing_and_a_dropped_claim_ends(ready: Database, tmp_path: Path) -> None:
    with transaction(ready.engine) as session:
        again = load_registry(session, read_registry(tmp_path / "registry.yaml"), NOW)
        assert (again.companies, again.new, again.changed, again.claims_added, again.claims_ended) == (3, 0, 0, 0, 0)
        (tmp_path / "new.yaml").write_text(REGISTRY.replace("aliases: [Delta DC B.V.], ", ""))
        dropped = load_registry(session, read_registry(tmp_path / "new.yaml"), NOW)
        assert (dropped.claims_added, dropped.claims_ended) == (0, 1)


def test_loading_a_table_of_networks_again_changes_nothing(ready: Database, tmp_path: Path) -> None:
    with transaction(ready.engine) as session:
        assert load_netblocks(session, TableFile(tmp_path / "netblocks.csv", date(2026, 1, 1)), NOW).repeated


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("192.0.2.9,192.0.2.1,64500,X", "line 6, column end: it lies before start, or in another family"),
        ("192.0.2.1,2001:db8::1,64500,X", "line 6, column end: it lies before start, or in another family"),
        ("a,b,c,d", "line 6, column start: no IP address"),
        ("192.0.2.1,192.0.2.256,64500,X", "line 6, column end: no IP address"),
        ("192.0.2.1,192.0.2.2,-1,X", "line 6, column asn: no AS number, which is a whole number of 32 bits"),
        ("192.0.2.1,192.0.2.2,AS64500,X", "line 6, column asn: no AS number, which is a whole number of 32 bits"),
        ("192.0.2.1,192.0.2.2", "line 6: 2 columns, where start, end, asn, organisation are expected"),
        ("192.0.2.1;192.0.2.2;64500;X", "line 6: the columns are separated by semicolons, not by commas"),
        ("192.0.2.0\t24\t64500", "line 6: the columns are separated by tabs, not by commas"),
        ('192.0.2.1,192.0.2.2,64500,"X', "line 6: its quotes do not pair"),
    ],
)
def test_one_bad_range_refuses_the_whole_table(database: Database, tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "netblocks.csv").write_text(NETBLOCKS + line + "\n")
    with transaction(database.engine) as session, pytest.raises(DeliveryError, match=message):
        load_netblocks(session, TableFile(tmp_path / "netblocks.csv", date(2026, 1, 1)), NOW)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("companies: [{name: X}]", "line 1: `key` must be"),
        ("companies: [{key: x}]", r"line 1 \(x\): `name` is missing"),
        ("companies: [{key: x, name: X, asns: [0]}]", r"line 1 \(x\): `asns`: an AS number is written"),
        ("companies: [{key: x, name: X, prefixes: [192.0.2.1/24]}]", "`prefixes`: a prefix is written"),
        (
            "companies: [{key: x, name: X, speed: 9}]",
            "line 1: unknown field, by its place in the entry: 3; known:",
        ),
        ("companies: [{key: x, name: X, country: Nederland}]", "`country` must be the two"),
        ("companies: [{key: x, name: X}, {key: x, name: Y}]", "key 'x' stands there twice"),
        ("companies: {key: x}", "expected a list of companies"),
        ("companies: [", "not readable as YAML at line"),
    ],
)
def test_a_registry_that_is_wrong_says_where(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "registry.yaml").write_text(text)
    with pytest.raises(DeliveryError, match=message):
        read_registry(tmp_path / "registry.yaml")


def test_a_registry_in_csv(tmp_path: Path) -> None:
    (tmp_path / "registry.csv").write_text("key,name,country,aliases,asns\ndelta,Delta,NL,Delta DC|Delta BV,64500\n")
    [company] = read_registry(tmp_path / "registry.csv")
    assert [(str(c.claim), c.value) for c in company.claims] == [
        ("alias", "delta dc"), ("alias", "delta bv"), ("asn", "64500"),
    ]  # fmt: skip
