"""What a connection may cost: how many there may be, and how long each may take to ask, to send and to listen.

A subclass of the HTTP protocol of uvicorn, which has a limit for an idle connection and for no other. Time is looked
at once a second for all connections together, so that a limit costs nothing while it holds.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from monitor.settings import Limits

HEAD_BYTES = 64 * 1024  # of a request's first line and headers together
_OVERHEAD_BYTES = 8 * 1024 * 1024  # what may come with a body that is none of it: sizes of chunks, trailers
_AT_ONCE = struct.pack("ii", 1, 0)  # what was not taken is thrown away; else the kernel would keep offering it
CONNECTION = "monitor.connection"  # in the scope of a request: the connection it came by


class Gate:
    """The open connections of one process, and what each of them may do."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.open: set[Connection] = set()

    def admit(self, connection: Connection) -> bool:
        """Count a connection in; False where there are as many as there may be."""
        if len(self.open) >= self.limits.max_connections:
            return False
        self.open.add(connection)
        return True

    async def sweep(self) -> None:
        """End every connection whose time is up; the server calls this once a second."""
        now = time.monotonic()
        for connection in list(self.open):
            connection.check(now)


class Connection(HttpToolsProtocol):
    """One connection, which ends when its other side is silent or slow for longer than the limits allow."""

    def __init__(self, gate: Gate, **named: Any) -> None:
        super().__init__(**named)
        self._gate = gate
        self._in_head = True  # what comes is part of a request's head, or the silence before it
        self._head_bytes = 0
        self._body_bytes = self._bytes_with_body = 0
        self._since = time.monotonic()  # when this head, or this body, was begun
        self._unsent: tuple[float, int] | None = None  # when the answer's progress was last measured, and what was left

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection in, or refuse it at once."""
        super().connection_made(transport)
        if not self._gate.admit(self):
            self._refuse(b"503 Service Unavailable", b"Retry-After: 5\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        """Make room for another."""
        self._gate.open.discard(self)
        super().connection_lost(exc)

    def eof_received(self) -> None:
        """The other side sends no more: a request that is not whole by now never will be."""
        if self.cycle is not None and self.cycle.more_body and not self.cycle.response_started:
            self._refuse(b"400 Bad Request")

    def data_received(self, data: bytes) -> None:
        """Read on, within the limits of size."""
        if self._in_head:
            self._head_bytes += len(data)
        else:
            self._bytes_with_body += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head and self._head_bytes > HEAD_BYTES:
            self._refuse(b"431 Request Header Fields Too Large")
        elif self._bytes_with_body - self._body_bytes > _OVERHEAD_BYTES:
            self._refuse(b"400 Bad Request")

    def on_message_begin(self) -> None:
        """The first byte of a request: from here on its head has its time."""
        super().on_message_begin()
        cast("dict[str, Any]", self.scope)[CONNECTION] = self
        self._since = time.monotonic()

    def on_headers_complete(self) -> None:
        """The head is whole: from here on the body has its time. Raises ValueError (status 400) on too large a one."""
        if sum(len(name) + len(value) for name, value in self.headers) + len(self.url) > HEAD_BYTES:
            raise ValueError("the head of the request is too large")
        super().on_headers_complete()
        self._in_head, self._head_bytes = False, 0
        self._body_bytes = self._bytes_with_body = 0
        self._since = time.monotonic()

    def on_body(self, body: bytes) -> None:
        """Count what came of the body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """What comes next is another head."""
        super().on_message_complete()
        self._in_head, self._head_bytes, self._bytes_with_body, self._body_bytes = True, 0, 0, 0

    def on_response_complete(self) -> None:
        """The next request has its own time."""
        self._since = time.monotonic()
        super().on_response_complete()

    def resume_writing(self) -> None:
        """The other side has taken a good part of what was waiting."""
        self._unsent = None
        super().resume_writing()

    def check(self, now: float) -> None:
        """End this connection where its time is up."""
        limits = self._gate.limits
        if self._listens_too_slowly(now):
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            self.transport.abort()
        elif self.transport.is_closing() or self.transport.get_write_buffer_size():
            return
        elif self.cycle is None or self.cycle.response_complete:
            if now - self._since > limits.header_seconds:
                self.transport.close()
        elif self.cycle.more_body and not self.cycle.response_started and now - self._since > self._body_seconds():
            self._refuse(b"408 Request Timeout")

    def _body_seconds(self) -> float:
        """How long the body may have taken to come as far as it has."""
        limits = self._gate.limits
        return limits.body_seconds + self._body_bytes / limits.least_bytes_per_second

    def _listens_too_slowly(self, now: float) -> bool:
        """Whether less of the answer was taken, for as long as `answer_seconds`, than the slowest reader takes."""
        left = self.transport.get_write_buffer_size()
        if not left:
            self._unsent = None
            return False
        if self._unsent is None:
            self._unsent = (now, left)
        measured, before = self._unsent
        limits = self._gate.limits
        if now - measured <= limits.answer_seconds:
            return False
        self._unsent = (now, left)
        return before - left < limits.least_bytes_per_second * limits.answer_seconds

    def _refuse(self, status: bytes, header: bytes = b"") -> None:
        """Answer with a status and nothing else, and close."""
        head = b"HTTP/1.1 " + status + b"\r\n" + header + b"Content-Length: 0\r\nConnection: close\r\n\r\n"
        self.transport.write(head)
        self.transport.close()
