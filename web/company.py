"""A company in a period: its page, and the same as CSV and JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import Flask, Response, abort, make_response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from monitor import charts
from monitor.charts.frame import Chart
from monitor.comparison.share_change import movements
from monitor.comparison.trend import TrendPoint
from monitor.disclosure.rows import PublicTable, Row
from monitor.score.table import Flow
from monitor.tables import sentences, sheets
from monitor.wording.words import LANGUAGES, Language
from web import languages
from web.comparison import company_corrections, company_history
from web.holdings import holdings
from web.pages import (
    LATEST,
    csv_file,
    hearing_waived,
    json_file,
    release_json,
    release_tables,
    session,
    table_before,
    to_latest,
)
from web.releases import ReleaseIndex, ReleaseVersion, periods_with, release_index
from web.transfer import released
from web.views import Query


def company_figures(
    row: Row, table: PublicTable, history: Sequence[TrendPoint], language: Language
) -> Mapping[str, Chart]:
    """Every picture there is something to show in: none of a company whose figures are withheld but its history."""
    drawn: list[Chart] = []
    if any(point.lenient for point in history):
        drawn += [figure(history, language, row.name) for figure in (charts.trend_figure, charts.median_figure)]
    if row.figures is not None:
        drawn += _of_figures(row, table, language)
    return {figure.name: figure for figure in drawn}


def _of_figures(row: Row, table: PublicTable, language: Language) -> list[Chart]:
    item = row.figures
    assert item is not None
    drawn = [charts.survival_figure(row, table.network, table.method, language)]
    if item.on_time.mature:
        drawn.append(charts.counts_figure(item.on_time, language))
    if item.outstanding and item.outstanding_by_age:
        drawn.append(charts.age_figure(item.outstanding_by_age, item.on_time.deadline_hours, language))
    if moves := flows_of(table, row.company):
        drawn.append(charts.flow_figure(moves, company_names(table), language))
    return drawn


def flows_of(table: PublicTable, key: str) -> tuple[Flow, ...]:
    """What moved from the company, and what moved to it."""
    return tuple(flow for flow in table.flows or () if key in (flow.origin, flow.destination))


def company_names(table: PublicTable) -> dict[str, str]:
    """The names of a table's companies by key."""
    return {row.company: row.name for row in table.rows}


def add_company(app: Flask) -> None:
    """Register the pages of the companies."""
    for language in LANGUAGES:
        path = f"/{language}/{languages.PATHS[language]['company']}/<period>/<key>"
        for form, suffix in {"html": "", "csv": ".csv", "json": ".json"}.items():
            values = {"lang": language, "form": form}
            app.add_url_rule(path + suffix, "company", company, defaults=values)


def company(lang: Language, period: str, key: str, form: str) -> BaseResponse:
    """One company in a period, as page, CSV or JSON."""
    known, version = release_index(session()), Query.read(request.args).version
    if period == LATEST:
        return to_latest(known, "company", lang=lang, key=key, form=form)
    edition = known.find(period, version) or abort(404)
    row = release_tables().row(session(), edition, key) or abort(404)
    table = release_tables().table(session(), edition)
    if form == "csv":
        return csv_file(sheets.company_csv(row), f"{period}-{key}.csv")
    if form == "json":
        return json_file(release_json(edition) | sheets.company_json(table, row))
    return _company_html(row, table, edition, known, lang)


def _company_html(
    row: Row, table: PublicTable, edition: ReleaseVersion, known: ReleaseIndex, lang: Language
) -> Response:
    history = company_history(session(), release_tables(), known, row.company)
    before = table_before(known, edition)
    page = render_template(
        "company.html",
        row=row,
        item=row.figures,
        table=table,
        ranked=sum(other.ranked for other in table.rows),
        edition=edition,
        editions=periods_with(session(), known.newest, row.company),
        versions=known.versions(edition.period),
        waived=hearing_waived(edition),
        before=before,
        moved=movements(table, before).get(row.company),
        history=history,
        corrections=company_corrections(session(), release_tables(), known, row.company, lang),
        pictures=company_figures(row, table, history, lang),
        hit=table.hash_hits and table.hash_hits.find(row.company),
        holdings=holdings(session(), row.company, row.name, edition.period, table.known_at),
        **_said(row, table, lang),
    )
    return released(make_response(page))


def _said(row: Row, table: PublicTable, lang: Language) -> Mapping[str, object]:
    """What the numbers of a company say in words."""
    return {
        "measured": sentences.what_was_measured(row, lang),
        "figure_lines": sentences.figure_lines(row.figures, lang) if row.figures else (),
        "certainty": sentences.certainty(row, table.unattributed, lang),
        "proven": sentences.what_it_proves(row, table.method, lang),
    }
