"""The application factory of the site."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, Response, g, render_template, url_for
from werkzeug.exceptions import HTTPException

from monitor.db import connect
from monitor.push.process import PushProcess
from monitor.settings import Settings, load_settings
from web.api.authenticate import Places
from web.api.page import add_api_page
from web.api.routes import add_api, problem_of
from web.badge import add_badge
from web.cite import add_cite
from web.company import add_company
from web.feeds import add_feeds, add_sitemap
from web.health import add_health
from web.languages import init_babel
from web.norm import add_norm
from web.open_data import add_open_data
from web.pages import add_pages
from web.pictures import add_pictures
from web.security import add_security_txt, init_security_headers
from web.transfer import compress
from web.trend import add_across


def create_app(settings: Settings | None = None) -> Flask:
    """The site over the configured database (default: the settings in force here)."""
    settings = load_settings() if settings is None else settings
    app = Flask(__name__)
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 30 * 24 * 3600
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(settings=settings, asset=asset)
    init_babel(app)
    compress(app)
    init_security_headers(app)  # registered last, so it runs first: nothing leaves without its headers
    add_pages(app, connect(settings.database_url))
    add_company(app)
    add_pictures(app)
    add_norm(app)
    add_across(app)
    add_open_data(app)
    add_api(app)
    app.extensions["monitor_places"], app.extensions["monitor_pushes"] = Places(), PushProcess(settings.database_url)
    add_api_page(app)
    add_feeds(app)
    add_badge(app)
    add_cite(app)
    add_sitemap(app)
    add_security_txt(app)
    add_health(app, settings)
    app.register_error_handler(HTTPException, show_error)
    app.register_error_handler(500, show_error)
    return app


def show_error(error: HTTPException) -> tuple[str, int, list[tuple[str, str]]] | HTTPException | Response:
    """Errors in the reader's language, with nothing of what was asked for but their headers (such as Allow); redirects
    pass as they are."""
    if problem := problem_of(error):
        return problem
    code = error.code or 500
    if code < 400:
        return error
    g.is_error = True
    headers = [(name, value) for name, value in error.get_headers() if name != "Content-Type"]
    return render_template("error.html", code=code), code, headers


def asset(name: str) -> str:
    """The address of a static file, which changes with its content."""
    return url_for("static", filename=name, v=_digest(name))


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((Path(__file__).parent / "static" / name).read_bytes()).hexdigest()[:12]
