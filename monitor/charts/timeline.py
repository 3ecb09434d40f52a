"""The axis of quarters that the trends share: where each stands, where a line breaks, and where the method changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from monitor.charts.frame import rule
from monitor.charts.lettering import SMALL, text_width
from monitor.charts.svg import INK, QUIET, element, label
from monitor.comparison.trend import TrendPoint
from monitor.wording import formatting
from monitor.wording.words import Language, Text

_METHOD = Text("methode {method}", "method {method}")
_HATCH = "#f0f2f5"


@dataclass(frozen=True, slots=True)
class Timeline:
    """`quarters` columns of equal width from `left` to `right`; values from 0 at the bottom to `most` at the top."""

    left: float
    right: float
    top: float
    bottom: float
    quarters: int
    most: float = 1

    @property
    def column(self) -> float:
        """Pixels of a quarter."""
        return (self.right - self.left) / self.quarters

    def x(self, index: float) -> float:
        """The middle of a quarter."""
        return self.left + self.column * (index + 0.5)

    def y(self, value: float) -> float:
        """Pixels from the top."""
        return self.bottom - (self.bottom - self.top) * value / self.most


def timeline(quarters: int, left: float, right: float, top: float, most: float = 1) -> Timeline:
    """The axis of so many quarters, 260 pixels high."""
    return Timeline(left, right, top, top + 260, max(quarters, 1), most)


def runs(values: Sequence[float | None]) -> list[list[int]]:
    """The positions of values that follow each other without one missing."""
    found: list[list[int]] = []
    for index, value in enumerate(values):
        if value is None:
            continue
        if index and values[index - 1] is not None:
            found[-1].append(index)
        else:
            found.append([index])
    return found


def breaks(points: Sequence[TrendPoint]) -> list[int]:
    """Where the method is another than that of the release before."""
    found, before = [], None
    for index, point in enumerate(points):
        if point.method is not None:
            if before is not None and point.method != before:
                found.append(index)
            before = point.method
    return found


def captions(line: Timeline, points: Sequence[TrendPoint], values: Sequence[float | None]) -> list[Markup]:
    """A tick and its quarter below each column, as far as there is room; a grey ground where figures are missing."""
    parts = []
    for index, value in enumerate(values):
        if value is None:
            left = line.x(index) - line.column / 2
            parts.append(
                element("rect", x=left, y=line.top, width=line.column, height=line.bottom - line.top, fill=_HATCH)
            )
            parts.append(label(formatting.MISSING, line.x(index), line.bottom - 8, text_anchor="middle"))
    parts.append(rule(line.left, line.bottom, line.right, line.bottom))
    parts.extend(rule(line.x(index), line.bottom, line.x(index), line.bottom + 5) for index in range(len(points)))
    return parts + _names(line, [point.period for point in points])


def _names(line: Timeline, periods: Sequence[str]) -> list[Markup]:
    """`Q1` under each column and the year under the first of each year; only some where they would meet."""
    parts, last_quarter, last_year = [], -1e9, -1e9
    for index, period in enumerate(periods):
        year, quarter, x = period[:4], period[4:], line.x(index)
        if x - last_quarter >= text_width(quarter, SMALL) + 6:
            parts.append(label(quarter, x, line.bottom + 20, text_anchor="middle", font_size=SMALL))
            last_quarter = x
        new_year = index == 0 or periods[index - 1][:4] != year
        if new_year and x - last_year >= text_width(year) + 8:
            parts.append(label(year, x, line.bottom + 38, text_anchor="middle", fill=INK))
            last_year = x
    return parts


def method_marks(line: Timeline, points: Sequence[TrendPoint], language: Language) -> list[Markup]:
    """A dashed line before each quarter whose method is new, named where there is room."""
    parts, free = [], 0.0
    for index in breaks(points):
        x = line.x(index) - line.column / 2
        parts.append(rule(x, line.top - 20, x, line.bottom, stroke=QUIET, stroke_dasharray="6 4"))
        words = _METHOD[language].format(method=points[index].method)
        room = text_width(words, SMALL)
        at = x + 6 if x + 6 + room <= line.right else x - 6 - room
        if at >= free:
            parts.append(label(words, at, line.top - 10, font_size=SMALL))
            free = at + room + 14
    return parts
