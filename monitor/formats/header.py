"""Finds columns by name: a missing one stops the delivery, an unknown one is reported by number and not read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from monitor.errors import DeliveryError
from monitor.urls import trimmed

_MOST_COLUMNS = 1000
_MOST_NUMBERED = 20
# Nothing but separators, or the line by which a spreadsheet is told its separator: `sep=;`.
_NO_HEADER = re.compile(rb"[\s,;|]*+|\"?sep=.?\"?\s*+", re.IGNORECASE)
_EMPTY = re.compile(rb"(?:[\s,]|\"\s*+\")*+")


@dataclass(frozen=True)
class Header:
    """Where each column stands from 0, how many there are, and the numbers (from 1) of those that nobody asked for.

    What an unknown column is called is repeated nowhere: it may be anything, a URL too (S1).
    """

    positions: dict[str, int]
    width: int
    unknown: tuple[int, ...]

    @property
    def flags(self) -> tuple[str, ...]:
        """A warning for each unknown column by its number; of very many the first few, and how many more there are."""
        numbered = tuple(f"unknown_column:{number}" for number in self.unknown[:_MOST_NUMBERED])
        more = len(self.unknown) - len(numbered)
        return (*numbered, f"unknown_column:{more} more") if more else numbered


def header_line(lines: Iterator[tuple[int, bytes | None]]) -> tuple[int, bytes | None]:
    """Number and bytes of the first line that may name columns; one without anything where there is none."""
    return next((row for row in lines if row[1] is None or not _NO_HEADER.fullmatch(row[1])), (1, b""))


def is_empty_row(raw: bytes | None) -> bool:
    """Whether no cell of a row holds anything: a spreadsheet keeps rows that were emptied, as `,,,,`."""
    return raw is not None and _EMPTY.fullmatch(raw) is not None


def read_header(names: Sequence[str], wanted: Collection[str], line: int, optional: Collection[str] = ()) -> Header:
    """Find each wanted column by name; raises DeliveryError that names the missing or doubled ones.

    An `optional` column may be missing; where it is there it has its position, and is not unknown.
    """
    if len(names) > _MOST_COLUMNS:
        raise DeliveryError(
            f"line {line}: {len(names)} columns, at most {_MOST_COLUMNS} are read; is it the right format?"
        )
    stripped = [trimmed(name) for name in names]
    standing = Counter(stripped)
    missing = [name for name in wanted if name not in standing]
    if missing:
        raise DeliveryError(f"line {line}: no column {', '.join(map(repr, missing))}; is this the right format?")
    known = [*wanted, *(name for name in optional if name in standing)]
    doubled = sorted({name for name in known if standing[name] > 1})
    if doubled:
        raise DeliveryError(f"line {line}: column {', '.join(map(repr, doubled))} stands there twice")
    taken = set(known)
    unknown = tuple(number for number, name in enumerate(stripped, 1) if name not in taken)
    return Header({name: stripped.index(name) for name in known}, len(stripped), unknown)
