"""What became of each row of a delivery, for whoever must tell the sender row by row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Fate(StrEnum):
    """What becomes of a row; there is no fourth."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row: its line (or its place among the objects, from 1), its fate, and why and where it was refused."""

    row: int
    fate: Fate
    reason: str | None = None
    column: str | None = None


Outcomes: TypeAlias = Callable[[Outcome], None]


def untold(_outcome: Outcome) -> None:
    """Outcomes that nobody asks for."""
