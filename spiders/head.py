"""One HEAD request: only the status of the response is read, and only public addresses are connected to.

The answer is read byte by byte up to the end of its status line, and the connection is closed: a server that sends a
body, asked or not, sends it to nobody.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

from monitor.urls import NotAUrlError, http_target

USER_AGENT = "hosting-abuse-compliance-monitor/0.1 (is it still there? HEAD only, under a legal mandate)"
_TIMEOUT = 15.0  # seconds for all of it
_LONGEST_LINE = 1024
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: [^\r\n]*)?\r?\n")


@dataclass(frozen=True)
class Question:
    """Where to connect, and the bytes to send there. Holds a URL: never to be shown."""

    host: str
    port: int
    encrypted: bool
    request: bytes

    def __repr__(self) -> str:
        """Nothing."""
        return "Question(...)"


def is_public(address: str) -> bool:
    """Whether an address is on the public internet: no URL may lead us into our own network."""
    found = ipaddress.ip_address(address)
    return found.is_global and not found.is_multicast


def head(url: str, may_connect: Callable[[str], bool] = is_public) -> int | None:
    """The HTTP status that the server gives; None where there is no answer, or no question that may be asked."""
    question = question_of(url)
    if question is None:
        return None
    try:
        address = _address(question, may_connect)
        return None if address is None else _ask(question, address, time.monotonic() + _TIMEOUT)
    except (OSError, ValueError):  # includes TLS; its message would hold the host
        return None


def question_of(url: str) -> Question | None:
    """What to ask for a URL; None where it is none of the web's. User, password and fragment are left out."""
    try:
        found = http_target(url)
    except NotAUrlError:
        return None
    if found is None:
        return None
    shown = (f"[{found.host}]" if ":" in found.host else found.host) + ("" if found.standard_port else f":{found.port}")
    head = f"HEAD {found.target} HTTP/1.1"
    lines = (head, f"Host: {shown}", f"User-Agent: {USER_AGENT}", "Connection: close", "", "")
    return Question(found.host, found.port, found.encrypted, "\r\n".join(lines).encode("ascii"))


def _address(question: Question, may_connect: Callable[[str], bool]) -> str | None:
    """The first address of the host; None where one of them may not be connected to."""
    found = socket.getaddrinfo(question.host, question.port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    return addresses[0] if addresses and all(map(may_connect, addresses)) else None


def _ask(question: Question, address: str, until: float) -> int | None:
    with socket.create_connection((address, question.port), _left(until)) as plain:
        if not question.encrypted:
            return _status(plain, question.request, until)
        with ssl.create_default_context().wrap_socket(plain, server_hostname=question.host) as sealed:
            return _status(sealed, question.request, until)


def _status(connection: socket.socket, request: bytes, until: float) -> int | None:
    """The status in the first line of the answer; what comes before the answer (1xx) counts as none."""
    connection.settimeout(_left(until))
    connection.sendall(request)
    line = bytearray()
    while not line.endswith(b"\n") and len(line) < _LONGEST_LINE:
        connection.settimeout(_left(until))
        byte = connection.recv(1)
        if not byte:
            return None
        line += byte
    found = _STATUS.fullmatch(line)
    status = int(found[1]) if found else None
    return status if status is None or status >= 200 else None


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
