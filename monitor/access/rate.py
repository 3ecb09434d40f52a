"""How often a token may be used: so many requests in a fixed window, counted in the database for all processes.

The count is in the database because a limit kept by each worker would grow with their number. One short update a
request is little beside what a request stores. Requests over the limit write nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from monitor.models.account import AccessToken


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `requests` in `seconds`."""

    requests: int = 60
    seconds: int = 60


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether this request may go on, how many more may, and the seconds until the window ends."""

    granted: bool
    remaining: int
    resets_in: int


def spend(session: Session, number: int, limit: Limit, at: datetime) -> Allowance:
    """Count one request of a token. A statement each, first of its transaction: no two see the same count."""
    token = AccessToken.id == number
    is_over = AccessToken.window_at <= at - timedelta(seconds=limit.seconds)
    started = update(AccessToken).where(token, is_over).values(window_at=at, window_spent=1, last_used_at=at)
    counted = update(AccessToken).where(token, AccessToken.window_spent < limit.requests)
    counted = counted.values(window_spent=AccessToken.window_spent + 1, last_used_at=at)
    granted = _changed(session, started) or _changed(session, counted)
    return _allowance(session.get_one(AccessToken, number, populate_existing=True), limit, at, granted=granted)


def is_spent(token: AccessToken, limit: Limit, at: datetime) -> Allowance | None:
    """The refusal, where the window is known to be full: it needs no write."""
    allowance = _allowance(token, limit, at, granted=False)
    return allowance if allowance.remaining == 0 and allowance.resets_in > 0 else None


def _allowance(token: AccessToken, limit: Limit, at: datetime, *, granted: bool) -> Allowance:
    ends = token.window_at + timedelta(seconds=limit.seconds)
    remaining = max(0, limit.requests - token.window_spent)
    return Allowance(granted, remaining, max(0, round((ends - at).total_seconds())))


def _changed(session: Session, statement: Any) -> bool:
    result = session.execute(statement, execution_options={"synchronize_session": False})
    assert isinstance(result, CursorResult)
    return result.rowcount == 1
