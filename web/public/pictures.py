"""The charts of a release on a page of their own, and every chart of the site as a file, SVG or CSV.

Those of a release were drawn when it was published; those of the ranks and of a company are drawn when asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from monitor import charts
from monitor.charts.frame import Chart
from monitor.wording.language import EN, NL, Language
from web.public.company import company_figures
from web.public.comparison import company_history, correction_notice
from web.public.releases import (
    LATEST,
    figure_file,
    file_stem,
    find_or_404,
    published,
    release_index,
    table_of,
    to_latest,
)
from web.public.views import Query, RankingPage, ranking_page
from web.shared.addresses import asked
from web.shared.headers import released

bp = Blueprint("pictures", __name__)


@bp.get("/nl/beelden/<period>", defaults={"lang": NL})
@bp.get("/en/pictures/<period>", defaults={"lang": EN})
def moved_pictures(lang: Language, period: str) -> BaseResponse:
    """Addresses that the charts had before: on to those of today, for good."""
    values: dict[str, Any] = asked() | {"lang": lang, "period": period}
    return redirect(url_for("pictures.pictures", **values), 308)


@bp.get("/nl/grafieken/<period>", defaults={"lang": NL})
@bp.get("/en/charts/<period>", defaults={"lang": EN})
def pictures(lang: Language, period: str) -> BaseResponse:
    """All charts of a release."""
    query = Query.read(request.args)
    if period == LATEST:
        return to_latest("pictures.pictures", lang=lang)
    edition = find_or_404(period, query.version)
    view = _ranked(ranking_page(table_of(edition), edition, query))
    drawn = {**_ranks(view, lang), **published().pictures(edition, lang)}
    page = render_template(
        "pictures.html",
        view=view,
        table=view.table,
        edition=edition,
        query=query,
        editions=release_index().newest,
        versions=release_index().versions(period),
        drawn=drawn,
        corrected=correction_notice(edition),
    )
    return released(make_response(page))


def _ranked(view: RankingPage) -> RankingPage:
    """The companies with a rank alone: pages of others would have no chart."""
    return replace(view, found=tuple(row for row in view.found if row.figures and row.figures.rank is not None))


def _ranks(view: RankingPage, language: Language) -> dict[str, Chart]:
    """The chart of the ranks on a page, where the release has any."""
    return {"ranks": charts.ranks_figure(view.here, language)} if view.found else {}


@bp.get("/nl/ranglijst/<period>/<figure>.svg", defaults={"lang": NL, "form": "svg"})
@bp.get("/nl/ranglijst/<period>/<figure>.csv", defaults={"lang": NL, "form": "csv"})
@bp.get("/en/ranking/<period>/<figure>.svg", defaults={"lang": EN, "form": "svg"})
@bp.get("/en/ranking/<period>/<figure>.csv", defaults={"lang": EN, "form": "csv"})
def ranking_figure(lang: Language, period: str, figure: str, form: str) -> Response:
    """One picture of a release as a file; of the ranks those of the page that the query names."""
    query = Query.read(request.args)
    edition = find_or_404(period, query.version)
    if figure == "ranks":
        drawn: Mapping[str, Chart] = _ranks(_ranked(ranking_page(table_of(edition), edition, query)), lang)
    else:
        drawn = published().pictures(edition, lang)
    return figure_file(drawn.get(figure) or abort(404), form, file_stem(figure, edition), edition)


@bp.get("/nl/bedrijf/<period>/<key>/<figure>.svg", defaults={"lang": NL, "form": "svg"})
@bp.get("/nl/bedrijf/<period>/<key>/<figure>.csv", defaults={"lang": NL, "form": "csv"})
@bp.get("/en/company/<period>/<key>/<figure>.svg", defaults={"lang": EN, "form": "svg"})
@bp.get("/en/company/<period>/<key>/<figure>.csv", defaults={"lang": EN, "form": "csv"})
def company_figure(lang: Language, period: str, key: str, figure: str, form: str) -> Response:
    """One picture of a company as a file."""
    query = Query.read(request.args)
    edition = find_or_404(period, query.version)
    row = published().row(edition, key) or abort(404)
    history = company_history(key)
    drawn = company_figures(row, table_of(edition), history, lang)
    return figure_file(drawn.get(figure) or abort(404), form, file_stem(key, figure, edition), edition)
