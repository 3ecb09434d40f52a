"""How responses travel: with the security headers, compressed where that is safe, and not at all where the reader has
them already.
"""

from __future__ import annotations

import gzip
from functools import lru_cache

from flask import Flask, Response, request
from werkzeug.http import parse_accept_header

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def init_security_headers(app: Flask) -> None:
    """Send the security headers with every response, errors included."""

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response


_TEXT = (
    "text/html", "text/css", "text/csv", "text/plain", "text/turtle", "image/svg+xml", "application/json",
    "application/ld+json", "application/rdf+xml", "application/atom+xml", "application/xml",
)  # fmt: skip
_SMALLEST = 1000
_LONGEST = 500  # signs of an Accept-Encoding that are read
_RELEASED = "public, max-age=300, must-revalidate"


def released(response: Response) -> Response:
    """Mark a public page as cacheable; a correction may replace it, so caches ask again after five minutes."""
    response.headers["Cache-Control"] = _RELEASED
    response.add_etag(weak=True)
    return response


def takes_gzip(header: str) -> bool:
    """Whether a reader with this Accept-Encoding can be sent gzip."""
    return _takes_gzip(header[:_LONGEST])


@lru_cache(maxsize=256)
def _takes_gzip(header: str) -> bool:
    return parse_accept_header(header).quality("gzip") > 0


def compress(app: Flask) -> None:
    """Answer 304 where the reader's copy is current, and gzip public text (never pages that depend on who asks)."""

    @app.after_request
    def transfer(response: Response) -> Response:
        if "ETag" in response.headers and request.method in ("GET", "HEAD"):
            response.make_conditional(request)
        if _worth_it(response):
            _pack(response)
        if response.mimetype in _TEXT:
            response.vary.add("Accept-Encoding")
        return response


def _pack(response: Response) -> None:
    response.direct_passthrough = False
    source = response.response
    response.set_data(gzip.compress(response.get_data(), 6, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    if tag := response.get_etag()[0]:
        response.set_etag(tag, weak=True)
    if hasattr(source, "close"):
        source.close()


def _worth_it(response: Response) -> bool:
    return (
        response.status_code == 200
        and response.mimetype in _TEXT
        and bool(response.cache_control.public)
        and takes_gzip(request.headers.get("Accept-Encoding", ""))
        and "Content-Encoding" not in response.headers
        and (response.content_length or _SMALLEST) >= _SMALLEST
    )
