"""What the charts have in common: their two widths, the legend above, the axes, and what an empty one says."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from markupsafe import Markup

from monitor.charts.svg import BOLD, FONT, GRID, INK, QUIET, SIZE, SMALL, element, label, shortened, text_width, wrapped
from monitor.disclosure.network import Network
from monitor.tables.sheets import guarded
from monitor.wording.language import Language, Message

Cell = str | int | float | None
_PERCENT = " (%)"  # ends the heading of a column of percentages
Draw = Callable[[str, float], Markup]


@dataclass(frozen=True, slots=True)
class Chart:
    """One picture in one language.

    `name` is its address (`funnel`); `draw` takes a name that is unique on the page, and the width in pixels.
    Each of the `rows` has a cell per column, the first of which names it; None: no number.
    """

    name: str
    title: str
    description: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    draw: Draw

    def csv(self) -> str:
        """The table as CSV, headings first; shares from 0 to 1, as in every file, where the table has percentages."""
        percent = [column.endswith(_PERCENT) for column in self.columns]
        sheet = io.StringIO()
        rows = ([_in_file(cell, share) for cell, share in zip(row, percent, strict=True)] for row in self.rows)
        csv.writer(sheet).writerows([[column.removesuffix(_PERCENT) for column in self.columns], *rows])
        return sheet.getvalue()


def _in_file(cell: Cell, share: bool) -> Cell | bool:
    return round(cell / 100, 10) if share and isinstance(cell, int | float) else guarded(cell)


WIDE, NARROW = 760, 340
_ROOMY = 560  # from this width on there is room for what a telephone has not
_SAMPLE, _LINE = 33.0, 24.0

Key = tuple[str, Markup]
NOTHING = Message("There are no figures to show.")


def in_sentences(*sentences: str) -> str:
    """Those that say something, one after the other."""
    return " ".join(filter(None, sentences))


def is_wide(width: float) -> bool:
    """Whether there is room for what a telephone has not."""
    return width >= _ROOMY


def legend(keys: Iterable[Key], width: float) -> tuple[list[Markup], float]:
    """The keys side by side, in as many lines as they need, and the height they take. A sample is 26 by 14 pixels."""
    parts, x, y = [], 0.0, 4.0
    for text, sample in keys:
        words = shortened(text, width - _SAMPLE)
        room = _SAMPLE + text_width(words)
        if x and x + room > width:
            x, y = 0.0, y + _LINE
        parts.append(element("g", sample, label(words, _SAMPLE, 12.5, fill=INK), transform=f"translate({x:g} {y:g})"))
        x = round(x + room + 24, 1)
    return parts, y + _LINE if parts else 0.0


def stroke(**attributes: object) -> Markup:
    """The sample of a line."""
    return element("path", d="M0 7H26", fill="none", **attributes)


def patch(fill: str, edge: str | None = None) -> Markup:
    """The sample of an area."""
    return element("rect", y=1, width=26, height=12, fill=fill, stroke=edge)


def spot(fill: str) -> Markup:
    """The sample of a dot."""
    return element("circle", cx=13, cy=7, r=4.5, fill=fill)


def rule(x1: float, y1: float, x2: float, y2: float, **attributes: object) -> Markup:
    """A straight line."""
    return element("line", **({"x1": x1, "y1": y1, "x2": x2, "y2": y2, "stroke": INK} | attributes))


def dotted(x1: float, y1: float, x2: float, y2: float) -> Markup:
    """The line of a norm or a deadline."""
    return rule(x1, y1, x2, y2, stroke_width=1.5, stroke_dasharray="2 4")


def share_scale(left: float, right: float, top: float, bottom: float) -> list[Markup]:
    """Lines across and percentages to the left of them, from 0% below to 100% above."""
    parts = []
    for part in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = bottom - (bottom - top) * part
        parts.append(rule(left, y, right, y, stroke=GRID if part else INK))
        parts.append(label(f"{part:.0%}", left - 7, y + 5, text_anchor="end"))
    return parts


def hour_scale(x: Sequence[tuple[float, float]], bottom: float) -> list[Markup]:
    """Ticks with their hours below an axis; pairs of hour and pixel."""
    parts = []
    for hour, pixel in x:
        parts.append(rule(pixel, bottom, pixel, bottom + 5))
        parts.append(label(f"{hour:g}", pixel, bottom + 21, text_anchor="middle"))
    return parts


def axis_title(text: str, x: float, y: float, width: float) -> Markup:
    """The name of an axis, centred at a point but never over the edge of the picture."""
    half = text_width(text) / 2
    return label(text, max(half, min(x, width - half)), y, text_anchor="middle", fill=INK)


def beside(text: str, x: float, y: float, width: float, **attributes: object) -> Markup:
    """A label to the right of a point, or to the left of it where the picture ends first."""
    size = attributes.get("font_size", SIZE)
    assert isinstance(size, int | float)
    if x + 6 + text_width(text, size) <= width:
        return label(text, x + 6, y, **attributes)
    return label(text, x - 6, y, text_anchor="end", **attributes)


def empty_note(language: Language, width: float, y: float = 24) -> Markup:
    """What a picture of nothing says."""
    return label(shortened(language.gettext(NOTHING), width), 0, y, fill=QUIET)


def who_is_together(network: Network, language: Language) -> str:
    """A sentence where the network's figures leave out the companies that are withheld, else nothing."""
    return (
        language.gettext("All companies together: without the companies of which no figures are shown.")
        if network.gives_way
        else ""
    )


def percentage(value: float | None) -> float | None:
    """A share as the number of percents that is shown: one decimal, 0 and 100 only where they are exact."""
    if value is None or value in (0, 1):
        return None if value is None else value * 100.0
    return round(min(max(value * 100, 0.1), 99.9), 1)


_MARGIN, _TITLE_LINE, _SIZE = 16.0, 22.0, 17.0
_NOTE_LINE, _MARKED = 18.0, "#a31515"


def standalone(figure: Chart, width: float = WIDE, source: str = "", mark: str = "") -> bytes:
    """The figure as an SVG file in UTF-8, with its title above it and its source below; `width` is that of the drawing.

    `mark`: what must be said before all else, such as that the data is invented.
    """
    drawing = figure.draw(figure.name, width)
    lines = wrapped(figure.title, width / BOLD, _SIZE, lines=4)
    top = _MARGIN + _TITLE_LINE * len(lines) + 8
    below = top + float(ET.fromstring(drawing).attrib["height"]) + 8  # noqa: S314  # our own
    notes = [(line, colour) for text, colour in ((mark, _MARKED), (source, QUIET)) if text
             for line in wrapped(text, width, SMALL, lines=3)]  # fmt: skip
    height = below + _NOTE_LINE * len(notes) + _MARGIN - 8
    whole = width + 2 * _MARGIN
    file = element(
        "svg",
        element("rect", width=whole, height=height, fill="#ffffff"),
        *(
            label(line, _MARGIN, _MARGIN + _TITLE_LINE * (i + 0.7), fill=INK, font_size=_SIZE, font_weight=600)
            for i, line in enumerate(lines)
        ),
        element("g", drawing, transform=f"translate({_MARGIN:g} {top:g})"),
        *(
            label(line, _MARGIN, below + _NOTE_LINE * (i + 0.8), fill=colour, font_size=SMALL)
            for i, (line, colour) in enumerate(notes)
        ),
        xmlns="http://www.w3.org/2000/svg",
        view_box=f"0 0 {whole:g} {height:g}",
        width=whole,
        height=height,
        font_family=FONT,
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{file}\n'.encode()
