"""Building blocks of our charts: SVG elements with presentation attributes only, axes and step lines."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

SIZE = 15.0  # pixels, the usual label
SMALL = 13.0  # the smallest there is
BOLD = 1.1  # times as wide
_ACCENTED = 1.2  # of the letter below the accent
_WIDEST = 1020  # a sign that is not in the table

# Widths in thousandths of the size, each the wider one of Source Sans 3 and of Arial, which stands in for it.
_WIDTHS = {
    260: "'ijl|", 280: " ,.I·\u00a0", 320: "!:;[]f", 340: "()-t", 360: "/\\r{}", 420: "*", 440: '"', 500: "z",
    520: "Jcksvxy", 540: "^", 560: "#$0123456789?L_`abdeghnopqu–€", 600: "+<=>~", 620: "FTZ", 680: "&ABEKPSVXY",
    740: "CDHNRUw", 780: "GOQ", 840: "Mm", 900: "%", 960: "W", 1000: "—…",
}  # fmt: skip
_WIDTH = {sign: width for width, signs in _WIDTHS.items() for sign in signs}


def text_width(text: str, size: float = SIZE, *, bold: bool = False) -> float:
    """Pixels that the text takes at most, in our own letter and in those that stand in for it."""
    return sum(map(_width, text)) * size / 1000 * (BOLD if bold else 1)


def _width(sign: str) -> float:
    known = _WIDTH.get(sign)
    if known is not None:
        return known
    parts = [part for part in unicodedata.normalize("NFKD", sign) if not unicodedata.combining(part)]
    if parts in ([sign], [" "]):
        return _WIDEST
    return sum(_WIDTH.get(part, _WIDEST) for part in parts) * _ACCENTED


def shortened(text: str, room: float, size: float = SIZE) -> str:
    """The text, cut with an ellipsis where it is wider than that many pixels."""
    if text_width(text, size) <= room:
        return text
    kept = text
    while kept and text_width(kept.rstrip() + "…", size) > room:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def wrapped(text: str, room: float, size: float = SIZE, *, lines: int) -> list[str]:
    """The text over at most so many lines, broken at spaces; the last one is cut where it is still too wide."""
    found: list[str] = []
    words = text.split(" ")
    while words and len(found) < lines - 1:
        taken = 1
        while taken < len(words) and text_width(" ".join(words[: taken + 1]), size) <= room:
            taken += 1
        found.append(shortened(" ".join(words[:taken]), room, size))
        words = words[taken:]
    return [*found, shortened(" ".join(words), room, size)] if words else found


INK = "#1f2a37"
QUIET = "#55606e"
GRID = "#d5dbe2"
BLUE = "#154273"
ORANGE = "#b84a00"
BAND = "#b9cbe0"
OUTER = "#e1e9f2"
PALE = "#c9d3de"
FONT = "'Source Sans 3', 'Source Sans Pro', Arial, Helvetica, sans-serif"

_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

Point = tuple[float, float | None]


def element(tag: str, *children: Markup | str, **attributes: object) -> Markup:
    """`<tag attributes>children</tag>`, all text escaped; `stroke_width` becomes `stroke-width`."""
    given = "".join(
        f' {"viewBox" if name == "view_box" else name.rstrip("_").replace("_", "-")}="{_text(_plain(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{tag}{given}>{''.join(_text(child) for child in children)}</{tag}>")  # noqa: S704


def _text(value: Markup | str) -> str:
    """Escaped, without the characters that no XML may hold."""
    return str(escape(value if isinstance(value, Markup) else _NOT_XML.sub("", value)))


def _plain(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def label(text: str, x: float, y: float, **attributes: object) -> Markup:
    """Text at a point."""
    return element("text", text, **{"x": x, "y": y, "fill": QUIET, "font_size": 15} | attributes)


def picture(name: str, width: float, height: float, title: str, description: str, *parts: Markup) -> Markup:
    """A whole chart, named for those who do not see it; `name` must be unique on the page."""
    return element(
        "svg",
        element("title", title, id=f"{name}-title"),
        element("desc", description, id=f"{name}-desc"),
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        view_box=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        role="img",
        aria_labelledby=f"{name}-title",
        aria_describedby=f"{name}-desc",
        font_family=FONT,
        class_="chart",
    )


@dataclass(frozen=True, slots=True)
class Plot:
    """A rectangle in which `0..x_end` runs to the right and `0..y_end` upwards."""

    left: float
    top: float
    width: float
    height: float
    x_end: float
    y_end: float = 1

    def x(self, value: float) -> float:
        """Pixels from the left."""
        return self.left + self.width * min(value, self.x_end) / self.x_end

    def y(self, value: float) -> float:
        """Pixels from the top."""
        return self.top + self.height * (1 - value / self.y_end)

    @property
    def bottom(self) -> float:
        """Where the horizontal axis lies."""
        return self.top + self.height

    def line(self, points: Iterable[Point], **attributes: object) -> Markup:
        """A step line, broken where a value is missing."""
        path = " ".join(self._steps(run) for run in _runs(points))
        return element("path", d=path, fill="none", stroke_linejoin="round", **attributes) if path else Markup()

    def area(self, lower: Iterable[Point], upper: Iterable[Point], fill: str) -> Markup:
        """The area between two step lines over the same times, left out where either is missing."""
        low, high = list(lower), list(upper)
        known = [i for i, (a, b) in enumerate(zip(low, high, strict=True)) if a[1] is not None and b[1] is not None]
        if not known:
            return Markup()
        there = self._steps([_known(high[i]) for i in known])
        back = self._steps_back([_known(low[i]) for i in known])
        return element("path", d=f"{there} {back} Z", fill=fill)

    def _steps(self, run: Sequence[tuple[float, float]]) -> str:
        (first_x, first_y), *rest = run
        path = [f"M{self.x(first_x):.1f} {self.y(first_y):.1f}"]
        before = first_y
        for x, y in [*rest]:
            if y != before or (x, y) == run[-1]:
                path.append(f"H{self.x(x):.1f}V{self.y(y):.1f}")
                before = y
        return "".join(path)

    def _steps_back(self, run: Sequence[tuple[float, float]]) -> str:
        path = [f"L{self.x(run[-1][0]):.1f} {self.y(run[-1][1]):.1f}"]
        for (_, y), (x, _) in zip(reversed(run[:-1]), reversed(run[1:]), strict=True):
            path.append(f"H{self.x(x):.1f}V{self.y(y):.1f}")
        path.append(f"H{self.x(run[0][0]):.1f}")
        return "".join(path)


def _known(point: Point) -> tuple[float, float]:
    assert point[1] is not None
    return point[0], point[1]


def _runs(points: Iterable[Point]) -> Iterable[list[tuple[float, float]]]:
    run: list[tuple[float, float]] = []
    for x, y in points:
        if y is not None:
            run.append((x, y))
        elif run:
            yield run
            run = []
    if run:
        yield run
