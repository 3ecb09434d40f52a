"""What a Flask application of ours begins with: static files, base templates, languages, compression and headers."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Blueprint, Flask, url_for

from monitor.settings import Settings, SiteSettings
from monitor.wording.words import MATERIAL_WORDS
from web.shared.headers import compress, init_security_headers
from web.shared.languages import init_languages

STATIC = Path(__file__).parent / "static"


def new_application(name: str, settings: Settings | SiteSettings) -> Flask:
    """An application without a page; it keeps no session, so it sets no cookie."""
    app = Flask(name, static_folder=STATIC, static_url_path="/static")
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 30 * 24 * 3600
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(settings=settings, asset=asset, materials=MATERIAL_WORDS)
    app.register_blueprint(Blueprint("shared", __name__, template_folder="templates"))
    init_languages(app)
    compress(app)
    init_security_headers(app)  # registered last, so it runs first: nothing leaves without its headers
    return app


def asset(name: str) -> str:
    """The address of a static file, which changes with its content."""
    return url_for("static", filename=name, v=_digest(name))


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
