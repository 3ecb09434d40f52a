"""The ranking of a period and the follow-up of its hash hits, as page, CSV and JSON."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from monitor.comparison.summary import summary
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
    table_before,
    table_of,
    to_latest,
)
from web.public.views import Query, RankingPage, ranking_page
from web.shared import languages
from web.shared.headers import released

bp = Blueprint("ranking", __name__)


@bp.get("/")
def start() -> BaseResponse:
    """On to the first page in Dutch."""
    return redirect(url_for("ranking.home", lang=NL))


@bp.get("/nl/", defaults={"lang": NL})
@bp.get("/en/", defaults={"lang": EN})
def home(lang: Language) -> BaseResponse:
    """On to the ranking of the latest period."""
    return to_latest("ranking.ranking", lang=lang, form="html")


@bp.get("/nl/ranglijst/<period>", defaults={"lang": NL, "form": "html"})
@bp.get("/nl/ranglijst/<period>.csv", defaults={"lang": NL, "form": "csv"})
@bp.get("/nl/ranglijst/<period>.json", defaults={"lang": NL, "form": "json"})
@bp.get("/en/ranking/<period>", defaults={"lang": EN, "form": "html"})
@bp.get("/en/ranking/<period>.csv", defaults={"lang": EN, "form": "csv"})
@bp.get("/en/ranking/<period>.json", defaults={"lang": EN, "form": "json"})
def ranking(lang: Language, period: str, form: str) -> BaseResponse:
    """The ranking of a period, as page, CSV or JSON."""
    query = Query.read(request.args)
    if period == LATEST:
        return to_latest("ranking.ranking", lang=lang, form=form)
    edition = find_or_404(period, query.version)
    view = ranking_page(table_of(edition), edition, query, table_before(edition))
    return _ranking(view, form, "ranking") or _ranking_html("ranking.html", view, release_index().newest)


@bp.get("/nl/ranglijst/<period>/hash-hits", defaults={"lang": NL, "form": "html"})
@bp.get("/nl/ranglijst/<period>/hash-hits.csv", defaults={"lang": NL, "form": "csv"})
@bp.get("/nl/ranglijst/<period>/hash-hits.json", defaults={"lang": NL, "form": "json"})
@bp.get("/en/ranking/<period>/hash-hits", defaults={"lang": EN, "form": "html"})
@bp.get("/en/ranking/<period>/hash-hits.csv", defaults={"lang": EN, "form": "csv"})
@bp.get("/en/ranking/<period>/hash-hits.json", defaults={"lang": EN, "form": "json"})
def hash_hits(lang: Language, period: str, form: str) -> BaseResponse:
    """How the hash hits of a period were followed up, as page, CSV or JSON; without any, on to the ranking."""
    query = Query.read(request.args)
    if period == LATEST:
        return to_latest("ranking.hash_hits", lang=lang, form=form)
    edition = find_or_404(period, query.version)
    notices = table_of(edition)
    if notices.hash_hits is None:
        address = url_for("ranking.ranking", lang=lang, form="html", period=period, version=query.version)
        return redirect(address) if form == "html" else abort(404)
    before = table_before(edition)
    view = ranking_page(notices.hash_hits, edition, query, before and before.hash_hits)
    periods, noticed = release_index().with_hash_hits, {row.company for row in notices.rows}
    return _ranking(view, form, "hash-hits") or _ranking_html("hash_hits.html", view, periods, noticed=noticed)


def _ranking(view: RankingPage, form: str, name: str) -> Response | None:
    """The rows as CSV or JSON, where that is asked for."""
    if form == "csv":
        return csv_file(sheets.ranking_csv(view.found), f"{file_stem(name, view.edition)}.csv")
    if form == "json":
        return json_file(release_json(view.edition) | sheets.ranking_json(view.table, view.found))
    return None


def _ranking_html(template: str, view: RankingPage, editions: Sequence[ReleaseVersion], **more: object) -> Response:
    page = render_template(
        template,
        view=view,
        table=view.table,
        edition=view.edition,
        query=view.query,
        editions=editions,
        versions=release_index().versions(view.edition.period),
        answers=summary(view.table, view.before, languages.current(), view.moved),
        waived=view.edition.hearing_waived,
        corrected=correction_notice(view.edition),
        **more,
    )
    return released(make_response(page))
