"""The badge: what it says of each standing, what it never says, and that any site may show it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from tests.support.published import COMPANIES, standing_of
from web.public.cite import WIDTH, Said, drawn, fitting

SVG = "{http://www.w3.org/2000/svg}"
STANDINGS = {item.key: standing_of(item) for item in COMPANIES}


def words(client: FlaskClient, address: str) -> list[str]:
    """The lines of a badge."""
    answer = client.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
    lines = ET.fromstring(answer.data).iter(SVG + "text")
    return [line.text.replace("\u00a0", " ") for line in lines if line.text]


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        (
            "2026Q2/as64496.svg?lang=nl",
            ["Rietkraag Cloud", "Onder de norm", "Op tijd verwijderd: 12,1% – 16,7% (norm 90%)", "2e kwartaal 2026"],
        ),
        (
            "2026Q2/as64506.svg?lang=en",
            [
                "Lage Landen Servers",
                "Met the norm in 2026-Q2",
                "Removed on time: 99.1% – 99.4% (norm 90%)",
                "Second quarter",
            ],
        ),
        (
            "2026Q2/as64506.svg?lang=nl",
            [
                "Lage Landen Servers",
                "Voldeed aan de norm in 2026-Q2",
                "Op tijd verwijderd: 99,1% – 99,4% (norm 90%)",
                "2e",
            ],
        ),
        ("2026Q2/as64507.svg?lang=en", ["Oosterschelde Web", "Too few to judge", "Second quarter of 2026"]),
        ("2026Q2/as64509.svg?lang=nl", ["=Watersnip VPS", "Te weinig gegevens", "2e kwartaal 2026"]),
        (
            "2026-03-11..2026-04-11/as64496.svg?lang=en",
            ["Rietkraag Cloud", "No judgement", "11 March 2026 to 11 April 2026"],
        ),
    ],
)
def test_a_badge_says_who_what_how_much_and_when(client: FlaskClient, address: str, lines: list[str]) -> None:
    said = words(client, f"/badge/{address}")
    assert said[:-1] == ["DEMO", *lines[:-1]]
    assert said[-1].startswith(lines[-1])


def test_an_open_standing_says_what_is_open(client: FlaskClient) -> None:
    key = next(key for key, standing in STANDINGS.items() if standing == "not_proven")
    assert words(client, f"/badge/2026Q2/{key}.svg?lang=en")[2] == "Not proven whether the norm was met"
    assert words(client, f"/badge/2026Q2/{key}.svg?lang=nl")[2] == "Geen uitspraak mogelijk over de norm"


@pytest.mark.parametrize("key", [key for key, standing in STANDINGS.items() if standing == "too_few"])
def test_a_company_that_is_not_judged_has_no_number_on_its_badge(client: FlaskClient, key: str) -> None:
    badge = client.get(f"/badge/2026Q2/{key}.svg?lang=en").text
    said = re.sub(r"<[^>]+>", " ", badge).replace("\u00a0", " ").replace("version 2", "").replace("of 2026", "")
    assert not re.search(r"\d", said), said


def test_the_signs_of_two_withheld_companies_differ_by_their_names_alone(client: FlaskClient) -> None:
    few = [item for item in COMPANIES if item.episodes < 10][:2]
    one, other = (client.get(f"/badge/2026Q2/{item.key}.svg").text.replace(item.name, "") for item in few)
    assert one == other


def test_another_language_is_dutch(client: FlaskClient) -> None:
    dutch = client.get("/badge/2026Q2/as64496.svg?lang=nl").data
    assert client.get("/badge/2026Q2/as64496.svg?lang=fy").data == client.get("/badge/2026Q2/as64496.svg").data == dutch


def test_a_correction_shows_and_the_old_version_stays(client: FlaskClient) -> None:
    assert "version 2" in words(client, "/badge/2026Q2/as64496.svg?lang=en")[-1]
    assert "version" not in words(client, "/badge/2026Q2/as64496.svg?lang=en&version=1")[-1]


def test_a_demonstration_says_that_it_is_one(client: FlaskClient) -> None:
    assert words(client, "/badge/2026Q2/as64496.svg?lang=en") == [
        "DEMO",
        "Rietkraag Cloud",
        "Below the norm",
        "Removed on time: 12.1% – 16.7% (norm 90%)",
        "Second quarter of 2026 · version 2 · Hostingmonitor",
    ]


def test_any_site_may_show_it_and_it_may_load_nothing(client: FlaskClient) -> None:
    answer = client.get("/badge/2026Q2/as64496.svg")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    policy = answer.headers["Content-Security-Policy"]
    assert policy == "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.cache_control.public
    assert "Set-Cookie" not in answer.headers
    assert not re.search(r"style|href|script|https?://(?!www\.w3\.org/2000/svg)", answer.text)
    again = client.get("/badge/2026Q2/as64496.svg", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_latest_leads_to_the_last_period(client: FlaskClient) -> None:
    answer = client.get("/badge/latest/as64496.svg?lang=en")
    assert (answer.status_code, answer.location) == (302, "/badge/2026Q2/as64496.svg?lang=en")


@pytest.mark.parametrize("address", ["1999Q1/as64496", "2026Q2/nobody", "2026Q2/as64496.svg?version=9", "latest/"])
def test_what_is_not_published_has_no_badge(client: FlaskClient, address: str) -> None:
    address = address if ".svg" in address else f"{address}.svg"
    assert client.get(f"/badge/{address}").status_code == 404


def test_before_the_first_release_there_is_no_badge(empty_client: FlaskClient) -> None:
    assert empty_client.get("/badge/latest/as64496.svg").status_code == 404


def test_a_long_name_is_cut_but_whole_in_the_title() -> None:
    name = "W" * 300
    picture = ET.fromstring(drawn(Said(name, "Meets the norm", "check", "#1b6434", "", "2026")))
    _mark, line, *_ = picture.iter(SVG + "text")
    assert line.text == "W" * 17 + "…"
    assert picture.findtext(SVG + "title") == f"{name}. Meets the norm. 2026"


@given(st.text(max_size=80), st.sampled_from([12.0, 17.0]))
def test_a_line_is_the_text_or_its_beginning(text: str, size: float) -> None:
    said = fitting(text, size, WIDTH)
    assert said == text or (said.endswith("…") and text.startswith(said[:-1]))
    assert len(said) * size * 0.4 <= WIDTH
