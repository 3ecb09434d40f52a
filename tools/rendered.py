#!/usr/bin/env python3
"""SHA-256 of everything that is rendered from invented releases: what a change leaves the same to the byte.

`.venv/bin/python -m tools.rendered DIGESTS.json` before a change and after; compare the two files. With
`--keep FOLDER` the documents are written there too, to see what differs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory

from flask.testing import FlaskClient

from monitor.comparison.changes import changes, changes_csv, changes_json
from monitor.db import Base, connect
from monitor.disclosure.anonymised import companies_csv
from monitor.disclosure.rows import public_table
from monitor.release.draft import serialise
from monitor.score.table import Table
from monitor.tables.data_package import About, descriptor
from monitor.tables.open_data import sheets_of
from monitor.wording.words import LANGUAGES
from reports.document import Medium, page
from tests.reports.fiction import quarter, report
from tests.reports.fiction import table as judged
from tests.support.published import COMPANIES, invent, with_hash_hits
from tests.web.conftest import site

_LINK = re.compile(r'(?:href|src)="(/[^"#]*)')
_SKIPPED = re.compile(r"voorbeeld-|^/static|^/api/v1/notices|^/catalog\.(jsonld|rdf)")  # the last in no fixed order
_BEGIN = ("/en/", "/nl/", "/api/v1/openapi.json", "/api/v1/releases", "/api/v1/trend", "/api/v1/methods", "/en/api")
_API = (
    "/api/v1/rankings/2026Q2?sort={sort}",
    "/api/v1/rankings/2026Q2?table=hash_hits&sort={sort}",
    "/api/v1/compare?from=2026Q1&to=2026Q2",
    "/api/v1/compare?from=2026Q2&from_version=1&to=2026Q2",
    "/api/v1/companies/as64496",
    "/api/v1/companies/as64496/2026Q2",
    "/api/v1/companies/kaaskop-hosting/2026Q2",
    "/api/v1/releases/2026Q2",
)
_SORTS = "rank name on_time median outstanding refused episodes sites volume standing".split()  # noqa: SIM905
MEDIA: tuple[Medium, ...] = ("screen", "print")
_CLOCK = re.compile(rb"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?")


def documents() -> Iterator[tuple[str, bytes]]:
    """Every document by its name: the site's, the reports, the open data and the frozen bytes."""
    yield from _site()
    for name, table in _tables().items():
        serialised = serialise(table)
        yield f"frozen {name}", json.dumps([serialised.head, serialised.rows]).encode()
        public = public_table(table)
        yield f"{name} companies.csv", companies_csv(public)
        sheets = list(sheets_of(public))
        yield from ((f"{name} {sheet.name}", sheet.content) for sheet in sheets)
        about = About(public.period, 1, report().published_at, "2026.1", "Hostingmonitor", "CC0-1.0")
        yield f"{name} datapackage.json", json.dumps(descriptor(about, sheets), sort_keys=True).encode()
        for language in LANGUAGES:
            for medium in MEDIA:
                text = page(report(table), language, medium)
                yield f"{name} report {language} {medium}", text.encode()
    one, other = (public_table(table) for table in (quarter("2026Q1"), quarter("2026Q1", 60)))
    found = changes(one, other)
    yield "changes.csv", changes_csv({"notices": found}).encode()
    yield "changes.json", json.dumps(changes_json(found)).encode()


def _tables() -> dict[str, Table]:
    whole = with_hash_hits(invent())
    small = invent("2026Q1", COMPANIES[-5:])
    bare = replace(invent("2025Q4"), flows=None, norms=None, quality=None)
    return {"whole": whole, "small": small, "bare": bare, "unranked": invent(ranked=False), "judged": judged()}


def _site() -> Iterator[tuple[str, bytes]]:
    with TemporaryDirectory() as name:
        url = f"sqlite:///{name}/rendered.db"
        engine = connect(url)
        Base.metadata.create_all(engine)
        engine.dispose()
        app = site(Path(name), url)
        client = app.test_client()
        waiting = [*_BEGIN, *(form.format(sort=sort) for form in _API for sort in _SORTS)]
        seen = set(waiting)
        while waiting:
            address = waiting.pop()
            content = _read(client, address)
            yield address, _CLOCK.sub(b"", content) if "feed" in address else content
            if content[:15].lower().startswith(b"<!doctype html"):
                links = {unescape(link) for link in _LINK.findall(content.decode())}
                found = [link for link in links if link not in seen and not _SKIPPED.search(link) and _wanted(link)]
                seen.update(found)
                waiting += sorted(found)
        app.extensions["monitor_engine"].dispose()


def _wanted(link: str) -> bool:
    """All pages, and of the queries each one alone: not each with each."""
    path, _, query = link.partition("?")
    return "&" not in query and not (query and path.endswith((".csv", ".json", ".svg"))) and not path.endswith(".svg")


def _read(client: FlaskClient, address: str) -> bytes:
    answer = client.get(address)
    content: bytes = answer.get_data()
    head = "" if answer.status_code == 200 else f"{answer.status_code} {answer.headers.get('Location', '')}\n"
    return head.encode() + content


def main() -> None:
    """Write the digests, and the documents where they are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    digests = {}
    for name, content in documents():
        digests[name] = hashlib.sha256(content).hexdigest()
        if asked.keep:
            asked.keep.mkdir(parents=True, exist_ok=True)
            (asked.keep / digests[name][:8]).write_bytes(content)
    asked.out.write_text(json.dumps(digests, indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
