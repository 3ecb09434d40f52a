"""For machines that watch an installation: `/health` and, with a token, `/metrics`."""

from __future__ import annotations

import hmac
import time

from flask import Blueprint, Response, abort, current_app, redirect, request, url_for
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as BaseResponse

from monitor.metrics import exposition
from monitor.schedule.installation import health as health_of
from monitor.settings import Settings

bp = Blueprint("health", __name__)


def _engine() -> Engine:
    """A connection of its own, which does not wait."""
    engine: Engine = current_app.extensions["monitor_health_engine"]
    return engine


def _settings() -> Settings:
    settings = current_app.jinja_env.globals["settings"]
    assert isinstance(settings, Settings)
    return settings


@bp.get("/health")
def health() -> tuple[dict[str, object], int]:
    """200 where nothing needs a person, 503 where something does, and which part it is."""
    try:
        found = health_of(_settings(), _engine(), int(time.time()))
    finally:
        _engine().dispose()
    return found.as_json(), 200 if found.well else 503


@bp.get("/healthz")
@bp.get("/health/live")
def moved_health() -> BaseResponse:
    """Addresses that health had before."""
    return redirect(url_for("health.health"), 308)


@bp.get("/metrics")
def metrics() -> Response:
    """The metrics, for who knows the token; for everybody else there is no such page."""
    given, token = request.headers.get("Authorization", "").encode(), _settings().metrics_token
    if not token or not hmac.compare_digest(given, f"Bearer {token}".encode()):
        abort(404)
    try:
        text = exposition(_engine())
    except SQLAlchemyError:
        abort(503)
    finally:
        _engine().dispose()
    return Response(text, content_type="text/plain; version=0.0.4; charset=utf-8")
