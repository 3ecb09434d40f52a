"""How a flow is drawn: two columns of ends, and ribbons between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from monitor.charts.frame import is_wide
from monitor.charts.lettering import SMALL, text_width, wrapped
from monitor.charts.svg import BLUE, INK, QUIET, element, label, picture
from monitor.wording import formatting
from monitor.wording.words import Language, Text

Ends = tuple[str, str]  # from, to

_FROM, _TO = Text("Van", "From"), Text("Naar", "To")
_HEIGHT = 300.0  # pixels of all episodes together
_MOST = 12.0  # pixels of one episode, where there are few
_BAR, _LINE, _GAP, _TOP = 10.0, 17.0, 10.0, 30.0


@dataclass(frozen=True, slots=True)
class _End:
    """One end of ribbons: its bar from `top`, `height` pixels, and the lines of its label."""

    top: float
    height: float
    lines: tuple[str, ...]


def drawn(
    name: str, width: float, words: tuple[str, str], ribbons: Mapping[Ends, int], pooled: str, language: Language
) -> Markup:
    """The picture of episodes by (from, to); ends that begin with `pooled` come last.

    `words` are title and description, `name` is unique on the page.
    """
    room = 250.0 if is_wide(width) else 122.0
    unit = min(_HEIGHT / sum(ribbons.values()), _MOST)
    left, right = (_column(ribbons, side, unit, room, pooled, language) for side in (0, 1))
    height = max(_bottom(left), _bottom(right))
    left, right = (_centred(column, height) for column in (left, right))
    x1, x2 = room + _BAR, width - room - _BAR
    parts = [
        label(_FROM[language], room, 16, text_anchor="end", fill=INK, font_weight=600),
        label(_TO[language], width - room, 16, fill=INK, font_weight=600),
        *_ribbons(ribbons, left, right, unit, (x1, x2)),
    ]
    for column, bar, text, anchor in ((left, room, room - 8, "end"), (right, x2, width - room + 8, "start")):
        for end in column.values():
            parts.append(element("rect", x=bar, y=end.top, width=_BAR, height=max(end.height, 1.5), fill=BLUE))
            parts += _label(end, text, anchor)
    return picture(name, width, height + 6, *words, *parts)


def _column(
    ribbons: Mapping[Ends, int], side: int, unit: float, room: float, pooled: str, language: Language
) -> dict[str, _End]:
    """The ends of one side, the largest on top, far enough apart for their labels."""
    counts: dict[str, int] = {}
    for ends, episodes in ribbons.items():
        counts[ends[side]] = counts.get(ends[side], 0) + episodes
    column, y = {}, _TOP
    for end in sorted(counts, key=lambda end: (end.startswith(pooled), -counts[end], end)):
        lines = _lines(end, formatting.count(counts[end], language), room - 8)
        height = counts[end] * unit
        pitch = max(height, len(lines) * _LINE) + _GAP
        column[end] = _End(y + (pitch - height) / 2, height, lines)
        y += pitch
    return column


def _lines(name: str, number: str, room: float) -> tuple[str, ...]:
    """The name over at most three lines, and the number behind it where it fits."""
    lines = wrapped(name, room, SMALL, lines=3)
    together = f"{lines[-1]}: {number}"
    if text_width(together, SMALL) <= room:
        return (*lines[:-1], together)
    return (*lines, number)


def _bottom(column: Mapping[str, _End]) -> float:
    last = list(column.values())[-1]
    return last.top + max(last.height, len(last.lines) * _LINE) / 2 + last.height / 2 + _GAP


def _centred(column: Mapping[str, _End], height: float) -> dict[str, _End]:
    down = (height - _bottom(column)) / 2
    return {name: _End(end.top + down, end.height, end.lines) for name, end in column.items()}


def _label(end: _End, x: float, anchor: str) -> list[Markup]:
    middle = end.top + end.height / 2
    first = middle - (len(end.lines) - 1) * _LINE / 2 + 4.5
    return [
        label(line, x, first + i * _LINE, text_anchor=anchor, fill=INK, font_size=SMALL)
        for i, line in enumerate(end.lines)
    ]


def _ribbons(
    ribbons: Mapping[Ends, int], left: Mapping[str, _End], right: Mapping[str, _End], unit: float, x: Sequence[float]
) -> list[Markup]:
    """One area for each pair, stacked on both bars in the order of the other side, so that few cross."""
    starts = _stacked(ribbons, 0, left, right, unit)
    stops = _stacked(ribbons, 1, right, left, unit)
    return [
        _ribbon(x[0], starts[ends], x[1], stops[ends], max(ribbons[ends] * unit, 1.0), number % 2 == 0)
        for number, ends in enumerate(sorted(ribbons, key=lambda ends: (starts[ends], ends)))
    ]


def _stacked(
    ribbons: Mapping[Ends, int], side: int, column: Mapping[str, _End], other: Mapping[str, _End], unit: float
) -> dict[Ends, float]:
    order = {name: position for position, name in enumerate(other)}
    tops, places = {name: end.top for name, end in column.items()}, dict[Ends, float]()
    for ends in sorted(ribbons, key=lambda ends: order[ends[1 - side]]):
        places[ends] = tops[ends[side]]
        tops[ends[side]] += ribbons[ends] * unit
    return places


def _ribbon(x1: float, y1: float, x2: float, y2: float, height: float, even: bool) -> Markup:
    middle = (x1 + x2) / 2
    d = (
        f"M{x1:.1f} {y1:.1f}C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
        f"v{height:.1f}C{middle:.1f} {y2 + height:.1f} {middle:.1f} {y1 + height:.1f} {x1:.1f} {y1 + height:.1f}Z"
    )
    return element("path", d=d, fill=BLUE if even else QUIET, fill_opacity=0.35 if even else 0.25)
