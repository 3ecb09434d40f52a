"""The pictures of a release on a page of their own, and every picture of the site as a file, SVG or CSV.

Those of a release were drawn when it was published; those of the ranks and of a company are drawn when asked for.
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, make_response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from monitor import charts
from monitor.wording.language import EN, NL, Language
from web.public.company import company_figures
from web.public.comparison import company_history
from web.public.releases import LATEST, figure_file, find_or_404, published, release_index, table_of, to_latest
from web.public.views import Query, ranking_page
from web.shared.headers import released

bp = Blueprint("pictures", __name__)


@bp.get("/nl/beelden/<period>", defaults={"lang": NL})
@bp.get("/en/pictures/<period>", defaults={"lang": EN})
def pictures(lang: Language, period: str) -> BaseResponse:
    """All pictures of a release."""
    query = Query.read(request.args)
    if period == LATEST:
        return to_latest("pictures.pictures", lang=lang)
    edition = find_or_404(period, query.version)
    view = ranking_page(table_of(edition), edition, query)
    drawn = {"ranks": charts.ranks_figure(view.here, lang), **published().pictures(edition, lang)}
    page = render_template(
        "pictures.html",
        view=view,
        table=view.table,
        edition=edition,
        query=query,
        editions=release_index().newest,
        versions=release_index().versions(period),
        drawn=drawn,
    )
    return released(make_response(page))


@bp.get("/nl/ranglijst/<period>/<figure>.svg", defaults={"lang": NL, "form": "svg"})
@bp.get("/nl/ranglijst/<period>/<figure>.csv", defaults={"lang": NL, "form": "csv"})
@bp.get("/en/ranking/<period>/<figure>.svg", defaults={"lang": EN, "form": "svg"})
@bp.get("/en/ranking/<period>/<figure>.csv", defaults={"lang": EN, "form": "csv"})
def ranking_figure(lang: Language, period: str, figure: str, form: str) -> Response:
    """One picture of a release as a file; of the ranks those of the page that the query names."""
    query = Query.read(request.args)
    edition = find_or_404(period, query.version)
    if figure == "ranks":
        found = charts.ranks_figure(ranking_page(table_of(edition), edition, query).here, lang)
    else:
        found = published().pictures(edition, lang).get(figure) or abort(404)
    return figure_file(found, form, f"{period}-{figure}")


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
    return figure_file(drawn.get(figure) or abort(404), form, f"{period}-{key}-{figure}")
