"""Which addresses the API has, and that every answer of it, errors too, is one of its own."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Flask, Response, g, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from web.api.answers import current_url
from web.api.authenticate import show_rate
from web.api.notices import push, report
from web.api.openapi import ALL
from web.api.operations import Operation
from web.api.parameters import read_query
from web.api.problems import Problem, from_exception, from_http
from web.pages import session
from web.releases import release_index

ROOT = "/api/"
_NOT_STORED = "Nothing was stored. Try again with the same Idempotency-Key."
_NOT_READ = "The figures themselves are safe. Please try again later."
_ALLOWED = "GET, HEAD, OPTIONS"
_JSON = "application/json"


def add_api(app: Flask) -> None:
    """Serve /api/v1. It reads a bearer token and no cookie, so there is nothing for another site to forge."""
    app.register_blueprint(_push_api())
    app.register_blueprint(_public())


def _push_api() -> Blueprint:
    """The push API of hotlines: never cached, and not for pages of other sites."""
    api = Blueprint("api", __name__, url_prefix=f"{ROOT}v1")
    api.add_url_rule("/notices", "push", push, methods=["POST"], provide_automatic_options=False)
    api.add_url_rule(
        f"/deliveries/<int(max={2**63 - 1}):number>", "report", report, methods=["GET"], provide_automatic_options=False
    )
    api.after_request(show_rate)
    return _with_errors(api, _NOT_STORED)


def _public() -> Blueprint:
    """The published figures, which any page may read."""
    api = Blueprint("public_api", __name__, url_prefix=f"{ROOT}v1")
    for operation in ALL:
        view = partial(_serve, operation)
        api.add_url_rule(operation.path, operation.name, view, methods=["GET", "OPTIONS"])
    api.after_request(_open_to_all)
    return _with_errors(api, _NOT_READ)


def _with_errors(api: Blueprint, detail: str) -> Blueprint:
    api.register_error_handler(Problem, Problem.response)
    api.register_error_handler(HTTPException, from_http)
    api.register_error_handler(Exception, partial(from_exception, detail=detail))
    return api


def _serve(operation: Operation, **path: str) -> BaseResponse:
    """The answer of an operation to a good request; raises Problem for any other."""
    if request.method == "OPTIONS":
        return _preflight()
    if request.headers.get("Accept") and not request.accept_mimetypes[_JSON]:
        raise Problem(406, "not-acceptable", "Not acceptable", f"This address answers in {_JSON} only.")
    g.asked = read_query(request.args, operation.parameters)
    if path.get("period") == "latest" and (known := release_index(session()).editions):
        return redirect(current_url(period=known[0].period))
    return operation.view(**path)


def _preflight() -> Response:
    """What a browser asks before a page of another site may read this."""
    response = Response(status=204, headers={"Allow": _ALLOWED, "Cache-Control": "public, max-age=86400"})
    response.headers["Access-Control-Allow-Methods"] = _ALLOWED
    response.headers["Access-Control-Allow-Headers"] = "Accept, If-None-Match"
    response.headers["Access-Control-Max-Age"] = "86400"
    del response.headers["Content-Type"]
    return response


def _open_to_all(response: Response) -> Response:
    """Any web page may read this, without credentials (https://fetch.spec.whatwg.org/#http-cors-protocol)."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = "ETag, Link"
    response.vary.add("Accept")
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def problem_of(error: HTTPException) -> Response | None:
    """The answer to an error outside every route (no such address, no such method), where the API was asked."""
    return from_http(error) if request.path.startswith(ROOT) else None
