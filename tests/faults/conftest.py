"""A server that breaks connections off."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Feed:
    """What is served, and after how many bytes the connection is reset (None: never)."""

    def __init__(self) -> None:
        self.body = b""
        self.reset_after: int | None = None
        self.address = ""
        self.asked = 0


@pytest.fixture
def feed() -> Iterator[Feed]:
    """A running server with nothing on it yet."""
    feed = Feed()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            feed.asked += 1
            self.send_response(200)
            self.send_header("Content-Length", str(len(feed.body)))
            self.end_headers()
            self.wfile.write(feed.body[: feed.reset_after])
            if feed.reset_after is not None:  # close without lingering: the other side gets a reset
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name it has
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    feed.address = f"http://127.0.0.1:{server.server_port}/feed"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield feed
    server.shutdown()
    server.server_close()
    thread.join()
