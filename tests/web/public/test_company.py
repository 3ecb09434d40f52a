"""A company's page beyond its figures: how it moved, what was corrected, its networks, how to object."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from flask.testing import FlaskClient

from monitor.score.table import LegalEntity, with_field
from tests.support.publications import Version, public_site
from tests.support.published import invent
from tests.web.public.moving import REASON
from tests.web.public.test_pages import text_of

KLINKER = "/en/company/2026Q2/as64497"


@pytest.fixture(scope="module")
def reader(moving_home: Path) -> FlaskClient:
    """A reader of the site whose companies move."""
    return public_site(moving_home, contact="figures@monitor.example").test_client()


def test_the_page_says_how_the_share_moved_and_how_certain_that_is(reader: FlaskClient) -> None:
    faster, slower = (text_of(reader, f"/en/company/2026Q2/{key}") for key in ("as64496", "as64503"))
    assert "the share on time rose by 79.4 percentage points. That is more than chance explains." in faster
    assert "the share on time fell by 62.0 percentage points. That is more than chance explains." in slower
    assert "changed by 0.0 percentage points. That may be due to chance." in text_of(
        reader, "/en/company/2026Q2/as64498"
    )


def test_the_outcomes_of_the_episodes_add_up(reader: FlaskClient) -> None:
    page = reader.get("/en/company/2026Q2/as64496").text
    table = page.split("Episodes by outcome; the deadline is")[1].split("</table>")[0]
    lines = dict(re.findall(r'<th scope="row">([^<]+)</th><td class="number">([\d,]+)</td>', table))
    assert {name: int(n) for name, n in list(lines.items())[:5]} == {
        "On time": 245,
        "Undetermined": 2,
        "Late": 10,
        "Deadline not yet passed": 0,
        "Together": 257,
    }


def test_a_correction_is_told_with_its_reason_and_what_it_changed(reader: FlaskClient) -> None:
    page = text_of(reader, KLINKER).split("Corrections")[-1]
    assert "version 1 became version 2" in page
    assert f"Reason: {REASON}" in page
    assert "Late 96 86" in page
    other = text_of(reader, "/nl/bedrijf/2026Q2/as64498")
    assert "Er is geen gepubliceerd cijfer van dit bedrijf gecorrigeerd." in other
    assert REASON not in other


def test_networks_and_names_are_those_the_release_knew(reader: FlaskClient) -> None:
    page = text_of(reader, KLINKER)
    held = page.split("Which networks are this company’s?")[1].split("Is a figure wrong?")[0]
    assert "Other names klinker hosting bv" in held
    assert "Networks AS64497, AS64511 from 1 May 2026 " in held
    assert "Address ranges 198.51.100.0/24, 2001:db8::/48" in held
    assert "1 range is so narrow that it would point at a few servers." in held
    for hidden in ("AS64510", "AS64496", "203.0.113.7", "customer.example", "abuse@"):
        assert hidden not in page


@pytest.mark.parametrize("key", ["as64498", "as64511"])
def test_a_company_named_after_its_network_has_that_one(reader: FlaskClient, key: str) -> None:
    page = text_of(reader, f"/en/company/2026Q2/{key}")
    assert f"Networks AS{key[2:]} " in page


def test_a_company_the_registry_does_not_know_has_none(reader: FlaskClient) -> None:
    assert "The registry names no networks of this company" in text_of(reader, "/en/company/2026Q2/kaaskop-hosting")


def test_where_to_object_is_the_configured_contact(reader: FlaskClient) -> None:
    page = reader.get(KLINKER).text
    assert '<a class="nl-link" href="mailto:figures@monitor.example">figures@monitor.example</a>' in page
    assert "figures@monitor.example" in text_of(reader, "/nl/toegankelijkheid")


@pytest.mark.parametrize(
    ("contact", "said"),
    [
        ("", "Tell the publisher of this site."),
        ("https://monitor.example/contact", 'href="https://monitor.example/contact"'),
        ("Post box 1, The Hague", "Post box 1, The Hague."),
    ],
)
def test_every_kind_of_contact_reads_well(moving_home: Path, contact: str, said: str) -> None:
    page = public_site(moving_home, contact=contact).test_client().get(KLINKER).text
    assert said in page
    assert "mailto:" not in page


def test_a_withheld_company_has_no_picture_but_of_quarters_with_figures(reader: FlaskClient) -> None:
    page = reader.get("/en/company/2026Q2/as64511").text
    assert '<figure class="picture"' not in page
    for name in ("survival", "counts", "age", "flows", "trend"):
        assert reader.get(f"/en/company/2026Q2/as64511/{name}.svg").status_code == 404


@pytest.mark.parametrize("name", ["survival", "counts", "trend", "median", "age", "flows"])
def test_every_picture_of_the_page_can_be_downloaded(reader: FlaskClient, name: str) -> None:
    address = f"/en/company/2026Q2/as64500/{name}"
    assert f'href="{address}.svg"' in reader.get("/en/company/2026Q2/as64500").text
    picture, table = reader.get(f"{address}.svg"), reader.get(f"{address}.csv")
    assert picture.headers["Content-Disposition"] == f"attachment; filename=hostingmonitor-as64500-{name}-2026Q2-v2.svg"
    assert ET.fromstring(picture.data).tag == "{http://www.w3.org/2000/svg}svg"
    assert table.headers["Content-Disposition"] == f"attachment; filename=hostingmonitor-as64500-{name}-2026Q2-v2.csv"
    assert len(table.text.splitlines()) > 1
    assert "ETag" in picture.headers


def test_the_legal_entity_is_on_the_page_in_both_files_and_in_the_api(tmp_path: Path) -> None:
    entities = {"as64496": LegalEntity("Rietkraag Cloud B.V.", "90000001"), "as64497": LegalEntity(None, None)}
    before, after = (
        Version(with_field(invent(period), "legal", legal)) for period, legal in (("2026Q1", {}), ("2026Q2", entities))
    )
    client = public_site(tmp_path, before, after).test_client()
    page, other = (text_of(client, f"/en/company/2026Q2/{key}") for key in ("as64496", "as64497"))
    assert "Legal name: Rietkraag Cloud B.V. Registration number: 90000001" in page
    assert "Registration number" not in other
    assert "Handelsregisternummer: 90000001" in text_of(client, "/nl/bedrijf/2026Q2/as64496")
    assert "registration,90000001\r\n" in client.get("/en/company/2026Q2/as64496.csv").text
    assert '"legal_name": null' in client.get("/en/company/2026Q2/as64497.json").text
    newest, earlier = json.loads(client.get("/api/v1/companies/as64496").text)["releases"]
    assert newest["company"]["registration"] == "90000001"
    assert "registration" not in earlier["company"]
    company = json.loads(client.get("/api/v1/openapi.json").text)["components"]["schemas"]["CompanyShown"]
    assert company["properties"]["registration"]["anyOf"] == [{"type": "string"}, {"type": "null"}]
    assert not {"legal_name", "registration"} & set(company["required"])
