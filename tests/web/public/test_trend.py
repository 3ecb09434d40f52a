"""The trend and the comparison as a reader without a browser sees them, and what the page of a company takes."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from monitor.comparison.changes import Changes, Line, changes
from monitor.comparison.trend import TrendPoint
from monitor.disclosure.rows import PublicTable
from monitor.settings import SiteSettings
from monitor.wording.language import EN, NL
from tests.support.publications import Version, public_site
from tests.support.published import COMPANIES, Invented, invent, with_hash_hits
from tests.web.public.test_pages import text_of
from web.public.app import create_app
from web.public.comparison import company_corrections, company_history

WHY = "The hotline withdrew one notice."
FEW = (*COMPANIES[:4], COMPANIES[9], *COMPANIES[-3:])
CORRECTED = (replace(COMPANIES[0], on_time=32, late=213), *FEW[1:])
NEWER = (*CORRECTED, Invented("as64510", "Nieuwkomer", 60, 0, 4, 12, 5))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """A site with a fourth quarter, no first, and a second that was corrected; the last two have hash hits."""
    return public_site(
        tmp_path_factory.mktemp("across"),
        Version(with_hash_hits(invent("2025Q4", FEW))),
        Version(invent("2026Q2", NEWER[1:])),
        Version(with_hash_hits(invent("2026Q2", NEWER)), version=2, reason=WHY),
        Version(invent("2026-03-11..2026-04-11", FEW, ranked=False)),
    )


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A reader of that site."""
    return app.test_client()


@pytest.mark.parametrize(
    ("address", "title"),
    [
        ("/nl/verloop", "Wordt het beter?"),
        ("/en/trend", "Is it getting better?"),
        ("/nl/vergelijken?from=2025Q4&to=2026Q2", "Wat verschilt er tussen twee publicaties?"),
        ("/en/compare?from=2026Q2&to=2026Q2&from_version=1", "What differs between two releases?"),
    ],
)
def test_the_pages_are_there_in_both_languages_under_their_menu(client: FlaskClient, address: str, title: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200
    assert f'<h1 class="nl-heading nl-heading--level-1">{title}</h1>' in answer.text
    assert re.search(r'aria-current="page">(Verloop|Trend)</a>', answer.text)
    assert "public" in answer.headers["Cache-Control"]
    assert client.get(address, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_the_trend_says_what_is_missing_and_what_the_newest_version_says(client: FlaskClient) -> None:
    page = text_of(client, "/en/trend")
    assert "2026-Q1 No release" in page
    assert "No release: first quarter of 2026." in page
    data = client.get("/en/trend.json").get_json()
    assert [quarter["period"] for quarter in data["quarters"]] == ["2025Q4", "2026Q1", "2026Q2"]
    network = client.get("/en/ranking/2026Q2.json").get_json()["network"]
    assert data["quarters"][2]["lenient"] == network["lenient"]
    lines = list(csv.DictReader(io.StringIO(client.get("/nl/verloop.csv").text)))
    assert float(lines[2]["lenient_p"]) == network["lenient"]["p"]
    assert float(lines[2]["step_change"]) == data["steps"][0]["change"]


def test_the_parts_on_the_page_are_those_of_the_file(client: FlaskClient) -> None:
    step = client.get("/en/trend.json").get_json()["steps"][0]
    parts = ("behaviour", "mix", "arrivals", "departures", "unnamed")
    assert sum(step[part] for part in parts) == pytest.approx(step["change"], abs=3e-10)  # six figures of ten digits
    page = text_of(client, "/en/trend")
    assert f"{abs(step['change']) * 100:.1f} percentage points." in page
    assert f"{step['late_before']} → {step['late_after']}" in page
    assert step["companies"][0]["name"] in page


@pytest.mark.parametrize(
    ("address", "status", "kind"),
    [
        ("/en/trend/trend.svg", 200, "image/svg+xml"),
        ("/nl/verloop/trend.csv", 200, "text/csv; charset=utf-8"),
        ("/en/trend/median.svg", 200, "image/svg+xml"),
        ("/en/trend/nothing.svg", 404, "text/html; charset=utf-8"),
    ],
)
def test_each_picture_is_a_file(client: FlaskClient, address: str, status: int, kind: str) -> None:
    answer = client.get(address)
    assert (answer.status_code, answer.content_type.split(";")[0]) == (status, kind.split(";")[0])


@pytest.mark.parametrize(
    ("asked", "target"),
    [
        ("/en/compare", "/en/compare?from=2025Q4&to=2026Q2"),
        ("/nl/vergelijken?to=2025Q4", "/nl/vergelijken?from=2025Q4&to=2025Q4"),
        ("/en/compare?to=2026-03-11..2026-04-11", "/en/compare?from=2026-03-11..2026-04-11&to=2026-03-11..2026-04-11"),
        ("/en/compare?from=2025Q4@1&to=2026Q2@2", "/en/compare?from=2025Q4&to=2026Q2&from_version=1&to_version=2"),
        ("/en/compare.csv?from=2026Q2@1", "/en/compare.csv?from=2026Q2&to=2026Q2&from_version=1"),
        ("/en/compare?from=2025Q4&to=2026Q2&campaign=x", "/en/compare?from=2025Q4&to=2026Q2"),
    ],
)
def test_every_comparison_has_one_address_that_names_both_releases(
    client: FlaskClient, asked: str, target: str
) -> None:
    answer = client.get(asked)
    assert (answer.status_code, answer.location) == (302, target)
    assert client.get(target).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "from=1999Q1", "to=1999Q1", "from=2026Q2@9", "from=2026Q2&to=2026Q2&to_version=9", "from=2026Q2@x",
        "from=2026Q2@-1", "from=2026Q2@" + "1" * 5000, "from=%00",
    ],
)  # fmt: skip
def test_a_release_that_is_not_there_is_404(client: FlaskClient, query: str) -> None:
    for address in ("/en/compare", "/nl/vergelijken.json", "/en/compare.csv"):
        assert client.get(f"{address}?{query}").status_code == 404


def test_two_versions_show_the_reason_and_every_figure_that_reads_otherwise(client: FlaskClient) -> None:
    address = "/en/compare?from=2026Q2&to=2026Q2&from_version=1"
    page = text_of(client, address)
    assert "2026-Q2: what version 2 says otherwise than version 1." in page
    assert WHY in page
    assert "Only in 2026-Q2, version 2: Rietkraag Cloud as64496" in page
    data = client.get(address.replace("compare", "compare.json")).get_json()
    assert data["corrections"] == [{"period": "2026Q2", "version": 2, "reason": WHY}]
    assert data["notices"]["came"] == [{"company": "as64496", "name": "Rietkraag Cloud"}]
    assert data["step"]["obstacle"] == "overlap"
    ranks = next(each for each in data["notices"]["companies"] if each["company"] == "as64497")["changes"]
    assert {"figure": "rank", "before": 1, "after": 2} in ranks
    assert "Klinker Colo Rank 1 (1–2) 2 (1–3)" in page


def test_two_periods_show_ranks_standings_and_shares_side_by_side(client: FlaskClient) -> None:
    address = "/nl/vergelijken?from=2025Q4&to=2026Q2"
    page = text_of(client, address)
    assert "Alleen in 2026-Q2, versie 2: Nieuwkomer as64510" in page
    assert WHY in page
    assert "Het aandeel op tijd (twijfelgevallen als op tijd geteld)" in page
    lines = list(csv.DictReader(io.StringIO(client.get(address.replace("vergelijken", "vergelijken.csv")).text)))
    assert {line["table"] for line in lines} == {"notices", "hash_hits"}
    late = [line for line in lines if (line["company"], line["figure"]) == ("as64496", "on_time_late")]
    assert [(line["table"], line["before"], line["after"]) for line in late] == [("notices", "214", "213")]


def test_what_is_the_same_is_said_to_be_the_same(client: FlaskClient) -> None:
    page = text_of(client, "/en/compare?from=2025Q4&to=2025Q4")
    assert "Nothing differs between these two." in page
    assert "No company has another figure." in page  # of the hash hits
    assert client.get("/en/compare.json?from=2025Q4&to=2025Q4").get_json()["notices"]["companies"] == []


def test_a_company_of_the_hash_hits_alone_has_no_page_to_link_to(client: FlaskClient) -> None:
    page = client.get("/en/compare?from=2025Q4&to=2026Q2").text
    for company in set(re.findall(r'href="(/en/company/[^"]+)"', page)):
        assert client.get(company).status_code == 200


def test_the_form_offers_every_version(client: FlaskClient) -> None:
    page = client.get("/en/compare?from=2026Q2&to=2026Q2&from_version=1").text
    options = re.findall(r'<option value="([^"]+)"( selected)?>', page)
    assert [value for value, _ in options[:4]] == ["2026Q2@2", "2026Q2@1", "2026-03-11..2026-04-11@1", "2025Q4@1"]
    assert [value for value, chosen in options if chosen] == ["2026Q2@1", "2026Q2@2"]
    assert 'hreflang="nl" href="/nl/vergelijken?from=2026Q2&amp;to=2026Q2&amp;from_version=1"' in page


def test_no_figure_of_a_withheld_company_is_on_any_of_these(client: FlaskClient) -> None:
    """Turfschip has 8 episodes on 4 sites: its name is shown, and no number."""
    for address in ("/en/trend.json", "/en/compare.json?from=2025Q4&to=2026Q2"):
        assert "as64511" not in client.get(address).text
    assert "Turfschip" not in text_of(client, "/en/trend")


@pytest.mark.parametrize("address", ["/en/trend", "/nl/vergelijken"])
def test_before_the_first_release_there_is_a_friendly_page(empty_client: FlaskClient, address: str) -> None:
    answer = empty_client.get(address)
    assert answer.status_code == 200
    assert re.search("There are no published figures yet|Er zijn nog geen cijfers", answer.text)
    assert empty_client.get("/en/compare.csv").status_code == 404
    assert empty_client.get("/en/trend.json").get_json() == {"quarters": [], "steps": []}


def test_the_history_of_a_company_and_its_corrections(app: Flask) -> None:
    with app.test_request_context():
        points = company_history("as64496")
        assert [point.period for point in points] == ["2025Q4", "2026Q1", "2026Q2"]
        assert points[1] == TrendPoint("2026Q1")
        assert points[2].episodes == 257
        assert company_history("nobody") == ()
        withheld = company_history("as64511")
        assert [(point.below, point.lenient) for point in withheld] == [(10, None), (None, None), (10, None)]


def test_the_corrections_of_a_company_are_those_in_which_it_reads_otherwise(app: Flask) -> None:
    with app.test_request_context():
        appeared = company_corrections("as64496", NL)
        assert [(each.period, each.after.version, each.reason, each.lines) for each in appeared] == [
            ("2026Q2", 2, WHY, ())
        ]
        ranked = company_corrections("as64497", EN)[0]
        assert ranked.lines[0] == Line("Rank", "1 (1–2)", "2 (1–3)")
        assert company_corrections("as64511", NL) == ()


def test_what_two_releases_differ_in_is_worked_out_once_for_all_languages_and_forms(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.release.published.EVERY", 0.0)
    made: list[str] = []

    def counted(old: PublicTable, new: PublicTable) -> Changes:
        made.append(f"{old.period} {new.period}")
        return changes(old, new)

    monkeypatch.setattr("web.public.comparison.changes", counted)
    settings = app.jinja_env.globals["settings"]
    assert isinstance(settings, SiteSettings)
    reader = create_app(settings).test_client()
    query = "from=2025Q4&to=2026Q2"
    for address in ("/en/compare", "/nl/vergelijken", "/en/compare.csv", "/nl/vergelijken.json"):
        assert reader.get(f"{address}?{query}").status_code == 200
    assert made == ["2025Q4 2026Q2"] * 2  # of the notices, and of the hash hits


def test_a_corrected_page_says_on_top_when_why_and_whose_figures_changed(client: FlaskClient) -> None:
    for address in ("/en/ranking/2026Q2", "/en/charts/2026Q2", "/en/norm/2026Q2", "/en/ranking/2026Q2/hash-hits",
                    "/en/company/2026Q2/as64496"):  # fmt: skip
        page = client.get(address).text
        assert f"These figures were corrected on 20\u00a0July 2026.</strong>\n  Reason: {WHY}" in page, address
        assert 'href="/en/compare?from=2026Q2&amp;to=2026Q2&amp;from_version=1&amp;to_version=2"' in page, address
    assert "Figures changed of: Klinker Colo, Veenland Colo, Dijkgraaf IT and 3 others." in text_of(
        client, "/en/ranking/2026Q2"
    )


def test_a_company_whose_figures_stayed_and_a_version_without_correction_say_nothing(client: FlaskClient) -> None:
    untouched = ("/en/company/2026Q2/as64511", "/en/ranking/2026Q2?version=1", "/en/ranking/2025Q4", "/en/trend")
    for address in untouched:
        assert "These figures were corrected" not in client.get(address).text, address


def test_without_a_quarter_the_trend_says_so_and_where_the_figures_are(tmp_path: Path) -> None:
    site = public_site(tmp_path, Version(invent("2026-03-11..2026-04-11", FEW, ranked=False))).test_client()
    page = text_of(site, "/en/trend")
    assert "A trend compares quarters, and no quarter has been published yet." in page
    assert "no published figures" not in page
    assert 'href="/en/ranking/2026-03-11..2026-04-11"' in site.get("/en/trend").text


def test_the_table_of_the_trend_begins_with_the_newest_and_has_a_gap_on_one_line(tmp_path: Path) -> None:
    site = public_site(tmp_path, *(Version(invent(period, FEW)) for period in ("2025Q1", "2025Q4", "2026Q1")))
    page = text_of(site.test_client(), "/en/trend").split("Quarter by quarter")[-1]
    places = [page.index(words) for words in ("2026-Q1 ", "2025-Q4 ", "2025-Q2 to 2025-Q3 No release", "2025-Q1 ")]
    assert places == sorted(places)
    lines = site.test_client().get("/en/trend/trend.csv").text.splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["2026-Q1", "2025-Q4", "2025-Q2 to 2025-Q3", "2025-Q1"]
