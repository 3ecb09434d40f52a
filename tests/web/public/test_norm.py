"""The norm simulator: four norms by address, the published one marked, and what would be different."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from flask.testing import FlaskClient

from tests.web.public.test_pages import names, text_of

HALF_A_DAY = "/en/norm/2026Q2?hours=12"


@pytest.mark.parametrize(("hours", "shown"), [("1", "1 hour"), ("12", "12 hours"), ("48", "48 hours")])
def test_each_norm_has_an_address(client: FlaskClient, hours: str, shown: str) -> None:
    page = text_of(client, f"/en/norm/2026Q2?hours={hours}")
    assert f"The ranking under a deadline of {shown}" in page
    assert "There are no figures for the deadline that was asked for" not in page


@pytest.mark.parametrize("asked", ["13", "0", "-1", "24.0", "1e9", "x", ""])
def test_another_norm_becomes_the_usual_one_and_the_page_says_so(client: FlaskClient, asked: str) -> None:
    page = text_of(client, f"/en/norm/2026Q2?hours={asked}")
    assert "There are no figures for the deadline that was asked for." in page
    assert "Choose 1, 12, 24 or 48 hours; below it is 24 hours." in page
    assert "The ranking under a deadline of 24 hours" in page


def test_the_published_norm_is_marked_and_changes_nothing(client: FlaskClient) -> None:
    page = client.get("/en/norm/2026Q2").text
    assert re.search(r'hours=24" aria-current="page">24\xa0hours <small>the deadline today</small>', page)
    assert "No company would have another standing." in page
    assert "other than published" not in page
    assert re.search(r'hours=24">24\xa0hours <small>the deadline today</small>', client.get(HALF_A_DAY).text)


def test_what_changed_is_counted_and_marked(client: FlaskClient) -> None:
    page = client.get(HALF_A_DAY).text
    assert "3 companies would have another standing." in page
    assert page.count("other than published") == 3
    assert page.count('<tr class="changed">') == 3
    assert "3 companies have too few episodes to show figures, under any deadline." in page


def test_the_page_the_csv_and_the_json_have_the_same_rows(client: FlaskClient) -> None:
    query = "hours=12&q=as64&standing=below"
    page = names(client.get(f"/en/norm/2026Q2?{query}").text)
    table = list(csv.DictReader(io.StringIO(client.get(f"/nl/norm/2026Q2.csv?{query}").text)))
    data = json.loads(client.get(f"/en/norm/2026Q2.json?{query}").data)
    assert len(page) == 7
    assert page == [row["name"] for row in table] == [row["name"] for row in data["companies"]]
    assert (data["period"], data["deadline_hours"], data["release"]["version"]) == ("2026Q2", 12, 2)


def test_long_tables_have_pages_and_keep_the_norm(client: FlaskClient) -> None:
    first = client.get("/en/norm/2026Q1?hours=12").text
    assert len(names(first)) == 50
    assert 'href="/en/norm/2026Q1?hours=12&amp;page=2#table"' in first
    assert len(names(client.get("/en/norm/2026Q1?hours=12&page=2").text)) == 23


def test_a_search_keeps_the_norm(client: FlaskClient) -> None:
    page = client.get("/nl/norm/2026Q2?hours=12&q=haven").text
    assert '<input type="hidden" name="hours" value="12">' in page
    assert names(page) == ["Haven Carrier"]
    assert names(client.get("/nl/norm/2026Q2?hours=12&q=niemand").text) == []


@pytest.mark.parametrize("address", ["/en/norm/1999Q1", "/en/norm/2026Q2?version=9", "/en/norm/1999Q1.json"])
def test_what_is_not_there_is_404(client: FlaskClient, address: str) -> None:
    assert client.get(address).status_code == 404
