"""The public pages and their CSV and JSON: every route that needs no log-in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Flask, Response, abort, current_app, g, make_response, redirect, render_template, request, url_for
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from monitor.publish import charts, marks, sentences, sheets
from monitor.publish.figures import certainty, figure_lines
from monitor.publish.parameters import described
from monitor.publish.rows import Row
from monitor.publish.words import FIGURES, LANGUAGES, LATENESS, STANDINGS, Language
from monitor.score.methods import CURRENT, METHODS
from web import languages
from web.releases import Edition, Library, Shelf, periods_with, periods_with_hash_hits, shelf
from web.transfer import released
from web.views import Query, RankingPage, ranking_page

_SUFFIXES = {"html": "", "csv": ".csv", "json": ".json"}
_LATEST = "latest"


def add_pages(app: Flask, engine: Engine) -> None:
    """Register the routes on the application, reading from that database."""
    app.extensions["monitor_engine"] = engine
    app.extensions["monitor_library"] = Library()
    app.add_url_rule("/", "start", lambda: redirect(url_for("home", lang="nl")))
    app.add_url_rule("/healthz", "healthz", healthz)
    for language in LANGUAGES:
        _add_language(app, language)
    app.teardown_appcontext(_close)
    app.jinja_env.globals.update(charts=charts, marks=marks, sentences=sentences)
    app.jinja_env.globals.update(figures=FIGURES, lateness=LATENESS, standings=STANDINGS)


def _add_language(app: Flask, language: Language) -> None:
    words, defaults = languages.PATHS[language], {"lang": language}
    app.add_url_rule(f"/{language}/", "home", home, defaults=defaults)
    app.add_url_rule(f"/{language}/{words['method']}", "method", method_page, defaults=defaults)
    for form, suffix in _SUFFIXES.items():
        values = defaults | {"form": form}
        app.add_url_rule(f"/{language}/{words['ranking']}/<period>{suffix}", "ranking", ranking, defaults=values)
        hits_rule = f"/{language}/{words['ranking']}/<period>/hash-hits{suffix}"
        app.add_url_rule(hits_rule, "hash_hits", hash_hits, defaults=values)
        company_rule = f"/{language}/{words['company']}/<period>/<key>{suffix}"
        app.add_url_rule(company_rule, "company", company, defaults=values)


def session() -> Session:
    """This request's session, opened when first asked for."""
    if "session" not in g:
        g.session = Session(current_app.extensions["monitor_engine"])
    opened: Session = g.session
    return opened


def _close(_error: BaseException | None) -> None:
    opened: Session | None = g.pop("session", None)
    if opened is not None:
        opened.close()


def _library() -> Library:
    library: Library = current_app.extensions["monitor_library"]
    return library


def healthz() -> tuple[dict[str, str], int]:
    """200 where the database answers, 503 where it does not."""
    try:
        session().execute(text("SELECT 1"))
    except SQLAlchemyError:
        return {"status": "database unreachable"}, 503
    return {"status": "ok"}, 200


def home(lang: Language) -> BaseResponse:
    """On to the ranking of the latest period."""
    return _to_latest(shelf(session()), "ranking", lang=lang, form="html")


def _to_latest(known: Shelf, endpoint: str, **values: str) -> BaseResponse:
    if not known.editions:
        return make_response(render_template("empty.html"))
    wanted: dict[str, Any] = {**request.args.to_dict(), **values, "period": known.editions[0].period}
    return redirect(url_for(endpoint, **wanted))


def ranking(lang: Language, period: str, form: str) -> BaseResponse:
    """The ranking of a period, as page, CSV or JSON."""
    known, query = shelf(session()), Query.read(request.args)
    if period == _LATEST:
        return _to_latest(known, "ranking", lang=lang, form=form)
    edition = known.find(period, query.version) or abort(404)
    view = ranking_page(_library().table(session(), edition), edition, query)
    return _ranking(view, form, period) or _ranking_html("ranking.html", view, known, known.newest)


def hash_hits(lang: Language, period: str, form: str) -> BaseResponse:
    """How the hash hits of a period were followed up, as page, CSV or JSON; without any, on to the ranking."""
    known, query = shelf(session()), Query.read(request.args)
    if period == _LATEST:
        return _to_latest(known, "hash_hits", lang=lang, form=form)
    edition = known.find(period, query.version) or abort(404)
    notices = _library().table(session(), edition)
    if notices.hash_hits is None:
        address = url_for("ranking", lang=lang, form="html", period=period, version=query.version)
        return redirect(address) if form == "html" else abort(404)
    view = ranking_page(notices.hash_hits, edition, query)
    periods, noticed = periods_with_hash_hits(session(), known.newest), {row.company for row in notices.rows}
    return _ranking(view, form, f"{period}-hash-hits") or _ranking_html(
        "hash_hits.html", view, known, periods, noticed=noticed
    )


def _ranking(view: RankingPage, form: str, name: str) -> Response | None:
    """The rows as CSV or JSON, where that is asked for."""
    if form == "csv":
        return _csv(sheets.ranking_csv(view.found), f"{name}.csv")
    if form == "json":
        return _json(_release(view.edition) | sheets.ranking_json(view.table, view.found))
    return None


def _ranking_html(
    template: str, view: RankingPage, known: Shelf, editions: Sequence[Edition], **more: object
) -> Response:
    page = render_template(
        template,
        view=view,
        table=view.table,
        edition=view.edition,
        query=view.query,
        editions=editions,
        versions=known.versions(view.edition.period),
        **more,
    )
    return released(make_response(page))


def company(lang: Language, period: str, key: str, form: str) -> BaseResponse:
    """One company in a period, as page, CSV or JSON."""
    known, version = shelf(session()), Query.read(request.args).version
    if period == _LATEST:
        return _to_latest(known, "company", lang=lang, key=key, form=form)
    edition = known.find(period, version) or abort(404)
    row = _library().row(session(), edition, key) or abort(404)
    table = _library().table(session(), edition)
    if form == "csv":
        return _csv(sheets.company_csv(row), f"{period}-{key}.csv")
    if form == "json":
        return _json(_release(edition) | sheets.company_json(table, row))
    return _company_html(row, edition, known, lang)


def _company_html(row: Row, edition: Edition, known: Shelf, lang: Language) -> Response:
    table = _library().table(session(), edition)
    page = render_template(
        "company.html",
        row=row,
        item=row.figures,
        table=table,
        ranked=sum(other.ranked for other in table.rows),
        edition=edition,
        editions=periods_with(session(), known.newest, row.company),
        versions=known.versions(edition.period),
        measured=sentences.what_was_measured(row, lang),
        figure_lines=figure_lines(row.figures, lang) if row.figures else (),
        certainty=certainty(row, table.unattributed, lang),
        proven=sentences.what_it_proves(row, table.method, lang),
    )
    return released(make_response(page))


def method_page(lang: Language) -> Response:
    """The method: each parameter with its value and meaning."""
    version = request.args.get("version", CURRENT)
    record = METHODS.get(version) or abort(404)
    page = render_template("method.html", method=record, methods=METHODS, parameters=described(record, lang))
    return released(make_response(page))


def _release(edition: Edition) -> dict[str, Any]:
    published = edition.published_at
    about = {
        "version": edition.version,
        "published_at": published and published.isoformat().replace("+00:00", "Z"),
        "manifest_sha256": edition.manifest_sha256,
    }
    return {"release": about}


def _json(data: Mapping[str, Any]) -> Response:
    return released(Response(json.dumps(data, ensure_ascii=False, allow_nan=False), mimetype="application/json"))


def _csv(content: str, name: str) -> Response:
    response = Response(content, content_type="text/csv; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return released(response)
