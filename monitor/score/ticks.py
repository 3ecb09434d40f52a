"""Time as whole microseconds inside the engines: sums and joins of whole numbers come out the same everywhere."""

from __future__ import annotations

from typing import Any

TICKS = 3_600_000_000  # ticks in an hour


def ticks(hours: Any) -> Any:
    """Hours as the nearest whole number of ticks; null stays null."""
    return (hours * float(TICKS) + 0.5).floor().cast("int64")


def in_hours(value: Any) -> Any:
    """Ticks (an expression or an array) as hours."""
    return value / float(TICKS)
