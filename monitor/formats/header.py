"""Columns by name: what is missing stops the delivery, what is unknown is named and dropped."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from monitor.errors import DeliveryError


@dataclass(frozen=True)
class Header:
    """Where each column stands, how many there are, and which nobody asked for."""

    positions: dict[str, int]
    width: int
    unknown: tuple[str, ...]


def read_header(names: Sequence[str], wanted: Collection[str], line: int) -> Header:
    """Find each wanted column by name; raises DeliveryError that names the missing or doubled ones."""
    stripped = [name.strip() for name in names]
    missing = [name for name in wanted if name not in stripped]
    if missing:
        raise DeliveryError(f"line {line}: no column {', '.join(map(repr, missing))}; is this the right format?")
    doubled = sorted({name for name in wanted if stripped.count(name) > 1})
    if doubled:
        raise DeliveryError(f"line {line}: column {', '.join(map(repr, doubled))} stands there twice")
    unknown = tuple(name for name in stripped if name not in wanted)
    return Header({name: stripped.index(name) for name in wanted}, len(stripped), unknown)
