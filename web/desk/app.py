"""The desk: what needs a token, over the database of the installation. Nothing of it may be kept by anybody.

There is no log-in yet: accounts come with the pages for companies, hotlines and the regulator.
"""

from __future__ import annotations

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from monitor.db import connect
from monitor.push.process import PushProcess
from monitor.schedule.lock import connect_with_short_timeout
from monitor.settings import Settings
from web.desk import health, notices
from web.desk.authenticate import Places
from web.shared.application import new_application
from web.shared.problems import from_http


def create_app(settings: Settings) -> Flask:
    """The desk over the database of these settings."""
    app = new_application(__name__, settings)
    app.extensions["monitor_engine"] = connect(settings.database_url)
    app.extensions["monitor_health_engine"] = connect_with_short_timeout(settings.database_url)
    app.extensions["monitor_places"], app.extensions["monitor_pushes"] = Places(), PushProcess(settings.database_url)
    app.register_blueprint(notices.bp)
    app.register_blueprint(health.bp)
    app.register_error_handler(HTTPException, from_http)
    app.after_request(not_kept)
    return app


def not_kept(response: Response) -> Response:
    """No proxy and no browser keeps any of it."""
    response.headers["Cache-Control"] = "no-store"
    return response
