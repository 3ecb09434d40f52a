"""Addresses that keep what the reader asked for, and never let him steer where they lead."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from monitor.settings import Settings
from web.public.app import create_app
from web.shared.addresses import QUERY_NAMES, absolute, asked, authority

STEERING = ("_external=1&_scheme=javascript", "_anchor=x", "_method=POST", "endpoint=start", "_external=1&endpoint=x")
PAGES = ("/en/method", "/en/ranking/2026Q2", "/en/company/2026Q2/as64496", "/en/cite/2026Q2", "/en/api", "/en/nowhere")
MOVING = ("/en/", "/nl/ranglijst/latest", "/badge/latest/as64496.svg", "/en/cite/latest")


@pytest.mark.parametrize("query", STEERING)
def test_a_query_cannot_steer_the_links_of_a_page(client: FlaskClient, query: str) -> None:
    for page in PAGES:
        answer = client.get(f"{page}?{query}")
        assert answer.status_code in (200, 404)
        switch = re.findall(r'hreflang="(?:nl|en)" href="([^"]*)"', answer.text)
        assert switch
        assert all(link.startswith("/") and "#" not in link for link in switch)


@pytest.mark.parametrize("query", STEERING)
def test_a_query_cannot_steer_where_a_moving_address_leads(client: FlaskClient, query: str) -> None:
    for address in MOVING:
        answer = client.get(f"{address}?{query}&sort=name")
        assert answer.status_code == 302
        assert re.fullmatch(r"/[a-z][^:#]*\?sort=name", answer.location)


def test_what_was_asked_is_kept() -> None:
    app = create_app(Settings().site)
    with app.test_request_context("/en/method?version=2026.1&q=a%26b&_anchor=x&endpoint=y"):
        assert asked() == {"version": "2026.1", "q": "a&b"}


@pytest.mark.parametrize(
    ("site_address", "whole", "host"),
    [
        ("", "http://asked.example:8000/en/", "asked.example"),
        ("https://monitor.example", "https://monitor.example/en/", "monitor.example"),
        ("https://monitor.example/under", "https://monitor.example/under/en/", "monitor.example"),
    ],
)
def test_a_whole_address_is_under_the_site_or_the_host_that_was_asked(site_address: str, whole: str, host: str) -> None:
    app = create_app(Settings(site_address=site_address).site)
    with app.test_request_context("/en/method", base_url="http://asked.example:8000"):
        assert (absolute("/en/"), authority()) == (whole, host)


def test_every_name_that_a_page_asks_for_is_kept_in_the_links_to_its_other_language() -> None:
    """But that of a file's hash, which one address takes alone."""
    web = Path(__file__).parents[3] / "web" / "public"
    code = "".join(path.read_text("utf-8") for path in sorted(web.glob("*.py")))
    asked = set(re.findall(r'\bargs\.get\("(\w+)"', code)) | {"from", "to", "from_version", "to_version"}
    forms = "".join(path.read_text("utf-8") for path in sorted((web / "templates").rglob("*.html")))
    asked |= set(re.findall(r'<(?:input|select)[^>]* name="(\w+)"', forms))
    assert asked - {"sha256"} == QUERY_NAMES
