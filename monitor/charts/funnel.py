"""The funnel plot: every ranked company's share on time by its number of sites, between the limits of chance."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from monitor.charts.frame import (
    Cell,
    Chart,
    Key,
    axis_title,
    dotted,
    empty_note,
    in_sentences,
    is_wide,
    legend,
    patch,
    percentage,
    rule,
    share_scale,
    stroke,
    who_is_together,
)
from monitor.charts.funnel_limits import INNER, OUTER, Funnel, Place, Position, funnel
from monitor.charts.svg import (
    BAND,
    BLUE,
    GRID,
    INK,
    ORANGE,
    QUIET,
    SMALL,
    element,
    label,
    picture,
    shortened,
    text_width,
)
from monitor.charts.svg import OUTER as PALE_BAND
from monitor.disclosure.rows import PublicTable
from monitor.wording.language import Language, Message

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


_SIGNS: Mapping[Place, Message] = {
    "far_above": Message("Above the 99.8% limit"),
    "far_below": Message("Below the 99.8% limit"),
    "within": Message("Other companies"),
}
_STEPS = 80  # points of a limit's line
_DECADES = 20  # from this ratio of most to fewest sites on, the axis is logarithmic
_MOST_LABELS = 40
_MARGIN, _ABOVE = 8.0, 26.0  # right of the plot, and above it, where a name may stand


@dataclass(frozen=True, slots=True)
class SitesAxis:
    """Sites from the left pixel to the right one: logarithmic, or linear from 0 where `low` is 0."""

    left: float
    right: float
    low: float
    high: float

    def x(self, sites: float) -> float:
        """Pixels from the left."""
        part = math.log(sites / self.low) / math.log(self.high / self.low) if self.low else sites / self.high
        return self.left + (self.right - self.left) * part

    def ticks(self) -> list[float]:
        """Round numbers of sites that leave each other room, and that do not reach over the edge."""
        found: list[float] = []
        for value in self._round_numbers():
            room = text_width(f"{value:,.0f}")
            apart = not found or self.x(value) - self.x(found[-1]) >= room + 12
            if apart and self.x(value) + room / 2 <= self.right + _MARGIN:
                found.append(value)
        return found

    def _round_numbers(self) -> list[float]:
        if not self.low:
            step = _round_step(self.high / 5)
            return [step * i for i in range(int(self.high / step) + 1)]
        powers = range(int(math.log10(self.low)), int(math.log10(self.high)) + 1)
        numbers = [float(n * 10**power) for power in powers for n in (1, 2, 5)]
        return [number for number in numbers if self.low <= number <= self.high]

    def steps(self) -> list[float]:
        """Numbers of sites at which the limits are drawn, evenly over the axis, from one site on."""
        first = max(self.low, 1.0)
        return [float(value) for value in (np.geomspace if self.low else np.linspace)(first, self.high, _STEPS)]


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(max(least, 1)))
    return next(power * n for n in (1, 2, 5, 10) if power * n >= least)


def sites_axis(sites: Sequence[int], left: float, right: float) -> SitesAxis:
    """The axis for companies with that many sites."""
    most, fewest = max(sites, default=10), min(sites, default=1)
    if most >= _DECADES * fewest:
        return SitesAxis(left, right, fewest * 0.85, most * 1.15)
    return SitesAxis(left, right, 0, max(most * 1.06, 2))


@dataclass(frozen=True, slots=True)
class Scene:
    """What is drawn, for whom, and how wide."""

    shape: Funnel
    target: float
    language: Language
    highlight: str | None
    width: float


@dataclass(frozen=True, slots=True)
class _Plane:
    """The rectangle of the plot, where 0 lies at the bottom and 1 at the top."""

    axis: SitesAxis
    top: float
    bottom: float

    def y(self, share: float) -> float:
        return self.bottom - (self.bottom - self.top) * share

    def at(self, item: Position) -> tuple[float, float]:
        return self.axis.x(item.sites), self.y(item.lenient.p or 0.0)

    @property
    def frame(self) -> Box:
        return Box(self.axis.left + 2, self.top - _ABOVE + 4, self.axis.right, self.bottom - 2)


def drawn(scene: Scene, name: str, title: str, said: str) -> Markup:
    """The picture; `name` is unique on the page."""
    positions, width = scene.shape.positions, scene.width
    if not positions:
        return picture(name, width, 40, title, said, empty_note(scene.language, width))
    keys, taken = legend(_keys(scene), width)
    axis = sites_axis([item.sites for item in positions], 54.0, width - _MARGIN)
    plane = _Plane(axis, taken + _ABOVE, taken + _ABOVE + (380 if is_wide(width) else 330))
    middle = (axis.left + axis.right) / 2
    return picture(
        name,
        width,
        plane.bottom + 52,
        title,
        said,
        *keys,
        *_limits(scene, plane),
        *share_scale(axis.left, axis.right, plane.top, plane.bottom),
        *_ticks(scene, plane),
        axis_title(scene.language.gettext("Number of sites"), middle, plane.bottom + 44, width),
        *_levels(scene, plane),
        *_dots(scene, plane),
        *_names(scene, plane),
    )


def _keys(scene: Scene) -> list[Key]:
    language, centre = scene.language, scene.shape.centre
    target = language.gettext("Norm {target}", target=language.percent(scene.target))
    keys: list[Key] = [(target, stroke(stroke=INK, stroke_width=1.5, stroke_dasharray="2 4"))]
    if centre is None:
        return keys
    inner = element("rect", x=6, y=4, width=14, height=6, fill=BAND)
    network = language.gettext("All companies together {centre}", centre=language.share(centre))
    return [
        *((language.gettext(words), _sign(place, 13, 7, strong=False)) for place, words in _SIGNS.items()),
        (network, stroke(stroke=INK, stroke_width=1.5)),
        *keys,
        (language.gettext("By chance: 95% dark, 99.8% pale"), Markup("").join([patch(PALE_BAND, GRID), inner])),
    ]


def _limits(scene: Scene, plane: _Plane) -> list[Markup]:
    """The two bands of chance, the outer one first."""
    if scene.shape.centre is None:
        return []
    sites = plane.axis.steps()
    parts = []
    for coverage, fill in ((OUTER, PALE_BAND), (INNER, BAND)):
        low, high = (each.tolist() for each in scene.shape.limits(sites, coverage))
        there = [f"{plane.axis.x(x):.1f} {plane.y(y):.1f}" for x, y in zip(sites, high, strict=True)]
        back = [f"{plane.axis.x(x):.1f} {plane.y(y):.1f}" for x, y in zip(sites, low, strict=True)]
        parts.append(element("path", d=f"M{'L'.join([*there, *reversed(back)])}Z", fill=fill))
    return parts


def _ticks(scene: Scene, plane: _Plane) -> list[Markup]:
    parts = []
    for sites in plane.axis.ticks():
        x = plane.axis.x(sites)
        parts.append(rule(x, plane.bottom, x, plane.bottom + 5))
        number = scene.language.count(round(sites))
        parts.append(label(number, x, plane.bottom + 21, text_anchor="middle"))
    return parts


def _levels(scene: Scene, plane: _Plane) -> list[Markup]:
    """The network's share and the norm, across the plot."""
    left, right, norm = plane.axis.left, plane.axis.right, plane.y(scene.target)
    lines = [dotted(left, norm, right, norm)]
    if scene.shape.centre is not None:
        y = plane.y(scene.shape.centre)
        lines.append(rule(left, y, right, y, stroke_width=1.5))
    return lines


def _dots(scene: Scene, plane: _Plane) -> Iterator[Markup]:
    """The lines to the strict readings, then the dots over them, the one that stands out last."""
    chosen = scene.highlight
    for item in scene.shape.positions:
        x, y = plane.at(item)
        if item.strict.p is not None:
            yield rule(x, y, x, plane.y(item.strict.p), stroke=QUIET, stroke_opacity=0.6)
    for item in sorted(scene.shape.positions, key=lambda item: item.row.company == chosen):
        yield _sign(item.place, *plane.at(item), strong=item.row.company == chosen)


def _sign(place: Place | None, x: float, y: float, *, strong: bool) -> Markup:
    """A triangle that points to where the company lies, outside the outer limits; else a circle."""
    size = 8.0 if strong else 5.5
    edge: dict[str, object] = {"stroke": INK if strong else "#ffffff", "stroke_width": 2 if strong else 1}
    if place not in ("far_below", "far_above"):
        return element("circle", cx=x, cy=y, r=size - 1, fill=QUIET, **edge)
    up = -1 if place == "far_above" else 1
    d = f"M{x - size:.1f} {y - up * size * 0.8:.1f}H{x + size:.1f}L{x:.1f} {y + up * size:.1f}Z"
    return element("path", d=d, fill=BLUE if place == "far_above" else ORANGE, **edge)


def _names(scene: Scene, plane: _Plane) -> list[Markup]:
    """Names of the company that is looked at and of those outside, furthest first, as far as there is room."""
    taken = [around(*plane.at(item), 6) for item in scene.shape.positions]
    lines, parts = _line_boxes(scene, plane), []
    for item in _named(scene):
        strong, at = item.row.company == scene.highlight, plane.at(item)
        text = shortened(item.row.name, 200 if is_wide(scene.width) else 120, SMALL)
        others = [box for box in taken if box != around(*at, 6)]
        box = free_place(text, at, plane.frame, others + lines, bold=strong)
        box = box or free_place(text, at, plane.frame, others, bold=strong)
        if box is not None:
            taken.append(box)
            weight = 600 if strong else None
            parts.append(label(text, box.left, box.bottom - 4, fill=INK, font_size=SMALL, font_weight=weight))
    return parts


def _line_boxes(scene: Scene, plane: _Plane) -> list[Box]:
    """The lines that a name rather does not cross: the network's share, the norm and those to the strict readings."""
    left, right = plane.axis.left, plane.axis.right
    levels = [plane.y(share) for share in (scene.shape.centre, scene.target) if share is not None]
    lines = [Box(left, y - 1, right, y + 1) for y in levels]
    for item in scene.shape.positions:
        if item.strict.p is not None:
            x, y = plane.at(item)
            lines.append(Box(x - 1, y, x + 1, plane.y(item.strict.p)))
    return lines


def _named(scene: Scene) -> list[Position]:
    outside = [item for item in scene.shape.positions if item.place in ("far_below", "far_above")]
    outside.sort(key=lambda item: -_distance(item))
    chosen = [item for item in scene.shape.positions if item.row.company == scene.highlight]
    return [*chosen, *(item for item in outside if item not in chosen)][:_MOST_LABELS]


def _distance(item: Position) -> float:
    """How far outside the outer limits, in the width of these."""
    assert item.outer is not None
    assert item.lenient.p is not None
    low, high = item.outer
    return max(low - item.lenient.p, item.lenient.p - high) / max(high - low, 1e-9)


TITLE = Message("Share on time by number of sites, with the limits of chance")
_PLACES: Mapping[Place, Message] = {
    "far_below": Message("Below the 99.8% limit"),
    "below": Message("Below the 95% limit"),
    "within": Message("Within the limits"),
    "above": Message("Above the 95% limit"),
    "far_above": Message("Above the 99.8% limit"),
}
_COLUMNS = (
    Message("Company"),
    Message("Sites"),
    Message("Share on time, lenient reading (%)"),
    Message("Share on time, strict reading (%)"),
    Message("Lower limit 99.8% (%)"),
    Message("Lower limit 95% (%)"),
    Message("Upper limit 95% (%)"),
    Message("Upper limit 99.8% (%)"),
    Message("Position"),
)


def funnel_figure(table: PublicTable, language: Language, highlight: str | None = None) -> Chart:
    """Share on time by number of sites, with 95 % and 99.8 % control limits (monitor.charts.funnel_limits).

    `highlight` is the key of a company that is drawn larger and always named.
    """
    shape, target = funnel(table), table.method.target
    together = who_is_together(table.network, language) if shape.positions else ""
    said = in_sentences(_described(shape, target, language), together)
    return Chart(
        name="funnel",
        title=language.gettext(TITLE),
        description=said,
        columns=tuple(language.gettext(column) for column in _COLUMNS),
        rows=tuple(_row(item, language) for item in shape.positions),
        draw=lambda name, width: drawn(
            Scene(shape, target, language, highlight, width), name, language.gettext(TITLE), said
        ),
    )


def _row(item: Position, language: Language) -> tuple[Cell, ...]:
    outer, inner = item.outer or (None, None), item.inner or (None, None)
    shares = (item.lenient.p, item.strict.p, outer[0], *inner, outer[1])
    place = None if item.place is None else language.gettext(_PLACES[item.place])
    return (item.row.name, item.sites, *map(percentage, shares), place)


def _described(shape: Funnel, target: float, language: Language) -> str:
    if not shape.positions:
        return language.gettext("There are no ranked companies.")
    places = [item.place for item in shape.positions]
    said = language.gettext(
        "Each dot is a ranked company: {companies} in all. Further to the right means more sites. The height is the"
        " share on time in the lenient reading; the thin line below it reaches to the strict reading.",
        companies=language.count(len(places)),
    )
    if shape.centre is None:
        limits = language.gettext("The share of all companies together is not known; that is why there are no limits.")
    else:
        limits = language.gettext(
            "If every company performed as all companies together ({centre}), chance would put 95% inside"
            " the dark and 99.8% inside the pale band. The limits allow for how often episodes on one site"
            " end together: in this period 100 sites count as {worth} separate observations. A company only"
            " counts as outside where its own 95% interval leaves out {centre} as well: {below} below,"
            " {above} above. Their names are given where there is room; the table names all.",
            centre=language.share(shape.centre),
            worth=language.count(round(100 * shape.weight)),
            below=language.count(places.count("far_below")),
            above=language.count(places.count("far_above")),
        )
    norm = language.gettext("The dotted line is the norm of {target}.", target=language.percent(target))
    return in_sentences(said, limits, norm)
