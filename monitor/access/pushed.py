"""Idempotency keys of pushes: a token can use a key once, and a repeated request gets the first answer."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from monitor.models.account import PushedRequest
from monitor.models.facts import Delivery
from monitor.vault import Vault


class IdempotencyConflict(Exception):
    """The key was used before, or by a request that ran at the same time and has ended now."""


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
