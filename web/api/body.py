"""The body of a push: read within limits, inflated within limits, its evidence gone before anything else sees it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from typing import Literal

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from monitor.errors import DeliveryError
from monitor.formats.xarf import ObjectTooLargeError, without_evidence
from monitor.formats.xarf_objects import OBJECT_LIMIT
from web.api.problems import Problem

BODY_LIMIT = 8 * 1024 * 1024  # bytes, as sent and inflated
ITEM_LIMIT = 1000
LIMITS = {"body_bytes": BODY_LIMIT, "items": ITEM_LIMIT, "object_bytes": OBJECT_LIMIT}
KINDS = ("application/json", "application/x-ndjson")

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Body:
    """Notices in memory that open like a file; nothing of them is written outside the database."""

    content: bytes
    name: str = "the request"

    def open(self, mode: Literal["rb"]) -> BufferedReader:
        """Read from the start."""
        assert mode == "rb"
        return BufferedReader(BytesIO(self.content))


def read_body() -> bytes:
    """What was sent, inflated; raises Problem where kind, encoding or size will not do."""
    if request.mimetype not in KINDS or request.mimetype_params.get("charset", "utf-8").lower() != "utf-8":
        raise Problem(415, "media-type", "Media type not taken", f"Send {' or '.join(KINDS)}, in UTF-8.")
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        headers = {"Accept-Encoding": "gzip"}
        raise Problem(415, "encoding", "Encoding not taken", "Send the body plain or as gzip.", headers=headers)
    request.max_content_length = BODY_LIMIT
    try:
        sent = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise _too_large(f"The body is over {BODY_LIMIT} bytes.") from None
    return _inflated(sent) if encoding == "gzip" else sent


def _inflated(sent: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    try:
        content = inflater.decompress(sent, BODY_LIMIT + 1)
    except zlib.error:
        raise _unreadable("The gzip body is damaged.") from None
    if len(content) > BODY_LIMIT:
        raise _too_large(f"The inflated body is over {BODY_LIMIT} bytes.")
    if not inflater.eof or inflater.unused_data:
        raise _unreadable("The gzip body is cut off, or something follows it.")
    return content


def as_delivery(body: bytes) -> Body:
    """The notices of a body as JSON without evidence, item for item; raises Problem where it cannot be read as such."""
    try:
        count, content = without_evidence([body.removeprefix(_BOM)])
    except ObjectTooLargeError as error:
        raise _too_large(f"Of the notices, {error}.") from None
    except DeliveryError as error:
        raise _unreadable(f"This is {error}.") from None
    if not count:
        raise Problem(422, "no-notices", "No notices", "The body holds no notice.")
    if count > ITEM_LIMIT:
        raise _too_large(f"There are more than {ITEM_LIMIT} items.")
    return Body(content)


def _too_large(detail: str) -> Problem:
    return Problem(413, "too-large", "Too large", f"{detail} Send fewer at a time.", LIMITS)


def _unreadable(detail: str) -> Problem:
    return Problem(400, "unreadable", "Cannot be read", f"{detail} Nothing was stored.")
