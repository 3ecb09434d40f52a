"""Refusals as `application/problem+json` (RFC 9457): what is wrong and what to do, with nothing of what was sent."""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import msgspec
from flask import Response, request
from msgspec import UNSET, Meta, Struct, UnsetType
from werkzeug.exceptions import HTTPException

_LOG = logging.getLogger("monitor.api")
_Count = Annotated[int, Meta(ge=0)]


class ProblemDetails(Struct, frozen=True, kw_only=True):
    """What is wrong and what to do (RFC 9457). It repeats nothing of what was sent."""

    type: str
    title: str
    status: int
    detail: str
    limits: dict[str, _Count] | UnsetType = UNSET
    parameter: str | UnsetType = UNSET
    index: Annotated[_Count, Meta(description="The item, from 0, at which a body was refused.")] | UnsetType = UNSET


@dataclass(eq=False)  # not frozen: Python writes the traceback into an exception
class Problem(Exception):
    """One refusal. `kind` ends its type URI; beside the detail stand `limits`, the name of a bad `parameter`, and the
    `index` (from 0) of the item at which a body was refused.

    Never holds a URL, nor anything that was sent.
    """

    status: int
    kind: str
    title: str
    detail: str
    limits: Mapping[str, int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    parameter: str = ""
    index: int | None = None

    def response(self) -> Response:
        """As the client gets it."""
        details = ProblemDetails(
            type=f"urn:problem:hosting-monitor:{self.kind}",
            title=self.title,
            status=self.status,
            detail=self.detail,
            limits=dict(self.limits) or UNSET,
            parameter=self.parameter or UNSET,
            index=UNSET if self.index is None else self.index,
        )
        headers = {"Cache-Control": "no-store", **self.headers}
        content = msgspec.json.encode(details) + b"\n"
        return Response(content, self.status, headers, mimetype="application/problem+json")


_DETAILS = {
    400: "The request is not one that HTTP allows, or ended too early. Send it again, whole.",
    404: "There is nothing at this address. /api/v1/openapi.json lists all there are.",
    405: "This address does not answer to that method. Take one of those in the header Allow.",
    413: "The request is larger than is taken. Send fewer notices at a time, and leave evidence out.",
}


def from_http(error: HTTPException) -> Response:
    """An error of the framework; its own text is not used, as it may repeat what was asked for."""
    code = error.code or 500
    if code < 400:
        return Response(status=code, headers={"Location": error.get_response().headers["Location"]})
    kept = {name: value for name, value in error.get_headers() if name != "Content-Type"}  # such as Allow
    detail = _DETAILS.get(code, "The request was not carried out.")
    return Problem(code, f"http-{code}", error.name, detail, headers=kept).response()


def from_exception(error: Exception, detail: str, temporary: tuple[type[Exception], ...] = ()) -> Response:
    """What nobody foresaw; an error of a kind that is `temporary` says when to come back."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    return failed(type(error).__name__, frames, detail, temporary=isinstance(error, temporary))


def failed(error: str, frames: str, detail: str, *, temporary: bool) -> Response:
    """The log gets the type of an error and where it happened, never its message, which may hold a URL."""
    if temporary:
        answer = Problem(503, "not-ready", "Not ready", detail, headers={"Retry-After": "30"})
    else:
        answer = Problem(500, "internal", "Internal error", detail)
    reference = secrets.token_hex(8)
    _LOG.error("request %s to %s failed: %s\n%s", reference, request.endpoint, error, frames)
    response = answer.response()
    response.headers["X-Request-Id"] = reference
    return response
