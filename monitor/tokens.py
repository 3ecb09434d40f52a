"""Access by token: issuing and verifying, how much each may do, and what was pushed already."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from monitor import audit
from monitor.db import lock_writers
from monitor.errors import MonitorError
from monitor.models.account import AccessToken, PushedRequest
from monitor.models.facts import Delivery
from monitor.vault import Vault

PUSH = "notices:push"
READ = "deliveries:read"
SCOPES = (PUSH, READ)

_FORM = re.compile(r"ham_([0-9a-f]{16})_([A-Za-z0-9_-]{43})", re.ASCII)
_NOBODY = bytes(32)


def issue(
    session: Session, source: str, scopes: Collection[str], at: datetime, days: int, actor: str
) -> tuple[AccessToken, str]:
    """A new token of a source, valid for `days` from `at`, and its text, which nothing can show a second time."""
    selector, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    token = AccessToken(
        source=source,
        selector=selector,
        secret_sha256=_hashed(secret),
        scopes=sorted(scopes),
        issued_at=at,
        expires_at=at + timedelta(days=days),
        window_at=at,
        window_spent=0,
    )
    session.add(token)
    session.flush()
    details = {"source": source, "scopes": token.scopes, "days": days}
    audit.record(session, at, actor, "token.issue", f"token {token.id}", details)
    return token, f"ham_{selector}_{secret}"


def verify(session: Session, text: str, at: datetime) -> AccessToken | None:
    """The token this text is, letter by letter; None where it is none, has expired or was revoked."""
    parts = _FORM.fullmatch(text)
    if parts is None:
        return None
    token = session.scalars(select(AccessToken).where(AccessToken.selector == parts[1])).one_or_none()
    is_secret = hmac.compare_digest(_hashed(parts[2]), token.secret_sha256 if token else _NOBODY)
    if token is None or not is_secret or token.revoked_at is not None or at >= token.expires_at:
        return None
    return token


def revoke(session: Session, number: int, at: datetime, actor: str) -> AccessToken:
    """End a token now; raises MonitorError where there is none of that number, or it was ended before."""
    lock_writers(session)
    token = session.get(AccessToken, number)
    if token is None:
        raise MonitorError(f"no token {number}; `monitor token list` shows them")
    if token.revoked_at is not None:
        raise MonitorError(f"token {number} was revoked before")
    token.revoked_at = at
    audit.record(session, at, actor, "token.revoke", f"token {number}", {"source": token.source})
    return token


def _hashed(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("ascii")).digest()


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so much in `seconds`: requests, bytes sent and inflated, milliseconds of processor time."""

    requests: int = 60
    seconds: int = 60
    sent: int = 64 * 2**20
    work: int = 30_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether this request may go on, what is left of each part of the limit, and the seconds to the window's end."""

    granted: bool
    remaining: int
    resets_in: int
    sent: int
    work: int

    @property
    def is_empty(self) -> bool:
        """Whether a part of the limit is used up."""
        return not (self.remaining and self.sent and self.work)


def spend(session: Session, number: int, limit: Limit, at: datetime) -> Allowance:
    """Count one request of a token. A statement each, first of its transaction: no two see the same count."""
    token = AccessToken.id == number
    anew = {"window_at": at, "window_spent": 1, "window_bytes": 0, "window_milliseconds": 0, "last_used_at": at}
    started = update(AccessToken).where(token, _is_over(limit, at)).values(anew)
    within = AccessToken.window_bytes < limit.sent, AccessToken.window_milliseconds < limit.work
    counted = update(AccessToken).where(token, AccessToken.window_spent < limit.requests, *within)
    counted = counted.values(window_spent=AccessToken.window_spent + 1, last_used_at=at)
    granted = _changed(session, started) or _changed(session, counted)
    return _allowance(session.get_one(AccessToken, number, populate_existing=True), limit, at, granted=granted)


def charge(session: Session, number: int, limit: Limit, sent: int, work: int, at: datetime) -> Allowance:
    """Count what a request that was granted sent (bytes) and cost (milliseconds), in the window in which it ended."""
    token = AccessToken.id == number
    anew = {"window_at": at, "window_spent": 0, "window_bytes": sent, "window_milliseconds": work}
    more = {
        "window_bytes": AccessToken.window_bytes + sent,
        "window_milliseconds": AccessToken.window_milliseconds + work,
    }
    if not _changed(session, update(AccessToken).where(token, _is_over(limit, at)).values(anew)):
        _changed(session, update(AccessToken).where(token).values(more))
    return _allowance(session.get_one(AccessToken, number, populate_existing=True), limit, at, granted=True)


def is_spent(token: AccessToken, limit: Limit, at: datetime) -> Allowance | None:
    """The refusal, where the window is known to be full: it needs no write."""
    allowance = _allowance(token, limit, at, granted=False)
    return allowance if allowance.is_empty and allowance.resets_in > 0 else None


def _is_over(limit: Limit, at: datetime) -> Any:
    return AccessToken.window_at <= at - timedelta(seconds=limit.seconds)


def _allowance(token: AccessToken, limit: Limit, at: datetime, *, granted: bool) -> Allowance:
    ends = token.window_at + timedelta(seconds=limit.seconds)
    return Allowance(
        granted,
        max(0, limit.requests - token.window_spent),
        max(0, round((ends - at).total_seconds())),
        max(0, limit.sent - token.window_bytes),
        max(0, limit.work - token.window_milliseconds),
    )


def _changed(session: Session, statement: Any) -> bool:
    result = session.execute(statement, execution_options={"synchronize_session": False})
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


class IdempotencyConflict(Exception):
    """The key was used before, or by another request at this moment, which has ended now."""


def claim(session: Session, vault: Vault, token: int, key: str, body: bytes, at: datetime) -> PushedRequest:
    """Take the key in the caller's transaction, as its first statement; raises IdempotencyConflict.

    Another request with the key waits here until this transaction ends, on both databases.
    """
    request = PushedRequest(
        token_id=token,
        key_digest=vault.digest(key),
        key_version=vault.version,
        body_digest=_digest(vault, body),
        recorded_at=at,
    )
    session.add(request)
    try:
        session.flush()
    except IntegrityError:
        raise IdempotencyConflict from None
    return request


def answered(session: Session, vault: Vault, token: int, key: str) -> PushedRequest | None:
    """The request that took the key."""
    mine = PushedRequest.token_id == token, PushedRequest.key_digest == vault.digest(key)
    return session.scalars(select(PushedRequest).where(*mine)).one_or_none()


def has_body(request: PushedRequest, vault: Vault, body: bytes) -> bool:
    """Whether the request had this very body."""
    return request.body_digest == _digest(vault, body)


def own_delivery(session: Session, token: int, number: int) -> Delivery | None:
    """The delivery of that number, where this token pushed it."""
    mine = PushedRequest.token_id == token, PushedRequest.delivery_id == number
    if session.scalars(select(PushedRequest.id).where(*mine).limit(1)).one_or_none() is None:
        return None
    return session.get(Delivery, number)


def _digest(vault: Vault, body: bytes) -> bytes:
    return vault.digest(hashlib.sha256(body).hexdigest())
