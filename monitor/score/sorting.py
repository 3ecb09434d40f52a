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

    Keys packed into one number sort ten times as fast as columns; where they do not fit, columns are sorted.
    """
    if not columns[0].size:
        return np.zeros(0, dtype=np.int64)
    row = np.arange(len(columns[0]))
    if _width([*columns, row]) <= _BITS:
        key = packed(*columns, row)
        key.sort()
        key &= (1 << _width([row])) - 1
        return key
    if _width(columns) <= _BITS:
        return np.argsort(packed(*columns), kind="stable")
    return np.lexsort(columns[::-1])


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


def lengths(begins: Integers, rows: int) -> Integers:
    """How many rows each stretch has."""
    return np.diff(begins, append=rows)


def stretches(begins: Integers, rows: int) -> Iterator[tuple[int, int]]:
    """The first row of each stretch, and that after its last."""
    return zip(begins.tolist(), (begins + lengths(begins, rows)).tolist(), strict=True)


def running(values: Floats, begins: Integers) -> Floats:
    """Running sums that start again at each of a few stretches, each as exact as if it were alone."""
    result = np.empty_like(values)
    for begin, end in stretches(begins, len(values)):
        np.cumsum(values[begin:end], out=result[begin:end])
    return result


def running_whole(values: Integers, begins: Integers) -> Integers:
    """Running sums of whole numbers that start again at each of many stretches.

    They are exact even where the sum over all of them passes 2**63: what is too much goes again with the difference.
    """
    sums = np.cumsum(values)
    before = np.where(begins > 0, sums[begins - 1], 0)
    sums -= np.repeat(before, lengths(begins, len(values)))
    return sums


def totals(place: Integers, values: Floats, size: int) -> Floats:
    """The sum of the values at each place from 0 to size - 1; fractions also where there is none (numpy: whole)."""
    return np.asarray(np.bincount(place, values, size), np.float64)


def added(values: Integers, begins: Integers) -> Integers:
    """The sum of each stretch."""
    return np.add.reduceat(values, begins) if begins.size else np.zeros(0, dtype=np.int64)


def first(found: Flags, group: Integers, groups: int) -> Integers:
    """The first row of each group, in sorted rows, where something was found; -1: in none."""
    result = np.full(groups, -1, dtype=np.int64)
    rows = np.flatnonzero(found)[::-1]
    result[group[rows]] = rows
    return result


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
