"""The open data of releases: their pages, their files, the keys they are signed with, and the catalogue."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NoReturn

from flask import Flask, Response, abort, make_response, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as BaseResponse

from monitor.errors import MonitorError
from monitor.period import parse_period
from monitor.release.attest import trusted_keys
from monitor.release.intact import SHARED, Inspector, NotIntactError, Signed
from monitor.release.publications import Publication, PublishedFile
from monitor.tables import data_package
from monitor.tables.data_package import LICENCES
from monitor.wording.formatting import NARROW, decimal
from monitor.wording.words import LANGUAGES, Language
from web import languages
from web.addresses import absolute, settings
from web.catalogue import Entry, catalogue
from web.pages import session
from web.releases import Announcement, announcements, release_index
from web.views import Query

_LOG = logging.getLogger("monitor.site")
_said: dict[tuple[str, int, str], str] = {}  # what is wrong with which file, so that it is logged once


def publication(period: str, version: int) -> Publication | None:
    """What was made of a release; None where nothing was, or where it is not what was signed."""
    try:
        found = _inspector().find(period, version)
    except NotIntactError as error:
        _say(period, version, "", str(error))
        return None
    _said.pop((period, version, ""), None)
    return found.publication if found else None


def signed_file(period: str, version: int, name: str) -> tuple[Signed, PublishedFile]:
    """A file that is what was signed. Ends the request with 404 where there is none of that name, else 503."""
    inspector, about = _inspector(), ""
    try:
        signed = inspector.find(period, version)
        file = signed.publication.find(name) if signed else None
        if signed is None or file is None:
            abort(404)
        about = file.name
        inspector.require(signed, file)
    except NotIntactError as error:
        _refuse(period, version, about, str(error))
    _said.pop((period, version, about), None)
    return signed, file


def _inspector() -> Inspector:
    here = settings()
    return Inspector(here.publications, lambda: trusted_keys(session(), here.public_keys), SHARED)


def _refuse(period: str, version: int, about: str, problem: str) -> NoReturn:
    _say(period, version, about, problem)
    abort(503)


def _say(period: str, version: int, about: str, problem: str) -> None:
    if _said.get((period, version, about)) != problem:
        _said[period, version, about] = problem
        _LOG.error("publication of %s version %d: %s; it is not served", period, version, problem)


FORMS: Mapping[str, tuple[str, str]] = {
    "ttl": ("turtle", "text/turtle; charset=utf-8"),
    "jsonld": ("json-ld", "application/ld+json"),
    "rdf": ("pretty-xml", "application/rdf+xml"),
}
TYPES: Mapping[str, str] = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".md": "text/markdown",
    ".html": "text/html",
    ".pdf": "application/pdf",
    ".zip": "application/zip",
    ".pem": "application/x-pem-file",
    ".base64": "text/plain",
    "": "text/plain",
}
_READ_HERE = (".html", ".pdf")  # what a browser shows; the rest is saved
_FOR_EVER, _FOR_NOW = "max-age=31536000, immutable", "max-age=300, must-revalidate"
_STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)


def add_open_data(app: Flask) -> None:
    """Register the routes; the files are read from the folder of publications."""
    for language in LANGUAGES:
        path, defaults = f"/{language}/{languages.PATHS[language]['data']}", {"lang": language}
        app.add_url_rule(path, "open_data", open_data, defaults=defaults)
        app.add_url_rule(f"{path}/<period>", "data_of_release", data_of_release, defaults=defaults)
    app.add_url_rule("/data/<period>/v<int:version>/<name>", "data_file", data_file)
    app.add_url_rule("/data/keys/<fingerprint>.pem", "public_key", public_key)
    for form in FORMS:
        app.add_url_rule(f"/catalog.{form}", "catalog", data_catalogue, defaults={"form": form})
    app.add_url_rule("/catalog", "catalog_any", any_catalogue)
    app.jinja_env.globals.update(file_address=file_address, file_size=file_size)


def open_data(lang: Language) -> Response:  # noqa: ARG001 -- the page asks the request for it
    """All releases with what was made of them, how to check it, and the keys."""
    here = settings()
    page = render_template(
        "open_data.html",
        entries=_entries(),
        keys=trusted_keys(session(), here.public_keys),
        licence=LICENCES[here.licence],
        readme=data_package,
    )
    return _asked_again(make_response(page))


def data_of_release(lang: Language, period: str) -> Response:  # noqa: ARG001
    """Every file of one release, with its size and checksum."""
    known, version = release_index(session()), Query.read(request.args).version
    edition = known.find(period, version) or abort(404)
    page = render_template(
        "open_data_release.html",
        edition=edition,
        editions=known.newest,
        versions=known.versions(period),
        made=publication(period, edition.version),
        licences=LICENCES,
        whole=absolute(url_for("data_of_release", lang="en", period=period, version=edition.version)),
    )
    return _named_host(make_response(page))


def file_address(made: Publication, file: PublishedFile) -> str:
    """The address of a file that never changes: it names the file's checksum."""
    return url_for("data_file", period=made.period, version=made.version, name=file.name, sha256=file.sha256[:16])


def file_size(size: int) -> str:
    """`14 B`, `3.2 kB`, `1.5 MB` in the reader's language."""
    if size < 1000:
        return f"{size}{NARROW}B"
    amount, unit = (size / 1e3, "kB") if size < 999_950 else (size / 1e6, "MB")
    return f"{decimal(amount, languages.current())}{NARROW}{unit}"


def data_file(period: str, version: int, name: str) -> BaseResponse:
    """One file of a publication; nothing that its list does not name."""
    try:
        parse_period(period)
    except MonitorError:
        abort(404)  # the reader's mistake: there is no such address
    signed, file = signed_file(period, version, name)
    path = signed.publication.folder / file.name
    response = _sent(path, file)
    asked = request.args.get("sha256")
    response.headers["Cache-Control"] = _FOR_EVER if asked == file.sha256[:16] else _FOR_NOW
    response.headers["Access-Control-Allow-Origin"] = "*"
    if Path(name).suffix == ".html":
        response.headers["Content-Security-Policy"] = report_policy(path)
    return response


def _sent(path: Path, file: PublishedFile) -> Response:
    """The file, its part that was asked for, or its head alone; the file is opened only where it is read."""
    kind, saved = TYPES.get(path.suffix, "application/octet-stream"), path.suffix not in _READ_HERE
    if request.method == "HEAD" or request.if_none_match.contains_weak(file.sha256):
        head = Response(mimetype=kind)
        head.set_etag(file.sha256)
        head.content_length = file.size
        head.headers.set("Content-Disposition", "attachment" if saved else "inline", filename=file.name)
        return head
    try:
        return send_file(
            path.absolute(), mimetype=kind, as_attachment=saved, download_name=file.name, etag=file.sha256
        )  # fmt: skip
    except FileNotFoundError:  # replaced twice while this was asked
        abort(404)


@lru_cache(maxsize=64)  # a folder of publications is never written to again
def report_policy(path: Path) -> str:
    """The policy of a report that has its style and fonts in it: exactly those, and no script."""
    styles = _STYLE.findall(path.read_text("utf-8"))
    hashes = [base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() for style in styles]
    allowed = " ".join(f"'sha256-{value}'" for value in hashes) or "'none'"
    return (
        f"default-src 'none'; style-src {allowed}; img-src data:; font-src data:; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )


def public_key(fingerprint: str) -> Response:
    """The public part of a key that signed a release, now or before."""
    pem = trusted_keys(session(), settings().public_keys).get(fingerprint) or abort(404)
    response = Response(pem, mimetype=TYPES[".pem"])
    response.headers.set("Content-Disposition", "attachment", filename=f"{fingerprint}.pem")
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = _FOR_EVER
    return response


def any_catalogue() -> Response:
    """The catalogue in the form that the reader takes; Turtle where any will do."""
    types = {kind.partition(";")[0]: form for form, (_, kind) in FORMS.items()}
    wanted = request.accept_mimetypes.best_match(types, default="text/turtle")
    response = data_catalogue(types[wanted or "text/turtle"])
    response.vary.add("Accept")
    return response


def data_catalogue(form: str) -> Response:
    """The catalogue for data portals."""
    name, kind = FORMS[form]
    here = settings()
    drawn = catalogue(_entries(), here, absolute(""))
    response = Response(drawn.serialize(format=name, encoding="utf-8"), content_type=kind)
    response.headers["Access-Control-Allow-Origin"] = "*"
    return _named_host(response)


def _entries() -> tuple[Entry, ...]:
    """All editions: latest period first, newest version first."""
    told = {said.edition.id: said for said in announcements(session())}
    return tuple(_entry(told[edition.id]) for edition in release_index(session()).editions if edition.id in told)


def _entry(said: Announcement) -> Entry:
    return Entry(said.edition, said.reason, publication(said.edition.period, said.edition.version))


def _named_host(response: Response) -> Response:
    """The answer holds the address of the site: where that is not set but asked of each request, nobody may keep it."""
    response = _asked_again(response)
    if not settings().site_address:
        response.headers["Cache-Control"] = "private, no-cache"
    return response


def _asked_again(response: Response) -> Response:
    """Not for the cache of releases: files may be made after the release was published."""
    response.headers["Cache-Control"] = _FOR_NOW
    response.add_etag(weak=True)
    return response
