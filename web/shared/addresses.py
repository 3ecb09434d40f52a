"""Addresses: whole ones for what leaves the site (feeds, citations, code to embed), and those that keep a query."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, current_app, request

from monitor.settings import SiteSettings
from web.shared.headers import released

_NAMES = "q standing sort order page version hours from to from_version to_version company lang"
QUERY_NAMES = frozenset(_NAMES.split())


def settings() -> SiteSettings:
    """The settings of this site."""
    held = current_app.jinja_env.globals["settings"]
    assert isinstance(held, SiteSettings)
    return held


def absolute(path: str) -> str:
    """The whole address of a path: under `site_address`, or the host that was asked where none is set."""
    return (settings().site_address or request.host_url.rstrip("/")) + path


def asked() -> dict[str, str]:
    """The reader's query as values for `url_for`: what a page can be asked, and nothing else that he may have sent."""
    return {name: value for name, value in request.args.items() if name in QUERY_NAMES}


def authority() -> str:
    """The name of the site's host, without a port."""
    return urlsplit(absolute("")).hostname or "localhost"


def shareable(response: Response) -> Response:
    """Cacheable for all where `site_address` is set; else it repeats the Host header of one request, and is not."""
    if settings().site_address:
        return released(response)
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag(weak=True)
    return response
