"""Rows without quotes: which of the cells between `;` belong to which column, where a text holds a `;` itself.

A column has a form (a time, a status, an address) or is free text. All ways to lay the cells over the columns in order
are followed at once, from the left and from the right. A column that we read must come out the same in every way that
fits, else the row is refused: nothing is ever shifted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from monitor.formats.rows import RowError

SEPARATOR = ";"
_MORE = 40  # separators inside texts that one row may hold

Form: TypeAlias = Callable[[str], object]


@dataclass(frozen=True)
class Column:
    """The form of one column (None: any text); `free` where its text may hold separators; `read` where we take it."""

    name: str
    form: Form | None
    free: bool
    read: bool


def recover(cells: Sequence[str], columns: Sequence[Column]) -> list[str]:
    """One text a column; RowError where no way fits, or a column that is read comes out in more than one."""
    more = len(cells) - len(columns)
    if not 0 <= more <= _MORE:
        raise RowError("wrong_number_of_columns")
    ways = list(_ways(cells, columns, more))
    found = []
    for column, spans in zip(columns, ways, strict=True):
        if column.read and len(spans) > 1:
            raise RowError("more_than_one_reading", column.name)
        found.append(_text(cells, *spans[0]))
    return found


def _ways(cells: Sequence[str], columns: Sequence[Column], more: int) -> Iterator[list[tuple[int, int]]]:
    """For each column the spans of cells (from, to) it can have in a way that fits from end to end."""
    reached, left = {0}, []
    for number, column in enumerate(columns):
        left.append(list(_spans(cells, reached, column, number + more + 1)))
        reached = {end for _, end in left[-1]}
        if not reached:
            raise RowError("columns_do_not_fit", column.name if column.read else None)
    wanted, both = {len(cells)}, []
    for spans in reversed(left):
        both.append([span for span in spans if span[1] in wanted])
        wanted = {begin for begin, _ in both[-1]}
    if not all(both):
        raise RowError("columns_do_not_fit")
    return reversed(both)


def _spans(cells: Sequence[str], begins: set[int], column: Column, latest: int) -> Iterator[tuple[int, int]]:
    """Every span the column can have by its form alone, from one of `begins` to `latest` at most."""
    for begin in begins:
        for end in range(begin + 1, (latest if column.free else min(begin + 1, latest)) + 1):
            if column.form is None or column.form(_text(cells, begin, end)):
                yield begin, end


def _text(cells: Sequence[str], begin: int, end: int) -> str:
    return SEPARATOR.join(cells[begin:end]) if end - begin > 1 else cells[begin]
