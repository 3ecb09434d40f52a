"""Security headers, caching and size of what is sent."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.support.publications import public_site
from tests.web.public.test_pages import PAGES
from web.shared.headers import HEADERS


@pytest.mark.parametrize("address", [*PAGES, "/", "/health", "/static/site.css", "/en/ranking/2026Q2.csv"])
def test_every_response_has_the_security_headers(client: FlaskClient, address: str) -> None:
    with client.get(address) as answer:
        headers = answer.headers
    assert {name: headers.get(name) for name in HEADERS} == HEADERS
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_an_error_inside_shows_nothing_of_it_and_keeps_the_headers(tmp_path: Path) -> None:
    app = public_site(tmp_path)
    app.logger.disabled = True

    def fail() -> None:
        raise OSError(f"Error: SELECT no such table {tmp_path}")

    app.extensions["published"].index = fail
    answer = app.test_client().get("/en/ranking/2026Q2")
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.text
    assert not [
        word for word in ("no such table", "SELECT", "Error:", "Traceback", str(tmp_path)) if word in answer.text
    ]
    assert answer.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("address", [PAGES[0], PAGES[5], "/en/ranking/2026Q2.json", "/en/method"])
def test_a_reader_who_has_the_page_gets_304(client: FlaskClient, address: str) -> None:
    first = client.get(address)
    assert first.cache_control.public
    again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_public_text_is_compressed_and_reads_the_same(client: FlaskClient) -> None:
    plain = client.get(PAGES[0])
    packed = client.get(PAGES[0], headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert "Accept-Encoding" in packed.headers["Vary"]


@pytest.mark.parametrize("address", [PAGES[0], PAGES[5], "/en/method", "/nl/ranglijst/2026Q1"])
def test_a_page_with_all_it_needs_is_under_100_kilobytes(client: FlaskClient, address: str) -> None:
    static = Path(__file__).parents[3] / "web/shared/static"
    parts = [address, "/static/site.css", "/static/vendor/nl-design-system.css", "/static/icon.svg"]
    sent = 0
    for part in parts:
        with client.get(part, headers={"Accept-Encoding": "gzip"}) as answer:
            sent += len(answer.data)
    fonts = sum(path.stat().st_size for path in static.glob("vendor/*.woff2"))
    assert sent + fonts < 100_000
