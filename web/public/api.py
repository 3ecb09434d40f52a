"""The read API at `/api/v1`: published figures, from the same rows as the pages. Every answer, errors too, is its own.
It reads no cookie and no token, so there is nothing for another site to forge.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TypeVar, cast

from flask import Blueprint, Response, g, redirect, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from monitor.comparison.changes import changes, changes_json
from monitor.comparison.trend import company_trend, network_trend
from monitor.disclosure.rows import PublicTable, filter_rows, sort_rows
from monitor.errors import MonitorError
from monitor.figures import SORTS
from monitor.release.published import ReleaseVersion
from monitor.score.methods import CURRENT, METHODS, Method
from monitor.tables import sheets
from monitor.wording.language import LANGUAGES
from monitor.wording.parameters import described
from monitor.wording.readings import Order
from web.public.comparison import all_quarters
from web.public.openapi import document
from web.public.operations import OPERATIONS
from web.public.parameters import PER_PAGE, Value, read_query
from web.public.releases import LATEST, published, release_index, table_of
from web.shared.addresses import settings
from web.shared.headers import released
from web.shared.problems import Problem, from_exception, from_http

T = TypeVar("T")
ROOT = "/api/"
_NOT_READ = "The figures themselves are safe. Please try again later."
_ALLOWED = "GET, HEAD, OPTIONS"
_JSON = "application/json"
_PARAMETERS = {f"api.{operation.name}": operation.parameters for operation in OPERATIONS}
bp = Blueprint("api", __name__, url_prefix=f"{ROOT}v1")
bp.register_error_handler(Problem, Problem.response)
bp.register_error_handler(HTTPException, from_http)
bp.register_error_handler(Exception, lambda error: from_exception(error, _NOT_READ, (MonitorError,)))


@bp.before_request
def read_request() -> BaseResponse | None:
    """Refuse what no operation takes, answer what a browser asks beforehand, and lead on from `latest`."""
    if request.method == "OPTIONS":
        return _preflight()
    if request.headers.get("Accept") and not request.accept_mimetypes[_JSON]:
        raise Problem(406, "not-acceptable", "Not acceptable", f"This address answers in {_JSON} only.")
    g.asked = read_query(request.args, _PARAMETERS[str(request.endpoint)])
    if (request.view_args or {}).get("period") == LATEST and (known := release_index().editions):
        return redirect(current_url(period=known[0].period))
    return None


def _preflight() -> Response:
    """What a browser asks before a page of another site may read this."""
    response = Response(status=204, headers={"Allow": _ALLOWED, "Cache-Control": "public, max-age=86400"})
    response.headers["Access-Control-Allow-Methods"] = _ALLOWED
    response.headers["Access-Control-Allow-Headers"] = "Accept, If-None-Match"
    response.headers["Access-Control-Max-Age"] = "86400"
    del response.headers["Content-Type"]
    return response


@bp.after_request
def open_to_all(response: Response) -> Response:
    """Any web page may read this, without credentials (https://fetch.spec.whatwg.org/#http-cors-protocol)."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = "ETag, Link"
    response.vary.add("Accept")
    response.headers.setdefault("Cache-Control", "no-store")
    return response


@bp.get("/releases")
def releases() -> Response:
    """All versions of all periods, the last made public first."""
    return json_response({"releases": [announced_json(item) for item in release_index().announced]})


@bp.get("/releases/<period>")
def release(period: str) -> Response:
    """One release: what it is, its network and its totals."""
    edition, table = _asked(period)
    data = sheets.ranking_json(table, ())
    return json_response({"release": announced_json(edition)} | data | {"companies": len(table.rows)})


@bp.get("/rankings/<period>")
def ranking(period: str) -> Response:
    """A page of the companies of a release, filtered and in the order that was asked for."""
    edition, table = _asked(period)
    table = _of_kind(table)
    rows = filter_rows(table.rows, str(query_param("q") or ""), str(query_param("standing") or ""))
    sort = str(query_param("sort") or "rank")
    rows = sort_rows(rows, sort, cast(Order, query_param("order") or SORTS[sort].sort))
    page, size = number("page") or 1, number("per_page") or PER_PAGE.schema["default"]
    pages = max(1, -(-len(rows) // size))
    get_or_404(page <= pages or None, f"There is no such page: the last is {pages}.")
    counts = {"found": len(rows), "page": page, "pages": pages, "per_page": size}
    data = sheets.ranking_json(table, rows[(page - 1) * size : page * size])
    for part in (
        "flows",
        "norms",
        "quality",
        "groups",
        "earlier",
    ):  # as long as the whole ranking: they stand with the release
        data.pop(part, None)
    return json_response({"release": edition.as_json()} | counts | data, _neighbours(page, pages))


@bp.get("/companies/<key>")
def company(key: str) -> Response:
    """What each release says of one company; of each period the newest version."""
    tables = [(edition, table_of(edition)) for edition in release_index().with_company(key)]
    found = [(edition, table, row) for edition, table in tables if (row := table.find(key))]
    newest = get_or_404(found[0][2] if found else None, "No published release has a company with this key.")
    lines = [
        {"release": edition.as_json()} | sheets.table_head(table) | {"company": sheets.row_json(row)}
        for edition, table, row in found
    ]
    return json_response({"company": newest.company, "name": newest.name, "country": newest.country, "releases": lines})


@bp.get("/companies/<key>/<period>")
def company_in_release(key: str, period: str) -> Response:
    """One company in one release, with its curve and that of the network."""
    edition, table = _asked(period)
    row = get_or_404(published().row(edition, key), "This release has no company with this key.")
    return json_response({"release": edition.as_json()} | sheets.company_json(table, row))


@bp.get("/trend")
def trend() -> Response:
    """The network, or one company, quarter by quarter; a quarter without a release has no values."""
    tables = all_quarters()
    key = query_param("company")
    if key is None:
        return json_response({"company": None, "quarters": [asdict(point) for point in network_trend(tables)]})
    known = any(table.find(str(key)) for table in tables)
    get_or_404(known or None, "No release of a quarter has a company with this key.")
    return json_response({"company": key, "quarters": [asdict(point) for point in company_trend(tables, str(key))]})


@bp.get("/compare")
def compare() -> Response:
    """What differs between two releases: of other periods, or two versions of one."""
    sides = [get_version_or_404(str(query_param(name)), number(f"{name}_version")) for name in ("from", "to")]
    old, new = (_of_kind(table_of(edition)) for edition in sides)
    heads = {name: announced_json(edition) for name, edition in zip(("from", "to"), sides, strict=True)}
    return json_response(heads | changes_json(changes(old, new)))


@bp.get("/methods")
def methods() -> Response:
    """Every version of the method."""
    return json_response({"methods": [_method_json(record) for record in METHODS.values()]})


@bp.get("/methods/<version>")
def method(version: str) -> Response:
    """Every parameter of one version of the method, and what each means in both languages."""
    record = get_or_404(METHODS.get(version), "There is no such version of the method. /api/v1/methods lists them.")
    explained = {language.code: [asdict(item) for item in described(record, language)] for language in LANGUAGES}
    return json_response(_method_json(record) | {"parameters": record.parameters(), "explained": explained})


def _method_json(record: Method) -> dict[str, Any]:
    return {
        "version": record.version,
        "parameter_hash": record.parameter_hash(),
        "current": record.version == CURRENT,
    }


def _neighbours(page: int, pages: int) -> dict[str, int]:
    """The pages that a page links to, by the names of RFC 8288."""
    near = {"first": 1, "prev": page - 1, "next": page + 1, "last": pages}
    return {relation: number for relation, number in near.items() if 1 <= number <= pages}


def _of_kind(table: PublicTable) -> PublicTable:
    """The table of the notices, or that of the hash hits where it is asked for."""
    if query_param("table") != "hash_hits":
        return table
    return get_or_404(table.hash_hits, "This release has no hash hits.")


def _asked(period: str) -> tuple[ReleaseVersion, PublicTable]:
    edition = get_version_or_404(period, number("version"))
    return edition, table_of(edition)


@bp.get("/openapi.json")
def openapi() -> Response:
    """The document that describes all of this."""
    return json_response(document(settings()))


def announced_json(edition: ReleaseVersion) -> dict[str, Any]:
    """Which release was published, what it corrects and why, and why there was no hearing."""
    more = {"corrects": edition.corrects, "reason": edition.reason, "hearing_waived": edition.hearing_waived}
    return edition.as_json() | more


def json_response(data: Mapping[str, Any], pages: Mapping[str, int] | None = None) -> Response:
    """An answer with its ETag, a link to where it is described, and links to other `pages` by their relation."""
    response = Response(json.dumps(data, ensure_ascii=False, allow_nan=False) + "\n", mimetype="application/json")
    for relation, number in (pages or {}).items():
        response.headers.add("Link", f'<{current_url(page=number)}>; rel="{relation}"')
    response.headers.add("Link", f'<{url_for("api.openapi")}>; rel="describedby"; type="application/json"')
    return released(response)


def current_url(**changes: Value) -> str:
    """The path and query of this request with changes."""
    assert request.endpoint is not None
    return url_for(request.endpoint, **{**g.asked, **(request.view_args or {}), **changes})


def query_param(name: str) -> Value | None:
    """A query parameter as it was read, None where it was not given."""
    asked: dict[str, Value] = g.asked
    return asked.get(name)


def number(name: str) -> int | None:
    """A query parameter that is a whole number."""
    value = query_param(name)
    assert not isinstance(value, str)
    return value


def get_or_404(found: T | None, detail: str) -> T:
    """What was found; raises Problem 404 that says what is not there."""
    if found is None:
        raise Problem(404, "not-found", "Not found", detail)
    return found


def get_version_or_404(period: str, version: int | None) -> ReleaseVersion:
    """That version of a period, or its newest; raises Problem 404."""
    return get_or_404(
        release_index().find(period, version), "There is no such release. /api/v1/releases lists all of them."
    )
