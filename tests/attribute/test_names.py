"""Whose name it is: spellings that are alike, domain rules by host, and texts that name nobody."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from monitor.attribute.assign import attribute_notices
from monitor.attribute.directory import Names
from monitor.attribute.netblocks import TableFile, load_netblocks
from monitor.attribute.registry import load_registry
from monitor.attribute.review import confirm, review
from monitor.db import transaction
from monitor.formats.catalogue import FORMATS
from monitor.formats.registry import read_registry
from monitor.ingest.delivery import DeliveryFile, ingest
from monitor.instants import parse_instant
from monitor.models.company import Company
from monitor.models.facts import Attribution, Notice, Sighting
from monitor.names import alias_form, matching_form
from monitor.settings import Source
from monitor.vault import Vault
from tests.attack.samples import SAMPLES
from tests.conftest import Database

NOW = datetime(2026, 4, 11, tzinfo=UTC)
DAY = date(2026, 4, 10)
RECEIVED = parse_instant("2026-04-12T00:00:00Z")
FOLDER = Path(__file__).parent / "samples"
HEADER = (FOLDER / "domain-claim-widened" / "notices.csv").read_text("utf-8").splitlines()[0]
[TABLE] = [name for name in FORMATS if name.endswith("-csv")]  # the table of hotlines without SCART


def load(database: Database, folder: Path) -> None:
    """The registry and the networks of a sample."""
    with transaction(database.engine) as session:
        load_registry(session, read_registry(folder / "registry.csv"), NOW)
        if (folder / "nets.csv").exists():
            load_netblocks(session, TableFile(folder / "nets.csv", date(2026, 1, 1)), NOW)


def deliver(database: Database, vault: Vault, path: Path, form: str, **source: str) -> None:
    file = DeliveryFile(Source("hotline", **source), form, path, RECEIVED)  # type: ignore[arg-type]
    with transaction(database.engine) as session:
        assert ingest(session, vault, file, RECEIVED).verdict == "ok"


def owners(database: Database) -> Counter[tuple[str | None, str]]:
    """How many items each company has, on which basis."""
    with transaction(database.engine) as session:
        keys = {company.id: company.key for company in session.scalars(select(Company))}
        rows = session.scalars(select(Attribution).order_by(Attribution.id))
        latest = {row.content_id: (keys.get(row.company_id or 0), str(row.basis)) for row in rows}
    return Counter(latest.values())


def test_a_claim_on_a_host_takes_that_host_and_what_is_below_it_only(
    database: Database, vault: Vault, tmp_path: Path
) -> None:
    folder = FOLDER / "domain-claim-widened"
    load(database, folder)
    deliver(database, vault, folder / "notices.csv", TABLE)
    assert owners(database) == {("golf", "domain_rule"): 12, ("hotel", "asn"): 12}
    hosts = ("a.CDN.shop.example", "xcdn.shop.example", "cdn.shop.example.evil.example", "shop.example")
    rows = [f"D-{n},https://{host}/,198.51.100.9,2026-04-09T08:00:00Z,,,,,,\n" for n, host in enumerate(hosts)]
    (tmp_path / "more.csv").write_text(f"{HEADER}\n{''.join(rows)}")
    deliver(database, vault, tmp_path / "more.csv", TABLE)
    assert owners(database) == {("golf", "domain_rule"): 13, ("hotel", "asn"): 15}
    with transaction(database.engine) as session:
        assert attribute_notices(session, vault, NOW) == 0  # attributed anew they are the same


def test_the_longest_claim_around_a_host_decides(database: Database, vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "registry.csv").write_text(
        "key,name,domains\ngolf,Golf,cdn.shop.example\nhotel,Hotel,shop.example\nindia,India,eu.cdn.shop.example\n"
    )
    load(database, tmp_path)
    hosts = ("shop.example", "www.shop.example", "cdn.shop.example", "a.cdn.shop.example", "a.eu.cdn.shop.example")
    rows = [f"D-{n},https://{host}/,,2026-04-09T08:00:00Z,,,,,,\n" for n, host in enumerate(hosts)]
    (tmp_path / "notices.csv").write_text(f"{HEADER}\n{''.join(rows)}")
    deliver(database, vault, tmp_path / "notices.csv", TABLE)
    assert owners(database) == {
        ("hotel", "domain_rule"): 2, ("golf", "domain_rule"): 2, ("india", "domain_rule"): 1,
    }  # fmt: skip


RECIPIENTS = {
    "Golf Hosting": ("golf", "hotline"),
    "GOLF-HOSTING B.V.": ("golf", "hotline"),
    "golf hosting gmbh": ("golf", "hotline"),
    "Hotel SARL": ("hotel-fr", "hotline"),  # exactly the name of one of the two that are alike
    "Hotel B.V.": ("hotel", "hotline"),
    "Hotel": ("as64496", "asn"),  # one of two: the item goes by its address
    "(UNKNOWN)": ("as64496", "asn"),
    "India Networks Ltd": ("recipient-india-networks", "hotline"),
    "INDIA NETWORKS": ("recipient-india-networks", "hotline"),
}


def test_names_are_matched_without_legal_form_and_never_make_two_companies_one(
    database: Database, vault: Vault, tmp_path: Path
) -> None:
    (tmp_path / "registry.csv").write_text(
        "key,name,country\ngolf,Golf Hosting,NL\nhotel,Hotel B.V.,NL\nhotel-fr,Hotel SARL,FR\n"
    )
    (tmp_path / "nets.csv").write_text("start,end,asn,organisation\n192.0.2.0,192.0.2.255,64496,\n")
    load(database, tmp_path)
    rows = [
        f"D-{n},https://s{n}.example/,192.0.2.1,2026-04-09T08:00:00Z,{to},,,,,\n" for n, to in enumerate(RECIPIENTS)
    ]
    (tmp_path / "notices.csv").write_text(f"{HEADER}\n{''.join(rows)}")
    deliver(database, vault, tmp_path / "notices.csv", TABLE)
    assert owners(database) == Counter(RECIPIENTS.values())
    with transaction(database.engine) as session:
        assert attribute_notices(session, vault, NOW) == 0
        found = review(session)
        assert found.ambiguous == [{"name": "Hotel", "notices": 1}]
        assert [row["company"] for row in found.to_confirm] == ["as64496", "recipient-india-networks"]
        confirm(session, ["recipient-india-networks"], NOW, "somebody")


def test_an_owner_that_is_unknown_is_nobody_and_the_items_go_by_their_address(database: Database, vault: Vault) -> None:
    folder = FOLDER / "owner-unknown"
    load(database, folder)
    deliver(database, vault, folder / "ntd.csv", "scart-ntd", zone="Europe/Amsterdam")
    assert owners(database) == {("golf", "hotline"): 40, ("hotel", "asn"): 35}
    with transaction(database.engine) as session:
        told = Counter(session.scalars(select(Notice.recipient)))
        assert set(told) == {"Golf Hosting", None}
        assert told[None] == 35
        assert [row["company"] for row in review(session).to_confirm] == []


NAMES = ("Golf", "Golf B.V.", "GOLF GmbH", "Gölf", "G O L F", "Hotel", "Hotel Ltd", "hôtel")


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.integers(1, 4)), max_size=8), st.sampled_from(NAMES))
def test_two_registered_companies_are_never_taken_for_each_other(owned: list[tuple[str, int]], name: str) -> None:
    names = Names()
    for text, company in owned:
        names.add(text, company, None, None, 3)
    exact = {company for text, company in owned if alias_form(text) == alias_form(name)}
    alike = {company for text, company in owned if matching_form(text) == matching_form(name)}
    expected = exact or alike
    found = names.find(name, DAY)
    assert found.company == (expected.copy().pop() if len(expected) == 1 else None)
    assert found.ambiguous == (len(expected) > 1)


@pytest.mark.parametrize(("day", "company"), [(date(2026, 1, 1), 1), (date(2026, 4, 1), 2)])
def test_a_name_is_whose_it_was_on_the_day(day: date, company: int) -> None:
    names = Names()
    names.add("Golf", 1, None, date(2026, 4, 1), 3)
    names.add("Golf", 2, date(2026, 4, 1), None, 4)
    assert names.find("golf b.v.", day).company == company


def _sightings(database: Database) -> Counter[tuple[str, str | None]]:
    with transaction(database.engine) as session:
        return Counter((str(row.state), row.country) for row in session.scalars(select(Sighting)))


def test_an_item_at_home_has_not_moved_however_its_country_is_written(database: Database, vault: Vault) -> None:
    folder = FOLDER / "home-country-spelled-out"
    for name, form in (("ntd.csv", "scart-ntd"), ("scart-whois.csv", "scart-whois")):
        deliver(database, vault, folder / name, form, zone="Europe/Dublin", home_country="Ireland")
    found = _sightings(database)
    assert found.total() > 0
    assert not [state for state, _ in found if state == "moved"]
    with transaction(database.engine) as session:
        assert set(session.scalars(select(Notice.recipient_country))) == {"IE"}


CLOSED = "filenumber;url;status;abuse owner;abuse country;abuse email;IP;first seen;last seen;online counter"


@pytest.mark.parametrize(
    ("country", "expected"),
    [
        ("Germany", ("moved", "DE")),
        ("DEU", ("moved", "DE")),
        ("north", ("moved", "GB")),
        ("Baile", ("unknown", None)),
        ("Éire", ("unknown", None)),
        ("unknown", ("unknown", None)),
        ("(UNKNOWN)", ("unknown", None)),
        ("EU", ("unknown", None)),
        ("Atlantis", ("unknown", None)),
        ("", ("unknown", None)),
    ],
)
def test_only_a_country_that_is_known_is_abroad(
    database: Database, vault: Vault, tmp_path: Path, country: str, expected: tuple[str, str | None]
) -> None:
    head = ";".join(f'"{name}"' for name in CLOSED.split(";")) + ";"
    row = ("N1", "https://s1.example/a", "close", "Golf", country, "", "", "", "", "1")
    (tmp_path / "closed.csv").write_text(f"{head}\n" + "".join(f'"{cell}";' for cell in row) + "\n")
    source = Source("hotline", zone="Europe/Dublin", home_country="IE", countries={"Baile": "IE", "north": "GB"})
    file = DeliveryFile(source, "scart-ntdclosed", tmp_path / "closed.csv", RECEIVED)
    with transaction(database.engine) as session:
        ingest(session, vault, file, RECEIVED)
    assert _sightings(database) == {expected: 1}


OWNERS = {
    "scart-ntd": "abuse owner", "scart-whois": "hoster owner", "scart-report": "hoster_owner",
    TABLE: "recipient", "xarf": "hosting_provider",
}  # fmt: skip
SLOWLY = {"url": "https://zqhost.example/%7Ezqpath?"}  # not in the form that is read by columns


@pytest.mark.parametrize("form", OWNERS)
def test_a_text_that_names_nobody_is_no_recipient_in_any_format_and_on_either_path(
    database: Database, vault: Vault, tmp_path: Path, form: str
) -> None:
    sample, texts = SAMPLES[form], ("(UNKNOWN)", "(OWNER EMPTY?!)", "(UNKNOWN?! - CHECK RAW DATA)", "n/a", "none", "-")
    with transaction(database.engine) as session:
        for text in (*texts, "REDACTED FOR PRIVACY"):
            for other in ({}, SLOWLY):
                file = sample.delivery(tmp_path, form, {OWNERS[form]: text, **other})
                answer = ingest(session, vault, file, RECEIVED)
                assert answer.quarantined == {}
                flagged = "recipient_names_nobody: 1 rows" in answer.warnings
                assert flagged or form in ("scart-whois", "scart-report")  # whose notices follow from several exports
        assert set(session.scalars(select(Notice.recipient))) == {None}
        assert [key for key in session.scalars(select(Company.key)) if key.startswith("recipient-")] == []
