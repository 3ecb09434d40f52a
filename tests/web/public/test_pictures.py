"""The pictures of a release: on their page, and each as a file."""

from __future__ import annotations

import csv
import gzip
import io
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from flask.testing import FlaskClient

from tests.support.publications import Version, public_site
from tests.support.published import COMPANIES, filler, invent
from tests.web.public.test_pages import SMALL, text_of

PAGE = "/en/charts/2026Q2"
FIGURES = ("funnel", "ranks", "all-companies", "age", "flows", "norms")
STATIC = Path(__file__).parents[3] / "web/shared/static"
LARGEST = 100_000  # bytes of a page with its styles and fonts, as they travel


def test_the_page_has_every_picture_with_its_files(client: FlaskClient) -> None:
    page = client.get(PAGE).text
    for name in FIGURES:
        assert f'id="picture-{name}"' in page
        assert f'href="/en/ranking/2026Q2/{name}.svg"' in page
        assert f'href="/en/ranking/2026Q2/{name}.csv"' in page
    assert page.count('role="img"') == 2 * len(FIGURES)  # for wide and for narrow screens


@pytest.mark.parametrize("name", FIGURES)
def test_a_picture_is_a_file_of_its_own_in_either_language(client: FlaskClient, name: str) -> None:
    dutch, english = client.get(f"/nl/ranglijst/2026Q2/{name}.svg"), client.get(f"/en/ranking/2026Q2/{name}.svg")
    assert (dutch.mimetype, english.status_code) == ("image/svg+xml", 200)
    assert dutch.data != english.data
    assert english.headers["Content-Disposition"] == f"attachment; filename=hostingmonitor-{name}-2026Q2-v2.svg"
    assert english.headers["Cache-Control"].startswith("public")
    root = ET.fromstring(english.data)
    assert not [item.tag for item in root.iter() if item.tag.endswith(("script", "style", "foreignObject"))]
    assert not [key for item in root.iter() for key in item.attrib if key.startswith("on") or key == "style"]
    assert len(list(csv.reader(io.StringIO(client.get(f"/en/ranking/2026Q2/{name}.csv").text)))) > 1


def test_the_ranks_are_those_of_the_page_that_was_asked_for(client: FlaskClient) -> None:
    page = client.get("/en/charts/2026Q1?page=2&q=voorbeeld").text
    assert 'href="/en/ranking/2026Q1/ranks.svg?q=voorbeeld&amp;page=2"' in page
    assert 'href="/en/ranking/2026Q1/funnel.svg"' in page
    first, second = (client.get(f"/en/ranking/2026Q1/ranks.csv?q=voorbeeld&page={n}").text for n in (1, 2))
    assert (len(first.splitlines()), len(second.splitlines())) == (51, 11)


@pytest.mark.parametrize(
    "address",
    [
        "/en/ranking/2026Q2/nothing.svg",
        "/en/ranking/1999Q1/funnel.svg",
        "/en/ranking/2026Q2/funnel.svg?version=9",
        "/en/company/2026Q2/nobody/survival.svg",
        "/en/company/2026Q2/as64500/nothing.csv",
        "/en/charts/1999Q1",
    ],
)
def test_what_is_not_there_is_404(client: FlaskClient, address: str) -> None:
    assert client.get(address).status_code == 404


def test_an_old_version_has_pictures_of_its_own(client: FlaskClient) -> None:
    page = client.get(f"{PAGE}?version=1").text
    assert "There is a later one" in page
    assert 'href="/en/ranking/2026Q2/funnel.svg?version=1"' in page


def test_no_picture_names_a_company_that_is_withheld(client: FlaskClient) -> None:
    page = text_of(client, PAGE)
    files = "".join(client.get(f"/en/ranking/2026Q2/{name}.csv").text for name in FIGURES)
    for item in SMALL:
        assert item.name not in page + files


def test_a_release_without_flows_and_norms_says_so(tmp_path: Path) -> None:
    client = public_site(tmp_path, Version(replace(invent(), flows=None, norms=None, quality=None))).test_client()
    page = text_of(client, PAGE)
    assert "This release has no figures of who moved material where, or of other deadlines." in page
    assert client.get("/en/ranking/2026Q2/flows.svg").status_code == 404
    assert "This release has no figures under other deadlines." in text_of(client, "/en/norm/2026Q2")
    assert client.get("/en/norm/2026Q2.csv").status_code == 404
    assert "And with a stricter" not in text_of(client, "/en/ranking/2026Q2")
    assert client.get("/en/company/2026Q2/as64500").status_code == 200


def test_five_hundred_companies_stay_light(tmp_path: Path) -> None:
    """Every page with its styles and fonts travels in under 100 KB."""
    client = public_site(tmp_path, Version(invent("2026Q2", COMPANIES + filler(484)))).test_client()
    fonts = sum(file.stat().st_size for file in (STATIC / "vendor").glob("*.woff2"))
    for address in ("/nl/ranglijst/2026Q2", "/en/company/2026Q2/as64500", "/nl/norm/2026Q2", PAGE):
        page = travelling(client, address)
        asked = re.findall(
            r'<(?:link rel="(?:stylesheet|icon)"[^>]*href|img[^>]*src)="([^"]+)"', client.get(address).text
        )
        assert len(asked) == 3
        assert page + sum(travelling(client, each) for each in asked) + fonts < LARGEST, address


def travelling(client: FlaskClient, address: str) -> int:
    """Bytes of an answer as it travels, or would after gzip."""
    with client.get(address, headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.status_code == 200
        packed = "Content-Encoding" in answer.headers
        return len(answer.data) if packed else len(gzip.compress(answer.data))


def test_the_addresses_of_before_lead_to_the_charts_for_good(client: FlaskClient) -> None:
    for old, new in (("/nl/beelden/2026Q2", "/nl/grafieken/2026Q2"), ("/en/pictures/latest", "/en/charts/latest")):
        answer = client.get(f"{old}?page=2&_external=1")
        assert (answer.status_code, answer.location) == (308, f"{new}?page=2")
    assert client.get("/nl/beelden/2026Q2", follow_redirects=True).status_code == 200


def test_only_companies_with_a_rank_fill_pages_of_ranks(client: FlaskClient) -> None:
    """A release without ranks has no chart of them, and no second page."""
    page = client.get("/en/charts/2026-03-11..2026-04-11").text
    assert "picture-ranks" not in page
    assert "Page 2" not in page
    assert client.get("/en/ranking/2026-03-11..2026-04-11/ranks.svg").status_code == 404


def test_a_chart_as_a_file_says_what_when_who_and_that_it_is_a_demonstration(tmp_path: Path) -> None:
    given = {"publisher": "Example Authority", "site_address": "https://monitor.example", "demonstration": True}
    site = public_site(tmp_path, Version(invent("2026Q2")), **given).test_client()
    for address in ("/en/ranking/2026Q2/funnel.svg", "/en/ranking/2026Q2/ranks.svg",
                    "/en/company/2026Q2/as64500/survival.svg"):  # fmt: skip
        root = ET.fromstring(site.get(address).data)
        said = " ".join(item.text or "" for item in root.iter() if item.tag.endswith("text"))
        whole = "Second quarter of 2026, version 1. Source: Example Authority. https://monitor.example"
        assert whole in said.replace("\u00a0", " "), address
        assert "Demonstration with invented data." in said
        lowest = max(float(item.attrib["y"]) for item in root if item.tag.endswith("text"))
        assert lowest < float(root.attrib["height"]) - 4


def test_shares_are_from_0_to_1_in_every_file(client: FlaskClient) -> None:
    """In files of charts too, whose tables on the page have percentages."""
    table = list(csv.reader(io.StringIO(client.get("/en/ranking/2026Q2/funnel.csv").text)))
    place = table[0].index("Share on time, lenient reading")
    shares = [float(line[place]) for line in table[1:] if line[place]]
    assert shares
    assert all(0 <= share <= 1 for share in shares)
    assert any(0 < float(line[place]) < 1 for line in table[1:] if line[place])
    for name in ("funnel", "all-companies", "age"):
        assert "(%)" not in client.get(f"/en/ranking/2026Q2/{name}.csv").text


def test_files_are_named_after_the_site_what_they_are_and_their_version(client: FlaskClient) -> None:
    for address, name in (
        ("/en/ranking/2026Q2.csv", "hostingmonitor-ranking-2026Q2-v2.csv"),
        ("/en/ranking/2026Q2.csv?version=1", "hostingmonitor-ranking-2026Q2-v1.csv"),
        ("/en/company/2026Q2/as64500.csv", "hostingmonitor-company-as64500-2026Q2-v2.csv"),
        ("/en/trend.csv", "hostingmonitor-trend.csv"),
    ):
        assert client.get(address).headers["Content-Disposition"] == f"attachment; filename={name}"


def test_ranking_and_charts_lead_to_the_report_and_data_of_their_own_version(client: FlaskClient) -> None:
    for page in ("/en/ranking/2026Q2", "/en/charts/2026Q2"):
        text = client.get(f"{page}?version=1").text
        assert 'href="/en/open-data/2026Q2?version=1"' in text
        assert 'href="/en/cite/2026Q2?version=1"' in text
        assert 'href="/en/open-data/2026Q2?version=2"' in client.get(page).text
