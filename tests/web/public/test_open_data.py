"""The open data on the site: only what was published, as it was signed, to whoever asks for it."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from rdflib import RDF, Graph
from werkzeug.test import TestResponse

from monitor.release.publications import INDEX, Package, store
from monitor.release.signing import SigningKey
from monitor.settings import Settings
from monitor.tables.data_package import About
from tests.release.signatures import signed_files
from tests.support.publications import Version, public_site, put, signing_key
from tests.support.published import invent
from web.public.app import create_app
from web.public.catalogue import DCAT
from web.shared.headers import HEADERS

CSV = b"company,name\r\nas64496,Rietkraag Cloud\r\n" * 100
REPORT = b"<!doctype html><html><head><style>p { color: red }</style></head><body><p>A</p></body></html>"
ABOUT = About("2026Q1", 1, datetime(2026, 7, 20, 8, tzinfo=UTC), "2026.1", "Authority", "CC0-1.0")
CONTENT = {"ranking.csv": CSV, "report-2026Q1-en.html": REPORT, "report-2026Q1-en.pdf": b"%PDF-1.7"}
NAMES = (*CONTENT, "manifest.json", "manifest.json.sig", "hosting-monitor-2026q1-v1.zip")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A site with two releases; of the first the files are made."""
    given = Settings(home=tmp_path_factory.mktemp("home"), site_name="Authority")
    put(given.home, Version(invent("2026Q1")), Version(invent("2026Q2")))
    return given


@pytest.fixture(scope="module")
def key(settings: Settings) -> SigningKey:
    """The key its releases are signed with."""
    return signing_key(settings.home)


@pytest.fixture(scope="module")
def files(key: SigningKey) -> Mapping[str, bytes]:
    """What is published of the first release."""
    return signed_files(ABOUT, key, CONTENT)


@pytest.fixture(scope="module")
def app(settings: Settings, key: SigningKey, files: Mapping[str, bytes]) -> Flask:
    """The site over them."""
    store(Package(ABOUT, key.fingerprint, files), settings.publications)
    return create_app(settings.site)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A reader of that site."""
    return app.test_client()


def get(client: FlaskClient, path: str, **given: Any) -> TestResponse:
    """Read the whole answer, so that its file is closed."""
    return client.get(path, buffered=True, **given)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_the_bytes_that_were_published(client: FlaskClient, files: Mapping[str, bytes], name: str) -> None:
    answer = get(client, f"/data/2026Q1/v1/{name}")
    assert (answer.status_code, answer.data) == (200, files[name])
    assert answer.headers["ETag"] == f'"{hashlib.sha256(files[name]).hexdigest()}"'
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert f"filename={name}" in answer.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("name", "kind", "shown"),
    [
        ("ranking.csv", "text/csv; charset=utf-8", "attachment"),
        ("manifest.json", "application/json", "attachment"),
        ("manifest.json.sig", "application/octet-stream", "attachment"),
        ("report-2026Q1-en.html", "text/html; charset=utf-8", "inline"),
        ("report-2026Q1-en.pdf", "application/pdf", "inline"),
        ("hosting-monitor-2026q1-v1.zip", "application/zip", "attachment"),
    ],
)
def test_a_file_says_what_it_is(client: FlaskClient, name: str, kind: str, shown: str) -> None:
    answer = get(client, f"/data/2026Q1/v1/{name}")
    assert answer.headers["Content-Type"] == kind
    assert answer.headers["Content-Disposition"].startswith(shown)


def test_a_file_is_kept_for_ever_only_under_an_address_that_names_its_bytes(client: FlaskClient) -> None:
    digest = hashlib.sha256(CSV).hexdigest()
    for asked, said in (
        (f"?sha256={digest[:16]}", "max-age=31536000, immutable"),
        ("?sha256=0123456789abcdef", "max-age=300, must-revalidate"),
        ("", "max-age=300, must-revalidate"),
    ):
        assert get(client, f"/data/2026Q1/v1/ranking.csv{asked}").headers["Cache-Control"] == said
    for path in re.findall(r'href="(/data/2026Q1/[^"]+)"', get(client, "/en/open-data/2026Q1").text):
        assert "immutable" in get(client, html.unescape(path)).headers["Cache-Control"]


def test_who_has_the_file_is_not_sent_it_again_and_who_has_half_gets_the_rest(client: FlaskClient) -> None:
    path, tag = "/data/2026Q1/v1/ranking.csv", f'"{hashlib.sha256(CSV).hexdigest()}"'
    again = get(client, path, headers={"If-None-Match": tag, "Accept-Encoding": "gzip"})
    assert (again.status_code, again.data) == (304, b"")
    rest = get(client, path, headers={"Range": "bytes=100-", "If-Range": tag})
    assert (rest.status_code, rest.data) == (206, CSV[100:])
    packed = get(client, path, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["ETag"] == tag
    assert client.head(path).headers["Content-Length"] == str(len(CSV))


@pytest.mark.parametrize(
    "path",
    [
        "/data/2026Q1/v1/secret.txt",
        "/data/2026Q1/v1/..%2f..%2fsigning.pem",
        "/data/2026Q1/v1/../../signing.pem",
        "/data/2026Q1/v1/%2e%2e/%2e%2e/signing.pem",
        "/data/2026Q1/v1/..",
        f"/data/2026Q1/v1/{INDEX}",
        "/data/2026Q1/v1/",
        "/data/2026Q1/v2/ranking.csv",
        "/data/2026Q2/v1/ranking.csv",
        "/data/2026Q9/v1/ranking.csv",
        "/data/keys/v1/ranking.csv",
        "/data/..%2f2026Q1/v1/ranking.csv",
        "/data/2026Q1/v1/ranking.csv%00",
        "/data/keys/signing.pem",
        "/data/keys/..%2f..%2fsigning.pem",
        "/data/keys/*.pem",
    ],
)
def test_nothing_else_is_there(client: FlaskClient, settings: Settings, path: str) -> None:
    (settings.publications / "2026Q1-v1" / "secret.txt").write_text("not on the list")
    answer = get(client, path)
    assert answer.status_code == 404
    assert b"PRIVATE" not in answer.data


def test_a_report_may_use_its_own_style_and_nothing_more(client: FlaskClient) -> None:
    policy = get(client, "/data/2026Q1/v1/report-2026Q1-en.html").headers["Content-Security-Policy"]
    # printf 'p { color: red }' | openssl dgst -sha256 -binary | base64
    assert "style-src 'sha256-ngewhhP73WDIbgwseeu52VAAJgKdGUsu1IUQQsAm8m4='" in policy
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy
    assert "unsafe" not in policy
    other = get(client, "/data/2026Q1/v1/ranking.csv").headers
    assert other["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]


def test_keys_are_served_by_their_fingerprint(client: FlaskClient, key: SigningKey) -> None:
    assert get(client, f"/data/keys/{key.fingerprint}.pem").data == key.public_pem
    assert key.fingerprint in get(client, "/nl/open-data").text


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/en/open-data", ("The files of this release are not made yet.", "PDF", "8 B", "DCAT-AP-NL")),
        ("/nl/open-data", ("De bestanden van deze publicatie zijn nog niet gemaakt.", "Zo controleert u de bestanden")),
        ("/en/open-data/2026Q1", (hashlib.sha256(CSV).hexdigest(), "3.9 kB", "Creative Commons Zero 1.0")),
        ("/nl/open-data/2026Q1?version=1", ("3,9 kB", "Zo haalt u deze publicatie aan")),
        ("/en/open-data/2026Q2", ("The files of this release are not made yet.",)),
    ],
)
def test_the_pages_say_what_there_is(client: FlaskClient, path: str, said: tuple[str, ...]) -> None:
    answer = get(client, path)
    assert answer.status_code == 200
    text = re.sub(r"\s+", " ", html.unescape(re.sub("<[^>]+>", "", answer.text)))
    assert [words for words in said if words not in text] == []
    assert "public" not in answer.headers["Cache-Control"]  # files may be made after the release was published


def test_a_release_that_is_not_there_is_not_found(client: FlaskClient) -> None:
    for path in ("/en/open-data/2031Q1", "/nl/open-data/2026Q1?version=7", "/en/open-data/..%2f"):
        assert get(client, path).status_code == 404


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph")
@pytest.mark.parametrize(
    ("path", "accepted", "kind"),
    [
        ("/catalog.ttl", "*/*", "text/turtle; charset=utf-8"),
        ("/catalog.jsonld", "*/*", "application/ld+json"),
        ("/catalog.rdf", "*/*", "application/rdf+xml"),
        ("/catalog", "*/*", "text/turtle; charset=utf-8"),
        ("/catalog", "application/rdf+xml, text/html;q=0.5", "application/rdf+xml"),
        ("/catalog", "application/ld+json", "application/ld+json"),
    ],
)
def test_the_catalogue_is_served_in_three_forms(client: FlaskClient, path: str, accepted: str, kind: str) -> None:
    answer = get(client, path, headers={"Accept": accepted}, base_url="https://monitor.example")
    assert answer.headers["Content-Type"] == kind
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "private" in answer.headers["Cache-Control"]  # the host is that of the request
    form = {"text/turtle; charset=utf-8": "turtle", "application/ld+json": "json-ld"}.get(kind, "xml")
    graph = Graph().parse(data=answer.data, format=form)
    datasets = {str(node) for node in graph.subjects(RDF.type, DCAT.Dataset)}
    assert datasets == {f"https://monitor.example/catalog#2026Q{n}-v1" for n in (1, 2)}


def test_every_address_of_the_catalogue_on_this_site_is_there(client: FlaskClient) -> None:
    graph = Graph().parse(data=get(client, "/catalog.ttl", base_url="https://monitor.example").data, format="turtle")
    ours = {str(node) for triple in graph for node in triple if str(node).startswith("https://monitor.example/")}
    paths = {address.removeprefix("https://monitor.example").partition("#")[0] for address in ours} - {"/api/v1"}
    assert len(paths) > 8
    assert [path for path in sorted(paths) if get(client, path).status_code != 200] == []


def test_with_an_address_of_its_own_the_host_that_is_asked_does_not_matter(settings: Settings, app: Flask) -> None:
    site = public_site(settings.home, site_address="https://monitor.example")
    answer = get(site.test_client(), "/catalog.ttl", base_url="https://evil.example")
    assert b"evil" not in answer.data
    assert answer.headers["Cache-Control"] == "max-age=300, must-revalidate"


def test_before_the_first_release_the_page_says_so(tmp_path: Path) -> None:
    reader = public_site(tmp_path).test_client()
    assert "There are no published figures yet." in get(reader, "/en/open-data").text
    assert "Er is nog geen publicatie ondertekend." in get(reader, "/nl/open-data").text
