"""The survival curve: what share is not yet removed, by hours after the notice, inside its bands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from markupsafe import Markup

from monitor.charts.frame import (
    WIDE,
    Cell,
    Chart,
    Key,
    axis_title,
    beside,
    dotted,
    empty_note,
    hour_scale,
    in_sentences,
    is_wide,
    legend,
    patch,
    percentage,
    share_scale,
    stroke,
    who_is_together,
)
from monitor.charts.svg import BAND, BLUE, GRID, INK, ORANGE, OUTER, Plot, Point, picture
from monitor.disclosure.network import Network
from monitor.disclosure.rows import Row
from monitor.score.methods import Method
from monitor.score.table import SurvivalPoint
from monitor.wording.language import Language, Message


def survival_limits(
    survival: float | None, error: float | None, confidence: float
) -> tuple[float | None, float | None]:
    """Lower and upper limit of S(t) (Kalbfleisch & Prentice, section 1.4); (S, S) at 1 or without error.

    At 0 the upper limit is not defined; None there, and where the curve itself is unknown.
    """
    if survival is None or error is None:
        return None, None
    if survival <= 0:
        return 0.0, None
    if survival >= 1 or error == 0:
        return survival, survival
    quantile = NormalDist().inv_cdf((1 + confidence) / 2)
    width = quantile * error / abs(survival * math.log(survival))
    return survival ** math.exp(width), survival ** math.exp(-width)


Curve = Sequence[SurvivalPoint]

TITLE = Message("Share not yet removed, by hours after the notice")
NETWORK = Message("All companies together")
HOURS_AXIS = Message("Hours after the notice")
_COLUMNS = (
    Message("Hours after the notice"),
    Message("Not yet removed, estimate (%)"),
    Message("Lenient reading (%)"),
    Message("Strict reading (%)"),
    Message("Lower end of the interval (%)"),
    Message("Upper end of the interval (%)"),
)


@dataclass(frozen=True, slots=True)
class _Curves:
    """What one picture shows: a curve in its bands, and the network's beside it where that is another.

    `with_limits`: not since method 2026.2, whose limits rest on the effective number of sites, which no point has.
    """

    name: str
    curve: Curve
    network: Curve
    deadline_hours: float
    confidence: float
    told: Curve = ()  # of `curve`, what the table tells
    told_of_network: Curve = ()
    together: str = ""  # who the network's figures leave out, in words
    with_limits: bool = True


def survival_figure(row: Row, network: Network, method: Method, language: Language) -> Chart:
    """A company's curve in its bands, beside the network's; without figures only the network's is drawn."""
    item = row.figures
    limit = network.deadline_hours if item is None else item.on_time.deadline_hours
    curve, told = ((), ()) if item is None else (item.curve, item.survival)
    together = who_is_together(network, language)
    curves = _Curves(
        row.name, curve, network.curve, limit, method.confidence, told, network.survival, together,
        with_limits=not method.competing_risks,
    )  # fmt: skip
    return _figure("survival", curves, language)


def network_figure(network: Network, method: Method, language: Language) -> Chart:
    """The curve of all companies together in its bands."""
    limit, confidence = network.deadline_hours, method.confidence
    together = who_is_together(network, language)
    curves = _Curves(
        language.gettext(NETWORK), network.curve, (), limit, confidence, network.survival, together=together,
        with_limits=not method.competing_risks,
    )  # fmt: skip
    return _figure("network", curves, language)


def survival_chart(
    name: str,
    company: str,
    curve: Curve,
    network: Curve,
    deadline_hours: float,
    confidence: float,
    language: Language,
    width: float = WIDE,
) -> Markup:
    """The picture of `survival_figure` by itself. `name` is unique on the page."""
    figure = _figure("survival", _Curves(company, curve, network, deadline_hours, confidence), language)
    return figure.draw(name, width)


def _figure(address: str, curves: _Curves, language: Language) -> Chart:
    said = _described(curves, language)
    return Chart(
        name=address,
        title=language.gettext(TITLE),
        description=said,
        columns=_columns(curves, language),
        rows=_rows(curves),
        draw=lambda name, width: _drawn(name, width, curves, said, language),
    )


def _columns(curves: _Curves, language: Language) -> tuple[str, ...]:
    own = tuple(language.gettext(column) for column in (_COLUMNS if curves.with_limits else _COLUMNS[:-2]))
    return (*own, f"{language.gettext(NETWORK)} (%)") if curves.network else own


def _rows(curves: _Curves) -> tuple[tuple[Cell, ...], ...]:
    others = {point.t: point.npmle for point in curves.told_of_network}
    rows = []
    for point in curves.told:
        limits = limits_at(point, curves.confidence) if curves.with_limits else ()
        shares = (point.npmle, point.lenient, point.strict, *limits)
        beside_it = (others.get(point.t),) if curves.network else ()
        rows.append((f"{point.t:g}", *map(percentage, (*shares, *beside_it))))
    return tuple(rows)


def _described(curves: _Curves, language: Language) -> str:
    if not curves.curve:
        return language.gettext("There are no figures to show of {name}.", name=curves.name)
    if curves.with_limits:
        said = language.gettext(
            "The lower the line, the more is gone. Solid line: {name}, with the band from the lenient to"
            " the strict reading and around it the {confidence} confidence interval.",
            name=curves.name,
            confidence=language.percent(curves.confidence),
        )
    else:
        said = language.gettext(
            "The lower the line, the more is gone. Solid line: {name}, with the band from the lenient to the strict"
            " reading.",
            name=curves.name,
        )
    dashed = language.gettext("Dashed line: all companies together.") if curves.network else ""
    return in_sentences(said, dashed, _at_deadline(curves, language), curves.together)


def _at_deadline(curves: _Curves, language: Language) -> str:
    own, other = (_value(curve, curves.deadline_hours) for curve in (curves.curve, curves.network))
    if own is None:
        return ""
    values = {"deadline": language.deadline(curves.deadline_hours), "share": language.share(own)}
    if other is None:
        return language.gettext(
            "After the deadline of {deadline} (dotted line) an estimated {share} was not yet removed.", **values
        )
    return language.gettext(
        "After the deadline of {deadline} (dotted line) an estimated {share} was not yet removed; at all companies"
        " together {network}.",
        network=language.share(other),
        **values,
    )


def _value(curve: Curve, hours: float) -> float | None:
    return next((point.npmle for point in curve if point.t == hours), None)


def _drawn(name: str, width: float, curves: _Curves, said: str, language: Language) -> Markup:
    wide = is_wide(width)
    keys, taken = legend(_keys(curves, language), width)
    if not curves.curve:
        keys.append(empty_note(language, width, taken + 16))
        taken += 22
    longest = max([point.t for curve in (curves.curve, curves.network) for point in curve[-1:]], default=168.0)
    plot = Plot(54, taken + 26, width - 68, 260 if wide else 220, longest)
    hours = [(float(hour), plot.x(hour)) for hour in range(0, int(longest) + 1, 24 if wide else 48)]
    return picture(
        name,
        width,
        plot.bottom + 52,
        language.gettext(TITLE),
        said,
        *keys,
        *_bands(plot, curves),
        *share_scale(plot.left, plot.left + plot.width, plot.top, plot.bottom),
        *hour_scale(hours, plot.bottom),
        axis_title(language.gettext(HOURS_AXIS), plot.left + plot.width / 2, plot.bottom + 44, width),
        plot.line(points_of(curves.network), stroke=ORANGE, stroke_width=2, stroke_dasharray="6 4"),
        plot.line(points_of(curves.curve), stroke=BLUE, stroke_width=2.5),
        *deadline_mark(plot, curves.deadline_hours, width, language),
    )


def deadline_mark(plot: Plot, hours: float, width: float, language: Language) -> list[Markup]:
    """The line of the deadline with its name above it, where it lies in the plot."""
    if hours > plot.x_end:
        return []
    x, words = plot.x(hours), language.gettext("deadline {deadline}", deadline=language.deadline(hours))
    return [dotted(x, plot.top - 14, x, plot.bottom), beside(words, x, plot.top - 8, width, fill=INK)]


def points_of(curve: Curve, reading: str = "npmle") -> list[Point]:
    """A curve's points under one reading."""
    return [(point.t, getattr(point, reading)) for point in curve]


def limits_at(point: SurvivalPoint, confidence: float) -> tuple[float | None, float | None]:
    """From the lower limit of the lenient to the upper limit of the strict curve."""
    low = survival_limits(point.lenient, point.lenient_se, confidence)[0]
    return low, survival_limits(point.strict, point.strict_se, confidence)[1]


def _bands(plot: Plot, curves: _Curves) -> list[Markup]:
    """The interval around both readings, and the readings themselves."""
    limits = [(point.t, limits_at(point, curves.confidence)) for point in curves.curve]
    low: list[Point] = [(t, ends[0]) for t, ends in limits]
    high: list[Point] = [(t, ends[1]) for t, ends in limits]
    readings = points_of(curves.curve, "lenient"), points_of(curves.curve, "strict")
    outer = [plot.area(low, high, OUTER)] if curves.with_limits else []
    return [*outer, plot.area(*readings, BAND)]


def _keys(curves: _Curves, language: Language) -> list[Key]:
    keys: list[Key] = [(curves.name, stroke(stroke=BLUE, stroke_width=2.5))] if curves.curve else []
    if curves.network:
        keys.append((language.gettext(NETWORK), stroke(stroke=ORANGE, stroke_width=2, stroke_dasharray="6 4")))
    if curves.curve:
        interval = language.gettext("{confidence} confidence interval", confidence=language.percent(curves.confidence))
        keys.append((language.gettext("Lenient to strict reading"), patch(BAND)))
        keys += [(interval, patch(OUTER, GRID))] if curves.with_limits else []
    return keys
