"""The views of the public API: published figures, from the same rows as the pages."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

from flask import Response

from monitor.comparison.changes import changes, changes_json
from monitor.comparison.trend import company_trend, network_trend
from monitor.disclosure.rows import PublicTable, filter_rows, sort_rows
from monitor.figures import SORTS
from monitor.score.methods import CURRENT, METHODS, Method
from monitor.tables import sheets
from monitor.wording.parameters import described
from monitor.wording.readings import Order
from monitor.wording.words import LANGUAGES
from web.api.answers import announced_json, get_or_404, get_version_or_404, json_response, number, query_param
from web.api.parameters import PER_PAGE
from web.comparison import all_quarters
from web.pages import release_tables, session
from web.releases import ReleaseVersion, announcements, periods_with, release_index


def releases() -> Response:
    """All versions of all periods, the last made public first."""
    return json_response({"releases": [announced_json(item) for item in announcements(session())]})


def release(period: str) -> Response:
    """One release: what it is, its network and its totals."""
    edition, table = _asked(period)
    item = next(item for item in announcements(session()) if item.edition == edition)
    data = sheets.ranking_json(table, ())
    return json_response({"release": announced_json(item)} | data | {"companies": len(table.rows)})


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
    for part in ("flows", "norms", "quality"):  # as long as the whole ranking: they stand with the release
        data.pop(part, None)
    return json_response({"release": edition.as_json()} | counts | data, _neighbours(page, pages))


def company(key: str) -> Response:
    """What each release says of one company; of each period the newest version."""
    known = [] if "\0" in key else periods_with(session(), release_index(session()).newest, key)
    tables = [(edition, release_tables().table(session(), edition)) for edition in known]
    found = [(edition, table, row) for edition, table in tables if (row := table.find(key))]
    newest = get_or_404(found[0][2] if found else None, "No published release has a company with this key.")
    lines = [
        {"release": edition.as_json()} | sheets.table_head(table) | {"company": sheets.row_json(row)}
        for edition, table, row in found
    ]
    return json_response({"company": newest.company, "name": newest.name, "country": newest.country, "releases": lines})


def company_in(key: str, period: str) -> Response:
    """One company in one release, with its curve and that of the network."""
    edition, table = _asked(period)
    row = get_or_404(release_tables().row(session(), edition, key), "This release has no company with this key.")
    return json_response({"release": edition.as_json()} | sheets.company_json(table, row))


def trend() -> Response:
    """The network, or one company, quarter by quarter; a quarter without a release has no values."""
    tables = all_quarters(session(), release_tables(), release_index(session()))
    key = query_param("company")
    if key is None:
        return json_response({"company": None, "quarters": [asdict(point) for point in network_trend(tables)]})
    known = any(table.find(str(key)) for table in tables)
    get_or_404(known or None, "No release of a quarter has a company with this key.")
    return json_response({"company": key, "quarters": [asdict(point) for point in company_trend(tables, str(key))]})


def compare() -> Response:
    """What differs between two releases: of other periods, or two versions of one."""
    known, both = release_index(session()), announcements(session())
    sides = [get_version_or_404(known, str(query_param(name)), number(f"{name}_version")) for name in ("from", "to")]
    old, new = (_of_kind(release_tables().table(session(), edition)) for edition in sides)
    head = zip(("from", "to"), sides, strict=True)
    heads = {name: announced_json(next(a for a in both if a.edition == edition)) for name, edition in head}
    return json_response(heads | changes_json(changes(old, new)))


def methods() -> Response:
    """Every version of the method."""
    return json_response({"methods": [_method_json(record) for record in METHODS.values()]})


def method(version: str) -> Response:
    """Every parameter of one version of the method, and what each means in both languages."""
    record = get_or_404(METHODS.get(version), "There is no such version of the method. /api/v1/methods lists them.")
    explained = {language: [asdict(item) for item in described(record, language)] for language in LANGUAGES}
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
    edition = get_version_or_404(release_index(session()), period, number("version"))
    return edition, release_tables().table(session(), edition)
