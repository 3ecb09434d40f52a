"""Whole numbers inside the engines: their sums and joins come out the same whatever engine adds them in what order."""

from __future__ import annotations

from typing import Any

import ibis

TICKS = 3_600_000_000  # microseconds, the unit of time, in an hour


def ticks(hours: Any) -> Any:
    """Hours as the nearest whole number of ticks; null stays null."""
    return whole(hours * float(TICKS))


def whole(value: Any) -> Any:
    """The nearest whole number; halves go up, as no two engines round them alike."""
    return (value + 0.5).floor().cast("int64")


def rounded_down(value: Any, step: Any) -> Any:
    """A whole number down to a multiple of the step."""
    return (value / step).floor().cast("int64") * step


def rounded_up(value: Any, step: Any) -> Any:
    """A whole number up to a multiple of the step."""
    return rounded_down(value + step - 1, step)


def flag(condition: Any) -> Any:
    """1 where a condition holds, 0 where it does not or is null: a cast from boolean is not in every dialect."""
    return condition.ifelse(ibis.literal(1, "int64"), ibis.literal(0, "int64"))
