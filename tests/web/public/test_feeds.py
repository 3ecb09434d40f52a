"""Feeds, sitemap, robots.txt and security.txt: what machines come for, in the form their standards ask for."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.publications import Version, public_site
from tests.support.published import invent
from web.public import feeds
from web.public.app import expires
from web.public.openapi import contact_uri

ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
LINK = "{http://www.w3.org/1999/xhtml}link"
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")  # a Date construct of RFC 4287, section 3.3
TAG = re.compile(r"tag:[a-z0-9.-]+,\d{4}(-\d{2}){0,2}:\S+")  # RFC 4151, section 2.1
REASON = 'an episode of "A & B" <was> relocated'


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """A site with an address of its own, and a release that was corrected with a reason."""
    return public_site(
        tmp_path_factory.mktemp("told"),
        Version(invent("2026Q2")),
        Version(invent("2026Q2"), 2, REASON, _at(9, 2)),
        site_address="https://monitor.example/site",
        contact="meldpunt@monitor.example",
    )


def _at(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 8, tzinfo=UTC)


def parsed(client: FlaskClient, address: str) -> ET.Element:
    """The root of an XML answer."""
    answer = client.get(address)
    assert answer.status_code == 200
    return ET.fromstring(answer.data)


def text(element: ET.Element, name: str) -> str:
    """The text of the one child of that name."""
    (found,) = element.findall(ATOM + name)
    assert found.text
    return found.text


@pytest.mark.parametrize("language", ["nl", "en"])
def test_a_feed_has_what_rfc_4287_asks(told: Flask, language: str) -> None:
    client = told.test_client()
    answer = client.get(f"/{language}/feed.atom")
    assert answer.content_type == "application/atom+xml; charset=utf-8"
    feed = ET.fromstring(answer.data)
    assert feed.tag == ATOM + "feed"
    entries = feed.findall(ATOM + "entry")
    for part in (feed, *entries):  # sections 4.1.1 and 4.1.2: exactly one of each
        assert TAG.fullmatch(text(part, "id"))
        assert text(part, "title")
        assert INSTANT.fullmatch(text(part, "updated"))
    (author,) = feed.findall(ATOM + "author")
    assert text(author, "name") == "Hostingmonitor"
    ids = [text(entry, "id") for entry in entries]
    assert len(ids) == len(set(ids)) == 2
    assert text(feed, "updated") == max(text(entry, "updated") for entry in entries)
    links = {(link.get("rel"), link.get("href")) for link in feed.findall(ATOM + "link")}
    assert ("self", f"https://monitor.example/site/{language}/feed.atom") in links
    for entry in entries:
        alternates = [link for link in entry.findall(ATOM + "link") if link.get("rel") == "alternate"]
        assert len({(link.get("type"), link.get("hreflang")) for link in alternates}) == len(alternates) == 1


def test_a_correction_is_told_with_its_reason_and_the_release_stays(told: Flask) -> None:
    feed = parsed(told.test_client(), "/en/feed.atom")
    assert [
        (text(e, "id"), text(e, "title"), text(e, "updated"), text(e, "summary")) for e in feed.findall(ATOM + "entry")
    ] == [
        (
            "tag:monitor.example,2026-01-01:release/2026Q2/v2/en",
            "Correction: second quarter of 2026, version 2",
            "2026-09-02T08:00:00Z",
            f"Version 2 takes the place of version 1, which can still be read. Reason: {REASON}",
        ),
        (
            "tag:monitor.example,2026-01-01:release/2026Q2/v1/en",
            "Ranking: second quarter of 2026",
            "2026-07-20T08:00:00Z",
            "There is a new ranking, with the figures of every company.",
        ),
    ]
    kinds = [entry.find(ATOM + "category") for entry in feed.findall(ATOM + "entry")]
    assert [kind is not None and kind.get("term") for kind in kinds] == ["correction", "release"]


def test_the_api_gives_the_same_reason(told: Flask) -> None:
    data = told.test_client().get("/api/v1/releases").json
    assert data is not None
    assert [(item["version"], item["corrects"], item["reason"]) for item in data["releases"]] == [
        (2, 1, REASON),
        (1, None, None),
    ]


def test_the_entries_lead_to_pages_that_are_there(told: Flask) -> None:
    client = told.test_client()
    for language in ("nl", "en"):
        for link in parsed(client, f"/{language}/feed.atom").iter(ATOM + "link"):
            address = str(link.get("href"))
            assert address.startswith("https://monitor.example/site/")
            assert client.get(address.removeprefix("https://monitor.example/site")).status_code in (200, 302)


def test_a_feed_before_the_first_release_is_a_feed(empty_client: FlaskClient) -> None:
    feed = parsed(empty_client, "/nl/feed.atom")
    assert feed.findall(ATOM + "entry") == []
    assert text(feed, "updated") == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_page_names_its_feed(client: FlaskClient, language: str) -> None:
    page = client.get(f"/{language}/{'werkwijze' if language == 'nl' else 'method'}").text
    assert re.search(
        rf'<link rel="alternate" type="application/atom\+xml" title="[^"]+" href="/{language}/feed.atom">', page
    )


def test_the_sitemap_has_every_public_page_once_in_both_languages(client: FlaskClient) -> None:
    urls = parsed(client, "/sitemap.xml").findall(MAP + "url")
    places = [urlsplit(url.findtext(MAP + "loc") or "").path for url in urls]
    assert len(places) == len(set(places))
    for place in (
        "/nl/ranglijst/2026Q2",
        "/en/ranking/2026Q1",
        "/en/method",
        "/en/ranking/2026Q2/hash-hits",
        "/nl/bedrijf/2026Q2/as64511",
        "/en/api",
    ):
        assert place in places
    for url in urls:
        others = {link.get("hreflang"): link.get("href") for link in url.findall(LINK)}
        assert set(others) == {"nl", "en"}
        assert url.findtext(MAP + "loc") in others.values()  # each page names itself too


def test_what_the_sitemap_lists_is_there(client: FlaskClient) -> None:
    urls = parsed(client, "/sitemap.xml").findall(MAP + "url")
    places = [urlsplit(url.findtext(MAP + "loc") or "").path for url in urls]
    companies = [place for place in places if "/company/" in place or "/bedrijf/" in place]
    for place in {*places} - {*companies} | {*companies[::25]}:
        assert client.get(place).status_code == 200, place


def test_a_page_of_a_release_says_when_that_was_published(client: FlaskClient) -> None:
    urls = parsed(client, "/sitemap.xml").findall(MAP + "url")
    changed = {urlsplit(url.findtext(MAP + "loc") or "").path: url.findtext(MAP + "lastmod") for url in urls}
    assert changed["/en/ranking/2026Q2"] == "2026-07-20T08:00:00Z"
    assert changed["/en/method"] is None


def test_too_many_addresses_become_several_files(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [url.findtext(MAP + "loc") for url in parsed(client, "/sitemap.xml").findall(MAP + "url")]
    monkeypatch.setattr(feeds, "MOST", 100)
    index = parsed(client, "/sitemap.xml")
    assert index.tag == MAP + "sitemapindex"
    files = [urlsplit(loc.text or "").path for loc in index.iter(MAP + "loc")]
    parts = [[url.findtext(MAP + "loc") for url in parsed(client, file).findall(MAP + "url")] for file in files]
    assert [place for part in parts for place in part] == whole
    assert max(map(len, parts)) <= 100
    for beyond in (0, len(files) + 1):
        assert client.get(f"/sitemap-{beyond}.xml").status_code == 404


def test_robots_may_read_the_pages_and_find_the_sitemap(told: Flask) -> None:
    answer = told.test_client().get("/robots.txt")
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.text == (
        "User-agent: *\nDisallow: /*?\nDisallow: /api/\nSitemap: https://monitor.example/site/sitemap.xml\n"
    )


def test_security_txt_has_what_rfc_9116_asks(told: Flask) -> None:
    answer = told.test_client().get("/.well-known/security.txt")
    assert answer.content_type == "text/plain; charset=utf-8"
    lines = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert lines.pop("Expires") == f"{expires(datetime.now(UTC)):%Y-%m-%dT%H:%M:%SZ}"
    assert lines == {
        "Contact": "mailto:meldpunt@monitor.example",
        "Preferred-Languages": "nl, en",
        "Canonical": "https://monitor.example/site/.well-known/security.txt",
    }


def test_without_a_contact_there_is_no_security_txt(client: FlaskClient) -> None:
    assert client.get("/.well-known/security.txt").status_code == 404


@pytest.mark.parametrize(
    ("contact", "uri"),
    [
        ("meldpunt@monitor.example", "mailto:meldpunt@monitor.example"),
        ("mailto:a@monitor.example", "mailto:a@monitor.example"),
        ("https://monitor.example/contact", "https://monitor.example/contact"),
        ("monitor.example/contact", "https://monitor.example/contact"),
    ],
)
def test_a_contact_is_a_uri(contact: str, uri: str) -> None:
    assert contact_uri(contact) == uri


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("2026-01-01", "2027-01-01"),
        ("2026-06-30", "2027-01-01"),
        ("2026-07-01", "2027-07-01"),
        ("2026-12-31", "2027-07-01"),
    ],
)
def test_security_txt_expires_in_half_a_year_to_a_year(now: str, then: str) -> None:
    assert expires(datetime.fromisoformat(now).replace(tzinfo=UTC)).date().isoformat() == then


ADDRESSES = ("/en/feed.atom", "/sitemap.xml", "/robots.txt", "/en/cite/2026Q2", "/cite/2026Q2.bib")


@pytest.mark.parametrize("address", ADDRESSES)
def test_what_repeats_the_host_header_is_kept_by_nobody(told: Flask, client: FlaskClient, address: str) -> None:
    host = {"Host": "evil.example"}
    assert client.get(address, headers=host).headers["Cache-Control"] == "private, no-cache"
    fixed = told.test_client().get(address, headers=host)
    assert fixed.cache_control.public
    assert "evil" not in fixed.text
    assert "https://monitor.example/site/" in fixed.text
