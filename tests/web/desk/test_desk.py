"""What holds of every address of the desk: nothing is kept, nothing is public, and no page of the site is there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from tests.conftest import NewDatabase
from tests.web.desk.pushing import notice, open_site
from web.shared.headers import HEADERS

PROBLEM = "application/problem+json"
EVERY = {
    "/health": 200,
    "/healthz": 308,
    "/health/live": 308,
    "/metrics": 404,
    "/api/v1/notices": 405,
    "/api/v1/deliveries/1": 401,
    "/static/icon.svg": 200,
    "/": 404,
    "/en/": 404,
    "/en/ranking/2026Q2": 404,
    "/api/v1/releases": 404,
    "/login": 404,
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, new_database: NewDatabase) -> Iterator[FlaskClient]:
    """Somebody without a token."""
    app = open_site(tmp_path_factory.mktemp("desk"), new_database())
    yield app.test_client()
    for engine in ("monitor_engine", "monitor_health_engine"):
        app.extensions[engine].dispose()


@pytest.mark.parametrize("address", EVERY)
def test_nothing_of_it_is_kept_and_all_has_the_security_headers(client: FlaskClient, address: str) -> None:
    with client.get(address) as answer:
        assert answer.status_code == EVERY[address]
        assert answer.headers["Cache-Control"] == "no-store"
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert "Set-Cookie" not in answer.headers
        if answer.status_code in (401, 404, 405):
            assert answer.mimetype == PROBLEM


def test_every_address_is_in_this_list(client: FlaskClient) -> None:
    adapter = client.application.url_map.bind("localhost")
    values = {"number": 1, "filename": "icon.svg"}
    rules = client.application.url_map.iter_rules()
    built = {adapter.build(r.endpoint, {n: values[n] for n in r.arguments}, method=min(r.methods or ())) for r in rules}
    assert {address.partition("?")[0] for address in built} <= set(EVERY)


def test_no_page_of_another_site_may_ask_it(client: FlaskClient) -> None:
    origin = {"Origin": "https://paper.example"}
    for answer in (
        client.options("/api/v1/notices", headers=origin),
        client.post("/api/v1/notices", json=notice(1), headers=origin),
        client.get("/api/v1/deliveries/1", headers=origin),
        client.options("/api/v1/deliveries/1", headers=origin),
    ):
        assert answer.status_code in (401, 405)
        assert not [name for name, _ in answer.headers.to_wsgi_list() if name.startswith("Access-Control")]
