"""Digests of all that is published, of invented releases: `python -m tools.rendered DIGESTS.json [--keep FOLDER]`.

Run before and after a change that is to move no byte, and compare the two files with `diff`. Rendered are every page,
picture, CSV and JSON that links of the site lead to, the files that the site reads, the report as HTML, and the texts
of the data package. `--keep` leaves what was rendered in a folder, so that a difference can be read.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args
from urllib.parse import urljoin, urlsplit

from flask import Flask

from monitor.disclosure.rows import public_table
from monitor.score.methods import METHODS
from monitor.tables.data_package import About, descriptor, readme_files
from monitor.tables.open_data import sheets_of
from monitor.wording.language import LANGUAGES
from monitor.wording.parameters import method_files, method_text
from reports.document import Medium, Report, page
from tests.reports.fiction import quarter, report
from tests.reports.fiction import table as large_table
from tests.support.publications import PUBLISHED_AT, Version, public_site
from tests.support.published import COMPANIES, filler, invent, with_hash_hits

_STARTS = (
    *("/", "/nl/", "/en/", "/nl/nergens", "/en/nowhere", "/catalog.ttl", "/robots.txt", "/sitemap.xml"),
    *(f"/badge/2026Q2/{key}.svg?lang={code}" for key in ("as64496", "as64502", "as64507") for code in ("nl", "en")),
    *(f"/cite/2026Q2.{form}?lang={code}" for form in ("bib", "ris", "json", "txt") for code in ("nl", "en")),
    *("/api/v1/openapi.json", "/api/v1/rankings/2026Q2", "/api/v1/companies/as64502/2026Q2", "/api/v1/methods/2026.1"),
)
_LINK = re.compile(r"(?:href|src)=\"([^\"#]+)")
_MOST = {"full": 2500, "unranked": 300, "large": 200, "empty": 100}  # addresses of each site, those nearest first


def main() -> None:
    """Write the digests, by name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("digests", type=Path)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    digests = {}
    for name, content in rendered():
        digests[name] = hashlib.sha256(content).hexdigest()
        if asked.keep:
            asked.keep.mkdir(parents=True, exist_ok=True)
            (asked.keep / re.sub(r"[^\w.=-]+", "_", name)[:200]).write_bytes(content)
    asked.digests.write_text(json.dumps(digests, indent=1, sort_keys=True) + "\n")


def rendered() -> Iterator[tuple[str, bytes]]:
    """All of it by name."""
    with TemporaryDirectory() as folder:
        for name, site in sites(Path(folder)).items():
            yield from ((f"{name} {address}", content) for address, content in crawled(site, _MOST[name]).items())
        for path in sorted(Path(folder).rglob("site/*/*")):
            yield f"file {path.relative_to(folder)}", path.read_bytes()
    for name, made in reports().items():
        for language in LANGUAGES:
            for medium in get_args(Medium):
                yield f"report {name} {language} {medium}", page(made, language, medium).encode()
    yield from package_texts()


def sites(folder: Path) -> Mapping[str, Flask]:
    """A site with everything to say, one whose releases judge nobody, one with many companies, and an empty one."""
    history = (
        Version(quarter("2025Q2")),
        Version(replace(invent("2025Q4"), flows=None, norms=None, quality=None)),
        Version(quarter("2026Q1", 10)),
        Version(invent("2026Q2", COMPANIES[:-1])),
        Version(with_hash_hits(invent("2026Q2")), version=2, reason="a notice was withdrawn"),
    )
    given = {"site_address": "https://monitor.example", "contact": "objections@example.org"}
    unranked = Version(invent("2026-03-11..2026-04-11", ranked=False), at=PUBLISHED_AT)
    return {
        "full": public_site(folder / "full", *history, demonstration=True, **given),
        "unranked": public_site(folder / "unranked", unranked, site_name="Example Authority"),
        "large": public_site(folder / "large", Version(invent("2026Q2", COMPANIES + filler(60)))),
        "empty": public_site(folder / "empty"),
    }


def crawled(site: Flask, most: int) -> Mapping[str, bytes]:
    """What each address answers that links lead to, from both first pages and the list of all pages."""
    client, found = site.test_client(), dict[str, bytes]()
    waiting = deque(_STARTS)
    while waiting and len(found) < most:
        address = waiting.popleft()
        if address in found or _left_out(address):
            continue
        answer = client.get(address, base_url="https://monitor.example")
        found[address] = f"{answer.status_code} {answer.headers.get('Location', '')}\n".encode() + answer.data
        if target := answer.headers.get("Location"):
            waiting.append(_local(address, target))
        if answer.mimetype in ("text/html", "application/xml", "application/atom+xml"):
            waiting += [_local(address, unescape(link)) for link in _links(answer.text)]
    return found


def _links(text: str) -> list[str]:
    links = _LINK.findall(text) + re.findall(r"<loc>([^<]+)", text)
    return [link for link in links if not urlsplit(link).netloc or urlsplit(link).netloc == "monitor.example"]


def _local(address: str, link: str) -> str:
    parts = urlsplit(urljoin(f"https://monitor.example{address}", link))
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _left_out(address: str) -> bool:
    """What is no text of ours, keys that are new each time, and ways to order a table in both directions or several."""
    ordered = re.findall(r"[?&](?:sort|q|page)=", address)
    return address.startswith(("/static/", "/data/keys/")) or "order=" in address or len(ordered) > 1


def reports() -> Mapping[str, Report]:
    """Reports of a quarter after others, of the first, of one that judges nobody, and of many companies."""
    first = report(invent(ranked=False), first=True)
    bare = replace(public_table(invent()), flows=None, norms=None, quality=None)
    return {
        "full": report(),
        "first": replace(first, demonstration=False, hearing_waived=None),
        "bare": replace(report(), table=bare, corrections=()),
        "large": report(large_table()),
        "days": replace(first, period="2026-03-11..2026-04-11"),
    }


def package_texts() -> Iterator[tuple[str, bytes]]:
    """The texts of the data package, for a demonstration and not, and the description of every method."""
    sheets = tuple(sheets_of(public_table(quarter("2026Q2"))))
    for sheet in sheets:
        yield f"package {sheet.name}", sheet.content
    for demonstration in (True, False):
        about = About("2026Q2", 1, PUBLISHED_AT, "2026.1", "Example", "CC0-1.0", demonstration=demonstration)
        named = {"datapackage.json": json.dumps(descriptor(about, sheets)).encode()} | readme_files(about, "0" * 64)
        yield from ((f"package {demonstration} {name}", content) for name, content in named.items())
    for method in METHODS.values():
        yield from ((f"method {method.version} {name}", content) for name, content in method_files(method).items())
        for language in LANGUAGES:
            text = method_text(method, language, Path("none"))
            yield f"method {method.version} {language} described", text.encode()


if __name__ == "__main__":
    main()
