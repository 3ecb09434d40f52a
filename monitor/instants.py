"""Instants: whole seconds since 1970-01-01T00:00:00Z in the core, aware datetimes at its edges."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from monitor.errors import MonitorError

HOUR = 3600
DAY = 24 * HOUR

_ISO = re.compile(r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$")


def to_instant(moment: datetime) -> int:
    """Whole seconds since the epoch of an aware datetime (fractions are dropped); naive time is refused."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone: say which zone it is in")
    return int(moment.timestamp() // 1)


def to_datetime(instant: int) -> datetime:
    """The aware UTC datetime of an instant."""
    return datetime.fromtimestamp(instant, UTC)


def iso(instant: int) -> str:
    """`2026-04-10T16:31:23Z`."""
    return to_datetime(instant).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_instant(text: str) -> int:
    """Read an ISO 8601 instant with its zone (`2026-04-10T16:31:23Z`), or a date (its first second in UTC).

    Raises MonitorError where the text is no such thing, or has a time without a zone.
    """
    if not _ISO.match(text):
        raise MonitorError(f"{text!r} is not an ISO 8601 time such as 2026-04-10T16:31:23Z")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise MonitorError(f"{text!r} is not a time that exists: {error}") from error
    if len(text) == len("2026-04-10"):
        moment = moment.replace(tzinfo=UTC)
    if moment.tzinfo is None:
        raise MonitorError(f"{text!r} has no zone: end it in Z for UTC, or in an offset such as +02:00")
    return to_instant(moment)
