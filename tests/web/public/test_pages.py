"""The public pages as a reader without a browser sees them: addresses, rows, downloads, words."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.support.publications import public_site
from tests.support.published import COMPANIES, standing_of

PAGES = (
    "/nl/ranglijst/2026Q2",
    "/en/ranking/2026Q2",
    "/nl/ranglijst/2026-03-11..2026-04-11",
    "/en/ranking/2026Q2?q=nobody",
    "/en/ranking/2026Q2?version=1",
    "/nl/ranglijst/2026Q2/hash-hits",
    "/en/ranking/2026Q2/hash-hits?sort=median",
    "/nl/bedrijf/2026Q2/as64500",
    "/en/company/2026Q2/as64496",
    "/en/company/2026-03-11..2026-04-11/as64496",
    "/nl/bedrijf/2026Q2/as64511",
    "/en/company/2026Q2/as64509",
    "/nl/grafieken/2026Q2",
    "/en/charts/2026Q1?page=2",
    "/en/charts/2026-03-11..2026-04-11",
    "/nl/norm/2026Q2?hours=1",
    "/en/norm/2026Q2?hours=13",
    "/en/norm/2026Q1?hours=48&page=2",
    "/nl/toegankelijkheid",
    "/en/accessibility",
    "/nl/uitgever",
    "/en/publisher",
    "/nl/werkwijze",
    "/en/method",
    "/nl/nergens",
    "/en/nowhere",
)
BIG = [item for item in COMPANIES if item.episodes >= 10]
SMALL = [item for item in COMPANIES if item.episodes < 10]


def text_of(client: FlaskClient, address: str) -> str:
    """The page without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", client.get(address).text))


def names(page: str) -> list[str]:
    """The companies of a ranking, in order."""
    return re.findall(r'<th scope="row" class="company"><a [^>]*>([^<]+)</a>', page)


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("/", "/nl/"),
        ("/nl/", "/nl/ranglijst/2026Q2"),
        ("/en/", "/en/ranking/2026Q2"),
        ("/nl/ranglijst/latest", "/nl/ranglijst/2026Q2"),
        ("/en/ranking/latest.csv?sort=name", "/en/ranking/2026Q2.csv?sort=name"),
        ("/en/company/latest/as64496", "/en/company/2026Q2/as64496"),
        ("/nl/grafieken/latest", "/nl/grafieken/2026Q2"),
        ("/en/norm/latest?hours=12", "/en/norm/2026Q2?hours=12"),
    ],
)
def test_moving_addresses_lead_to_a_fixed_period(client: FlaskClient, address: str, target: str) -> None:
    answer = client.get(address)
    assert (answer.status_code, answer.location) == (302, target)


@pytest.mark.parametrize("address", PAGES[:-2])
def test_every_page_is_there_in_its_language(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200
    assert f'<html lang="{address[1:3]}">' in answer.text
    assert answer.text.count("<h1") == 1


@pytest.mark.parametrize("language", ["nl", "en"])
def test_before_the_first_release_there_is_a_friendly_page(empty_client: FlaskClient, language: str) -> None:
    answer = empty_client.get(f"/{language}/")
    assert answer.status_code == 200
    assert {"nl": "Er zijn nog geen cijfers", "en": "There are no published figures yet"}[language] in answer.text


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/nl/bedrijf/2026Q2/nobody", "Deze pagina bestaat niet"),
        ("/en/company/2026Q2/nobody", "This page does not exist"),
        ("/en/ranking/1999Q1", "This page does not exist"),
        ("/en/ranking/2026Q2?version=9", "This page does not exist"),
        ("/en/method?version=1", "This page does not exist"),
        ("/wp-login.php", "Deze pagina bestaat niet"),
    ],
)
def test_what_is_not_there_is_404_in_the_readers_language(client: FlaskClient, address: str, words: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 404
    assert words in answer.text


def test_the_language_switch_keeps_page_and_view(client: FlaskClient) -> None:
    page = client.get("/nl/ranglijst/2026Q2?sort=median&q=host").text
    other = "/en/ranking/2026Q2?sort=median&amp;q=host"
    assert f'<link rel="alternate" hreflang="en" href="{other}">' in page
    assert f'lang="en" hreflang="en" href="{other}"' in page


@pytest.mark.parametrize("address", PAGES)
def test_nothing_comes_from_elsewhere_and_nothing_runs(client: FlaskClient, address: str) -> None:
    page = client.get(address).text
    outside = {url for url in re.findall(r"https?://[^\s\"'<]+", page) if "www.w3.org" not in url}
    assert not outside
    assert "<script" not in page
    assert not re.search(r"\sstyle=|\son\w+=", page)
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("address", PAGES)
def test_no_page_sets_a_cookie(client: FlaskClient, address: str) -> None:
    assert "Set-Cookie" not in client.get(address).headers


def test_ranking_csv_and_json_have_the_rows_of_the_page(client: FlaskClient) -> None:
    query = "?q=as64&sort=episodes&order=asc&standing=below"
    page = names(client.get(f"/en/ranking/2026Q2{query}").text)
    table = list(csv.DictReader(io.StringIO(client.get(f"/en/ranking/2026Q2.csv{query}").text)))
    data = json.loads(client.get(f"/nl/ranglijst/2026Q2.json{query}").data)
    assert len(page) == sum(standing_of(item) == "below" for item in COMPANIES) > 2
    assert page == [row["name"] for row in table] == [row["name"] for row in data["companies"]]
    for line, row in zip(table, data["companies"], strict=True):
        assert int(line["episodes"]) == row["episodes"]
        assert float(line["on_time_lenient_p"]) == row["on_time"]["lenient"]["p"]
        assert float(line["survival_24h_npmle"]) == row["survival"][3]["npmle"]


def test_company_csv_and_json_have_the_figures_of_the_page(client: FlaskClient) -> None:
    lines = dict(csv.reader(io.StringIO(client.get("/en/company/2026Q2/as64500.csv").text)))
    data = client.get("/en/company/2026Q2/as64500.json").json
    assert data is not None
    assert int(lines["on_time_late"]) == data["company"]["on_time"]["late"] == 301
    assert len(data["company"]["curve"]) == len(data["network"]["curve"]) == 169
    assert data["release"]["version"] == 2
    assert "301" in text_of(client, "/en/company/2026Q2/as64500")


def test_a_small_company_shows_its_name_and_nothing_else(client: FlaskClient) -> None:
    data = client.get("/en/ranking/2026Q2.json").json
    assert data is not None
    table = {row["company"]: row for row in csv.DictReader(io.StringIO(client.get("/en/ranking/2026Q2.csv").text))}
    rows = {row["company"]: row for row in data["companies"]}
    kept = {"company", "name", "country", "via_proxy", "standing", "episodes"}
    for item in SMALL:
        assert rows[item.key]["episodes"] == table[item.key]["episodes"] == "<10"
        assert not [name for name, value in rows[item.key].items() if name not in kept and value is not None]
        assert not [name for name, value in table[item.key].items() if name not in kept and value]
        page = text_of(client, f"/en/company/2026Q2/{item.key}")
        assert "fewer than 10 episodes" in page
        assert "On time or late?" not in page


def test_csv_cells_never_start_a_formula(client: FlaskClient) -> None:
    table = client.get("/en/ranking/2026Q2.csv").text
    assert "'=Watersnip VPS" in table
    assert "'=Watersnip VPS" in client.get("/en/company/2026Q2/as64509.csv").text


def test_headers_sort_and_only_the_sorted_one_says_so(client: FlaskClient) -> None:
    page = client.get("/en/ranking/2026Q2?sort=sites&order=desc").text
    assert re.findall(r'aria-sort="(\w+)"', page) == ["descending"]
    ranked = sorted((c for c in COMPANIES if standing_of(c) != "too_few"), key=lambda c: -c.sites)
    assert names(page)[: len(ranked)] == [c.name for c in ranked]
    assert client.get("/en/ranking/2026Q2?sort=nonsense&page=x&order=up&standing=evil").status_code == 200


def test_the_top_of_the_ranking_answers_three_questions(client: FlaskClient) -> None:
    page = text_of(client, "/en/ranking/2026Q2")
    top = page.split("Key figures")[0].split("In short")[1]
    assert "Who is slow? 5 of 11 below the norm" in top
    assert "How certain is that? For 3 of 11 not proven" in top
    assert "Is it getting better? Not proven" in top
    assert "The behaviour of the companies themselves contributed 0.0 percentage points" in top
    assert "That may be due to chance." in top
    assert "No company changed measurably." in top


def changes(page: str) -> list[str]:
    """What the column of the change says, row by row."""
    cells = re.findall(r'<td class="number change"[^>]*>(.*?)</td>', page, re.DOTALL)
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", cell)).strip() for cell in cells]


def test_the_change_is_told_beside_the_release_before(client: FlaskClient) -> None:
    page = client.get("/en/ranking/2026Q2").text
    assert "Change since 2026-Q1" in page
    assert changes(page) == ["0.0 may be due to chance"] * 11 + ["– nothing to compare with"] * 2  # too few in both


def test_the_first_release_has_no_change_to_tell(client: FlaskClient) -> None:
    for address in ("/en/ranking/2026Q1", "/en/ranking/2026-03-11..2026-04-11", "/en/ranking/2026Q2/hash-hits"):
        page = client.get(address).text
        assert "Change since" not in page
        assert "Cannot be said yet" in page


@pytest.fixture
def moving_client(moving_home: Path) -> FlaskClient:
    """A reader of a site whose companies move."""
    return public_site(moving_home).test_client()


def test_rows_sort_by_the_change(moving_client: FlaskClient) -> None:
    down = moving_client.get("/en/ranking/2026Q2?sort=change").text
    up = moving_client.get("/en/ranking/2026Q2?sort=change&order=desc").text
    assert names(down)[0] == "Polderhost"
    assert changes(down)[0] == "−62.0 worse"
    assert names(up)[0] == "Rietkraag Cloud"
    assert changes(up)[0] == "+79.4 better"
    assert re.findall(r'aria-sort="(\w+)"', down) == ["ascending"]
    top = text_of(moving_client, "/en/ranking/2026Q2")
    assert "Companies that measurably did better: 1; worse: 1." in top


def test_the_volume_is_told_where_addresses_are_known(client: FlaskClient) -> None:
    page = client.get("/en/ranking/2026Q2?sort=volume").text
    assert 'data-label="Episodes per 10,000 addresses">627.4</td>' in page  # 257 episodes, 4,096 addresses
    assert names(page)[0] == "Rietkraag Cloud"


def test_why_companies_were_not_heard_stands_with_the_release(client: FlaskClient) -> None:
    for address in ("/en/ranking/2026Q2", "/en/company/2026Q2/as64500"):
        assert "The companies could not respond beforehand. Reason invented companies" in text_of(client, address)


def test_unranked_companies_stand_below_with_their_reason(client: FlaskClient) -> None:
    page = text_of(client, "/en/ranking/2026Q2")
    ranked, unranked = page.split("Not ranked: too few episodes or sites to judge")
    assert "fewer than 30 episodes" in unranked
    assert "fewer than 5 sites" in unranked
    assert all(item.name not in ranked.split("Standing")[-1] for item in SMALL)


def test_fifty_companies_a_page_and_the_rest_on_the_next(client: FlaskClient) -> None:
    first, second = (names(client.get(f"/en/ranking/2026Q1?page={n}").text) for n in (1, 2))
    assert (len(first), len(second)) == (50, 26)
    assert not set(first) & set(second)
    assert names(client.get("/en/ranking/2026Q1?page=99").text) == second


def test_a_release_without_ranks_or_standings_is_shown_as_it_is(client: FlaskClient) -> None:
    page = client.get("/en/ranking/2026-03-11..2026-04-11").text
    assert "No judgement" in page
    assert len(names(page)) == len(COMPANIES)
    company = text_of(client, "/en/company/2026-03-11..2026-04-11/as64496")
    assert "This release gives no judgement about the norm." in company


def test_an_old_version_stays_and_says_that_there_is_a_later_one(client: FlaskClient) -> None:
    old = text_of(client, "/en/ranking/2026Q2?version=1")
    assert "There is a later one" in old
    assert "Turfschip" not in old
    assert "There is a later one" not in text_of(client, "/en/ranking/2026Q2")


def test_totals_agree_with_the_rows(client: FlaskClient) -> None:
    data = client.get("/en/ranking/2026Q2.json").json
    assert data is not None
    shown, withheld, unattributed, network = (line["counts"] for line in data["totals"])
    figures = [row for row in data["companies"] if row["episodes"] != "<10"]
    assert shown["episodes"] == sum(row["episodes"] for row in figures) == sum(item.episodes for item in BIG)
    assert shown["late"] == sum(row["on_time"]["late"] for row in figures)
    assert unattributed["episodes"] == data["unattributed"]["episodes"]
    assert None not in (network["episodes"], withheld["episodes"], unattributed["episodes"])
    for name, total in network.items():
        if None not in (total, withheld[name], unattributed[name]):
            assert total == shown[name] + withheld[name] + unattributed[name]
