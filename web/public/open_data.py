"""The open data of releases: their pages, their files, and the keys they are signed with."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NoReturn

from flask import Blueprint, Response, abort, make_response, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as BaseResponse

from monitor.errors import MonitorError
from monitor.instants import parse_period
from monitor.release.intact import SHARED, Inspector, NotIntactError, Signed
from monitor.release.publications import Publication, PublishedFile
from monitor.release.published import ReleaseVersion
from monitor.tables import data_package
from monitor.tables.data_package import LICENCES
from monitor.wording.language import EN, NBSP, NL, Language
from web.public.releases import find_or_404, release_index
from web.public.views import Query
from web.shared import languages
from web.shared.addresses import absolute, settings

bp = Blueprint("open_data", __name__)
_LOG = logging.getLogger("monitor.site")
_said: dict[tuple[str, int, str], str] = {}  # what is wrong with which file, so that it is logged once


@dataclass(frozen=True, slots=True)
class Entry:
    """A published edition, what it corrected (None: nothing), and the files that were made of it (None: not yet)."""

    edition: ReleaseVersion
    reason: str | None
    publication: Publication | None

    @property
    def name(self) -> str:
        """What it is called in the catalogue: `2026Q2-v1`."""
        return f"{self.edition.period}-v{self.edition.version}"

    @property
    def page(self) -> str:
        """The path of its page."""
        return f"/nl/open-data/{self.edition.period}?version={self.edition.version}"


def publication(period: str, version: int) -> Publication | None:
    """What was made of a release; None where nothing was, or where it is not what was signed."""
    try:
        found = inspector().find(period, version)
    except NotIntactError as error:
        _say(period, version, "", str(error))
        return None
    _said.pop((period, version, ""), None)
    return found.publication if found else None


def signed_file(period: str, version: int, name: str) -> tuple[Signed, PublishedFile]:
    """A file that is what was signed. Ends the request with 404 where there is none of that name, else 503."""
    looked, about = inspector(), ""
    try:
        signed = looked.find(period, version)
        file = signed.publication.find(name) if signed else None
        if signed is None or file is None:
            abort(404)
        about = file.name
        looked.require(signed, file)
    except NotIntactError as error:
        _refuse(period, version, about, str(error))
    _said.pop((period, version, about), None)
    return signed, file


def inspector() -> Inspector:
    """Holds packages against what was signed with the keys that the index names."""
    return Inspector(settings().publications, lambda: release_index().keys, SHARED)


def _refuse(period: str, version: int, about: str, problem: str) -> NoReturn:
    _say(period, version, about, problem)
    abort(503)


def _say(period: str, version: int, about: str, problem: str) -> None:
    if _said.get((period, version, about)) != problem:
        _said[period, version, about] = problem
        _LOG.error("publication of %s version %d: %s; it is not served", period, version, problem)


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


@bp.get("/nl/open-data", defaults={"lang": NL})
@bp.get("/en/open-data", defaults={"lang": EN})
def open_data(lang: Language) -> Response:  # noqa: ARG001 -- the page asks the request for it
    """All releases with what was made of them, how to check it, and the keys."""
    page = render_template(
        "open_data.html",
        entries=entries(),
        keys=release_index().keys,
        licence=LICENCES[settings().licence],
        readme=data_package,
    )
    return _asked_again(make_response(page))


@bp.get("/nl/open-data/<period>", defaults={"lang": NL})
@bp.get("/en/open-data/<period>", defaults={"lang": EN})
def data_of_release(lang: Language, period: str) -> Response:  # noqa: ARG001
    """Every file of one release, with its size and checksum."""
    known = release_index()
    edition = find_or_404(period, Query.read(request.args).version)
    page = render_template(
        "open_data_release.html",
        edition=edition,
        editions=known.newest,
        versions=known.versions(period),
        made=publication(period, edition.version),
        licences=LICENCES,
        whole=absolute(url_for("open_data.data_of_release", lang=EN, period=period, version=edition.version)),
    )
    return named_host(make_response(page))


def file_address(made: Publication, file: PublishedFile) -> str:
    """The address of a file that never changes: it names the file's checksum."""
    return url_for(
        "open_data.data_file", period=made.period, version=made.version, name=file.name, sha256=file.sha256[:16]
    )


def file_size(size: int) -> str:
    """`14 B`, `3.2 kB`, `1.5 MB` in the reader's language."""
    if size < 1000:
        return f"{size}{NBSP}B"
    amount, unit = (size / 1e3, "kB") if size < 999_950 else (size / 1e6, "MB")
    return f"{languages.current().decimal(amount)}{NBSP}{unit}"


@bp.get("/data/<period>/v<int:version>/<name>")
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


@bp.get("/data/keys/<fingerprint>.pem")
def public_key(fingerprint: str) -> Response:
    """The public part of a key that signed a release, now or before."""
    pem = release_index().keys.get(fingerprint) or abort(404)
    response = Response(pem, mimetype=TYPES[".pem"])
    response.headers.set("Content-Disposition", "attachment", filename=f"{fingerprint}.pem")
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = _FOR_EVER
    return response


def entries() -> tuple[Entry, ...]:
    """All versions, latest period first, newest version first, with what was made of each."""
    return tuple(Entry(e, e.reason, publication(e.period, e.version)) for e in release_index().editions)


def named_host(response: Response) -> Response:
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
