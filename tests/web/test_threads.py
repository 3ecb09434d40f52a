"""The bridge between a server that waits for readers and an application that must not: one request, one answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from monitor.formats.xarf_objects import BODY_LIMIT
from monitor.settings import Limits
from web.shared.limits import CONNECTION
from web.shared.threads import InThreads, environ_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Application = Callable[["WSGIEnvironment", "StartResponse"], Iterable[bytes]]


def scope(*headers: tuple[bytes, bytes], path: bytes = b"/", query: bytes = b"", method: str = "GET") -> dict[str, Any]:
    """A request as uvicorn tells of it."""
    connection = SimpleNamespace(transport=SimpleNamespace(is_closing=lambda: False))
    return {
        "type": "http",
        "method": method,
        "path": "unused",
        "raw_path": path,
        "query_string": query,
        "http_version": "1.1",
        "scheme": "http",
        "server": ("127.0.0.1", 8000),
        "client": ("192.0.2.7", 4000),
        "headers": list(headers),
        CONNECTION: connection,
    }


def test_a_request_as_the_standard_has_it() -> None:
    environ = environ_of(
        scope(
            (b"host", b"monitor.example"),
            (b"content-type", b"application/json"),
            (b"content-length", b"2"),
            (b"accept", b"text/html"),
            (b"accept", b"text/plain"),
            (b"cookie", b"a=1"),
            (b"cookie", b"b=2"),
            (b"x_forwarded_for", b"spoofed"),
            path=b"/caf%C3%A9/a%2Fb",
            query=b"q=%20",
        ),
        b"{}",
    )
    told = {name: value for name, value in environ.items() if not name.startswith("wsgi.")}
    assert told == {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/caf\u00c3\u00a9/a/b",
        "QUERY_STRING": "q=%20",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.7",
        "HTTP_HOST": "monitor.example",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": "2",
        "HTTP_ACCEPT": "text/html,text/plain",
        "HTTP_COOKIE": "a=1; b=2",
    }
    assert environ["wsgi.input"].read() == b"{}"


def answered(
    application: Application, request: dict[str, Any], *messages: dict[str, Any], limits: Limits | None = None
) -> list[dict[str, Any]]:
    """What is sent for a request of which these messages come."""
    sent: list[dict[str, Any]] = []
    coming = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(coming)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(InThreads(application, limits or Limits(), BODY_LIMIT)(request, receive, send))
    return sent


def echo(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Gives back what it was sent."""
    start_response("200 OK", [("X-Kind", "echo")])
    return [environ["wsgi.input"].read()]


def part(content: bytes, *, more: bool) -> dict[str, Any]:
    """A part of a body."""
    return {"type": "http.request", "body": content, "more_body": more}


CHUNKED = (b"transfer-encoding", b"chunked")


def test_a_body_in_parts_arrives_as_one() -> None:
    head, body = answered(echo, scope(CHUNKED, method="POST"), part(b"ab", more=True), part(b"c", more=False))
    assert (head["status"], head["headers"]) == (200, [(b"x-kind", b"echo")])
    assert (body["body"], body["more_body"]) == (b"abc", False)


def test_a_body_that_breaks_off_is_not_answered() -> None:
    def never(*_: Any) -> Iterable[bytes]:
        raise AssertionError("the application was asked")

    assert answered(never, scope(CHUNKED), part(b"ab", more=True), {"type": "http.disconnect"}) == []


@pytest.mark.parametrize(
    ("headers", "messages", "size"),
    [
        ([(b"content-length", str(BODY_LIMIT + 1).encode())], [], 0),
        ([CHUNKED], [part(b"x" * BODY_LIMIT, more=True), part(b"x", more=True)], BODY_LIMIT + 1),
    ],
    ids=["said beforehand", "found out"],
)
def test_a_body_that_is_too_large_is_not_kept(
    headers: list[tuple[bytes, bytes]], messages: list[dict[str, Any]], size: int
) -> None:
    """The application sees enough to say so, and the connection ends; unless the rest came, and was thrown away."""
    broken, ended = {"type": "http.disconnect"}, part(b"x", more=False)
    for last, closes in ((broken, True), (ended, False)):
        head, body = answered(echo, scope(*headers, method="POST"), *messages, last)
        assert (len(body["body"]), (b"connection", b"close") in head["headers"]) == (size, closes)


def test_who_asks_before_sending_too_much_is_not_asked_for_it() -> None:
    headers = [(b"content-length", str(BODY_LIMIT + 1).encode()), (b"expect", b"100-continue")]
    head, _ = answered(echo, scope(*headers, method="POST"))  # nothing is received
    assert (b"connection", b"close") in head["headers"]


def test_an_answer_in_pieces_is_made_as_it_is_taken_and_closed_in_the_end() -> None:
    made: list[str] = []

    class Answer:
        def __iter__(self) -> Iterator[bytes]:
            for number in range(5):
                made.append(f"made {number}")
                yield bytes([number]) * 40_000

        def close(self) -> None:
            made.append("closed")

    def application(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return Answer()

    _, *pieces = answered(application, scope())
    assert [(len(piece["body"]), piece["more_body"]) for piece in pieces] == [
        (80_000, True),
        (80_000, True),
        (40_000, False),
    ]
    assert made == [*(f"made {number}" for number in range(5)), "closed"]


def test_for_a_reader_who_is_gone_no_more_is_made() -> None:
    closed: list[bool] = []

    class Endless:
        def __iter__(self) -> Iterator[bytes]:
            while True:
                yield b"x" * 70_000

        def close(self) -> None:
            closed.append(True)

    def application(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return Endless()

    request = scope()
    request[CONNECTION] = SimpleNamespace(transport=SimpleNamespace(is_closing=lambda: True))
    assert len(answered(application, request)) == 2
    assert closed == [True]
