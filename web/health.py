"""For machines that watch: `/health`, `/health/live` and, with a token, `/metrics`."""

from __future__ import annotations

import hmac
import time

from flask import Flask, Response, abort, request
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from monitor.metrics import exposition
from monitor.schedule.installation import health
from monitor.schedule.lock import connect_with_short_timeout
from monitor.settings import Settings


def add_health(app: Flask, settings: Settings) -> None:
    """Register the routes. They ask the database on a connection of their own, which does not wait."""
    engine = connect_with_short_timeout(settings.database_url)
    app.extensions["monitor_health_engine"] = engine
    app.add_url_rule("/health/live", "live", _live)
    app.add_url_rule("/health", "health", lambda: _health(settings, engine))
    app.add_url_rule("/metrics", "metrics", lambda: _metrics(settings, engine))


def _live() -> dict[str, str]:
    """This worker answers; nothing else is asked."""
    return {"status": "ok"}


def _health(settings: Settings, engine: Engine) -> tuple[dict[str, object], int, dict[str, str]]:
    """200 where nothing needs a person, 503 where something does, and which part it is."""
    try:
        found = health(settings, engine, int(time.time()))
    finally:
        engine.dispose()
    return found.as_json(), 200 if found.well else 503, {"Cache-Control": "no-store"}


def _metrics(settings: Settings, engine: Engine) -> Response:
    """The metrics, for who knows the token; for everybody else there is no such page."""
    given = request.headers.get("Authorization", "").encode()
    if not settings.metrics_token or not hmac.compare_digest(given, f"Bearer {settings.metrics_token}".encode()):
        abort(404)
    try:
        text = exposition(engine)
    except SQLAlchemyError:
        abort(503)
    finally:
        engine.dispose()
    return Response(
        text, content_type="text/plain; version=0.0.4; charset=utf-8", headers={"Cache-Control": "no-store"}
    )
