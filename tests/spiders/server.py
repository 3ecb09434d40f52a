"""A small web server on this machine that serves deliveries, fails when told to, and counts what it answered."""

from __future__ import annotations

import hashlib
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Site:
    """What is served: bodies by path, passwords, trouble to make, redirects; and what was asked and answered."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    modified: str | None = None
    encoding: str | None = None
    authorization: str | None = None
    failing: bool = False
    retry_after: str = "0"
    answered: Counter[int] = field(default_factory=Counter)
    asked: list[str] = field(default_factory=list)

    def put(self, path: str, text: str) -> None:
        """Serve a text."""
        self.files[path] = text.encode()

    def counts(self) -> dict[int, int]:
        """How many answers of each status there were since the last time."""
        counts = dict(self.answered)
        self.answered.clear()
        return counts


def _answer(site: Site, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    if site.failing:
        return 503, {"Retry-After": site.retry_after}, b"try later"
    if site.authorization and headers.get("Authorization") != site.authorization:
        return 401, {}, b"who are you?"
    if path in site.redirects:
        return 302, {"Location": site.redirects[path]}, b""
    if path not in site.files:
        return 404, {}, b"no such file"
    body = site.files[path]
    tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    if headers.get("If-None-Match") == tag:
        return 304, {"ETag": tag}, b""
    kind = "text/html; charset=utf-8" if path.endswith("/") else "text/csv"
    modified = {"Last-Modified": site.modified} if site.modified else {}
    encoding = {"Content-Encoding": site.encoding} if site.encoding else {}
    return 200, {"ETag": tag, "Content-Type": kind} | modified | encoding, body


@contextmanager
def serving(certificate: Path | None = None) -> Iterator[Site]:
    """A running server, over TLS where a certificate (with its key) is given."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = _answer(site, self.path, dict(self.headers))
            site.answered[status] += 1
            site.asked.append(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name it has
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scheme = "http"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    site.address = f"{scheme}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
