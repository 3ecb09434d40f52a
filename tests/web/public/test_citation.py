"""Citing: in words and as reference managers read it; the page, its files and the code of the badge."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from datetime import date

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from monitor.wording.language import EN, NL
from web.public.cite import Work, bibtex, csl, key_of, plain, ris, title_of

WORK = Work(
    key="hostingmonitor-2026Q2-v2",
    title="Ranking of hosting companies: second quarter of 2026",
    publisher="Hostingmonitor",
    published=date(2026, 7, 20),
    version=2,
    address="https://monitor.example/en/ranking/2026Q2?version=2",
    manifest_sha256="7b77bf10",
    language=EN,
    licence="CC0-1.0",
)
SENTENCE = (
    "Hostingmonitor (2026). Ranking of hosting companies: second quarter of 2026 [data set, version 2]."
    " https://monitor.example/en/ranking/2026Q2?version=2"
)


def test_in_words() -> None:
    assert plain(WORK) == SENTENCE
    dutch = replace(WORK, language=NL, published=None, title="Ranglijst")
    assert plain(dutch).startswith("Hostingmonitor (z.j.). Ranglijst [dataset, versie 2]. https://")


def test_bibtex() -> None:
    assert bibtex(WORK) == (
        "@misc{hostingmonitor-2026Q2-v2,\n"
        "  author = {{Hostingmonitor}},\n"
        "  title = {{Ranking of hosting companies: second quarter of 2026}},\n"
        "  year = {2026},\n"
        "  howpublished = {data set, version 2},\n"
        "  url = {https://monitor.example/en/ranking/2026Q2?version=2},\n"
        "  note = {SHA-256 of the manifest: 7b77bf10. CC0-1.0},\n"
        "  month = jul\n"
        "}\n"
    )


def test_bibtex_takes_every_sign_as_itself() -> None:
    assert "title = {{100\\% \\& \\#1 \\_a \\$ \\{x\\} \\textasciitilde{} \\textbackslash{}end}}" in bibtex(
        replace(WORK, title="100% & #1 _a $ {x} ~ \\end")
    )


def test_ris() -> None:
    assert ris(WORK) == (
        "TY  - DATA\r\nID  - hostingmonitor-2026Q2-v2\r\nAU  - Hostingmonitor\r\n"
        "TI  - Ranking of hosting companies: second quarter of 2026\r\nPY  - 2026\r\nDA  - 2026/07/20\r\n"
        "PB  - Hostingmonitor\r\nET  - 2\r\nUR  - https://monitor.example/en/ranking/2026Q2?version=2\r\nLA  - en\r\n"
        "N1  - SHA-256 of the manifest: 7b77bf10. CC0-1.0\r\nER  - \r\n"
    )


def test_csl() -> None:
    assert json.loads(csl(WORK)) == [
        {
            "id": "hostingmonitor-2026Q2-v2",
            "type": "dataset",
            "title": "Ranking of hosting companies: second quarter of 2026",
            "author": [{"literal": "Hostingmonitor"}],
            "publisher": "Hostingmonitor",
            "issued": {"date-parts": [[2026, 7, 20]]},
            "version": "2",
            "URL": "https://monitor.example/en/ranking/2026Q2?version=2",
            "language": "en",
            "note": "SHA-256 of the manifest: 7b77bf10. CC0-1.0",
        }
    ]
    assert "issued" not in json.loads(csl(replace(WORK, published=None)))[0]


@given(st.text(max_size=40).filter(str.strip))
def test_a_name_breaks_no_format(name: str) -> None:
    work = replace(WORK, title=title_of("2026Q2", name, EN), publisher=name)
    assert len(ris(work).split("\r\n")) == 13
    assert all(re.match(r"[A-Z][A-Z0-9]  - ", line) for line in ris(work).split("\r\n")[:-1])
    text = re.sub(r"\\[&%$#_{}]", "", bibtex(work))
    assert text.count("{") == text.count("}")
    assert json.loads(csl(work))[0]["title"] == work.title


def test_a_key_is_the_same_for_the_same_release() -> None:
    assert key_of("Hosting Monitor NL", "2026-03-11..2026-04-11", "as64496", 1) == (
        "hosting-monitor-nl-2026-03-11-2026-04-11-as64496-v1"
    )


@pytest.mark.parametrize(
    ("form", "kind", "start"),
    [
        ("bib", "application/x-bibtex", "@misc{hostingmonitor-2026Q2-as64496-v2,"),
        ("ris", "application/x-research-info-systems", "TY  - DATA\r\n"),
        ("json", "application/vnd.citationstyles.csl+json", "["),
        ("txt", "text/plain", "Hostingmonitor (2026). Rietkraag Cloud in the ranking of hosting companies"),
    ],
)
def test_the_files(client: FlaskClient, form: str, kind: str, start: str) -> None:
    answer = client.get(f"/cite/2026Q2.{form}?company=as64496&lang=en")
    assert (answer.status_code, answer.content_type) == (200, f"{kind}; charset=utf-8")
    assert answer.text.startswith(start)
    assert f"hostingmonitor-2026Q2-as64496-v2.{form}" in answer.headers["Content-Disposition"]
    assert "/en/company/2026Q2/as64496?version=2" in answer.text


def test_a_period_of_two_days_has_files_too(client: FlaskClient) -> None:
    assert client.get("/cite/2026-03-11..2026-04-11.ris").status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "/cite/2026Q2.doc",
        "/cite/1999Q1.bib",
        "/cite/2026Q2.bib?company=nobody",
        "/cite/2026Q2.bib?version=9",
        "/en/cite/1999Q1",
        "/en/cite/2026Q2?company=nobody",
    ],
)
def test_what_is_not_published_cannot_be_cited(client: FlaskClient, address: str) -> None:
    assert client.get(address).status_code == 404


def test_the_page_of_a_release_names_its_newest_version(client: FlaskClient) -> None:
    page = client.get("/en/cite/2026Q2").text
    assert "[data set, version 2]. http://localhost/en/ranking/2026Q2?version=2</p>" in page
    assert "There is a later one" in client.get("/en/cite/2026Q2?version=1").text
    assert client.get("/nl/citeren/latest").location == "/nl/citeren/2026Q2"


def test_every_file_of_the_page_answers(client: FlaskClient) -> None:
    page = client.get("/nl/citeren/2026Q2?company=as64496").text
    links = {html.unescape(link) for link in re.findall(r'(?:href|src)="(/(?:cite|badge|nl|en)/[^"]*)"', page)}
    assert {link.split("?")[0] for link in links} >= {
        "/cite/2026Q2.bib",
        "/cite/2026Q2.json",
        "/cite/2026Q2.ris",
        "/cite/2026Q2.txt",
        "/badge/2026Q2/as64496.svg",
    }
    own = {link for link in links if link.startswith(("/cite/", "/badge/", "/nl/citeren/", "/nl/bedrijf/"))}
    assert {client.get(link).status_code for link in own} == {200}


def test_the_code_to_copy_shows_the_badge_and_links_to_the_figures(client: FlaskClient) -> None:
    page = client.get("/en/cite/2026Q2?company=as64509").text
    code = html.unescape(re.findall(r"<pre class=\"code\"><code>(.*?)</code></pre>", page, re.DOTALL)[-1])
    assert code == (
        '<a href="http://localhost/en/company/2026Q2/as64509">\n'
        '  <img src="http://localhost/badge/2026Q2/as64509.svg?lang=en"\n'
        '       alt="=Watersnip VPS in the ranking of hosting companies: second quarter of 2026"'
        ' width="400" height="120">\n'
        "</a>"
    )
    assert "There are too few episodes to judge this company." in page
