"""Which addresses the API has, and that every answer of it, errors too, is one of its own."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, request
from werkzeug.exceptions import HTTPException

from web.api.door import show_rate
from web.api.notices import push, report
from web.api.problems import Problem, from_exception, from_http

ROOT = "/api/"


def add_api(app: Flask) -> None:
    """Serve /api/v1. It reads a bearer token and no cookie, so there is nothing for another site to forge."""
    api = Blueprint("api", __name__, url_prefix=f"{ROOT}v1")
    api.add_url_rule("/notices", "push", push, methods=["POST"], provide_automatic_options=False)
    api.add_url_rule(
        f"/deliveries/<int(max={2**63 - 1}):number>", "report", report, methods=["GET"], provide_automatic_options=False
    )
    api.after_request(show_rate)
    api.register_error_handler(Problem, Problem.response)
    api.register_error_handler(HTTPException, from_http)
    api.register_error_handler(Exception, from_exception)
    app.register_blueprint(api)


def problem_of(error: HTTPException) -> Response | None:
    """The answer to an error outside every route (no such address, no such method), where the API was asked."""
    return from_http(error) if request.path.startswith(ROOT) else None
