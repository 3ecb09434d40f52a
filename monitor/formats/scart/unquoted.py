"""Rows without quotes: which of the cells between `;` belong to which column, where a text holds a `;` itself.

A column has a form (a time, a status, an address) or is free text. All ways to lay the cells over the columns in order
are followed at once, from the left and from the right. A column that we read must come out the same in every way that
fits, else the row is refused: nothing is ever shifted.

A set of places between cells is kept as the bits of one number, so that the time a row takes does not grow with the
number of ways. What the form of a column says of a text with separators, it says of the cells between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from monitor.formats.rows import RowError

SEPARATOR = ";"
_MORE = 40  # separators inside texts that one row may hold
_DOUBLINGS = tuple(1 << power for power in range(_MORE.bit_length()))

Form: TypeAlias = Callable[[str], object]


@dataclass(frozen=True)
class Column:
    """The form of one column (None: any text); `free` where its text may hold separators; `read` where we take it.

    Of a text with separators `first` is the form of what comes before the first, `part` of all that is between them.
    """

    name: str
    form: Form | None
    free: bool
    read: bool
    first: Form | None = None
    part: Form | None = None


class _Fit(NamedTuple):
    """Where a column can begin and end, going by its form and what is left of it; cells that fit as a whole or part."""

    begins: int
    ends: int
    alone: int
    first: int
    part: int


def recover(cells: Sequence[str], columns: Sequence[Column]) -> list[str]:
    """One text a column; RowError where no way fits, or a column that is read comes out in more than one."""
    more = len(cells) - len(columns)
    if not 0 <= more <= _MORE:
        raise RowError("wrong_number_of_columns")
    fits = list(_from_left(cells, columns, more))
    found, wanted, unclear = list[str](), 1 << len(cells), None
    for column, fit in zip(reversed(columns), reversed(fits), strict=True):
        ends = fit.ends & wanted
        wanted = _begins_of(fit, ends)
        if not wanted:
            raise RowError("columns_do_not_fit")
        if column.read and (wanted.bit_count() > 1 or ends.bit_count() > 1):
            unclear = column.name
        begin = _lowest(wanted)
        found.append(SEPARATOR.join(cells[begin : _lowest(ends & -(2 << begin))]))
    if unclear:
        raise RowError("more_than_one_reading", unclear)
    return found[::-1]


def _from_left(cells: Sequence[str], columns: Sequence[Column], more: int) -> Iterator[_Fit]:
    """What each column can be, given what those before it can be."""
    begins, window = 1, (2 << more) - 1
    for number, column in enumerate(columns):
        fit = _fit(cells, column, begins, window << number)
        if not fit.ends:
            raise RowError("columns_do_not_fit", column.name if column.read else None)
        yield fit
        begins = fit.ends


def _fit(cells: Sequence[str], column: Column, begins: int, window: int) -> _Fit:
    alone = _where(cells, column.form, begins)
    if not column.free or not window & (window - 1):
        return _Fit(begins, alone << 1, alone, 0, 0)
    part = _where(cells, column.part, window & -_lowest_bit(begins))
    first = _where(cells, column.first, begins & part)
    spread, through = first << 1 & part, part
    for step in _DOUBLINGS:
        spread |= spread << step & through
        through &= through << step
    return _Fit(begins, (alone | spread) << 1, alone, first, part)


def _begins_of(fit: _Fit, ends: int) -> int:
    """Where the column begins in the ways that end where it is wanted to."""
    last = ends >> 1
    spread, through = last & fit.part, fit.part
    for step in _DOUBLINGS if fit.first else ():
        spread |= spread >> step & through
        through &= through >> step
    return (fit.alone & last) | (fit.first & spread >> 1)


def _where(cells: Sequence[str], form: Form | None, places: int) -> int:
    """Those of the places at which a cell of that form stands."""
    if form is None:
        return places
    fitting, rest = 0, places
    while rest:
        bit = _lowest_bit(rest)
        rest ^= bit
        if form(cells[bit.bit_length() - 1]):
            fitting |= bit
    return fitting


def _lowest_bit(places: int) -> int:
    return places & -places


def _lowest(places: int) -> int:
    """The first of the places."""
    return _lowest_bit(places).bit_length() - 1
