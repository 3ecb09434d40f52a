"""The public pages and their CSV and JSON: every route that needs no log-in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flask import Flask, Response, abort, current_app, g, make_response, redirect, render_template, request, url_for
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from monitor import charts
from monitor.charts import marks
from monitor.comparison.share_change import DIRECTIONS, how_it_moved, points
from monitor.comparison.summary import summary
from monitor.disclosure.rows import PublicTable
from monitor.figures import BESIDE_OUTCOMES, FIGURES, LATENESS, LEGAL, MAIN_TOTALS
from monitor.models.release import Release
from monitor.score.methods import CURRENT, METHODS
from monitor.tables import sentences, sheets
from monitor.wording.parameters import described
from monitor.wording.words import LANGUAGES, STANDINGS, Language
from web import languages
from web.addresses import asked
from web.releases import ReleaseIndex, ReleaseTables, ReleaseVersion, periods_with_hash_hits, release_index
from web.transfer import released
from web.views import Query, RankingPage, edition_before, ranking_page

_SUFFIXES = {"html": "", "csv": ".csv", "json": ".json"}
LATEST = "latest"
_STATED = date(2026, 11, 21)  # the day the accessibility statement was last gone through


def add_pages(app: Flask, engine: Engine) -> None:
    """Register the routes on the application, reading from that database."""
    app.extensions["monitor_engine"] = engine
    app.extensions["monitor_library"] = ReleaseTables()
    app.add_url_rule("/", "start", lambda: redirect(url_for("home", lang="nl")))
    app.add_url_rule("/healthz", "healthz", healthz)
    for language in LANGUAGES:
        _add_language(app, language)
    app.teardown_appcontext(_close)
    app.jinja_env.globals.update(charts=charts, marks=marks, sentences=sentences)
    app.jinja_env.globals.update(figures=FIGURES, lateness=LATENESS, standings=STANDINGS, main_totals=MAIN_TOTALS)
    app.jinja_env.globals.update(beside_outcomes=BESIDE_OUTCOMES, legal=LEGAL)
    app.jinja_env.globals.update(directions=DIRECTIONS, points=points, how_it_moved=how_it_moved)


def _add_language(app: Flask, language: Language) -> None:
    words, defaults = languages.PATHS[language], {"lang": language}
    app.add_url_rule(f"/{language}/", "home", home, defaults=defaults)
    app.add_url_rule(f"/{language}/{words['method']}", "method", method_page, defaults=defaults)
    app.add_url_rule(f"/{language}/{words['accessibility']}", "accessibility", accessibility, defaults=defaults)
    for form, suffix in _SUFFIXES.items():
        values = defaults | {"form": form}
        app.add_url_rule(f"/{language}/{words['ranking']}/<period>{suffix}", "ranking", ranking, defaults=values)
        hits_rule = f"/{language}/{words['ranking']}/<period>/hash-hits{suffix}"
        app.add_url_rule(hits_rule, "hash_hits", hash_hits, defaults=values)


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


def release_tables() -> ReleaseTables:
    """The tables that this worker keeps."""
    kept: ReleaseTables = current_app.extensions["monitor_library"]
    return kept


def healthz() -> tuple[dict[str, str], int]:
    """200 where the database answers, 503 where it does not."""
    try:
        session().execute(text("SELECT 1"))
    except SQLAlchemyError:
        return {"status": "database unreachable"}, 503
    return {"status": "ok"}, 200


def home(lang: Language) -> BaseResponse:
    """On to the ranking of the latest period."""
    return to_latest(release_index(session()), "ranking", lang=lang, form="html")


def to_latest(known: ReleaseIndex, endpoint: str, **values: str) -> BaseResponse:
    """On to the same page of the latest period, or to the page that says that there is none."""
    if not known.editions:
        return make_response(render_template("empty.html"))
    wanted: dict[str, Any] = {**asked(), **values, "period": known.editions[0].period}
    return redirect(url_for(endpoint, **wanted))


def ranking(lang: Language, period: str, form: str) -> BaseResponse:
    """The ranking of a period, as page, CSV or JSON."""
    known, query = release_index(session()), Query.read(request.args)
    if period == LATEST:
        return to_latest(known, "ranking", lang=lang, form=form)
    edition = known.find(period, query.version) or abort(404)
    view = ranking_page(release_tables().table(session(), edition), edition, query, table_before(known, edition))
    return _ranking(view, form, period) or _ranking_html("ranking.html", view, known, known.newest)


def hash_hits(lang: Language, period: str, form: str) -> BaseResponse:
    """How the hash hits of a period were followed up, as page, CSV or JSON; without any, on to the ranking."""
    known, query = release_index(session()), Query.read(request.args)
    if period == LATEST:
        return to_latest(known, "hash_hits", lang=lang, form=form)
    edition = known.find(period, query.version) or abort(404)
    notices = release_tables().table(session(), edition)
    if notices.hash_hits is None:
        address = url_for("ranking", lang=lang, form="html", period=period, version=query.version)
        return redirect(address) if form == "html" else abort(404)
    before = table_before(known, edition)
    view = ranking_page(notices.hash_hits, edition, query, before and before.hash_hits)
    periods, noticed = periods_with_hash_hits(session(), known.newest), {row.company for row in notices.rows}
    return _ranking(view, form, f"{period}-hash-hits") or _ranking_html(
        "hash_hits.html", view, known, periods, noticed=noticed
    )


def table_before(known: ReleaseIndex, edition: ReleaseVersion) -> PublicTable | None:
    """The table of the release before that edition, where there is one."""
    before = edition_before(known, edition)
    return release_tables().table(session(), before) if before else None


def _ranking(view: RankingPage, form: str, name: str) -> Response | None:
    """The rows as CSV or JSON, where that is asked for."""
    if form == "csv":
        return csv_file(sheets.ranking_csv(view.found), f"{name}.csv")
    if form == "json":
        return json_file(release_json(view.edition) | sheets.ranking_json(view.table, view.found))
    return None


def _ranking_html(
    template: str, view: RankingPage, known: ReleaseIndex, editions: Sequence[ReleaseVersion], **more: object
) -> Response:
    page = render_template(
        template,
        view=view,
        table=view.table,
        edition=view.edition,
        query=view.query,
        editions=editions,
        versions=known.versions(view.edition.period),
        answers=summary(view.table, view.before, languages.current(), view.moved),
        waived=hearing_waived(view.edition),
        **more,
    )
    return released(make_response(page))


def hearing_waived(edition: ReleaseVersion) -> str | None:
    """Why the companies were not heard before this release, where they were not."""
    return session().scalar(select(Release.hearing_waived).where(Release.id == edition.id))


def method_page(lang: Language) -> Response:
    """The method: each parameter with its value and meaning."""
    version = request.args.get("version", CURRENT)
    record = METHODS.get(version) or abort(404)
    page = render_template("method.html", method=record, methods=METHODS, parameters=described(record, lang))
    return released(make_response(page))


def accessibility(lang: Language) -> Response:  # noqa: ARG001
    """What was done so that everyone can use the site, what was not, and where to complain."""
    return released(make_response(render_template("accessibility.html", drawn_up=_STATED)))


def release_json(edition: ReleaseVersion) -> dict[str, Any]:
    """Which release a file is of."""
    return {"release": edition.as_json()}


def json_file(data: Mapping[str, Any]) -> Response:
    """Plain data as JSON, cached as a released page is."""
    return released(Response(json.dumps(data, ensure_ascii=False, allow_nan=False), mimetype="application/json"))


def csv_file(content: str, name: str) -> Response:
    """A table as a file of that name."""
    response = Response(content, content_type="text/csv; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return released(response)
