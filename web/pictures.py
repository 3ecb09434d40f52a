"""The pictures of a release on a page of their own, and every picture of the site as a file, SVG or CSV."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from flask import Flask, Response, abort, make_response, render_template, request
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from monitor import charts
from monitor.charts.frame import Chart
from monitor.charts.outcomes import outstanding_by_age
from monitor.disclosure.rows import PublicTable, Row
from monitor.models.release import ReleaseRow
from monitor.score.table import SurvivalPoint
from monitor.wording.words import LANGUAGES, Language
from web import languages
from web.company import company_figures, company_names
from web.comparison import company_history
from web.pages import LATEST, csv_file, release_tables, session, to_latest
from web.releases import ReleaseVersion, release_index
from web.transfer import released
from web.views import Query, RankingPage, ranking_page


@dataclass(frozen=True, slots=True)
class Shown:
    """What a picture of a release is made of: the rows that were asked for, and the reader's language."""

    view: RankingPage
    language: Language

    @property
    def table(self) -> PublicTable:
        """All companies, whatever was asked for."""
        return self.view.table


def _all_companies(shown: Shown) -> Chart:
    table = replace(shown.table, rows=with_curves(shown.table, shown.view.edition))
    return charts.all_companies_figure(table, shown.language)


def _flows(shown: Shown) -> Chart | None:
    flows = shown.table.flows
    return None if flows is None else charts.flow_figure(flows, company_names(shown.table), shown.language)


def _norms(shown: Shown) -> Chart | None:
    return None if shown.table.norms is None else charts.norms_figure(shown.table.norms, shown.language)


def _ages(shown: Shown) -> Chart:
    ages = outstanding_by_age(shown.table.rows)
    return charts.age_figure(ages, shown.table.network.deadline_hours, shown.language)


FIGURES: Mapping[str, Callable[[Shown], Chart | None]] = {
    "funnel": lambda shown: charts.funnel_figure(shown.table, shown.language),
    "ranks": lambda shown: charts.ranks_figure(shown.view.here, shown.language),
    "all-companies": _all_companies,
    "age": _ages,
    "flows": _flows,
    "norms": _norms,
}


def add_pictures(app: Flask) -> None:
    """Register the page of the pictures, and the file of each."""
    for language in LANGUAGES:
        words = languages.PATHS[language]
        app.add_url_rule(f"/{language}/{words['pictures']}/<period>", "pictures", pictures, defaults={"lang": language})
        for form in ("svg", "csv"):
            values = {"lang": language, "form": form}
            rule = f"/{language}/{words['ranking']}/<period>/<figure>.{form}"
            app.add_url_rule(rule, "ranking_figure", ranking_figure, defaults=values)
            rule = f"/{language}/{words['company']}/<period>/<key>/<figure>.{form}"
            app.add_url_rule(rule, "company_figure", company_figure, defaults=values)


def pictures(lang: Language, period: str) -> BaseResponse:
    """All pictures of a release."""
    known, query = release_index(session()), Query.read(request.args)
    if period == LATEST:
        return to_latest(known, "pictures", lang=lang)
    edition = known.find(period, query.version) or abort(404)
    view = ranking_page(release_tables().table(session(), edition), edition, query)
    drawn = {name: draw(Shown(view, lang)) for name, draw in FIGURES.items()}
    page = render_template(
        "pictures.html",
        view=view,
        table=view.table,
        edition=edition,
        query=query,
        editions=known.newest,
        versions=known.versions(period),
        drawn=drawn,
    )
    return released(make_response(page))


def ranking_figure(lang: Language, period: str, figure: str, form: str) -> Response:
    """One picture of a release as a file; of the ranks those of the page that the query names."""
    known, query = release_index(session()), Query.read(request.args)
    edition = known.find(period, query.version) or abort(404)
    draw = FIGURES.get(figure) or abort(404)
    view = ranking_page(release_tables().table(session(), edition), edition, query)
    return figure_file(draw(Shown(view, lang)) or abort(404), form, f"{period}-{figure}")


def company_figure(lang: Language, period: str, key: str, figure: str, form: str) -> Response:
    """One picture of a company as a file."""
    known, query = release_index(session()), Query.read(request.args)
    edition = known.find(period, query.version) or abort(404)
    row = release_tables().row(session(), edition, key) or abort(404)
    history = company_history(session(), release_tables(), known, key)
    drawn = company_figures(row, release_tables().table(session(), edition), history, lang)
    return figure_file(drawn.get(figure) or abort(404), form, f"{period}-{key}-{figure}")


def figure_file(figure: Chart, form: str, name: str) -> Response:
    """A picture as SVG, or its table as CSV."""
    if form == "csv":
        return csv_file(figure.csv(), f"{name}.csv")
    response = Response(charts.standalone(figure), mimetype="image/svg+xml")
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}.svg")
    return released(response)


def with_curves(table: PublicTable, edition: ReleaseVersion) -> tuple[Row, ...]:
    """The rows with the curves, which the kept tables are without; a row without figures stays so."""
    query = select(ReleaseRow.company_key, ReleaseRow.row_json).where(ReleaseRow.release_id == edition.id)
    stored = {found.company_key: found.row_json for found in session().execute(query)}

    def whole(row: Row) -> Row:
        if row.figures is None:
            return row
        curve = tuple(SurvivalPoint(**point) for point in json.loads(stored[row.company])["curve"])
        return replace(row, figures=replace(row.figures, curve=curve))

    return tuple(whole(row) for row in table.rows)
