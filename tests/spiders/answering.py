"""A web server that answers every request with one status line, then with a body that nobody asked for."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

BODY = b"x" * (8 * 1024 * 1024)  # more than the buffers between two sockets hold


@dataclass
class Answering:
    """What is answered, by path; what was asked, line by line; and how often a body went all the way."""

    port: int = 0
    statuses: dict[str, str] = field(default_factory=dict)
    asked: list[list[str]] = field(default_factory=list)
    bodies_taken: int = 0
    raw: bytes | None = None  # sent in place of a status line

    @property
    def methods(self) -> list[str]:
        """Method and path of each request."""
        return [" ".join(lines[0].split(" ")[:2]) for lines in self.asked]

    def url(self, path: str) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}{path}"


@contextmanager
def answering() -> Iterator[Answering]:
    """A running server that knows no path: 404."""
    state = Answering()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            lines = []
            while line := self.rfile.readline().rstrip(b"\r\n"):
                lines.append(line.decode("latin-1"))
            state.asked.append(lines)
            path = lines[0].split(" ")[1] if lines else ""
            head = state.raw or f"HTTP/1.1 {state.statuses.get(path, '404 Not Found')}\r\n".encode()
            try:
                self.wfile.write(head + b"Content-Type: image/jpeg\r\n\r\n" + BODY)
                state.bodies_taken += 1
            except OSError:
                self.close_connection = True

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = True

    with Server(("127.0.0.1", 0), Handler) as server:
        state.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
