"""The site, which is WSGI, under a server that is ASGI: requests arrive whole, and are answered in a few threads.

No thread waits for a reader: a body is collected before a thread is asked, and of an answer a thread makes the next
piece only when the one before has been taken.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from monitor.settings import Limits
from web.shared.limits import CONNECTION

DISCARD_LIMIT = 64 * 1024 * 1024  # bytes that are read to no purpose; who sends more may see the connection end

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

_READERS = 4  # threads that no request with a token can keep waiting
_PIECE = 64 * 1024  # bytes of an answer that a thread makes at a time
_BUSY = (503, [(b"retry-after", b"5"), (b"content-length", b"0"), (b"connection", b"close")])


@dataclass
class _Answer:
    """What a WSGI application has answered so far: its head, a piece of its body, and where the rest comes from."""

    status: int
    headers: list[tuple[bytes, bytes]]
    piece: bytes
    rest: Iterator[bytes] | None
    body: Iterable[bytes]


class InThreads:
    """An ASGI application that asks a WSGI application, in threads of its own.

    `most_bytes`: of a body that is kept; `waiting`: how many requests may hold a thread for long.
    """

    def __init__(self, application: WSGIApplication, limits: Limits, most_bytes: int = 0, waiting: int = 0) -> None:
        self._application, self._limits, self._most_bytes = application, limits, most_bytes
        self._threads = ThreadPoolExecutor(_READERS + waiting, "site")
        self._uploads = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request; one that breaks off before it is whole is not answered."""
        length, chunked = _announced(scope)
        whole = True
        body: bytes | None = b""
        if chunked or length:
            if self._uploads >= self._limits.max_uploads:
                await _send(send, *_BUSY, b"")
                return
            self._uploads += 1
            try:
                if chunked or length <= self._most_bytes:
                    body, whole = await _received(receive, self._most_bytes)
                else:
                    body, whole = b"", not _asks_first(scope) and await _passed(receive, DISCARD_LIMIT)
            finally:
                self._uploads -= 1
        if body is None:
            return
        run = asyncio.get_running_loop().run_in_executor
        environ = environ_of(scope, body)
        if chunked:  # what came in chunks is known to be whole by now, or to be over the limit
            environ["CONTENT_LENGTH"] = str(len(body))
            del environ["HTTP_TRANSFER_ENCODING"]
        answer = await run(self._threads, _ask, self._application, environ)
        if not whole:
            answer.headers.append((b"connection", b"close"))
        try:
            await _send(send, answer.status, answer.headers, answer.piece, more=answer.rest is not None)
            while answer.rest is not None and not scope[CONNECTION].transport.is_closing():
                await run(self._threads, _go_on, answer)
                await send({"type": "http.response.body", "body": answer.piece, "more_body": answer.rest is not None})
        finally:
            if hasattr(answer.body, "close"):
                await run(self._threads, answer.body.close)


async def _send(send: Any, status: int, headers: list[tuple[bytes, bytes]], body: bytes, *, more: bool = False) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": more})


def _announced(scope: Any) -> tuple[int, bool]:
    """How long the body is said to be, and whether it comes in chunks without saying so."""
    length, chunked = 0, False
    for name, value in scope["headers"]:
        if name == b"content-length":
            length = int(value)
        elif name == b"transfer-encoding":
            chunked = True
    return length, chunked


def _asks_first(scope: Any) -> bool:
    """Whether the sender waits to be told that he may send his body (RFC 9110, 10.1.1)."""
    return any(name == b"expect" and value.lower() == b"100-continue" for name, value in scope["headers"])


async def _passed(receive: Any, limit: int) -> bool:
    """Read what is refused, for who sends all of it first would lose the answer; whether that was the end of it."""
    passed = 0
    while passed <= limit:
        message = await receive()
        if message["type"] == "http.disconnect":
            return False
        passed += len(message["body"])
        if not message["more_body"]:
            return True
    return False


async def _received(receive: Any, most_bytes: int) -> tuple[bytes | None, bool]:
    """The body as far as it may be kept, and whether nothing more of it is to come; None where it broke off."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None, False
        body += message["body"]
        if not message["more_body"]:
            return bytes(body), True
        if len(body) > most_bytes:
            return bytes(body), await _passed(receive, DISCARD_LIMIT)


def _ask(application: WSGIApplication, environ: WSGIEnvironment) -> _Answer:
    """Ask the application, in a thread, and make the first piece of its answer."""
    told: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> Any:
        told[:] = [(status, headers)]

    body = application(environ, start_response)
    if isinstance(body, list):
        piece, rest = b"".join(body), None
    else:
        rest = iter(body)
        piece, rest = _next(rest)
    status, headers = told[0]
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return _Answer(int(status[:3]), encoded, piece, rest, body)


def _go_on(answer: _Answer) -> None:
    assert answer.rest is not None
    answer.piece, answer.rest = _next(answer.rest)


def _next(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes] | None]:
    """A piece of a body, and what comes after it; None at its end."""
    made, size = [], 0
    for chunk in chunks:
        made.append(chunk)
        size += len(chunk)
        if size >= _PIECE:
            return b"".join(made), chunks
    return b"".join(made), None


def environ_of(scope: Any, body: bytes) -> WSGIEnvironment:
    """The request as PEP 3333 has it. A header with an underscore is left out: it would read as another one."""
    host, port = scope["server"] or ("127.0.0.1", None)
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 80),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": scope["client"][0] if scope["client"] else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw, text in scope["headers"]:
        if b"_" in raw:
            continue
        name, value = raw.decode("latin-1").upper().replace("-", "_"), text.decode("latin-1")
        key = name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
        environ[key] = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{value}" if key in environ else value
    return environ
