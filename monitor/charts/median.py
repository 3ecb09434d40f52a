"""The median time to removal from quarter to quarter."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from monitor.charts.frame import Chart, Key, empty_note, in_sentences, legend, rule, spot, stroke
from monitor.charts.svg import BLUE, GRID, INK, ORANGE, element, label, picture, text_width
from monitor.charts.trend import (
    Timeline,
    captions,
    empty_words,
    gaps_in_words,
    method_marks,
    quarters_of,
    runs,
    share_of,
    timeline,
    trend_line,
)
from monitor.comparison.trend import TrendPoint, trend_lines
from monitor.wording.language import Language, Message

_COLUMNS = (
    Message("Quarter"),
    Message("Median time to removal (hours)"),
    Message("Reached"),
)


def median_figure(points: Sequence[TrendPoint], language: Language, who: str | None = None) -> Chart:
    """The median of each quarter, broken where one is missing or was not reached; `who` as in `trend_figure`."""
    title = language.gettext(
        "Median time to removal by quarter: {who}", who=who or language.gettext("all companies together")
    )
    said = _described(points, language)
    return Chart(
        name="median",
        title=title,
        description=said,
        columns=tuple(language.gettext(column) for column in _COLUMNS),
        rows=tuple(
            (quarters_of(line, language), _rounded(line.point.median_hours), _reached(line.point, language))
            for line in trend_lines(points)
        ),
        draw=lambda name, width: _drawn(name, width, points, title, said, language),
    )


def _rounded(hours: float | None) -> float | None:
    return None if hours is None else round(hours, 1)


def _reached(point: TrendPoint, language: Language) -> str | None:
    if point.median_hours is not None:
        return language.gettext("yes")
    return language.gettext("no") if _unreached(point) else None


def _unreached(point: TrendPoint) -> bool:
    """A quarter with figures whose median was not reached, as against one without figures."""
    return point.median_hours is None and share_of(point) is not None


def _described(points: Sequence[TrendPoint], language: Language) -> str:
    known = [point for point in points if point.median_hours is not None]
    unreached = [language.short_period(point.period) for point in points if _unreached(point)]
    if not known and not unreached:
        return empty_words(language)
    said = language.gettext(
        "Each dot is the time within which half of the reported material was gone. Lower is faster."
    )
    ends_in_words = not_reached = ""
    if known:
        ends = [(language.short_period(p.period), language.hours(p.median_hours)) for p in known]
        values = {"from_": ends[0][0], "first": ends[0][1], "to": ends[-1][0], "last": ends[-1][1]}
        only, first_last = Message("It was {last} in {to}."), Message("It was {first} in {from_} and {last} in {to}.")
        ends_in_words = language.gettext(first_last if len(known) > 1 else only, **values)
    if unreached:
        not_reached = language.gettext(
            "Not reached in {quarters}: half was not yet gone when the measurement ended.",
            quarters=", ".join(unreached),
        )
    there = [0.0 if _unreached(point) else point.median_hours for point in points]
    return in_sentences(said, ends_in_words, not_reached, gaps_in_words(points, there, language))


def _drawn(name: str, width: float, points: Sequence[TrendPoint], title: str, said: str, language: Language) -> Markup:
    medians = [point.median_hours for point in points]
    unreached = [index for index, point in enumerate(points) if _unreached(point)]
    if not unreached and not any(value is not None for value in medians):
        return picture(name, width, 40, title, said, empty_note(language, width))
    keys, taken = legend(_keys(language, unreached=bool(unreached)), width)
    step, most = _hours_axis(max([value for value in medians if value is not None], default=1.0))
    left = max(text_width(_hour_number(step * i, language)) for i in range(round(most / step) + 1)) + 14
    line = timeline(len(points), left, width - 10, taken + 44, most)
    there = [0.0 if index in unreached else value for index, value in enumerate(medians)]
    parts = [
        label(language.gettext("hours"), 0, line.top - 16),
        *_hour_lines(line, step, language),
        *captions(line, points, there),
        *method_marks(line, points, language),
        *(trend_line(line, [(index, medians[index]) for index in run]) for run in runs(medians)),
        *_dots(line, medians),
        *(_arrow(line.x(index), line.top + 4) for index in unreached),
    ]
    return picture(name, width, line.bottom + 48, title, said, *keys, *parts)


def _keys(language: Language, *, unreached: bool) -> list[Key]:
    dot = Markup("").join([stroke(stroke=BLUE, stroke_width=2), spot(BLUE)])
    keys: list[Key] = [(language.gettext("Median time"), dot)]
    return [*keys, (language.gettext("Not reached"), _arrow(13, 1))] if unreached else keys


def _arrow(x: float, top: float) -> Markup:
    """Beyond the top of the axis."""
    d = f"M{x:.1f} {top:.1f}l6 11h-12z"
    return element("path", d=d, fill="#ffffff", stroke=ORANGE, stroke_width=2)


def _hours_axis(most: float) -> tuple[float, float]:
    """A round step and the end of the axis, four to six steps up."""
    steps = (0.25, 0.5, 1, 2, 4, 6, 12, 24, 48, 72, 96, 120, 168, 240, 336, 500, 1000, 2000, 5000)
    step = next((float(n) for n in steps if n * 5 >= most), most / 5)
    count = max(1, -(-most // step))
    return step, step * count


def _hour_lines(line: Timeline, step: float, language: Language) -> list[Markup]:
    parts = []
    for index in range(round(line.most / step) + 1):
        y = line.y(step * index)
        parts.append(rule(line.left, y, line.right, y, stroke=GRID if index else INK))
        parts.append(label(_hour_number(step * index, language), line.left - 7, y + 5, text_anchor="end"))
    return parts


def _hour_number(value: float, language: Language) -> str:
    if value.is_integer():
        return language.count(round(value))
    return language.decimal(value, 2).rstrip("0")


def _dots(line: Timeline, medians: Sequence[float | None]) -> list[Markup]:
    """Each dot with its hours above it where the columns leave room."""
    parts = []
    for index, value in enumerate(medians):
        if value is not None:
            x, y = line.x(index), line.y(value)
            parts.append(element("circle", cx=x, cy=y, r=4.5, fill=BLUE))
    return parts
