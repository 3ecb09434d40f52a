"""Finished pages kept in memory, in front of Flask: a released quarter never changes, so a page is made once."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from werkzeug.datastructures import Headers
from werkzeug.http import parse_etags, parse_set_header, unquote_etag
from werkzeug.test import run_wsgi_app

from web.cache_key import key_of, told_apart
from web.kept import Kept, Pages

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ROOM = 64 * 1024 * 1024  # bytes kept by one worker
LARGEST = 1024 * 1024  # bytes of one answer: what is larger is a file to download, and passes
_OF_THE_BODY = ("content-type", "content-length", "content-encoding", "content-disposition")
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=(\d{1,9})(?![^\s,])")
_NEVER = re.compile(r"\b(no-store|no-cache|private)\b")


class PageCache:
    """A WSGI application in front of another, whose public answers are made once in each state of what is published.

    Only whole answers (200) to GET are kept, and no longer than their own max-age. Who has the page gets 304.
    `state` numbers the state that holds now (`web.published.Watch`); `clock` gives seconds.
    """

    def __init__(
        self,
        application: WSGIApplication,
        state: Callable[[], int],
        room: int = ROOM,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._application, self._state, self._clock = application, state, clock
        self.pages = Pages(room)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        key = key_of(environ)
        if key is None:
            return self._application(environ, start_response)
        state = self._state()
        kept = self.pages.find(key, state, self._clock())
        if kept is not None:
            return _send(kept, environ, start_response)
        if environ["REQUEST_METHOD"] == "HEAD":
            return self._application(environ, start_response)
        return self._make(key, state, environ, start_response)

    def _make(self, key: str, state: int, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Ask for the whole answer, whatever this reader has already: the next may have nothing."""
        whole = {name: value for name, value in environ.items() if name != "HTTP_IF_NONE_MATCH"}
        parts, status, headers = run_wsgi_app(self._application, whole)
        age = _keeps_for(status, headers, environ)
        if age is not None:
            kept = _kept(headers, _joined(parts), self._clock() + age)
            self.pages.keep(key, state, kept)
            return _send(kept, environ, start)
        if status.startswith("200 ") and _is_known(headers.get("ETag", ""), environ):
            _close(parts)
            start("304 NOT MODIFIED", _without_body(headers))
            return []
        start(status, headers.to_wsgi_list())
        return parts


def _keeps_for(status: str, headers: Headers, environ: WSGIEnvironment) -> int | None:
    """For how many seconds an answer may be kept; None where it may not."""
    control = headers.get("Cache-Control", "")
    age = _MAX_AGE.search(control)
    length = headers.get("Content-Length", "", type=str)
    varies = parse_set_header(headers.get("Vary")).as_set() - told_apart(environ)
    if (
        not status.startswith("200 ")
        or environ["REQUEST_METHOD"] != "GET"
        or "public" not in parse_set_header(control)
        or _NEVER.search(control)
        or "Set-Cookie" in headers
        or varies
        or not length.isdigit()
        or int(length) > LARGEST
    ):
        return None
    return int(age[1]) if age and int(age[1]) else None


def _kept(headers: Headers, body: bytes, until: float) -> Kept:
    return Kept(headers.to_wsgi_list(), _without_body(headers), headers.get("ETag", ""), body, until)


def _without_body(headers: Headers) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers.to_wsgi_list() if name.lower() not in _OF_THE_BODY]


def _send(kept: Kept, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    if _is_known(kept.tag, environ):
        start_response("304 NOT MODIFIED", kept.short)
        return []
    start_response("200 OK", kept.headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [kept.body]


def _is_known(tag: str, environ: WSGIEnvironment) -> bool:
    """Whether the reader has it, by the weak comparison that RFC 9110 asks for in If-None-Match."""
    given = environ.get("HTTP_IF_NONE_MATCH")
    return bool(given and tag) and parse_etags(given).contains_weak(unquote_etag(tag)[0])


def _joined(parts: Iterable[bytes]) -> bytes:
    try:
        return b"".join(parts)
    finally:
        _close(parts)


def _close(parts: Iterable[bytes]) -> None:
    close = getattr(parts, "close", None)
    if close is not None:
        close()
