"""Finished pages kept in memory, in front of Flask: a released quarter never changes, so a page is made once."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import itemgetter
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import parse_qsl

from werkzeug.datastructures import Headers
from werkzeug.http import parse_etags, parse_set_header, unquote_etag
from werkzeug.test import run_wsgi_app

from web.shared.headers import takes_gzip

HeaderList: TypeAlias = list[tuple[str, str]]

_OVERHEAD = 2000  # bytes that Python takes to keep an answer and its key, besides their text


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """An answer as it is sent whole, its headers in a 304, its ETag, and until when (of the clock) it holds."""

    headers: HeaderList
    short: HeaderList
    tag: str
    body: bytes
    until: float

    @property
    def size(self) -> int:
        """Bytes of its text."""
        return len(self.body) + sum(len(name) + len(value) for name, value in self.headers + self.short)


class LruCache:
    """Answers by key; safe for several threads.

    `state` counts up. An answer begun in an earlier state than the present is neither found nor kept.
    """

    def __init__(self, room: int) -> None:
        self._room, self._taken, self._state = room, 0, 0
        self._kept: OrderedDict[str, tuple[CachedResponse, int]] = OrderedDict()
        self._lock = Lock()

    @property
    def taken(self) -> int:
        """Bytes in use."""
        return self._taken

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._kept)

    def find(self, key: str, state: int, now: float) -> CachedResponse | None:
        """The answer under a key, while it holds."""
        with self._lock:
            self._move_to(state)
            if state != self._state or key not in self._kept:
                return None
            found, _ = self._kept[key]
            if found.until <= now:
                self._drop(key)
                return None
            self._kept.move_to_end(key)
            return found

    def keep(self, key: str, state: int, kept: CachedResponse) -> None:
        """Keep an answer, and let go of those not used for longest where there is no room."""
        size = kept.size + len(key) + _OVERHEAD
        with self._lock:
            self._move_to(state)
            if state != self._state:
                return
            if key in self._kept:
                self._drop(key)
            self._kept[key] = (kept, size)
            self._taken += size
            while self._taken > self._room:
                self._drop(next(iter(self._kept)))

    def _move_to(self, state: int) -> None:
        if state > self._state:
            self._kept.clear()
            self._taken, self._state = 0, state

    def _drop(self, key: str) -> None:
        self._taken -= self._kept.pop(key)[1]


if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_LONGEST = 1000  # signs of a path, a query or a header: what is longer is not worth keeping
_CHOOSES_BY_ACCEPT = "/api/"
_PASSES = ("HTTP_AUTHORIZATION", "HTTP_RANGE", "HTTP_IF_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE")


def key_of(environ: WSGIEnvironment) -> str | None:
    """All that an answer may depend on, as one text; None for a request that is not answered from memory.

    The host counts, so that an answer made for a false one is given to nobody else. All of the query counts, in the
    order of its names: whoever repeats a name or adds one is answered by the application, never with another's page.
    """
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or any(name in environ for name in _PASSES):
        return None
    path, query = environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")
    host = environ.get("HTTP_HOST", "")
    accept = environ.get("HTTP_ACCEPT", "") if "accept" in told_apart(environ) else ""
    if max(map(len, (path, query, host, accept))) > _LONGEST or not query.isascii():
        return None
    encoding = "gzip" if takes_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")) else ""
    # repr: no part can be written so that it reads as the beginning of the next
    return repr((environ.get("wsgi.url_scheme"), host, path, _canonical(query), encoding, accept))


def told_apart(environ: WSGIEnvironment) -> set[str]:
    """The headers of a request that its key holds; an answer that varies by another is not kept."""
    chooses = environ.get("PATH_INFO", "").startswith(_CHOOSES_BY_ACCEPT)
    return {"accept-encoding", "accept"} if chooses else {"accept-encoding"}


def _canonical(query: str) -> tuple[tuple[str, str], ...]:
    """The pairs in the order of their names; of one name in the order given, for the first may count."""
    if not query:
        return ()
    return tuple(sorted(parse_qsl(query, keep_blank_values=True, errors="surrogateescape"), key=itemgetter(0)))


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
    `state` numbers the state that holds now (`monitor.release.published.Published.state`); `clock` gives seconds.
    """

    def __init__(
        self,
        application: WSGIApplication,
        state: Callable[[], int],
        room: int = ROOM,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._application, self._state, self._clock = application, state, clock
        self.pages = LruCache(room)

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


def _kept(headers: Headers, body: bytes, until: float) -> CachedResponse:
    return CachedResponse(headers.to_wsgi_list(), _without_body(headers), headers.get("ETag", ""), body, until)


def _without_body(headers: Headers) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers.to_wsgi_list() if name.lower() not in _OF_THE_BODY]


def _send(kept: CachedResponse, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
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
