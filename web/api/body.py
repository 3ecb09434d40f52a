"""The body of a push as it comes in: whole, within its limit and in time, or not at all.

The server tells nobody that a connection broke: what arrived by then looks like a body that ended. So a body must say
how long it is (`Content-Length`), and is whole where it is that long. One without a length, in chunks, cannot be known
to be whole, and is refused.

A client that sends its whole body before it looks for an answer would lose the answer if the body were left lying. So
what is refused is read and thrown away first, up to a limit; not for a client that asked first (`Expect`).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import request

from monitor.formats.xarf_objects import BODY_LIMIT, ITEM_LIMIT, OBJECT_LIMIT, VALUE_LIMIT
from web.api.door import Caller
from web.api.problems import Problem

LIMITS = {"body_bytes": BODY_LIMIT, "items": ITEM_LIMIT, "object_bytes": OBJECT_LIMIT, "values": VALUE_LIMIT}
LINES = "application/x-ndjson"
KINDS = ("application/json", LINES)
READ_SECONDS = 120.0  # for a whole body
DISCARD_LIMIT = 64 * 1024 * 1024  # bytes that are read to no purpose; who sends more may see the connection end

_PIECE = 16 * 1024  # bytes: the time is looked at after each
_KEY = re.compile(r"[\x21-\x7e]{1,200}", re.ASCII)
_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True)
class Upload:
    """A body as sent, with its idempotency key, and how it is to be read."""

    key: str = field(repr=False)
    body: bytes = field(repr=False)
    gzip: bool
    lines: bool


def receive(caller: Caller, clock: Callable[[], float] = time.monotonic) -> Upload:
    """The whole body of this request, charged to the caller; raises Problem."""
    until = clock() + READ_SECONDS
    try:
        key, lines, gzip, length = _key(), _is_lines(), _is_gzip(), _length()
    except Problem:
        _discard(caller, lambda: clock() > until)
        raise
    body = b"".join(pieces := _pieces(length, lambda: clock() > until))
    caller.sent += len(body)
    if len(body) < length:
        detail = f"The body ended after {len(body)} of {length} bytes. Nothing was stored; send it again, whole."
        raise Problem(400, "incomplete", "Cut off", detail)
    del pieces
    return Upload(key, body, gzip, lines)


def too_large(detail: str, index: int | None = None) -> Problem:
    """The refusal of a body that is over a limit."""
    return Problem(413, "too-large", "Too large", detail, LIMITS, index=index)


def _pieces(length: int, is_late: Callable[[], bool]) -> list[bytes]:
    """So many bytes of the body, or what there is of them; raises Problem where that takes too long."""
    stream, pieces = request.environ["wsgi.input"], list[bytes]()
    while length > 0 and (piece := stream.read(min(_PIECE, length))):
        pieces.append(piece)
        length -= len(piece)
        if is_late():
            detail = f"The body took longer than {READ_SECONDS:g} seconds. Nothing was stored; send fewer at a time."
            raise Problem(408, "too-slow", "Too slow", detail)
    return pieces


def _discard(caller: Caller, is_late: Callable[[], bool]) -> None:
    """Read what is refused, so that its sender gets to read why; raises Problem where it is over the limit besides."""
    told = request.environ.get("CONTENT_LENGTH", "")
    if request.headers.get("Expect", "").lower() == "100-continue":
        return  # it waits to be told
    if _LENGTH.fullmatch(told):
        if int(told) <= DISCARD_LIMIT:
            caller.sent += _passed(int(told), is_late)
    elif request.environ.get("wsgi.input_terminated"):
        caller.sent += (sent := _passed(BODY_LIMIT + 1, is_late))
        if sent > BODY_LIMIT:
            caller.sent += _passed(DISCARD_LIMIT - sent, is_late)
            raise _over_limit()


def _passed(length: int, is_late: Callable[[], bool]) -> int:
    stream, passed = request.environ["wsgi.input"], 0
    while passed < length and not is_late() and (piece := stream.read(min(_PIECE, length - passed))):
        passed += len(piece)
    return passed


def _length() -> int:
    told = request.environ.get("CONTENT_LENGTH", "")
    in_chunks = "Transfer-Encoding" in request.headers or not request.environ["SERVER_PROTOCOL"].startswith("HTTP/1")
    if not told and not in_chunks:
        return 0  # there is none (RFC 9112, 6.3)
    if not _LENGTH.fullmatch(told):
        detail = "Send Content-Length: a body without it cannot be known to be whole. Nothing was stored."
        raise Problem(411, "length", "Length required", detail)
    if int(told) > BODY_LIMIT:
        raise _over_limit()
    return int(told)


def _over_limit() -> Problem:
    return too_large(f"The body is over {BODY_LIMIT} bytes. Send fewer at a time.")


def _is_lines() -> bool:
    if request.mimetype not in KINDS or request.mimetype_params.get("charset", "utf-8").lower() != "utf-8":
        raise Problem(415, "media-type", "Media type not taken", f"Send {' or '.join(KINDS)}, in UTF-8.")
    return request.mimetype == LINES


def _is_gzip() -> bool:
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        headers = {"Accept-Encoding": "gzip"}
        raise Problem(415, "encoding", "Encoding not taken", "Send the body plain or as gzip.", headers=headers)
    return encoding == "gzip"


def _key() -> str:
    key = request.headers.get("Idempotency-Key", "")
    if not _KEY.fullmatch(key):
        detail = "Send an Idempotency-Key of 1 to 200 visible ASCII characters, a new one for each new request."
        raise Problem(400, "key-missing", "No usable key", detail)
    return key
