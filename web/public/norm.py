"""The norm simulator: the ranking of a release as it would be under a norm of 1, 12, 24 or 48 hours."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, abort, make_response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from monitor import charts
from monitor.comparison.other_norm import HOURS, NormRow, OtherNorm, found, norm_csv, norm_json, under_norm
from monitor.disclosure.rows import PublicTable
from monitor.release.published import ReleaseVersion
from monitor.tables import sheets
from monitor.wording.language import EN, NL, Language
from web.public.comparison import correction_notice
from web.public.releases import (
    LATEST,
    csv_file,
    file_stem,
    find_or_404,
    json_file,
    release_index,
    release_json,
    table_of,
    to_latest,
)
from web.public.views import PER_PAGE, Query
from web.shared import languages
from web.shared.headers import released

bp = Blueprint("norm", __name__)
_USUAL = 24


@bp.get("/nl/norm/<period>", defaults={"lang": NL, "form": "html"})
@bp.get("/nl/norm/<period>.csv", defaults={"lang": NL, "form": "csv"})
@bp.get("/nl/norm/<period>.json", defaults={"lang": NL, "form": "json"})
@bp.get("/en/norm/<period>", defaults={"lang": EN, "form": "html"})
@bp.get("/en/norm/<period>.csv", defaults={"lang": EN, "form": "csv"})
@bp.get("/en/norm/<period>.json", defaults={"lang": EN, "form": "json"})
def norm(lang: Language, period: str, form: str) -> BaseResponse:
    """A release under another norm, as page, CSV or JSON; a norm that is not offered becomes the usual one."""
    query = Query.read(request.args)
    if period == LATEST:
        return to_latest("norm.norm", lang=lang, form=form)
    edition = find_or_404(period, query.version)
    table = table_of(edition)
    hours = asked_hours(request.args.get("hours"))
    other = under_norm(table, hours or _USUAL)
    if form == "html":
        return _page(table, edition, query, other, refused=hours is None)
    if other is None:
        abort(404)
    rows = found(other, query.text, query.standing)
    if form == "csv":
        return csv_file(norm_csv(rows), f"{file_stem(f'deadline-{other.hours:g}h', edition)}.csv")
    return json_file(release_json(edition) | sheets.table_head(table) | norm_json(other, rows))


def asked_hours(text: str | None) -> int | None:
    """The norm that the reader asked for, the usual one where none was asked for, None where it is not offered."""
    if text is None:
        return _USUAL
    return next((hours for hours in HOURS if text == str(hours)), None)


def _page(
    table: PublicTable,
    edition: ReleaseVersion,
    query: Query,
    other: OtherNorm | None,
    *,
    refused: bool,
) -> Response:
    rows = found(other, query.text, query.standing) if other else ()
    pages = max(1, -(-len(rows) // PER_PAGE))
    page = min(query.page, pages)
    return released(
        make_response(
            render_template(
                "norm.html",
                table=table,
                edition=edition,
                editions=release_index().newest,
                versions=release_index().versions(edition.period),
                query=query,
                corrected=correction_notice(edition),
                other=other,
                refused=refused,
                offered=HOURS,
                rows=_here(rows, page),
                found=len(rows),
                page=page,
                pages=pages,
                figure=charts.norms_figure(table.norms, languages.current()) if table.norms else None,
            )
        )
    )


def _here(rows: Sequence[NormRow], page: int) -> Sequence[NormRow]:
    return rows[(page - 1) * PER_PAGE : page * PER_PAGE]
