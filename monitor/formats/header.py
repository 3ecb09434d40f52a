"""Columns by name: what is missing stops the delivery, what is unknown is named and dropped."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from monitor.errors import DeliveryError

_MOST_COLUMNS = 1000  # each that is unknown is warned of in every row
_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_ -]{0,63}")


@dataclass(frozen=True)
class Header:
    """Where each column stands, how many there are, and which nobody asked for."""

    positions: dict[str, int]
    width: int
    unknown: tuple[str, ...]

    @property
    def flags(self) -> tuple[str, ...]:
        """A warning for each unknown column; one whose name looks like content is not named: it may hold a URL."""
        return tuple(f"unknown_column:{name if _PLAIN_NAME.fullmatch(name) else '(no name)'}" for name in self.unknown)


def read_header(names: Sequence[str], wanted: Collection[str], line: int, optional: Collection[str] = ()) -> Header:
    """Find each wanted column by name; raises DeliveryError that names the missing or doubled ones.

    An `optional` column may be missing; where it is there it has its position, and is not unknown.
    """
    if len(names) > _MOST_COLUMNS:
        raise DeliveryError(
            f"line {line}: {len(names)} columns, at most {_MOST_COLUMNS} are read; is it the right format?"
        )
    stripped = [name.strip() for name in names]
    missing = [name for name in wanted if name not in stripped]
    if missing:
        raise DeliveryError(f"line {line}: no column {', '.join(map(repr, missing))}; is this the right format?")
    known = [*wanted, *(name for name in optional if name in stripped)]
    doubled = sorted({name for name in known if stripped.count(name) > 1})
    if doubled:
        raise DeliveryError(f"line {line}: column {', '.join(map(repr, doubled))} stands there twice")
    unknown = tuple(name for name in stripped if name not in known)
    return Header({name: stripped.index(name) for name in known}, len(stripped), unknown)
