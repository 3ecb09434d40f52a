"""A picture as a file of its own: whole SVG with a white ground, the same bytes each time."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from monitor.charts.chart import Figure
from monitor.charts.frame import WIDE
from monitor.charts.lettering import BOLD, wrapped
from monitor.charts.svg import FONT, INK, element, label

_MARGIN, _LINE, _SIZE = 16.0, 22.0, 17.0


def standalone(figure: Figure, width: float = WIDE) -> bytes:
    """The figure as an SVG file in UTF-8, with its title above it; `width` is that of the drawing in its margins."""
    drawing = figure.draw(figure.name, width)
    lines = wrapped(figure.title, width / BOLD, _SIZE, lines=4)
    top = _MARGIN + _LINE * len(lines) + 8
    height = top + float(ET.fromstring(drawing).attrib["height"]) + _MARGIN  # noqa: S314  # our own
    whole = width + 2 * _MARGIN
    file = element(
        "svg",
        element("rect", width=whole, height=height, fill="#ffffff"),
        *(
            label(line, _MARGIN, _MARGIN + _LINE * (i + 0.7), fill=INK, font_size=_SIZE, font_weight=600)
            for i, line in enumerate(lines)
        ),
        element("g", drawing, transform=f"translate({_MARGIN:g} {top:g})"),
        xmlns="http://www.w3.org/2000/svg",
        view_box=f"0 0 {whole:g} {height:g}",
        width=whole,
        height=height,
        font_family=FONT,
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{file}\n'.encode()
