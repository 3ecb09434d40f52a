"""What a drawing holds: its labels as boxes in pixels, and whether it is whole and safe to show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from xml.etree import ElementTree as ET

from monitor.charts.funnel import Box
from monitor.charts.svg import text_width

SVG = "{http://www.w3.org/2000/svg}"
ALLOWED = {"svg", "title", "desc", "g", "path", "line", "rect", "circle", "text"}
_MOVED = re.compile(r"translate\(([-\d.]+) ([-\d.]+)\)")


@dataclass(frozen=True)
class Label:
    """A text with the room that it takes at most."""

    text: str
    size: float
    box: Box


def whole(svg: str | bytes) -> ET.Element:
    """The parsed picture; fails where it is no XML or has what a strict content security policy refuses."""
    root = ET.fromstring(svg)
    for part in root.iter():
        assert part.tag.removeprefix(SVG) in ALLOWED
        assert not {"style", "href", "onload"}.intersection(part.attrib)
        assert "url(" not in " ".join(part.attrib.values())
    return root


def labels(root: ET.Element) -> list[Label]:
    """Every text, where it stands."""
    return list(_labels(root, 0.0, 0.0))


def _labels(part: ET.Element, x: float, y: float) -> Iterator[Label]:
    moved = _MOVED.match(part.get("transform", ""))
    x, y = (x + float(moved[1]), y + float(moved[2])) if moved else (x, y)
    if part.tag == f"{SVG}text":
        yield _label(part, x, y)
    for child in part:
        yield from _labels(child, x, y)


def _label(part: ET.Element, x: float, y: float) -> Label:
    text, size = part.text or "", float(part.get("font-size", "0"))
    width = text_width(text, size, bold=part.get("font-weight") == "600")
    left = x + float(part.get("x", "0")) - width * {"middle": 0.5, "end": 1.0}.get(part.get("text-anchor", ""), 0.0)
    base = y + float(part.get("y", "0"))
    return Label(text, size, Box(left, base - 0.72 * size, left + width, base + 0.2 * size))


def assert_legible(svg: str) -> None:
    """No text is under 13 pixels, over the edge of the picture, or on another one."""
    root = whole(svg)
    sheet = Box(-0.5, -0.5, float(root.attrib["width"]) + 0.5, float(root.attrib["height"]) + 0.5)
    found = labels(root)
    for label in found:
        assert label.size >= 13
        assert sheet.holds(label.box), label
    for first, second in combinations(found, 2):
        assert not first.box.meets(second.box), (first, second)


def paths(root: ET.Element, **attributes: str) -> list[str]:
    """The outlines of the paths with those attributes, `stroke_width` for `stroke-width`."""
    wanted = {name.replace("_", "-"): value for name, value in attributes.items()}
    return [p.attrib["d"] for p in root.iter(f"{SVG}path") if wanted.items() <= p.attrib.items()]
