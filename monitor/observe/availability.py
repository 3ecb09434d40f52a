"""What a server's answer says of an item, and when an item is offline. Each rule errs towards "nobody knows"."""

from __future__ import annotations

from datetime import datetime, timedelta

from monitor.models.run import ObserverState
from monitor.vocabulary import State

FAILURES = 3
APART = timedelta(minutes=15)
_GONE = frozenset({404, 410, 451})  # not there, not there any more, not for legal reasons


def meaning(status: int | None) -> State:
    """The state that an HTTP status (None: no answer) speaks for.

    ONLINE for 2xx. OFFLINE, one failure of the three, for 404, 410 and 451. UNKNOWN for all else: a redirect may lead
    to the item or to a front page; 401 and 403 may be for us alone; 405 and 501 refuse the question, 429 and 5xx say
    how the server is; and who gets no answer, or a bad certificate, cannot tell the server's fault from his own.
    """
    if status is not None and 200 <= status < 300:
        return State.ONLINE
    return State.OFFLINE if status in _GONE else State.UNKNOWN


def conclude(state: ObserverState, status: int | None, now: datetime) -> State:
    """Count the answer in `state`, and say what may be concluded: OFFLINE at the third failure in a row.

    A failure less than APART after the one before it is not counted. What is unknown neither counts nor clears.
    """
    seen = meaning(status)
    if seen is State.ONLINE:
        state.failures, state.failed_at = 0, None
    if seen is not State.OFFLINE:
        return seen
    if state.failed_at is None or state.failed_at + APART <= now:
        state.failures, state.failed_at = state.failures + 1, now
    if state.failures < FAILURES:
        return State.UNKNOWN
    state.failures, state.failed_at = 0, None
    return State.OFFLINE
