"""Authentication: the bearer token of a request (RFC 6750), its scope, and how much it may do."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from flask import Response, current_app, g, request
from sqlalchemy import Engine

from monitor.access.tokens import Allowance, Limit, charge, is_spent, spend, verify
from monitor.db import transaction
from monitor.instants import to_datetime
from web.shared.problems import Problem

TOTAL = 6  # a push that waits for its turn holds a thread of the worker; `web.shared.threads` has four more than these
EACH = 2  # of one token, so that no hotline keeps the others out
_RETRY_AFTER = 5  # seconds


@dataclass
class Places:
    """Counts who is in. Nobody waits: whoever finds no place is sent away at once, and told to come back."""

    total: int = TOTAL
    each: int = EACH
    _taken: Counter[int] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def place(self, token: int) -> Iterator[None]:
        """A place for a request of a token; raises Problem where there is none."""
        with self._lock:
            if self._taken.total() >= self.total or self._taken[token] >= self.each:
                detail = (
                    f"Other requests are being carried out. Nothing was stored; try again in {_RETRY_AFTER} seconds."
                )
                raise Problem(503, "busy", "Busy", detail, headers={"Retry-After": str(_RETRY_AFTER)})
            self._taken[token] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[token] -= 1
                self._taken += Counter()  # drop who is no longer in


LIMIT = Limit(requests=60, seconds=60)
_REALM = 'Bearer realm="notices"'


@dataclass
class Caller:
    """The token that came in, the source it speaks for, and what it is charged for: bytes, and milliseconds of work."""

    token: int
    source: str
    sent: int = 0
    work: int = 0


def engine() -> Engine:
    """The database of this site."""
    opened: Engine = current_app.extensions["monitor_engine"]
    return opened


@contextmanager
def admitted(scope: str) -> Iterator[Caller]:
    """The caller, where the token is good, may do this, and has some of its limit left; raises Problem.

    It has a place in this worker until the end, and is then charged for what it was found to have sent and cost.
    """
    now = _now()
    with transaction(engine()) as session:
        token = verify(session, _bearer(), now)
        if token is None:
            raise _unauthorized("The token is not known, has expired or was revoked.", ' error="invalid_token"')
        caller, scopes, refusal = Caller(token.id, token.source), token.scopes, is_spent(token, LIMIT, now)
    if refusal is not None:
        g.allowance = refusal
        raise _too_many(refusal)
    with _places().place(caller.token):
        _count(caller, now)
        if scope not in scopes:
            challenge = {"WWW-Authenticate": f'{_REALM}, error="insufficient_scope", scope="{scope}"'}
            raise Problem(403, "scope", "Not allowed", f"This token has no scope {scope}.", headers=challenge)
        try:
            yield caller
        finally:
            _charge(caller)


def show_rate(response: Response) -> Response:
    """Tell how much is left (draft-ietf-httpapi-ratelimit-headers-10), and that nothing is to be cached."""
    response.headers.setdefault("Cache-Control", "no-store")
    allowance: Allowance | None = g.get("allowance")
    if allowance is not None:
        window, ends = LIMIT.seconds, allowance.resets_in
        parts = (
            ("token", LIMIT.requests, allowance.remaining, ""),
            ("bytes", LIMIT.sent, allowance.sent, ';qu="content-bytes"'),
            ("work-milliseconds", LIMIT.work, allowance.work, ""),
        )
        policy = (f'"{name}";q={quota}{unit};w={window}' for name, quota, _, unit in parts)
        response.headers["RateLimit-Policy"] = ", ".join(policy)
        response.headers["RateLimit"] = ", ".join(f'"{name}";r={left};t={ends}' for name, _, left, _ in parts)
    return response


def _places() -> Places:
    places: Places = current_app.extensions["monitor_places"]
    return places


def _count(caller: Caller, now: datetime) -> None:
    with transaction(engine()) as session:
        g.allowance = spend(session, caller.token, LIMIT, now)
    if not g.allowance.granted:
        raise _too_many(g.allowance)


def _charge(caller: Caller) -> None:
    if caller.sent or caller.work:
        with transaction(engine()) as session:
            g.allowance = charge(session, caller.token, LIMIT, caller.sent, caller.work, _now())


def _now() -> datetime:
    return to_datetime(int(time.time()))


def _bearer() -> str:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text:
        raise _unauthorized("Send the token as: Authorization: Bearer TOKEN.", "")
    return text


def _unauthorized(detail: str, error: str) -> Problem:
    challenge = _REALM + ("," + error if error else "")
    return Problem(401, "token", "Not authenticated", detail, headers={"WWW-Authenticate": challenge})


def _too_many(allowance: Allowance) -> Problem:
    seconds = max(1, allowance.resets_in)
    most = f"{LIMIT.requests} requests, {LIMIT.sent} bytes (inflated) and {LIMIT.work / 1000:g} seconds of work"
    detail = f"At most {most} in {LIMIT.seconds} seconds; try again in {seconds} seconds."
    limits = {
        "requests": LIMIT.requests,
        "seconds": LIMIT.seconds,
        "bytes": LIMIT.sent,
        "work_milliseconds": LIMIT.work,
    }
    return Problem(429, "rate", "Too many requests", detail, limits, {"Retry-After": str(seconds)})
