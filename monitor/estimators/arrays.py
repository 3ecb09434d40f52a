"""Sorting and adding up rows by whole numbers, in an order that depends on nothing but the rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
AnyIntegers = npt.NDArray[Any]  # integers of any width

_BITS = 63  # of a sort key: an integer that is not negative


def sort_order(*columns: AnyIntegers) -> Integers:
    """The stable order of the rows by columns of whole numbers from 0 on, the first weighing most.

    Packed into one number with its own row number, a row sorts ten times as fast as by columns. As many columns as fit
    are packed at a time, the last ones first: each further sort leaves those that tie in the order of the ones before.
    """
    row, rest = np.arange(len(columns[0])), list(columns)
    rows: Integers | None = None
    while rest:
        keys = [rest.pop()]
        while rest and _bit_width([rest[-1], *keys, row]) <= _BITS:
            keys.insert(0, rest.pop())
        rows = _order_once(keys, row) if rows is None else rows[_order_once([key[rows] for key in keys], row)]
    return row if rows is None else rows


def sorted_rows(*columns: AnyIntegers) -> list[AnyIntegers]:
    """The columns of whole numbers from 0 on, their rows sorted by the first, then by the second, and so on.

    Where a row fits one number, the numbers are sorted and taken apart again: no column is read out of order.
    """
    if not fits_key(*columns):
        rows = sort_order(*columns)
        return [column[rows] for column in columns]
    key = pack_keys(*columns)
    key.sort()
    return _unpack_keys(key, columns)


def count_rows(*columns: AnyIntegers) -> tuple[list[AnyIntegers], Integers]:
    """The combinations of values, sorted, and how many rows have each."""
    if not fits_key(*columns):
        found, (count,) = group_by(columns, [np.ones(len(columns[0]), np.int64)])
        return list(found), count
    key = pack_keys(*columns)
    key.sort()
    starts = group_starts(key)
    return _unpack_keys(key[starts], columns), np.diff(np.append(starts, len(key)))


def _order_once(keys: Sequence[AnyIntegers], row: Integers) -> Integers:
    """The same by columns that fit, or by a single one that need not."""
    if _bit_width([*keys, row]) > _BITS:
        return np.argsort(keys[0], kind="stable")
    key = pack_keys(*keys, row)
    key.sort()
    key &= (1 << _bit_width([row])) - 1
    return key


def fits_key(*columns: AnyIntegers) -> bool:
    """Whether the columns can be packed into one number a row."""
    return _bit_width(columns) <= _BITS


def pack_keys(*columns: AnyIntegers) -> Integers:
    """One number a row that sorts as the columns do; they must fit 63 bits together."""
    key = columns[0].astype(np.int64)
    for column in columns[1:]:
        key <<= _bit_width([column])
        key |= column
    return key


def _unpack_keys(key: Integers, columns: Sequence[AnyIntegers]) -> list[AnyIntegers]:
    """The columns that were packed, in the types that they had."""
    found, above = [], 0
    for column in reversed(columns):
        width = _bit_width([column])
        part = key >> above
        part &= (1 << width) - 1
        found.append(part.astype(column.dtype))
        above += width
    return found[::-1]


def _bit_width(columns: Sequence[AnyIntegers]) -> int:
    """How many bits the columns need together."""
    return sum(int(column.max(initial=0)).bit_length() for column in columns)


def group_starts(*columns: AnyIntegers) -> Integers:
    """Where a new combination of values begins in sorted columns."""
    if not columns[0].size:
        return np.zeros(0, dtype=np.int64)
    changed = np.zeros(len(columns[0]), dtype=np.bool_)
    changed[0] = True
    for column in columns:
        changed[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(changed)


def group_bounds(starts: Integers, rows: int) -> Iterator[tuple[int, int]]:
    """The first row of each group, and the row after its last."""
    return zip(starts.tolist(), np.append(starts, rows)[1:].tolist(), strict=True)


def sum_groups(values: Integers, starts: Integers) -> Integers:
    """The sum of each group of consecutive rows."""
    return np.add.reduceat(values, starts) if starts.size else np.zeros(0, dtype=np.int64)


def sum_by_index(index: Integers, values: Floats, size: int) -> Floats:
    """The sum of the values at each index from 0 to size - 1; fractions also where there is none (numpy: integers)."""
    return np.asarray(np.bincount(index, values, size), np.float64)


def group_by(keys: Sequence[AnyIntegers], values: Sequence[AnyIntegers]) -> tuple[list[Integers], list[Integers]]:
    """The combinations of keys, sorted, and the sum of each column of values over the rows of each."""
    rows = sort_order(*keys)
    if _bit_width(keys) <= _BITS:
        key = pack_keys(*keys)[rows]
        starts = group_starts(key)
        found = [column.astype(np.int64) for column in _unpack_keys(key[starts], keys)]
    else:
        starts = group_starts(*(column[rows] for column in keys))
        found = [column[rows][starts].astype(np.int64) for column in keys]
    return found, [_sum_column(column, rows, starts) for column in values]


def _sum_column(column: AnyIntegers, rows: Integers, starts: Integers) -> Integers:
    if not column.any():
        return np.zeros(len(starts), dtype=np.int64)
    return sum_groups(column[rows].astype(np.int64), starts)
