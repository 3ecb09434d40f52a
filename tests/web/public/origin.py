"""What the page cache stands in front of in its tests: an application that counts, and a clock moved by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from web.public.cache import PageCache

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PUBLIC = "public, max-age=300, must-revalidate"


@dataclass
class Origin:
    """An application that counts how often it is asked, and answers with the number."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    text: Callable[[Request], str] = lambda request: request.path
    asked: int = 0
    closed: int = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.asked += 1
        given = {"Cache-Control": PUBLIC, "ETag": 'W/"first"', **self.headers}
        answer = Response(f"{self.text(Request(environ))} {self.asked}", self.status, given)
        answer.call_on_close(self._close)
        return answer(environ, start_response)

    def _close(self) -> None:
        self.closed += 1


@dataclass
class Clock:
    """A clock and a state that stand still until they are moved."""

    now: float = 0.0
    state: int = 1


def cached(origin: Origin, clock: Clock | None = None, room: int = 10_000_000) -> tuple[Client, PageCache]:
    """A reader of an application behind the cache."""
    clock = clock or Clock()
    cache = PageCache(origin, lambda: clock.state, room, lambda: clock.now)
    return Client(cache), cache
