"""The survival curves of all ranked companies in one picture, the network's over them, one company's in colour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup

from monitor.charts.frame import (
    NOTHING,
    Cell,
    Chart,
    Key,
    axis_title,
    empty_note,
    hour_scale,
    in_sentences,
    is_wide,
    legend,
    percentage,
    share_scale,
    stroke,
    who_is_together,
)
from monitor.charts.survival import HOURS_AXIS, NETWORK, Curve, deadline_mark, points_of
from monitor.charts.svg import INK, ORANGE, Plot, element, picture
from monitor.disclosure.rows import PublicTable, Row
from monitor.wording.language import Language, Message

TITLE = Message("Share not yet removed: all companies side by side")
_FAINT = "#8b9bb0"
_TOLERANCE = 1.5  # pixels that a faint line may lie beside its steps
_ALL_WAYS = (-math.pi, math.pi)


def all_companies_figure(table: PublicTable, language: Language, highlight: str | None = None) -> Chart:
    """Turnbull's curve of every ranked company, faint; `highlight` is the key of the one that is drawn in colour.

    Rows without their curve are left out: a table that was read without the curves gives an empty picture.
    """
    rows = [row for row in table.rows if row.ranked and row.figures and row.figures.curve]
    chosen = next((row for row in rows if row.company == highlight), None)
    said = _described(table, rows, chosen, language)
    hours = [language.deadline(t) for t in table.method.survival_hours]
    return Chart(
        name="all-companies",
        title=language.gettext(TITLE),
        description=said,
        columns=(
            language.gettext("Company"),
            *(language.gettext("Not yet removed after {hours} (%)", hours=words) for words in hours),
        ),
        rows=(*_network_row(table, language), *(_row(row, table.method.survival_hours) for row in rows)),
        draw=lambda name, width: _drawn(name, width, table, rows, chosen, said, language),
    )


def _row(row: Row, hours: Sequence[float]) -> tuple[Cell, ...]:
    return (row.name, *_shares(row.figures.survival if row.figures else (), hours))


def _network_row(table: PublicTable, language: Language) -> tuple[tuple[Cell, ...], ...]:
    if not table.network.survival:
        return ()
    return ((language.gettext(NETWORK), *_shares(table.network.survival, table.method.survival_hours)),)


def _shares(survival: Curve, hours: Sequence[float]) -> list[float | None]:
    known = {point.t: point.npmle for point in survival}
    return [percentage(known.get(t)) for t in hours]


def _described(table: PublicTable, rows: Sequence[Row], chosen: Row | None, language: Language) -> str:
    if not rows:
        return language.gettext(NOTHING if any(row.ranked for row in table.rows) else "There are no ranked companies.")
    limit = table.network.deadline_hours
    said = language.gettext(
        "Each thin line is a ranked company: {companies} in all. The lower the line, the more is gone."
        " The thick line is all companies together, the dotted line the deadline of {deadline}.",
        companies=language.count(len(rows)),
        deadline=language.deadline(limit),
    )
    ends = [p.npmle for row in rows if row.figures for p in row.figures.curve if p.t == limit and p.npmle is not None]
    spread = ""
    if ends:
        least, most = (language.share(value) for value in (min(ends), max(ends)))
        spread = language.gettext(
            "After that deadline the estimated share that was not yet removed runs from {least} to {most}.",
            least=least,
            most=most,
        )
    highlighted = language.gettext("The orange dashed line is {name}.", name=chosen.name) if chosen else ""
    return in_sentences(said, spread, who_is_together(table.network, language), highlighted)


def _drawn(
    name: str, width: float, table: PublicTable, rows: Sequence[Row], chosen: Row | None, said: str, language: Language
) -> Markup:
    if not rows:
        return picture(name, width, 40, language.gettext(TITLE), said, empty_note(language, width))
    wide = is_wide(width)
    keys, taken = legend(_keys(chosen, language), width)
    plot = Plot(54, taken + 26, width - 68, 300 if wide else 240, max(_end(row) for row in rows))
    hours = [(float(hour), plot.x(hour)) for hour in range(0, int(plot.x_end) + 1, 24 if wide else 48)]
    return picture(
        name,
        width,
        plot.bottom + 52,
        language.gettext(TITLE),
        said,
        *keys,
        *share_scale(plot.left, plot.left + plot.width, plot.top, plot.bottom),
        *hour_scale(hours, plot.bottom),
        axis_title(language.gettext(HOURS_AXIS), plot.left + plot.width / 2, plot.bottom + 44, width),
        _faint(plot, [row for row in rows if row is not chosen]),
        plot.line(points_of(table.network.curve), stroke=INK, stroke_width=3.5),
        *_coloured(plot, chosen),
        *deadline_mark(plot, table.network.deadline_hours, width, language),
    )


def _end(row: Row) -> float:
    return row.figures.curve[-1].t if row.figures and row.figures.curve else 0.0


def _keys(chosen: Row | None, language: Language) -> list[Key]:
    keys: list[Key] = [
        (language.gettext("Each ranked company"), stroke(stroke=_FAINT)),
        (language.gettext(NETWORK), stroke(stroke=INK, stroke_width=3.5)),
    ]
    return keys if chosen is None else [*keys, (chosen.name, _chosen_sample())]


def _chosen_sample() -> Markup:
    return stroke(stroke=ORANGE, stroke_width=3, stroke_dasharray="8 4")


def _coloured(plot: Plot, chosen: Row | None) -> list[Markup]:
    if chosen is None or chosen.figures is None:
        return []
    return [plot.line(points_of(chosen.figures.curve), stroke=ORANGE, stroke_width=3, stroke_dasharray="8 4")]


def _faint(plot: Plot, rows: Sequence[Row]) -> Markup:
    lines = [element("path", d=line) for row in rows if row.figures for line in _lines(plot, row.figures.curve)]
    return element("g", *lines, fill="none", stroke=_FAINT, stroke_opacity=0.45 if len(lines) > 60 else 0.9)


def _lines(plot: Plot, curve: Curve) -> list[str]:
    """The steps of a curve in whole pixels, without the points that move none; one path for each unbroken run."""
    across, runs = plot.width / plot.x_end, [list[tuple[int, int]]()]
    for point in curve:
        if point.npmle is None:
            runs.append([])
        else:
            _step(runs[-1], round(plot.left + across * point.t), round(plot.bottom - plot.height * point.npmle))
    return [_path(_straightened(run)) for run in runs if len(run) > 1]


def _step(run: list[tuple[int, int]], x: int, y: int) -> None:
    """Go on to the right, then up or down; a level stretch has its two ends only."""
    if not run:
        run.append((x, y))
        return
    level = run[-1][1]
    if len(run) > 1 and run[-2][1] == level:
        run.pop()
    run.append((x, level))
    if y != level:
        run.append((x, y))


def _path(points: Sequence[tuple[int, int]]) -> str:
    moves = (f"{x2 - x1} {y2 - y1}" for (x1, y1), (x2, y2) in pairwise(points))
    return f"M{points[0][0]} {points[0][1]}l{' '.join(moves)}".replace(" -", "-")


def _straightened(points: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Fewer points, whose line stays close to the steps (cone intersection, Sklansky & Gonzalez 1980).

    From the last point that is kept, each next one leaves open the directions of lines that pass close to it. The
    point before the first that lies in none of them is kept.
    """
    kept, (low, high) = [points[0]], _ALL_WAYS
    for before, point in pairwise(points):
        way, spread = _way(kept[-1], point)
        if not low <= way <= high:
            kept.append(before)
            (low, high), (way, spread) = _ALL_WAYS, _way(before, point)
        low, high = max(low, way - spread), min(high, way + spread)
    return [*kept, points[-1]]


def _way(start: tuple[int, int], end: tuple[int, int]) -> tuple[float, float]:
    """The direction of a point, and how far a line may turn from it and still pass close to the point."""
    across, down = end[0] - start[0], end[1] - start[1]
    distance = math.hypot(across, down)
    return math.atan2(down, across), math.asin(min(1.0, _TOLERANCE / distance)) if distance else math.pi
