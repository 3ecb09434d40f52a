"""The public API: the rows of the pages, addresses for programs, and errors that say what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.support.publications import Version, public_site
from tests.support.published import COMPANIES, invent

PROBLEM = "application/problem+json"
NO_CHANGES: dict[str, list[object]] = {"whole": [], "companies": [], "came": [], "gone": []}


def test_the_releases_are_listed_with_every_version(client: FlaskClient) -> None:
    data = client.get("/api/v1/releases").json
    assert data is not None
    assert [(item["period"], item["version"]) for item in data["releases"]] == [
        ("2026Q2", 2),
        ("2026Q2", 1),
        ("2026Q1", 1),
        ("2026-03-11..2026-04-11", 1),
    ]
    assert data["releases"][-1] == {
        "period": "2026-03-11..2026-04-11",
        "version": 1,
        "published_at": "2026-07-20T08:00:00Z",
        "manifest_sha256": "99c9c01dfbbe2e4195f3bb98ef58069e6c0c6a019301cc0bb5e8028661d7e4cc",
        "corrects": None,
        "reason": None,
        "hearing_waived": "invented companies",
    }


@pytest.mark.parametrize("query", ["", "?sort=sites&order=asc", "?q=as64&standing=below", "?version=1"])
def test_the_ranking_has_the_rows_of_the_page(client: FlaskClient, query: str) -> None:
    page = client.get(f"/en/ranking/2026Q2.json{query}").json
    data = client.get(f"/api/v1/rankings/2026Q2{query}").json
    assert page is not None
    assert data is not None
    for part in ("companies", "network", "totals", "unattributed", "method", "as_of", "known_at", "period"):
        assert data[part] == page[part]
    assert data["found"] == len(page["companies"]) > 0


def test_the_table_of_hash_hits_is_asked_for_by_name(client: FlaskClient) -> None:
    page = client.get("/en/ranking/2026Q2/hash-hits.json").json
    data = client.get("/api/v1/rankings/2026Q2?table=hash_hits").json
    assert page is not None
    assert data is not None
    assert data["companies"] == page["companies"]
    assert client.get("/api/v1/rankings/2026Q1?table=hash_hits").status_code == 404


def test_a_company_has_the_figures_of_its_page_in_each_release(client: FlaskClient) -> None:
    page = client.get("/en/company/2026Q2/as64500.json").json
    one = client.get("/api/v1/companies/as64500/2026Q2").json
    history = client.get("/api/v1/companies/as64500").json
    assert page is not None
    assert one is not None
    assert history is not None
    assert (one["company"], one["network"]) == (page["company"], page["network"])
    assert [line["release"]["version"] for line in history["releases"]] == [2, 1, 1]
    assert [line["period"] for line in history["releases"]] == ["2026Q2", "2026Q1", "2026-03-11..2026-04-11"]
    assert history["releases"][0]["company"] == {n: v for n, v in page["company"].items() if n != "curve"}


def test_a_company_with_too_few_episodes_keeps_its_name_and_nothing_else(client: FlaskClient) -> None:
    small = next(item for item in COMPANIES if item.episodes < 10)
    kept = {"company": small.key, "name": small.name, "country": "NL", "via_proxy": False, "standing": "too_few"}
    history = client.get(f"/api/v1/companies/{small.key}").json
    one = client.get(f"/api/v1/companies/{small.key}/2026Q2").json
    trend = client.get(f"/api/v1/trend?company={small.key}").json
    assert history is not None
    assert one is not None
    assert trend is not None
    for row in (one["company"], *(line["company"] for line in history["releases"])):
        assert {name: value for name, value in row.items() if value is not None} == kept | {"episodes": "<10"}
    for point in trend["quarters"]:
        told = {name for name, value in point.items() if value is not None}
        assert (told, point["below"]) == ({"period", "method", "below", "partial"}, 10)


def test_the_trend_is_that_of_the_network_or_of_a_company(client: FlaskClient) -> None:
    network, company = client.get("/api/v1/trend").json, client.get("/api/v1/trend?company=as64500").json
    ranking = client.get("/api/v1/rankings/2026Q2").json
    assert network is not None
    assert company is not None
    assert ranking is not None
    assert [point["period"] for point in network["quarters"]] == ["2026Q1", "2026Q2"]
    assert network["quarters"][1]["lenient"] == ranking["network"]["lenient"]
    row = next(row for row in ranking["companies"] if row["company"] == "as64500")
    assert company["quarters"][1]["lenient"] == row["on_time"]["lenient"]


def test_two_versions_differ_by_the_company_that_came(client: FlaskClient) -> None:
    data = client.get("/api/v1/compare?from=2026Q2&from_version=1&to=2026Q2").json
    assert data is not None
    assert (data["from"]["version"], data["to"]["version"]) == (1, 2)
    assert data["came"] == [{"company": "as64511", "name": "Turfschip Networks"}]
    assert data["gone"] == []
    hits = "/api/v1/compare?to=2026Q2&table=hash_hits&from="
    assert client.get(f"{hits}2026Q2").json == {"from": data["to"], "to": data["to"], **NO_CHANGES}
    assert client.get(f"{hits}2026Q1").status_code == 404


def test_the_method_says_what_each_parameter_means(client: FlaskClient) -> None:
    data = client.get("/api/v1/methods/2026.1").json
    assert data is not None
    assert data["parameters"]["target"] == 0.9
    told = {line["key"]: line for line in data["explained"]["nl"]}
    assert (told["target"]["name"], told["target"]["value"]) == ("Norm", ["90%"])


@pytest.mark.parametrize(
    ("page", "links"),
    [
        (1, ['page=1>; rel="first"', 'page=2>; rel="next"', 'page=4>; rel="last"']),
        (3, ['page=1>; rel="first"', 'page=2>; rel="prev"', 'page=4>; rel="next"', 'page=4>; rel="last"']),
        (4, ['page=1>; rel="first"', 'page=3>; rel="prev"', 'page=4>; rel="last"']),
    ],
)
def test_pages_link_to_each_other_and_lose_no_company(client: FlaskClient, page: int, links: list[str]) -> None:
    address = "/api/v1/rankings/2026Q1?per_page=20"
    answer = client.get(f"{address}&page={page}")
    *around, described = answer.headers.getlist("Link")
    assert around == [f"<{address}&{link}" for link in links]
    assert described == '</api/v1/openapi.json>; rel="describedby"; type="application/json"'
    every = [row["company"] for n in range(1, 5) for row in client.get(f"{address}&page={n}").json["companies"]]  # type: ignore[index]
    assert len(every) == len(set(every)) == 76


def test_latest_leads_to_a_fixed_period_and_keeps_the_question(client: FlaskClient) -> None:
    answer = client.get("/api/v1/rankings/latest?sort=name")
    assert (answer.status_code, answer.location) == (302, "/api/v1/rankings/2026Q2?sort=name")


@pytest.mark.parametrize(
    ("address", "status", "parameter", "detail"),
    [
        ("rankings/1999Q1", 404, None, "There is no such release. /api/v1/releases lists all of them."),
        ("rankings/2026Q2?version=9", 404, None, "There is no such release. /api/v1/releases lists all of them."),
        ("rankings/2026Q2?page=2", 404, None, "There is no such page: the last is 1."),
        ("rankings/2026Q2?page=0", 400, "page", "page must be a whole number from 1 to 999999999."),
        ("rankings/2026Q2?page=1.5", 400, "page", "page must be a whole number from 1 to 999999999."),
        ("rankings/2026Q2?page=1.0", 400, "page", "page must be a whole number from 1 to 999999999."),
        ("rankings/2026Q2?page=1e2", 400, "page", "page must be a whole number from 1 to 999999999."),
        ("rankings/2026Q2?page=01", 400, "page", "page must be a whole number from 1 to 999999999."),
        ("rankings/2026Q2?version=null", 400, "version", "version must be a whole number from 1 to 999999999."),
        ("rankings/2026Q2?page=9999999999", 400, "page", "page must be a whole number from 1 to 999999999."),
        (
            "rankings/2026Q2?standing=null",
            400,
            "standing",
            "standing must be one of below, meets, not_proven, too_few, unreachable.",
        ),
        ("rankings/2026Q2?page=", 400, "page", "page must be a whole number from 1 to 999999999."),
        ("rankings/2026Q2?page=१", 400, "page", "page must be a whole number from 1 to 999999999."),
        ("rankings/2026Q2?per_page=501", 400, "per_page", "per_page must be a whole number from 1 to 500."),
        ("rankings/2026Q2?order=up", 400, "order", "order must be one of asc, desc."),
        ("rankings/2026Q2?order=asc&order=desc", 400, "order", "order is given more than once."),
        (f"rankings/2026Q2?q={'x' * 101}", 400, "q", "q must be at most 100 characters long."),
        ("releases?secret=1", 400, None, "The query has a parameter that is not known. This address takes none."),
        ("companies/as64500/2026Q2?q=x", 400, None, "The query has a parameter that is not known. Known are: version."),
        ("compare?from=2026Q1", 400, "to", "to is missing."),
        ("companies/nobody", 404, None, "No published release has a company with this key."),
        ("companies/a%00b", 404, None, "No published release has a company with this key."),
        ("companies/nobody/2026Q2", 404, None, "This release has no company with this key."),
        ("trend?company=nobody", 404, None, "No release of a quarter has a company with this key."),
        ("methods/1", 404, None, "There is no such version of the method. /api/v1/methods lists them."),
        ("nowhere", 404, None, "There is nothing at this address. /api/v1/openapi.json lists all there are."),
    ],
)
def test_a_question_that_will_not_do_is_told_why(
    client: FlaskClient, address: str, status: int, parameter: str | None, detail: str
) -> None:
    answer = client.get(f"/api/v1/{address}")
    assert (answer.status_code, answer.mimetype) == (status, PROBLEM)
    assert answer.json is not None
    assert (answer.json["status"], answer.json["detail"]) == (status, detail)
    assert answer.json.get("parameter") == parameter
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_text_is_the_text_that_was_sent(client: FlaskClient) -> None:
    """Of `null` nothing else is made, and of digits no number."""
    for text in ("null", "64500"):
        data = client.get(f"/api/v1/rankings/2026Q2?q={text}").json
        assert data is not None
        assert data["found"] == (text == "64500")


def test_the_problem_of_the_description_is_a_real_one(client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").json
    assert document is not None
    (example,) = document["components"]["schemas"]["ProblemDetails"]["examples"]
    assert client.get("/api/v1/rankings/2026Q2?order=up").json == example


def test_nothing_of_a_bad_question_is_repeated(client: FlaskClient) -> None:
    for address in ("rankings/canary?canary=canary", "rankings/2026Q2?page=canary", "companies/canary", "canary"):
        assert "canary" not in client.get(f"/api/v1/{address}").text


def test_it_answers_in_json_or_not_at_all(client: FlaskClient) -> None:
    refused = client.get("/api/v1/releases", headers={"Accept": "text/html"})
    assert (refused.status_code, refused.mimetype) == (406, PROBLEM)
    for accepted in ("*/*", "application/*", "application/json;q=0.1", "text/html, */*;q=0.8", ""):
        answer = client.get("/api/v1/releases", headers={"Accept": accepted})
        assert (answer.status_code, answer.mimetype) == (200, "application/json")
        assert "Accept" in answer.headers["Vary"]


def test_an_answer_is_cached_until_it_changes(client: FlaskClient) -> None:
    first = client.get("/api/v1/rankings/2026Q2")
    assert first.headers["Cache-Control"] == "public, max-age=300, must-revalidate"
    again = client.get("/api/v1/rankings/2026Q2", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    other = client.get("/api/v1/rankings/2026Q2?page=1&sort=name", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200


def test_head_tells_what_get_would(client: FlaskClient) -> None:
    head, get = client.head("/api/v1/releases"), client.get("/api/v1/releases")
    assert (head.status_code, head.data) == (200, b"")
    for name in ("ETag", "Content-Type", "Content-Length", "Link", "Access-Control-Allow-Origin"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.parametrize("address", ["releases", "rankings/2026Q2", "rankings/1999Q1", "compare", "openapi.json"])
def test_any_page_may_read_the_figures_and_their_errors(client: FlaskClient, address: str) -> None:
    answer = client.get(f"/api/v1/{address}", headers={"Origin": "https://paper.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    asked = client.options(f"/api/v1/{address}", headers={"Origin": "https://paper.example"})
    assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert asked.headers["Access-Control-Allow-Methods"] == asked.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_pushes_go_to_the_desk_and_nowhere_else(client: FlaskClient) -> None:
    for answer in (client.post("/api/v1/notices", json={}), client.get("/api/v1/deliveries/1")):
        assert (answer.status_code, answer.mimetype) == (404, PROBLEM)


def test_another_method_is_told_which_will_do(client: FlaskClient) -> None:
    for method in ("post", "put", "delete", "patch"):
        answer = getattr(client, method)("/api/v1/releases")
        assert (answer.status_code, answer.mimetype) == (405, PROBLEM)
        assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_before_the_first_release_there_is_nothing(empty_client: FlaskClient) -> None:
    assert empty_client.get("/api/v1/releases").json == {"releases": []}
    assert empty_client.get("/api/v1/trend").json == {"company": None, "quarters": []}
    for address in ("releases/2026Q3", "rankings/2026Q3", "rankings/latest", "companies/as64500"):
        assert empty_client.get(f"/api/v1/{address}").status_code == 404
    assert empty_client.get("/en/api").status_code == 200


def test_a_damaged_folder_says_that_the_figures_are_safe_and_nothing_else(tmp_path: Path) -> None:
    site = public_site(tmp_path, Version(invent()))
    next(tmp_path.glob("publications/index/index.json")).write_text("{}")
    answer = site.test_client().get("/api/v1/releases")
    assert (answer.status_code, answer.mimetype) == (503, PROBLEM)
    assert answer.json is not None
    assert answer.json["detail"] == "The figures themselves are safe. Please try again later."
    assert answer.headers["Retry-After"] == "30"


@pytest.mark.parametrize("address", ["/en/api", "/nl/api"])
def test_the_page_for_people_names_every_address(client: FlaskClient, address: str) -> None:
    page = client.get(address).text
    document = client.get("/api/v1/openapi.json").json
    assert document is not None
    for path, methods in document["paths"].items():
        for method in methods:
            assert f"{method.upper()} /api/v1{path}</code>" in page
    examples = [part.split('"')[0] for part in page.split('href="/api/v1/')[1:]]
    assert len(examples) > 10
    for example in examples:
        assert client.get(f"/api/v1/{example.replace('&amp;', '&')}").status_code == 200
