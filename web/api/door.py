"""Who is at the door: the bearer token of a request (RFC 6750), its scope, and how often it may come."""

from __future__ import annotations

import time
from dataclasses import dataclass

from flask import Response, current_app, g, request
from sqlalchemy import Engine

from monitor.access.rate import Allowance, Limit, is_spent, spend
from monitor.access.tokens import verify
from monitor.db import transaction
from monitor.instants import to_datetime
from web.api.problems import Problem

LIMIT = Limit(requests=60, seconds=60)
_REALM = 'Bearer realm="notices"'


@dataclass(frozen=True, slots=True)
class Caller:
    """The token that came in, and the source it speaks for."""

    token: int
    source: str


def engine() -> Engine:
    """The database of this site."""
    opened: Engine = current_app.extensions["monitor_engine"]
    return opened


def admit(scope: str) -> Caller:
    """The caller, where the token is good, may do this, and has not come too often; raises Problem."""
    now = to_datetime(int(time.time()))
    with transaction(engine()) as session:
        token = verify(session, _bearer(), now)
        if token is None:
            raise _unauthorized("The token is not known, has expired or was revoked.", ' error="invalid_token"')
        caller, scopes, refusal = Caller(token.id, token.source), token.scopes, is_spent(token, LIMIT, now)
    if refusal is None:
        with transaction(engine()) as session:
            allowance = spend(session, caller.token, LIMIT, now)
    else:
        allowance = refusal
    g.allowance = allowance
    if not allowance.granted:
        raise _too_many(allowance)
    if scope not in scopes:
        challenge = {"WWW-Authenticate": f'{_REALM}, error="insufficient_scope", scope="{scope}"'}
        raise Problem(403, "scope", "Not allowed", f"This token has no scope {scope}.", headers=challenge)
    return caller


def show_rate(response: Response) -> Response:
    """Tell how much is left (draft-ietf-httpapi-ratelimit-headers-10), and that nothing is to be cached."""
    response.headers.setdefault("Cache-Control", "no-store")
    allowance: Allowance | None = g.get("allowance")
    if allowance is not None:
        response.headers["RateLimit-Policy"] = f'"token";q={LIMIT.requests};w={LIMIT.seconds}'
        response.headers["RateLimit"] = f'"token";r={allowance.remaining};t={allowance.resets_in}'
    return response


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
    detail = f"At most {LIMIT.requests} requests in {LIMIT.seconds} seconds; try again in {seconds} seconds."
    limits = {"requests": LIMIT.requests, "seconds": LIMIT.seconds}
    return Problem(429, "rate", "Too many requests", detail, limits, {"Retry-After": str(seconds)})
