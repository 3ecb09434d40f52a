"""Tokens of hotlines: issued once in clear, kept as a hash, compared in constant time, revoked for good.

A token is `ham_SELECTOR_SECRET`: the selector (64 bits, hexadecimal) finds the row, the secret (256 bits, base64url)
proves it. So many random bits need no slow hash: the SHA-256 of the secret gives nothing away, and no comparison
depends on how much of a guess is right.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor import audit
from monitor.db import lock_writers
from monitor.errors import MonitorError
from monitor.models.account import AccessToken

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
