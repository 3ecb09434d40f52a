"""Numbers for the distinct values of a long column, by hashing: faster than sorting it where few are distinct."""

from __future__ import annotations

from typing import Any

import numpy as np

from monitor.estimators.arrays import AnyIntegers, Integers
from monitor.estimators.compiled import compiled

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hashing (Knuth, TAOCP 3, 6.4)


def number_values(values: AnyIntegers) -> tuple[Integers, AnyIntegers]:
    """The distinct values, sorted, and of each row the place of its value among them."""
    distinct, number = _by_appearance(values)
    order = np.argsort(distinct)
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return distinct[order], rank[number]


@compiled
def _by_appearance(values: AnyIntegers) -> tuple[Integers, AnyIntegers]:
    """The distinct values in the order in which they appear, and of each row the place of its value among them."""
    bits, found = 10, 0
    slots = np.full(1 << bits, -1, np.int32)  # open addressing: which distinct value a slot has
    distinct, number = np.empty(1 << (bits - 1), np.int64), np.empty(len(values), np.int32)
    for row in range(len(values)):
        value = int(values[row])
        slot = _slot(value, bits)
        while slots[slot] >= 0 and distinct[slots[slot]] != value:
            slot = (slot + 1) & (len(slots) - 1)
        if slots[slot] < 0:
            if found == len(distinct):
                bits += 1
                more = np.empty(2 * found, np.int64)
                more[:found] = distinct
                distinct, slots = more, _filled(more[:found], bits)
                slot = _slot(value, bits)
                while slots[slot] >= 0:
                    slot = (slot + 1) & (len(slots) - 1)
            slots[slot], distinct[found] = found, value
            found += 1
        number[row] = slots[slot]
    return distinct[:found].copy(), number


@compiled
def _slot(value: int, bits: int) -> Any:  # a whole number with a sign
    """Where a value belongs in a table of 2^bits slots."""
    return np.int64((np.uint64(value) * _MULTIPLIER) >> np.uint64(64 - bits))


@compiled
def _filled(distinct: Integers, bits: int) -> AnyIntegers:
    """A table of twice as many slots with all values there are."""
    slots = np.full(1 << bits, -1, np.int32)
    for place in range(len(distinct)):
        slot = _slot(int(distinct[place]), bits)
        while slots[slot] >= 0:
            slot = (slot + 1) & (len(slots) - 1)
        slots[slot] = place
    return slots
