"""How much a token may do: so many requests, bytes and seconds of work in a fixed window, counted in the database.

The counts are in the database because a limit kept by each worker would grow with their number. A request is counted
before it is carried out; what it sent and cost, when that is known. So the last request of a window may go beyond the
budget, by no more than one body and its work. Requests over the limit write nothing.
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
