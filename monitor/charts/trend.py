"""Figures from quarter to quarter: the share on time in its bands, and the median time to removal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from monitor.charts.frame import (
    Cell,
    Chart,
    Key,
    dotted,
    empty_note,
    in_sentences,
    legend,
    patch,
    percentage,
    rule,
    share_scale,
    spot,
    stroke,
)
from monitor.charts.svg import BAND, BLUE, INK, QUIET, SMALL, element, label, picture, text_width
from monitor.comparison.trend import TrendLine, TrendPoint, trend_lines
from monitor.score.methods import CURRENT, METHODS
from monitor.wording.language import MISSING, Language, Message

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
            parts.append(label(MISSING, line.x(index), line.bottom - 8, text_anchor="middle"))
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
        words = language.gettext("method {method}", method=points[index].method)
        room = text_width(words, SMALL)
        at = x + 6 if x + 6 + room <= line.right else x - 6 - room
        if at >= free:
            parts.append(label(words, at, line.top - 10, font_size=SMALL))
            free = at + room + 14
    return parts


_MISSING = Message("Without figures: {quarters}; the line is broken there.")
_METHOD_CHANGED = Message("The method changed in {quarters}; compare across that mark with care.")
_PARTIAL = Message("In {quarters} without the companies of which no figures are shown.")
_COLUMNS = (
    Message("Quarter"),
    Message("Share on time, strict reading (%)"),
    Message("Share on time, lenient reading (%)"),
    Message("Lower end of the interval (%)"),
    Message("Upper end of the interval (%)"),
    Message("Method"),
)


def trend_figure(points: Sequence[TrendPoint], language: Language, who: str | None = None) -> Chart:
    """The share on time of each quarter, broken where one is missing; `who`: a company's name, None for all."""
    title = language.gettext("Share on time by quarter: {who}", who=who or language.gettext("all companies together"))
    said = _described(points, language)
    return Chart(
        name="trend",
        title=title,
        description=said,
        columns=tuple(language.gettext(column) for column in _COLUMNS),
        rows=tuple(_row(line, language) for line in trend_lines(points)),
        draw=lambda name, width: _drawn(name, width, points, title, said, language),
    )


def share_of(point: TrendPoint) -> float | None:
    """The lenient share of a quarter."""
    return None if point.lenient is None else point.lenient.p


def quarters_of(line: TrendLine, language: Language) -> str:
    """The quarter of a line of a trend, or the first and the last of a gap."""
    last = language.short_period(line.point.period)
    if line.first == line.point.period:
        return last
    return language.gettext("{first} to {last}", first=language.short_period(line.first), last=last)


def _row(line: TrendLine, language: Language) -> tuple[Cell, ...]:
    point = line.point
    strict = None if point.strict is None else point.strict.p
    low, high = (None, None) if point.lenient is None else (point.lenient.low, point.lenient.high)
    shares = map(percentage, (strict, share_of(point), low, high))
    return (quarters_of(line, language), *shares, point.method)


def _target(points: Sequence[TrendPoint]) -> float:
    """The norm of the newest quarter that has a method."""
    newest = next((point.method for point in reversed(points) if point.method in METHODS), None)
    return METHODS[newest or CURRENT].target


def _described(points: Sequence[TrendPoint], language: Language) -> str:
    known = [point for point in points if share_of(point) is not None]
    if not known:
        return empty_words(language)
    said = language.gettext(
        "Each dot is the share on time in a quarter (lenient reading), the thin line its 95% confidence interval. The"
        " band reaches down to the strict reading. The dotted line is the norm of {target}.",
        target=language.percent(_target(points)),
    )
    ends = [(language.short_period(p.period), language.share(share_of(p))) for p in known]
    values = {"from_": ends[0][0], "first": ends[0][1], "to": ends[-1][0], "last": ends[-1][1]}
    only, first_last = (
        Message("The share was {last} in {to}."),
        Message("The share was {first} in {from_} and {last} in {to}."),
    )
    ends_in_words = language.gettext(first_last if len(known) > 1 else only, **values)
    return in_sentences(said, ends_in_words, gaps_in_words(points, [share_of(point) for point in points], language))


def empty_words(language: Language) -> str:
    """The description where no quarter has figures."""
    return language.gettext("There is no quarter with figures.")


def gaps_in_words(points: Sequence[TrendPoint], values: Sequence[float | None], language: Language) -> str:
    """Which quarters have no figures, in which the method changed, and which leave companies out; else empty."""
    missing = [p.period for p, value in zip(points, values, strict=True) if value is None]
    changed = [points[index].period for index in breaks(points)]
    partial = [p.period for p, value in zip(points, values, strict=True) if p.partial and value is not None]
    return in_sentences(
        *(
            language.gettext(words, quarters=", ".join(map(language.short_period, periods)))
            for words, periods in ((_MISSING, missing), (_METHOD_CHANGED, changed), (_PARTIAL, partial))
            if periods
        )
    )


def _drawn(name: str, width: float, points: Sequence[TrendPoint], title: str, said: str, language: Language) -> Markup:
    shares = [share_of(point) for point in points]
    if not any(share is not None for share in shares):
        return picture(name, width, 40, title, said, empty_note(language, width))
    target = _target(points)
    keys, taken = legend(_keys(target, language), width)
    line = timeline(len(points), 54.0, width - 10, taken + 30)
    parts = [
        *share_scale(line.left, line.right, line.top, line.bottom),
        *captions(line, points, shares),
        *method_marks(line, points, language),
        *_bands(line, points),
        dotted(line.left, line.y(target), line.right, line.y(target)),
        *_lines(line, shares),
        *_dots(line, points),
    ]
    return picture(name, width, line.bottom + 48, title, said, *keys, *parts)


def _keys(target: float, language: Language) -> list[Key]:
    dot = Markup("").join([stroke(stroke=BLUE, stroke_width=2), spot(BLUE)])
    whisker = stroke(stroke=QUIET, stroke_width=1.5)
    norm = language.gettext("Norm {target}", target=language.percent(target))
    return [
        (language.gettext("Share on time, lenient reading"), dot),
        (language.gettext("Strict to lenient reading"), patch(BAND)),
        (language.gettext("95% confidence interval"), whisker),
        (norm, stroke(stroke=INK, stroke_width=1.5, stroke_dasharray="2 4")),
    ]


def _bands(line: Timeline, points: Sequence[TrendPoint]) -> list[Markup]:
    """From the strict to the lenient share, over each unbroken run; a bar where a quarter stands alone."""
    both = [
        None if p.lenient is None or p.strict is None or p.lenient.p is None or p.strict.p is None
        else (p.lenient.p, p.strict.p)
        for p in points
    ]  # fmt: skip
    parts = []
    for run in runs([None if pair is None else pair[0] for pair in both]):
        pairs = [(line.x(i), *(both[i] or (0.0, 0.0))) for i in run]
        if len(pairs) == 1:
            x, lenient, strict = pairs[0]
            pairs = [(x - 6, lenient, strict), (x + 6, lenient, strict)]
        there = [f"{x:.1f} {line.y(lenient):.1f}" for x, lenient, _ in pairs]
        back = [f"{x:.1f} {line.y(strict):.1f}" for x, _, strict in reversed(pairs)]
        parts.append(element("path", d=f"M{'L'.join(there + back)}Z", fill=BAND))
    return parts


def _lines(line: Timeline, values: Sequence[float | None]) -> list[Markup]:
    return [trend_line(line, [(i, values[i]) for i in run]) for run in runs(values)]


def trend_line(line: Timeline, points: Sequence[tuple[int, float | None]]) -> Markup:
    """A line over quarters that follow each other."""
    path = "L".join(f"{line.x(i):.1f} {line.y(value):.1f}" for i, value in points if value is not None)
    return element("path", d=f"M{path}", fill="none", stroke=BLUE, stroke_width=2, stroke_linejoin="round")


def _dots(line: Timeline, points: Sequence[TrendPoint]) -> list[Markup]:
    parts = []
    for index, point in enumerate(points):
        share = point.lenient
        if share is None or share.p is None:
            continue
        x = line.x(index)
        if share.low is not None and share.high is not None:
            parts.append(rule(x, line.y(share.low), x, line.y(share.high), stroke=QUIET, stroke_width=1.5))
        parts.append(element("circle", cx=x, cy=line.y(share.p), r=4.5, fill=BLUE))
    return parts
