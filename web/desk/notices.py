"""`POST /api/v1/notices` and `GET /api/v1/deliveries/ID`: a push is one delivery, told item by item."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import msgspec
from flask import Blueprint, Response, current_app, request
from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

from monitor.db import transaction
from monitor.errors import ConfigurationError
from monitor.formats.xarf_objects import BODY_LIMIT, ITEM_LIMIT, OBJECT_LIMIT, VALUE_LIMIT
from monitor.ingest.result import result_of
from monitor.instants import iso, to_instant
from monitor.key_checks import open_vault
from monitor.models.facts import Quarantined
from monitor.push.messages import DeliveryReport, Failure, Push, Refusal, RefusedItem, Worked
from monitor.push.process import PushBrokeOffError, PushBusyError
from monitor.settings import Settings
from monitor.tokens import PUSH, READ, own_delivery
from monitor.vault import ExportedKey, Vault
from web.desk.authenticate import Caller, admitted, engine, show_rate
from web.shared.problems import Problem, failed, from_exception, from_http

LIMITS = {"body_bytes": BODY_LIMIT, "items": ITEM_LIMIT, "object_bytes": OBJECT_LIMIT, "values": VALUE_LIMIT}
LINES = "application/x-ndjson"
KINDS = ("application/json", LINES)
_NOT_STORED = "Nothing was stored. Try again with the same Idempotency-Key."
_TEMPORARY = (OperationalError, ConfigurationError)
bp = Blueprint("notices", __name__, url_prefix="/api/v1")
bp.after_request(show_rate)
bp.register_error_handler(Problem, Problem.response)
bp.register_error_handler(HTTPException, from_http)
bp.register_error_handler(Exception, lambda error: from_exception(error, _NOT_STORED, _TEMPORARY))

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


_AGAIN = "Send the same again with the same Idempotency-Key."
_REFUSALS = {
    "unreadable": (400, "Cannot be read"),
    "no-notices": (422, "No notices"),
    "key-reused": (422, "Key used before"),
}


class Pushes(Protocol):
    """What applies pushes: a process of its own (`monitor.push.process`)."""

    def work(self, push: Push, key: ExportedKey) -> Worked:
        """What came of a push; raises PushBusyError or PushBrokeOffError."""


@bp.post("/notices", provide_automatic_options=False)
def push() -> Response:
    """Ingest notices, once a key; the same request again gets the same answer."""
    received_at = int(time.time())
    with admitted(PUSH) as caller:
        sent = receive(caller)
        source = _settings().source(caller.source)
        worked = _work(caller, Push(caller.token, source, sent.key, sent.body, sent.gzip, sent.lines, received_at))
    return _answered(worked.result)


@bp.get(f"/deliveries/<int(max={2**63 - 1}):number>", provide_automatic_options=False)
def report(number: int) -> Response:
    """What became of one of the token's own deliveries."""
    with admitted(READ) as caller, transaction(engine()) as session:
        delivery = own_delivery(session, caller.token, number)
        if delivery is None:
            raise Problem(404, "delivery", "Not found", "This token pushed no delivery of that number.")
        received = {"received_at": iso(to_instant(delivery.received_at))}
        told = result_of(delivery).as_json() | received | {"refused": _refused(session, number)}
    return _said(msgspec.json.encode(msgspec.convert(told, DeliveryReport)).decode(), 200)


def _work(caller: Caller, push: Push) -> Worked:
    """Have a push applied, and charge the caller for it; raises Problem where it was not."""
    pushes: Pushes = current_app.extensions["monitor_pushes"]
    key, begun = _vault().export_key(), time.monotonic()
    try:
        worked = pushes.work(push, key)
    except PushBusyError:
        raise _later("busy", "Busy", "Other pushes take long.") from None
    except PushBrokeOffError:
        caller.work += round(1000 * (time.monotonic() - begun))  # what it took is known to nobody else
        raise Problem(
            503, "broke-off", "Broke off", f"The work broke off. {_AGAIN}", headers={"Retry-After": "30"}
        ) from None
    caller.sent += worked.inflated
    caller.work += worked.milliseconds
    return worked


def _later(kind: str, title: str, what: str) -> Problem:
    return Problem(503, kind, title, f"{what} {_AGAIN}", headers={"Retry-After": "30"})


def _answered(result: str | Refusal | Failure) -> Response:
    if isinstance(result, Failure):
        return failed(result.error, result.frames, f"Nothing was stored. {_AGAIN}", temporary=result.temporary)
    if isinstance(result, str):
        return _said(result, 207)
    if result.kind == "too-large":
        raise too_large(result.detail, result.index)
    status, title = _REFUSALS[result.kind]
    raise Problem(status, result.kind, title, result.detail, index=result.index)


def _refused(session: Session, number: int) -> list[RefusedItem]:
    query = select(Quarantined).where(Quarantined.delivery_id == number).order_by(Quarantined.line)
    return [RefusedItem(row.line - 1, row.reason, row.column) for row in session.scalars(query)]


def _said(content: str, status: int) -> Response:
    return Response(content + "\n", status, mimetype="application/json")


def _settings() -> Settings:
    settings = current_app.jinja_env.globals["settings"]
    assert isinstance(settings, Settings)
    return settings


def _vault() -> Vault:
    path = _settings().key_file
    return _opened(engine(), path, path.stat().st_mtime_ns if path.exists() else None)


@lru_cache(maxsize=2)
def _opened(database: Engine, path: Path, _changed: int | None) -> Vault:
    """The vault of a key file, read again when the file changes: keys are rotated while the site runs."""
    return open_vault(database, path, int(time.time()))
