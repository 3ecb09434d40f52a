"""`POST /api/v1/notices` and `GET /api/v1/deliveries/ID`: a push is one delivery, told item by item."""

from __future__ import annotations

import json
import re
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Response, current_app, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.access.pushed import SeenBeforeError, answered, claim, has_body, own_delivery
from monitor.access.tokens import PUSH, READ
from monitor.db import lock_writers, transaction
from monitor.ingest.ahead import Ahead
from monitor.ingest.answer import Answer, answer
from monitor.ingest.outcomes import Fate, Outcome
from monitor.ingest.take import Parcel
from monitor.instants import iso, to_datetime, to_instant
from monitor.intake import read_ahead, take_in
from monitor.models.facts import Quarantined
from monitor.settings import Settings
from monitor.vault import Vault
from monitor.vocabulary import Verdict
from web.api.body import as_delivery, read_body
from web.api.door import Caller, admit, engine
from web.api.problems import Problem

_KEY = re.compile(r"[\x21-\x7e]{1,200}", re.ASCII)
_NEWS: dict[Verdict, int] = {Verdict.OK: 201, Verdict.SUSPICIOUS: 202, Verdict.REFUSED: 422}
_KNOWN: dict[Verdict, int] = {Verdict.OK: 200, Verdict.SUSPICIOUS: 202, Verdict.REFUSED: 422}


def push() -> Response:
    """Take notices in, once a key; the same request again gets the same answer."""
    received_at = int(time.time())
    caller, key = admit(PUSH), _key()
    sent = read_body()
    body = as_delivery(sent)
    parcel = Parcel(_settings().source(caller.source), "xarf", body, received_at)
    try:
        with read_ahead(_vault(), parcel) as ahead:

            def attempt() -> str:
                with transaction(engine()) as session:
                    return _apply(session, caller, key, sent, parcel, ahead)

            told = ahead.store(attempt)
    except SeenBeforeError:
        with transaction(engine()) as session:
            told = _again(session, caller, key, sent)
    return _said(told, 207)


def report(number: int) -> Response:
    """What became of one of the token's own deliveries."""
    caller = admit(READ)
    with transaction(engine()) as session:
        delivery = own_delivery(session, caller.token, number)
        if delivery is None:
            raise Problem(404, "delivery", "Not found", "This token pushed no delivery of that number.")
        received = {"received_at": iso(to_instant(delivery.received_at))}
        told = answer(delivery).as_json() | received | {"refused": _refused(session, number)}
    del told["sha256"]  # of what was kept of the body, not of what was sent
    return _said(json.dumps(told), 200)


def _apply(session: Session, caller: Caller, key: str, sent: bytes, parcel: Parcel, ahead: Ahead) -> str:
    """All of a push in one transaction: the key, the facts, the answer; any exception undoes the three."""
    vault = _vault()
    asked = claim(session, vault, caller.token, key, sent, to_datetime(parcel.received_at))
    lock_writers(session)
    outcomes: list[Outcome] = []
    taken = take_in(session, vault, parcel, int(time.time()), outcomes=outcomes.append, given=ahead)
    asked.delivery_id = taken.delivery
    asked.answer = json.dumps(_told(taken, outcomes or _recalled(session, taken)))
    return asked.answer


def _again(session: Session, caller: Caller, key: str, sent: bytes) -> str:
    """The answer that was given to this key; Problem where it was another request's."""
    vault = _vault()
    asked = answered(session, vault, caller.token, key)
    assert asked is not None
    assert asked.answer is not None
    if not has_body(asked, vault, sent):
        detail = "This Idempotency-Key was used with another body. Use a new key for new notices."
        raise Problem(422, "key-reused", "Key used before", detail)
    return asked.answer


def _told(taken: Answer, outcomes: list[Outcome]) -> dict[str, Any]:
    """What the sender reads: counts of the delivery, then each item in the order it was sent."""
    told = taken.as_json()
    kept = ("delivery", "rows", "accepted", "duplicate", "quarantined", "warnings", "repeated", "verdict", "reasons")
    items = [_item(outcome, taken.verdict) for outcome in sorted(outcomes, key=lambda outcome: outcome.row)]
    return {name: told[name] for name in kept} | {"items": items}


def _item(outcome: Outcome, verdict: Verdict) -> dict[str, Any]:
    index = outcome.row - 1
    if outcome.fate is Fate.QUARANTINED:
        return {"index": index, "status": 422, "reason": outcome.reason, "field": outcome.column}
    status = (_NEWS if outcome.fate is Fate.ACCEPTED else _KNOWN)[verdict]
    reason = "delivery_refused" if verdict is Verdict.REFUSED else None
    return {"index": index, "status": status, "reason": reason, "field": None}


def _recalled(session: Session, taken: Answer) -> list[Outcome]:
    """The outcomes of the very same notices, taken in before under another key: what was not refused is known."""
    query = select(Quarantined).where(Quarantined.delivery_id == taken.delivery)
    refused = {row.line: Outcome(row.line, Fate.QUARANTINED, row.reason, row.column) for row in session.scalars(query)}
    return [refused.get(row, Outcome(row, Fate.DUPLICATE)) for row in range(1, taken.rows + 1)]


def _refused(session: Session, number: int) -> list[dict[str, Any]]:
    query = select(Quarantined).where(Quarantined.delivery_id == number).order_by(Quarantined.line)
    return [{"index": row.line - 1, "reason": row.reason, "field": row.column} for row in session.scalars(query)]


def _key() -> str:
    key = request.headers.get("Idempotency-Key", "")
    if not _KEY.fullmatch(key):
        detail = "Send an Idempotency-Key of 1 to 200 visible ASCII characters, a new one for each new request."
        raise Problem(400, "key-missing", "No usable key", detail)
    return key


def _said(content: str, status: int) -> Response:
    return Response(content + "\n", status, mimetype="application/json")


def _settings() -> Settings:
    settings = current_app.jinja_env.globals["settings"]
    assert isinstance(settings, Settings)
    return settings


def _vault() -> Vault:
    path = _settings().key_file
    return _opened(path, path.stat().st_mtime_ns if path.exists() else None)


@lru_cache(maxsize=2)
def _opened(path: Path, _changed: int | None) -> Vault:
    """The vault of a key file, read again when the file changes: keys are rotated while the site runs."""
    return Vault(path)
