"""The body of a push: whole and within its limit, or refused.

`web.threads` hands a request over once its body has come to its end; one that broke off never gets here. A body in
chunks has its length by then, and of one over the limit only so much is there that it can be told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from flask import request

from monitor.formats.xarf_objects import BODY_LIMIT, ITEM_LIMIT, OBJECT_LIMIT, VALUE_LIMIT
from web.api.authenticate import Caller
from web.api.problems import Problem

LIMITS = {"body_bytes": BODY_LIMIT, "items": ITEM_LIMIT, "object_bytes": OBJECT_LIMIT, "values": VALUE_LIMIT}
LINES = "application/x-ndjson"
KINDS = ("application/json", LINES)

_KEY = re.compile(r"[\x21-\x7e]{1,200}", re.ASCII)
_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True)
class Upload:
    """A body as sent, with its idempotency key, and how it is to be read."""

    key: str = field(repr=False)
    body: bytes = field(repr=False)
    gzip: bool
    lines: bool


def receive(caller: Caller) -> Upload:
    """The whole body of this request, charged to the caller; raises Problem."""
    caller.sent += min(_announced(), 2**62)
    key, lines, gzip, length = _key(), _is_lines(), _is_gzip(), _length()
    body = request.environ["wsgi.input"].read(length)
    if len(body) < length:
        detail = f"The body ended after {len(body)} of {length} bytes. Nothing was stored; send it again, whole."
        raise Problem(400, "incomplete", "Cut off", detail)
    return Upload(key, body, gzip, lines)


def too_large(detail: str, index: int | None = None) -> Problem:
    """The refusal of a body that is over a limit."""
    return Problem(413, "too-large", "Too large", detail, LIMITS, index=index)


def _announced() -> int:
    """How long the body is said to be; 0 where nothing sensible is said."""
    told = request.environ.get("CONTENT_LENGTH", "")
    return int(told) if _LENGTH.fullmatch(told) else 0


def _length() -> int:
    told = request.environ.get("CONTENT_LENGTH", "")
    if told and not _LENGTH.fullmatch(told):
        raise Problem(400, "length", "No length", "Content-Length is no number. Nothing was stored.")
    if _announced() > BODY_LIMIT:
        raise _over_limit()
    return _announced()


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
