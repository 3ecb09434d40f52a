"""Where a label can stand: a box that meets no other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitor.charts.lettering import SMALL, text_width

_GAP, _WIDE_GAP = 9.0, 12.0  # from the middle of a dot, and of a large one


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether the two have any pixel in common."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def holds(self, other: Box) -> bool:
        """Whether the other lies in it as a whole."""
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.top <= other.top
            and other.bottom <= self.bottom
        )


def around(x: float, y: float, radius: float) -> Box:
    """The box of a dot."""
    return Box(x - radius, y - radius, x + radius, y + radius)


def free_place(
    text: str, at: tuple[float, float], frame: Box, taken: Iterable[Box], *, bold: bool = False
) -> Box | None:
    """Room for a text beside a point: right, left, then above and below it; None where there is none."""
    boxes = list(taken)
    return next(
        (box for box in _beside(text, *at, bold=bold) if frame.holds(box) and not any(map(box.meets, boxes))), None
    )


def _beside(text: str, x: float, y: float, *, bold: bool) -> Sequence[Box]:
    gap = _WIDE_GAP if bold else _GAP
    width, half = text_width(text, SMALL, bold=bold), SMALL / 2 + 1
    over, under = y - gap - 2 * half, y + gap
    level = [Box(left, y - half, left + width, y + half) for left in (x + gap, x - gap - width)]
    starts = (x - width / 2, x - width + gap, x - gap)
    return [*level, *(Box(left, top, left + width, top + 2 * half) for top in (over, under) for left in starts)]
