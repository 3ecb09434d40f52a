"""The read API at `/api/v1`: published figures, from the same rows as the pages. Every answer, errors too, is its own.
It reads no cookie and no token, so there is nothing for another site to forge.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
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
from web.public import answers as a
from web.public import parameters as p
from web.public.comparison import all_quarters
from web.public.openapi import document
from web.public.operations import OPERATIONS
from web.public.releases import LATEST, published, release_index, table_of
from web.shared.addresses import settings
from web.shared.headers import released
from web.shared.problems import Problem, from_exception, from_http

T = TypeVar("T")
Q = TypeVar("Q", bound=p.ApiQuery)
ROOT = "/api/"
_NOT_READ = "The figures themselves are safe. Please try again later."
_ALLOWED = "GET, HEAD, OPTIONS"
_JSON = "application/json"
_QUERIES = {f"api.{operation.name}": operation.query for operation in OPERATIONS}
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
    g.query = p.read_query(request.args, _QUERIES[str(request.endpoint)])
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
    return json_response(a.ReleaseList(releases=[_announcement(item) for item in release_index().announced]))


@bp.get("/releases/<period>")
def release(period: str) -> Response:
    """One release: what it is, its network and its totals."""
    edition = get_version_or_404(period, _query(p.VersionQuery).version)
    table = table_of(edition)
    data = sheets.ranking_json(table, ()) | {"companies": len(table.rows)}
    return json_response(a.Release(release=_announcement(edition), **data))


@bp.get("/rankings/<period>")
def ranking(period: str) -> Response:
    """A page of the companies of a release, filtered and in the order that was asked for."""
    query = _query(p.RankingQuery)
    edition = get_version_or_404(period, query.version)
    table = _of_kind(table_of(edition), query.table)
    rows = filter_rows(table.rows, query.q or "", query.standing or "")
    rows = sort_rows(rows, query.sort, query.order or SORTS[query.sort].sort or "asc")
    page, size = query.page, query.per_page
    pages = max(1, -(-len(rows) // size))
    get_or_404(page <= pages or None, f"There is no such page: the last is {pages}.")
    data = sheets.ranking_json(table, rows[(page - 1) * size : page * size])
    for part in ("flows", "norms", "quality", "groups", "earlier"):
        data.pop(part, None)  # as long as the whole ranking: they stand with the release
    answer = a.Ranking(release=_edition(edition), found=len(rows), page=page, pages=pages, per_page=size, **data)
    return json_response(answer, _neighbours(page, pages))


@bp.get("/companies/<key>")
def company(key: str) -> Response:
    """What each release says of one company; of each period the newest version."""
    tables = [(edition, table_of(edition)) for edition in release_index().with_company(key)]
    found = [(edition, table, row) for edition, table in tables if (row := table.find(key))]
    newest = get_or_404(found[0][2] if found else None, "No published release has a company with this key.")
    lines = [
        a.CompanyLine(release=_edition(edition), company=sheets.row_json(row), **sheets.table_head(table))
        for edition, table, row in found
    ]
    return json_response(
        a.CompanyHistory(company=newest.company, name=newest.name, country=newest.country, releases=lines)
    )


@bp.get("/companies/<key>/<period>")
def company_in_release(key: str, period: str) -> Response:
    """One company in one release, with its curve and that of the network."""
    edition = get_version_or_404(period, _query(p.VersionQuery).version)
    table = table_of(edition)
    row = get_or_404(published().row(edition, key), "This release has no company with this key.")
    return json_response(a.CompanyInRelease(release=_edition(edition), **sheets.company_json(table, row)))


@bp.get("/trend")
def trend() -> Response:
    """The network, or one company, quarter by quarter; a quarter without a release has no values."""
    tables, key = all_quarters(), _query(p.TrendQuery).company
    if key is None:
        return json_response(a.Trend(company=None, quarters=network_trend(tables)))
    known = any(table.find(key) for table in tables)
    get_or_404(known or None, "No release of a quarter has a company with this key.")
    return json_response(a.Trend(company=key, quarters=company_trend(tables, key)))


@bp.get("/compare")
def compare() -> Response:
    """What differs between two releases: of other periods, or two versions of one."""
    query = _query(p.CompareQuery)
    old = get_version_or_404(query.from_, query.from_version)
    new = get_version_or_404(query.to, query.to_version)
    found = changes(*(_of_kind(table_of(edition), query.table) for edition in (old, new)))
    return json_response(a.Comparison(from_=_announcement(old), to=_announcement(new), **changes_json(found)))


@bp.get("/methods")
def methods() -> Response:
    """Every version of the method."""
    return json_response(a.MethodList(methods=[a.MethodHead(**_method_head(record)) for record in METHODS.values()]))


@bp.get("/methods/<version>")
def method(version: str) -> Response:
    """Every parameter of one version of the method, and what each means in both languages."""
    record = get_or_404(METHODS.get(version), "There is no such version of the method. /api/v1/methods lists them.")
    explained = {str(language.code): described(record, language) for language in LANGUAGES}
    return json_response(a.MethodVersion(parameters=record.parameters(), explained=explained, **_method_head(record)))


def _method_head(record: Method) -> dict[str, Any]:
    return {
        "version": record.version,
        "parameter_hash": record.parameter_hash(),
        "current": record.version == CURRENT,
    }


def _neighbours(page: int, pages: int) -> dict[str, int]:
    """The pages that a page links to, by the names of RFC 8288."""
    near = {"first": 1, "prev": page - 1, "next": page + 1, "last": pages}
    return {relation: number for relation, number in near.items() if 1 <= number <= pages}


def _of_kind(table: PublicTable, kind: str) -> PublicTable:
    """The table of the notices, or that of the hash hits where it is asked for."""
    return get_or_404(table.hash_hits, "This release has no hash hits.") if kind == "hash_hits" else table


@bp.get("/openapi.json")
def openapi() -> Response:
    """The document that describes all of this."""
    return json_response(document(settings()))


def _edition(edition: ReleaseVersion) -> a.Edition:
    return a.Edition(**edition.as_json())


def _announcement(edition: ReleaseVersion) -> a.Announcement:
    """Which release was published, what it corrects and why, and why there was no hearing."""
    return a.Announcement(
        corrects=edition.corrects, reason=edition.reason, hearing_waived=edition.hearing_waived, **edition.as_json()
    )


def json_response(data: a.Answer | Mapping[str, Any], pages: Mapping[str, int] | None = None) -> Response:
    """An answer with its ETag, a link to where it is described, and links to other `pages` by their relation.

    The text is that of `json`, which refuses NaN; `msgspec` would write null in its place.
    """
    text = json.dumps(msgspec.to_builtins(data), ensure_ascii=False, allow_nan=False)
    response = Response(text + "\n", mimetype="application/json")
    for relation, number in (pages or {}).items():
        response.headers.add("Link", f'<{current_url(page=number)}>; rel="{relation}"')
    response.headers.add("Link", f'<{url_for("api.openapi")}>; rel="describedby"; type="application/json"')
    return released(response)


def current_url(**changes: str | int) -> str:
    """The path and query of this request with changes."""
    assert request.endpoint is not None
    return url_for(request.endpoint, **{**request.args.to_dict(), **(request.view_args or {}), **changes})


def _query(model: type[Q]) -> Q:
    """The query of this request, as it was read."""
    query = g.query
    assert isinstance(query, model)
    return query


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
