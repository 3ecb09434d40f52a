"""How the public API answers: JSON with its links, cacheable; and what was asked, found or not there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from flask import Response, g, request, url_for

from web.api.parameters import Value
from web.api.problems import Problem
from web.releases import Announcement, ReleaseIndex, ReleaseVersion
from web.transfer import released

T = TypeVar("T")


def json_response(data: Mapping[str, Any], pages: Mapping[str, int] | None = None) -> Response:
    """An answer with its ETag, a link to where it is described, and links to other `pages` by their relation."""
    response = Response(json.dumps(data, ensure_ascii=False, allow_nan=False) + "\n", mimetype="application/json")
    for relation, number in (pages or {}).items():
        response.headers.add("Link", f'<{current_url(page=number)}>; rel="{relation}"')
    response.headers.add("Link", f'<{url_for(".openapi")}>; rel="describedby"; type="application/json"')
    return released(response)


def current_url(**changes: Value) -> str:
    """The path and query of this request with changes."""
    assert request.endpoint is not None
    return url_for(request.endpoint, **{**g.asked, **(request.view_args or {}), **changes})


def query_param(name: str) -> Value | None:
    """A query parameter as it was read, None where it was not given."""
    asked: dict[str, Value] = g.asked
    return asked.get(name)


def number(name: str) -> int | None:
    """A query parameter that is a whole number."""
    value = query_param(name)
    assert not isinstance(value, str)
    return value


def get_or_404(found: T | None, detail: str) -> T:
    """What was found; raises Problem 404 that says what is not there."""
    if found is None:
        raise Problem(404, "not-found", "Not found", detail)
    return found


def get_version_or_404(known: ReleaseIndex, period: str, version: int | None) -> ReleaseVersion:
    """That version of a period, or its newest; raises Problem 404."""
    return get_or_404(known.find(period, version), "There is no such release. /api/v1/releases lists all of them.")


def announced_json(item: Announcement) -> dict[str, Any]:
    """Which release was published, what it corrects and why, and why there was no hearing."""
    more = {"corrects": item.corrects, "reason": item.reason, "hearing_waived": item.hearing_waived}
    return item.edition.as_json() | more
