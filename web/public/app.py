"""The public site: the application, and the pages that are about it and about no release."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime

from flask import Blueprint, Flask, Response, abort, g, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from monitor import charts
from monitor.charts import marks
from monitor.comparison.share_change import DIRECTIONS, how_it_moved, points
from monitor.comparison.summary import named
from monitor.comparison.trend_sentences import OBSTACLES, PARTS, in_whole
from monitor.errors import MonitorError
from monitor.figures import BESIDE_OUTCOMES, FIGURES, GROUP_COUNTS, HOURLY, LATENESS, LEGAL, MAIN_TOTALS
from monitor.release.published import Published
from monitor.score.methods import CURRENT, METHODS
from monitor.settings import SiteSettings
from monitor.tables import competing_sentences, sentences
from monitor.wording.language import EN, NL, Language
from monitor.wording.parameters import described
from monitor.wording.readings import rank_words
from monitor.wording.words import STANDING_WORDS, standings_of
from web.public import api, catalogue, cite, company, comparison, feeds, norm, open_data, openapi, pictures, ranking
from web.public.cache import PageCache
from web.public.openapi import contact_uri
from web.public.releases import published
from web.shared.addresses import absolute, settings, shareable
from web.shared.application import new_application
from web.shared.headers import released
from web.shared.problems import from_http

_STATED = date(2026, 11, 21)  # the day the accessibility statement was last gone through
_PAGES = (ranking, company, pictures, norm, comparison, open_data, catalogue, openapi, cite, feeds)
_LOG = logging.getLogger("monitor.site")
bp = Blueprint("about", __name__)


def create_app(configured: SiteSettings) -> Flask:
    """The site over a publications folder."""
    app = new_application(__name__, configured)
    app.extensions["published"] = Published(configured.publications)
    app.jinja_env.globals.update(charts=charts, marks=marks, sentences=sentences)
    app.jinja_env.globals.update(
        figures=FIGURES, lateness=LATENESS, standings=STANDING_WORDS, standings_of=standings_of
    )
    app.jinja_env.globals.update(main_totals=MAIN_TOTALS, beside_outcomes=BESIDE_OUTCOMES, legal=LEGAL)
    app.jinja_env.globals.update(competing=competing_sentences, group_counts=GROUP_COUNTS, hourly=HOURLY)
    app.jinja_env.globals.update(directions=DIRECTIONS, points=points, how_it_moved=how_it_moved, named=named)
    app.jinja_env.globals.update(parts=PARTS, obstacles=OBSTACLES, in_whole=in_whole, rank_words=rank_words)
    app.jinja_env.globals.update(file_address=open_data.file_address, file_size=open_data.file_size)
    app.jinja_env.filters["code"] = openapi.coded
    for module in _PAGES:
        app.register_blueprint(module.bp)
    app.register_blueprint(bp)
    app.register_blueprint(api.bp)
    app.register_error_handler(HTTPException, show_error)
    app.register_error_handler(500, show_error)
    app.register_error_handler(MonitorError, show_damage)
    return app


def cached(configured: SiteSettings) -> PageCache:
    """The site with its finished pages in memory, as each worker has it."""
    app = create_app(configured)
    return PageCache(app, app.extensions["published"].state)


def show_error(error: HTTPException) -> tuple[str, int, list[tuple[str, str]]] | HTTPException | Response:
    """Errors in the reader's language, with nothing of what was asked for but their headers (such as Allow); redirects
    pass as they are. An address of the API answers as the API does."""
    if request.path.startswith(api.ROOT):
        return from_http(error)
    code = error.code or 500
    if code < 400:
        return error
    g.is_error = True
    headers = [(name, value) for name, value in error.get_headers() if name != "Content-Type"]
    return render_template("error.html", code=code), code, headers


def show_damage(error: MonitorError) -> tuple[str, int, list[tuple[str, str]]]:
    """Something in the publications folder is not what was written: 503, and what it is in the log."""
    _LOG.error("a page cannot be shown: %s", error)
    g.is_error = True
    return render_template("error.html", code=503), 503, [("Retry-After", "60"), ("Cache-Control", "no-store")]


@bp.get("/health")
def health() -> tuple[dict[str, object], int, dict[str, str]]:
    """200 where the publications folder is what was signed, or nothing was published yet; else 503."""
    folder = published()
    folder.state()
    index = "not what was signed" if folder.problem else "ok"
    parts: dict[str, str] = {"index": index} | ({} if folder.problem else {"publications": _publications(folder)})
    well = all(state == "ok" for state in parts.values())
    answer: dict[str, object] = {"status": "ok" if well else "failing", "parts": parts}
    return answer, 200 if well else 503, {"Cache-Control": "no-store"}


def _publications(folder: Published) -> str:
    editions, inspector = folder.index().editions, open_data.inspector()
    damaged = any(folder.damaged(e) or any(inspector.problems(e.period, e.version)) for e in editions)
    return "not what was signed" if damaged else "ok"


@bp.get("/healthz")
@bp.get("/health/live")
def moved_health() -> BaseResponse:
    """Addresses that the health of the site had before."""
    return redirect(url_for("about.health"), 308)


@bp.get("/nl/werkwijze", defaults={"lang": NL})
@bp.get("/en/method", defaults={"lang": EN})
def method(lang: Language) -> Response:
    """The method: each parameter with its value and meaning."""
    version = request.args.get("version", CURRENT)
    record = METHODS.get(version) or abort(404)
    page = render_template("method.html", method=record, methods=METHODS, parameters=described(record, lang))
    return released(make_response(page))


@bp.get("/nl/toegankelijkheid", defaults={"lang": NL})
@bp.get("/en/accessibility", defaults={"lang": EN})
def accessibility(lang: Language) -> Response:  # noqa: ARG001
    """What was done so that everyone can use the site, what was not, and where to complain."""
    return released(make_response(render_template("accessibility.html", drawn_up=_STATED)))


@bp.get("/nl/uitgever", defaults={"lang": NL})
@bp.get("/en/publisher", defaults={"lang": EN})
def publisher(lang: Language) -> Response:  # noqa: ARG001
    """Who publishes, how to object, where to report and find help, and the privacy statement."""
    return released(make_response(render_template("publisher.html")))


@bp.get("/.well-known/security.txt")
def security_txt() -> Response:
    """The contact, until when this may be trusted, and the languages spoken."""
    contact = settings().contact or abort(404)
    lines = (
        f"Contact: {contact_uri(contact)}",
        f"Expires: {expires(datetime.now(UTC)):%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: nl, en",
        f"Canonical: {absolute(url_for('about.security_txt'))}",
        "",
    )
    return shareable(Response("\n".join(lines), content_type="text/plain; charset=utf-8"))


def expires(now: datetime) -> datetime:
    """The start of the half-year after the next: six to twelve months away, and the same for half a year."""
    return datetime(now.year + 1, 1 if now.month <= 6 else 7, 1, tzinfo=UTC)
