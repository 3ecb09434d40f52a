"""The table of the hash hits on the site: a page of its own per quarter, linked only where there is one."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from flask.testing import FlaskClient

from tests.support.published import HIT

PAGE = {"en": "/en/ranking/2026Q2/hash-hits", "nl": "/nl/ranglijst/2026Q2/hash-hits"}
RANKING = {"en": "/en/ranking/", "nl": "/nl/ranglijst/"}
LINKED = {
    "en": "Follow-up of the hash service in this period",
    "nl": "Opvolging van de hashcheckservice in deze periode",
}
both = pytest.mark.parametrize("language", ["en", "nl"])


def companies(page: str) -> dict[str, str | None]:
    """The companies of the page by name, with the address of their own page."""
    found = re.findall(r'<th scope="row" class="company">(?:<a class="nl-link" href="([^"]+)">)?([^<]+)<', page)
    return {name.strip(): address or None for address, name in found}


@both
def test_the_page_has_the_companies_of_the_hits_and_says_what_they_are(client: FlaskClient, language: str) -> None:
    page = client.get(PAGE[language]).text
    assert set(companies(page)) == {item.name for item in HIT}
    assert {"en": "on hits of the hash service?", "nl": "treffers van de hashcheckservice op?"}[language] in page
    assert {"en": "Each table is judged alone.", "nl": "Elke tabel wordt apart beoordeeld."}[language] in page


def test_only_a_company_that_had_notices_has_a_page_to_lead_to(client: FlaskClient) -> None:
    found = companies(client.get(PAGE["en"]).text)
    assert found.pop("Duinroos Hosting") is None
    assert found["Polderhost"] == "/en/company/2026Q2/as64503"
    assert all(client.get(address).status_code == 200 for address in found.values() if address)


@both
def test_the_ranking_leads_to_it_only_where_there_is_one(client: FlaskClient, language: str) -> None:
    link = f'<a class="nl-link" href="{PAGE[language]}">{LINKED[language]}</a>'
    assert link in client.get(f"{RANKING[language]}2026Q2").text
    for other in ("2026Q1", "2026Q2?version=1"):
        page = client.get(f"{RANKING[language]}{other}").text
        assert LINKED[language] not in page
        assert "hash-hits" not in page


def test_views_of_the_page_stay_on_it(client: FlaskClient) -> None:
    """Sorting, searching and downloads are of the hits; of the quarters only the one with hits is offered."""
    page = client.get(f"{PAGE['en']}?q=host").text
    addresses = set(re.findall(r'(?:href|action)="(/en/ranking/[^"?#]*)', page))
    assert addresses == {"/en/ranking/2026Q2", PAGE["en"], f"{PAGE['en']}.csv", f"{PAGE['en']}.json"}
    assert set(companies(page)) == {item.name for item in HIT if "host" in item.name.lower()}


def test_csv_and_json_have_the_rows_of_the_hits(client: FlaskClient) -> None:
    table = list(csv.DictReader(io.StringIO(client.get(f"{PAGE['en']}.csv").text)))
    data = json.loads(client.get(f"{PAGE['nl']}.json").data)
    assert [row["company"] for row in table] == [row["company"] for row in data["companies"]]
    duinroos = next(row for row in data["companies"] if row["company"] == "as64510")
    assert (duinroos["episodes"], duinroos["on_time"]["late"], duinroos["refused"]) == (63, 20, 1)
    assert data["network"]["gives_way"]
    assert "as64510" not in client.get("/en/ranking/2026Q2.json").text


@pytest.mark.parametrize("address", ["/en/ranking/2026Q1/hash-hits", "/en/ranking/2026Q2/hash-hits?version=1"])
def test_a_release_without_hits_leads_on_to_its_ranking(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    assert (answer.status_code, answer.location) == (302, address.replace("/hash-hits", ""))
    path, _, query = address.partition("?")
    assert client.get(f"{path}.csv?{query}").status_code == 404
    assert client.get("/en/ranking/latest/hash-hits.csv").location == "/en/ranking/2026Q2/hash-hits.csv"


def test_a_page_that_was_never_there_is_404(client: FlaskClient) -> None:
    assert client.get("/en/ranking/1999Q1/hash-hits").status_code == 404
