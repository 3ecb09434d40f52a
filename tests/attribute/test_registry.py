"""Loading the registry: what a file says is what is recorded, and what it must not say is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from monitor.attribute.registry import DETAIL_FIELDS, RegistryAnswer, latest_details, load_registry
from monitor.db import transaction
from monitor.errors import DeliveryError
from monitor.formats.registry import read_registry
from monitor.models.company import Company
from tests.conftest import Database

NOW = datetime(2026, 4, 11, tzinfo=UTC)
YAML = """
companies:
- {key: golf, name: Golf Hosting, country: NL, legal_name: Golf Hosting Nederland B.V., legal_form: B.V.,
   registration: 01234567, natural_person: no, parent: hotel, successor: india, ended_on: 2026-07-01, proxy: yes}
- {key: hotel, name: Hotel Cloud, natural_person: yes}
- {key: india, name: India}
"""
SAMPLES = Path(__file__).parent / "samples"
CSV = """key,name,country,legal_name,legal_form,registration,natural_person,parent,successor,ended_on,proxy
golf,Golf Hosting,NL,Golf Hosting Nederland B.V.,B.V.,01234567,no,hotel,india,2026-07-01,yes
hotel,Hotel Cloud,,,,,yes,,,,
india,India,,,,,,,,,no
"""
GOLF = (
    "Golf Hosting", "NL", "Golf Hosting Nederland B.V.", "B.V.", "01234567", False, "hotel", "india", date(2026, 7, 1),
    True, False,
)  # fmt: skip
HOTEL = ("Hotel Cloud", None, None, None, None, True, None, None, None, False, False)
INDIA = ("India", None, None, None, None, None, None, None, None, False, False)


def load(database: Database, folder: Path, text: str, name: str = "registry.yaml") -> RegistryAnswer:
    (folder / name).write_text(text)
    with transaction(database.engine) as session:
        return load_registry(session, read_registry(folder / name), NOW)


def details(database: Database) -> dict[str, tuple[object, ...]]:
    """The details in force by key, with keys in place of the ids of other companies."""
    with transaction(database.engine) as session:
        keys = {company.id: company.key for company in session.scalars(select(Company))}
        return {
            keys[row.company_id]: tuple(
                keys.get(getattr(row, name)) if name.endswith("_id") else getattr(row, name) for name in DETAIL_FIELDS
            )
            for row in latest_details(session).values()
        }


@pytest.mark.parametrize(("name", "text"), [("r.yaml", YAML), ("r.csv", CSV)])
def test_every_field_is_recorded_and_the_same_file_again_changes_nothing(
    database: Database, tmp_path: Path, name: str, text: str
) -> None:
    assert load(database, tmp_path, text, name) == RegistryAnswer(3, 3, 0, 0, 0)
    assert details(database) == {"golf": GOLF, "hotel": HOTEL, "india": INDIA}
    assert load(database, tmp_path, text, name) == RegistryAnswer(3, 0, 0, 0, 0)
    changed = text.replace("Nederland B.V.", "Holding N.V.")
    assert load(database, tmp_path, changed, name) == RegistryAnswer(3, 0, 1, 0, 0)
    assert details(database)["golf"] == (*GOLF[:2], "Golf Hosting Holding N.V.", *GOLF[3:])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{key: golf, name: Golf, parent: golf}", "a company is not its own parent"),
        ("{key: golf, name: Golf, successor: india}", "`successor` needs `ended_on`"),
        ("{key: golf, name: Golf, ended_on: 20260701}", "`ended_on` is no date such as 2026-01-31"),
        ("{key: golf, name: Golf, ended_on: 2026-02-30}", "`ended_on` is no date such as 2026-01-31"),
        ("{key: golf, name: Golf, natural_person: perhaps}", "`natural_person` must be yes or no"),
        (f"{{key: golf, name: Golf, legal_form: {'x' * 65}}}", "`legal_form` has over 64 characters"),
        ("{key: golf, name: Golf, parent: nobody}", "`parent` names the key 'nobody', which no company has"),
        ("{key: golf, name: Golf, parent: h}, {key: h, name: H, parent: golf}", "`parent` leads back to golf"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_recorded(
    database: Database, tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(DeliveryError, match=message):
        load(database, tmp_path, f"companies: [{text}]")
    assert details(database) == {}


def test_a_circle_is_found_through_companies_that_the_file_does_not_name(database: Database, tmp_path: Path) -> None:
    load(database, tmp_path, "companies: [{key: g, name: G, parent: h}, {key: h, name: H}]")
    with pytest.raises(DeliveryError, match="`parent` leads back to h by way of g"):
        load(database, tmp_path, "companies: [{key: h, name: H, parent: g}]")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("registry-octal.yaml", [("NL", "01234567"), ("NL", "09123456"), ("NL", "12_345_670")]),
        ("registry-norway.yaml", [("NO", None)]),
    ],
)
def test_every_value_is_the_text_that_stands_there(name: str, expected: list[tuple[str, str | None]]) -> None:
    assert [(record.country, record.registration) for record in read_registry(SAMPLES / name)] == expected


def test_a_name_over_two_lines_of_a_table_is_refused() -> None:
    with pytest.raises(DeliveryError, match="line 2: its quotes do not pair; each company stands on one line"):
        read_registry(SAMPLES / "registry-multiline.csv")


def test_a_registry_in_which_two_claim_one_is_refused_and_both_are_named(database: Database) -> None:
    records = read_registry(SAMPLES / "registry-two-claim-one" / "registry.csv")
    with pytest.raises(DeliveryError) as refused, transaction(database.engine) as session:
        load_registry(session, records, NOW)
    assert str(refused.value).startswith(
        "claimed by two companies at one time: name of line 2 (foxtrot) and name 1 of line 4 (hotel); "
        "ASN 1 of line 2 (foxtrot) and ASN 1 of line 3 (golf); "
        "prefix 1 of line 3 (golf) and prefix 1 of line 4 (hotel). "
    )
    assert details(database) == {}


G, H = "{key: g, name: Golf, %s}", "{key: h, name: Hotel, %s}"


@pytest.mark.parametrize(
    ("golf", "hotel", "what"),
    [
        ("asns: [64496]", "asns: [AS64496]", "ASN 1 of line 1 (g) and ASN 1 of line 1 (h)"),
        ("prefixes: ['2001:db8::/32']", "prefixes: ['2001:0db8::/32']", "prefix 1 of line 1 (g) and prefix 1 of"),
        ("domains: [Shop.example]", "domains: [a.example, shop.example.]", "domain 1 of line 1 (g) and domain 2 of"),
        ("abuse_addresses: [A@x.example]", "abuse_addresses: [a@x.example]", "abuse address 1 of line 1 (g) and"),
        ("aliases: [Fox B.V.]", "aliases: [fox bv]", "name 1 of line 1 (g) and name 1 of line 1 (h)"),
        ("aliases: [HOTEL]", "country: NL", "name 1 of line 1 (g) and name of line 1 (h)"),
        (
            "asns: [{value: 64496, valid_to: 2026-01-02}]",
            "asns: [{value: 64496, valid_from: 2026-01-01}]",
            "ASN 1 of line 1 (g) and ASN 1 of line 1 (h)",
        ),
        ("prefixes: [192.0.2.0/24]", "prefixes: [192.0.2.0/25]", None),
        ("domains: [shop.example]", "domains: [cdn.shop.example]", None),
        ("asns: [{value: 64496, valid_to: 2026-01-01}]", "asns: [{value: 64496, valid_from: 2026-01-01}]", None),
        ("aliases: [{value: Hotel, valid_from: 2026-01-01}]", "ended_on: 2026-01-01", None),
        (
            "aliases: [{value: Hotel, valid_from: 2026-01-01}]",
            "aliases: [{value: Hotel, valid_to: 2026-01-01}]",
            None,
        ),
        ("asns: [64496, 64497]", "asns: [64498], aliases: [Hotel]", None),
    ],
)
def test_what_two_companies_may_both_claim(
    database: Database, tmp_path: Path, golf: str, hotel: str, what: str | None
) -> None:
    text = f"companies: [{G % golf}, {H % hotel}]"
    if what is None:
        assert load(database, tmp_path, text).new == 2
        return
    with pytest.raises(DeliveryError) as refused:
        load(database, tmp_path, text)
    assert what in str(refused.value)
    if "valid_to" in golf:
        return  # over today: of what the file does not name only what is in force counts
    load(database, tmp_path, f"companies: [{G % golf}]")  # a file of the other alone is held against the database
    with pytest.raises(DeliveryError, match=r"line 1 .h.\)? and .* of g .registered before"):
        load(database, tmp_path, f"companies: [{H % hotel}]")
