"""Who publishes, how to object, privacy, and where to report and find help: in the frame of every page."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from monitor.errors import ConfigurationError
from monitor.settings import Settings
from tests.support.publications import Version, public_site
from tests.support.published import COMPANIES, invent

SET = {
    "publisher": "Example Authority",
    "contact": "monitor@authority.example",
    "objections": "https://authority.example/object",
    "privacy_address": "https://authority.example/privacy",
    "report_address": "https://hotline.example/report",
    "help_address": "https://help.example/",
}
PAGES = ("/nl/ranglijst/2026Q2", "/nl/bedrijf/2026Q2/as64496", "/nl/grafieken/2026Q2", "/nl/norm/2026Q2", "/nl/verloop",
         "/nl/vergelijken", "/nl/werkwijze", "/nl/open-data", "/nl/open-data/2026Q2", "/nl/citeren/2026Q2", "/nl/api",
         "/nl/toegankelijkheid", "/nl/uitgever", "/nl/nergens")  # fmt: skip


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    home = tmp_path_factory.mktemp("publisher")
    return public_site(home, Version(invent("2026Q2", COMPANIES)), **SET).test_client()


@pytest.mark.parametrize("address", PAGES)
def test_every_page_says_what_it_is_about_who_publishes_and_where_to_turn(reader: FlaskClient, address: str) -> None:
    page = reader.get(address, follow_redirects=True).text
    for link in ("mailto:monitor@authority.example", "/nl/uitgever#object", "/nl/uitgever#privacy",
                 "/nl/toegankelijkheid", "https://hotline.example/report", "https://help.example/"):  # fmt: skip
        assert f'href="{link}"' in page, (address, link)
    assert "vooral beelden van seksueel misbruik van kinderen" in page
    assert "Uitgegeven door Example Authority." in page


def test_the_page_of_the_publisher_says_how_to_object_and_what_happens_to_data(reader: FlaskClient) -> None:
    page = reader.get("/en/publisher").text
    for link in (SET["objections"], SET["privacy_address"], SET["report_address"], SET["help_address"]):
        assert f'href="{link}"' in page
    assert "there are no cookies" in page
    assert f'href="{SET["objections"]}"' in reader.get("/en/company/2026Q2/as64496").text


def test_where_nothing_is_set_no_link_leads_nowhere(tmp_path: Path) -> None:
    bare = public_site(tmp_path, Version(invent("2026Q2", COMPANIES))).test_client()
    for address in ("/en/publisher", "/en/ranking/2026Q2"):
        page = bare.get(address).text
        assert 'href=""' not in page
        assert 'href="mailto:"' not in page
        assert "Report it to the hotline of your country" in page
    assert "The publisher has not said where to reach it." in bare.get("/en/publisher").text


def test_other_material_is_named_as_the_operator_says(tmp_path: Path) -> None:
    other = public_site(tmp_path, Version(invent("2026Q2", COMPANIES)), material="illegal").test_client()
    assert "sexual abuse" not in other.get("/en/ranking/2026Q2").text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("report_address", "hotline.example"),
        ("help_address", "javascript:alert(1)"),
        ("privacy_address", 'https://authority.example/"><script>'),
        ("contact", "javascript://x@y.example"),
        ("objections", "javascript:alert(1)"),
        ("material", "malware"),
    ],
)
def test_what_cannot_be_a_link_is_refused_at_the_start(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        Settings(**{name: value})  # type: ignore[arg-type]


def test_what_is_missing_is_told() -> None:
    assert Settings().lacking == ("publisher", "contact")
    assert [line.split()[0] for line in Settings().warnings] == [
        "publisher", "contact", "privacy_address", "report_address", "help_address",
    ]  # fmt: skip
    assert Settings(**SET).warnings == ()  # type: ignore[arg-type]


@pytest.mark.parametrize("address", PAGES)
def test_every_page_has_a_description_of_its_own(reader: FlaskClient, address: str) -> None:
    page = reader.get(address, follow_redirects=True).text
    title = page.split("<title>")[1].split(" – ")[0]
    begin = "Hoe snel hostingbedrijven gemeld illegaal materiaal verwijderen"
    assert f'<meta name="description" content="{begin}. {title}.">' in page
