"""Sorting and adding up rows by whole numbers, in an order that depends on nothing but the rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Whole = npt.NDArray[Any]  # whole numbers of any width

_BITS = 63  # of a key: whole and not negative


def order(*columns: Whole) -> Integers:
    """The stable order of the rows by columns of whole numbers from 0 on, the first weighing most.

    Packed into one number with its own place, a row sorts ten times as fast as by columns. As many columns as fit are
    packed at a time, the last ones first: each further sort leaves those that tie in the order of the ones before.
    """
    row, rest = np.arange(len(columns[0])), list(columns)
    rows: Integers | None = None
    while rest:
        keys = [rest.pop()]
        while rest and _width([rest[-1], *keys, row]) <= _BITS:
            keys.insert(0, rest.pop())
        rows = _order(keys, row) if rows is None else rows[_order([key[rows] for key in keys], row)]
    return row if rows is None else rows


def _order(keys: Sequence[Whole], row: Integers) -> Integers:
    """The same by columns that fit, or by a single one that need not."""
    if _width([*keys, row]) > _BITS:
        return np.argsort(keys[0], kind="stable")
    key = packed(*keys, row)
    key.sort()
    key &= (1 << _width([row])) - 1
    return key


def packed(*columns: Whole) -> Integers:
    """One number a row that sorts as the columns do; they must fit 63 bits together."""
    key = columns[0].astype(np.int64)
    for column in columns[1:]:
        key <<= _width([column])
        key |= column
    return key


def _width(columns: Sequence[Whole]) -> int:
    """How many bits the columns need together."""
    return sum(int(column.max(initial=0)).bit_length() for column in columns)


def starts(*columns: Whole) -> Integers:
    """Where a new combination of values begins in sorted columns."""
    if not columns[0].size:
        return np.zeros(0, dtype=np.int64)
    changed = np.zeros(len(columns[0]), dtype=np.bool_)
    changed[0] = True
    for column in columns:
        changed[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(changed)


def stretches(begins: Integers, rows: int) -> Iterator[tuple[int, int]]:
    """The first row of each stretch, and that after its last."""
    return zip(begins.tolist(), np.append(begins, rows)[1:].tolist(), strict=True)


def totals(place: Integers, values: Floats, size: int) -> Floats:
    """The sum of the values at each place from 0 to size - 1; fractions also where there is none (numpy: whole)."""
    return np.asarray(np.bincount(place, values, size), np.float64)


def added(values: Integers, begins: Integers) -> Integers:
    """The sum of each stretch."""
    return np.add.reduceat(values, begins) if begins.size else np.zeros(0, dtype=np.int64)


def grouped(keys: Sequence[Whole], values: Sequence[Whole]) -> tuple[list[Integers], list[Integers]]:
    """The combinations of keys, sorted, and the sum of each column of values over the rows of each."""
    rows = order(*keys)
    if _width(keys) <= _BITS:
        key = packed(*keys)[rows]
        begins = starts(key)
        found = _unpacked(key[begins], keys)
    else:
        begins = starts(*(column[rows] for column in keys))
        found = [column[rows][begins].astype(np.int64) for column in keys]
    return found, [_summed(column, rows, begins) for column in values]


def _summed(column: Whole, rows: Integers, begins: Integers) -> Integers:
    if not column.any():
        return np.zeros(len(begins), dtype=np.int64)
    return added(column[rows].astype(np.int64), begins)


def _unpacked(key: Integers, columns: Sequence[Whole]) -> list[Integers]:
    found = []
    for column in reversed(columns):
        width = _width([column])
        found.append(key & ((1 << width) - 1))
        key = key >> width
    return found[::-1]
