"""A company in a period: its page, and the same as CSV and JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import Blueprint, Response, abort, make_response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from monitor import charts
from monitor.charts.frame import Chart
from monitor.charts.release_figures import company_names
from monitor.comparison.share_change import movements, ranks_by_share
from monitor.comparison.trend import TrendPoint
from monitor.disclosure.rows import PublicTable, Row
from monitor.release.published import ReleaseVersion
from monitor.score.table import Flow
from monitor.tables import sentences, sheets
from monitor.wording.language import EN, NL, Language
from web.public.comparison import company_corrections, company_history, correction_notice
from web.public.releases import (
    LATEST,
    csv_file,
    file_stem,
    find_or_404,
    json_file,
    published,
    release_index,
    release_json,
    table_before,
    table_of,
    to_latest,
)
from web.public.views import Query
from web.shared.headers import released

bp = Blueprint("company", __name__)


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


@bp.get("/nl/bedrijf/<period>/<key>", defaults={"lang": NL, "form": "html"})
@bp.get("/nl/bedrijf/<period>/<key>.csv", defaults={"lang": NL, "form": "csv"})
@bp.get("/nl/bedrijf/<period>/<key>.json", defaults={"lang": NL, "form": "json"})
@bp.get("/en/company/<period>/<key>", defaults={"lang": EN, "form": "html"})
@bp.get("/en/company/<period>/<key>.csv", defaults={"lang": EN, "form": "csv"})
@bp.get("/en/company/<period>/<key>.json", defaults={"lang": EN, "form": "json"})
def company(lang: Language, period: str, key: str, form: str) -> BaseResponse:
    """One company in a period, as page, CSV or JSON."""
    version = Query.read(request.args).version
    if period == LATEST:
        return to_latest("company.company", lang=lang, key=key, form=form)
    edition = find_or_404(period, version)
    row = published().row(edition, key) or abort(404)
    table = table_of(edition)
    if form == "csv":
        return csv_file(sheets.company_csv(row), f"{file_stem('company', key, edition)}.csv")
    if form == "json":
        return json_file(release_json(edition) | sheets.company_json(table, row))
    return _company_html(row, table, edition, lang)


def _company_html(row: Row, table: PublicTable, edition: ReleaseVersion, lang: Language) -> Response:
    history, before, known = company_history(row.company), table_before(edition), release_index()
    page = render_template(
        "company.html",
        row=row,
        item=row.figures,
        table=table,
        ranked=sum(other.ranked for other in table.rows),
        edition=edition,
        editions=known.with_company(row.company),
        versions=known.versions(edition.period),
        waived=edition.hearing_waived,
        before=before,
        corrected=correction_notice(edition, row.company),
        by_share=ranks_by_share(table).get(row.company),
        moved=movements(table, before).get(row.company),
        history=history,
        corrections=company_corrections(row.company, lang),
        pictures=company_figures(row, table, history, lang),
        hit=table.hash_hits and table.hash_hits.find(row.company),
        own_groups=[group for group in table.groups or () if row.company in group.members],
        holdings=published().holdings(edition, row.company),
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
