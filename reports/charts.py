"""Charts that only the report has: the network's survival curve, and the share on time of every ranked company."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from monitor.publish.charts import WIDE, limits_at
from monitor.publish.formatting import percent, share, share_range
from monitor.publish.network import Network
from monitor.publish.rows import Row
from monitor.publish.sentences import deadline
from monitor.publish.svg import BAND, BLUE, GRID, INK, OUTER, QUIET, Plot, Point, element, label, picture
from monitor.publish.words import Language, Text
from monitor.score.table import SurvivalPoint

PER_CHART = 38  # rows of the interval chart that fit on one page under a heading

_SURVIVAL_TITLE = Text(
    "Lijn: aandeel nog niet verwijderd, naar uren na de melding, alle bedrijven samen. Na {deadline} is dat naar"
    " schatting {at_deadline}.",
    "Line: share not yet removed, by hours after the notice, all companies together. After {deadline} it is"
    " {at_deadline} by estimate.",
)
_SURVIVAL_TEXT = Text(
    "De band loopt van de gunstige tot de strenge lezing, daaromheen ligt het 95%-betrouwbaarheidsinterval. De tabel"
    " hierna geeft de cijfers.",
    "The band runs from the lenient to the strict reading, around it lies the 95% confidence interval. The table that"
    " follows has the figures.",
)
_HOURS_AXIS = Text("Uren na de melding", "Hours after the notice")
_KEYS = (
    Text("Schatting, alle bedrijven samen", "Estimate, all companies together"),
    Text("Gunstige tot strenge lezing", "Lenient to strict reading"),
    Text("95%-betrouwbaarheidsinterval", "95% confidence interval"),
)
_DEADLINE = Text("termijn {deadline}", "deadline {deadline}")
_SHARES_TITLE = Text(
    "Aandeel op tijd per bedrijf met 95%-betrouwbaarheidsinterval, plaats {first} tot en met {last}. De cijfers staan"
    " in de ranglijst hiervoor.",
    "Share on time of each company with its 95% confidence interval, ranks {first} to {last}. The ranking before this"
    " has the figures.",
)
_NORM = Text("norm {target}", "norm {target}")


def network_survival(name: str, network: Network, confidence: float, language: Language, width: float = WIDE) -> Markup:
    """Turnbull's curve of the whole network inside its lenient to strict band. `name` is unique in the document."""
    curve, wide = network.curve, width >= WIDE
    plot = Plot(48, 42 if wide else 86, width - 62, 225, curve[-1].t if curve else 168)
    limit = deadline(network.deadline_hours, language)
    at_deadline = next((point.npmle for point in curve if point.t == network.deadline_hours), None)
    return picture(
        name,
        width,
        plot.bottom + 46,
        _SURVIVAL_TITLE[language].format(deadline=limit, at_deadline=share(at_deadline, language)),
        _SURVIVAL_TEXT[language],
        *_legend(language, wide=wide),
        *_bands(plot, curve, confidence),
        *_axes(plot, hours=24 if wide else 48),
        label(_HOURS_AXIS[language], plot.left + plot.width / 2, plot.bottom + 40, text_anchor="middle", fill=INK),
        plot.line(_reading(curve, "npmle"), stroke=BLUE, stroke_width=2.5),
        _rule(plot.x(network.deadline_hours), plot.top - 4, plot.bottom),
        label(_DEADLINE[language].format(deadline=limit), plot.x(network.deadline_hours) + 6, plot.top + 10, fill=INK),
    )


def _reading(curve: Sequence[SurvivalPoint], reading: str) -> list[Point]:
    return [(point.t, getattr(point, reading)) for point in curve]


def _bands(plot: Plot, curve: Sequence[SurvivalPoint], confidence: float) -> list[Markup]:
    limits = [(point.t, limits_at(point, confidence)) for point in curve]
    low: list[Point] = [(t, ends[0]) for t, ends in limits]
    high: list[Point] = [(t, ends[1]) for t, ends in limits]
    return [plot.area(low, high, OUTER), plot.area(_reading(curve, "lenient"), _reading(curve, "strict"), BAND)]


def _axes(plot: Plot, hours: int) -> list[Markup]:
    parts = []
    for part in (0, 0.25, 0.5, 0.75, 1):
        y = plot.y(part)
        parts.append(element("line", x1=plot.left, x2=plot.left + plot.width, y1=y, y2=y, stroke=GRID if part else INK))
        parts.append(label(f"{part:.0%}", plot.left - 7, y + 4, text_anchor="end"))
    for hour in range(0, int(plot.x_end) + 1, hours):
        x = plot.x(hour)
        parts.append(element("line", x1=x, x2=x, y1=plot.bottom, y2=plot.bottom + 5, stroke=INK))
        parts.append(label(str(hour), x, plot.bottom + 19, text_anchor="middle"))
    return parts


def _rule(x: float, top: float, bottom: float) -> Markup:
    return element("line", x1=x, x2=x, y1=top, y2=bottom, stroke=INK, stroke_width=1.5, stroke_dasharray="2 4")


def _legend(language: Language, *, wide: bool) -> list[Markup]:
    samples = (
        element("path", d="M0 7H26", fill="none", stroke=BLUE, stroke_width=2.5),
        element("rect", y=1, width=26, height=12, fill=BAND),
        element("rect", y=1, width=26, height=12, fill=OUTER, stroke=GRID),
    )
    parts = []
    for index, (text, sample) in enumerate(zip(_KEYS, samples, strict=True)):
        x, y = (index * 255, 4) if wide else (0, index * 22 + 4)
        parts.append(element("g", sample, label(text[language], 33, 11.5, fill=INK), transform=f"translate({x} {y})"))
    return parts


def share_charts(rows: Sequence[Row], target: float, language: Language) -> tuple[Markup, ...]:
    """Every ranked company's share on time with its interval, in as many pictures as fill a page each."""
    known = [row for row in rows if row.ranked and row.figures and row.figures.on_time.lenient.p is not None]
    pages = -(-len(known) // PER_CHART) or 1
    size = -(-len(known) // pages)  # pages of equal length, rather than a last one with two rows
    parts = [known[start : start + size] for start in range(0, len(known), size or 1)]
    return tuple(_share_chart(f"shares-{n}", part, target, language) for n, part in enumerate(parts, 1))


def _share_chart(name: str, rows: Sequence[Row], target: float, language: Language) -> Markup:
    row_height, left, top = 22.0, 252.0, 40.0
    plot = Plot(left, top, WIDE - left - 130, row_height * len(rows), 1)
    ranks = [row.figures.rank for row in rows if row.figures and row.figures.rank is not None]
    title = _SHARES_TITLE[language].format(first=min(ranks, default=1), last=max(ranks, default=len(rows)))
    words = _NORM[language].format(target=percent(target, language))
    parts = [*_share_axis(plot), label(words, plot.x(target), 12, text_anchor="middle", fill=INK)]
    parts += [_rule(plot.x(target), 18, plot.bottom)]
    for index, row in enumerate(rows):
        parts += _share_line(plot, row, top + row_height * (index + 0.5), language)
    return picture(name, WIDE, plot.bottom + 10, title, title, *parts)


def _share_axis(plot: Plot) -> list[Markup]:
    parts = []
    for part in (0, 0.25, 0.5, 0.75, 1):
        x = plot.x(part)
        parts.append(element("line", x1=x, x2=x, y1=plot.top - 4, y2=plot.bottom, stroke=GRID))
        parts.append(label(f"{part:.0%}", x, plot.top - 10, text_anchor="middle"))
    return parts


def _share_line(plot: Plot, row: Row, y: float, language: Language) -> list[Markup]:
    assert row.figures is not None
    timing = row.figures.on_time
    lenient, strict, where = timing.lenient, timing.strict, plot.x
    rank = "" if row.figures.rank is None else str(row.figures.rank)
    parts = [
        label(rank, 22, y + 4.5, text_anchor="end"),
        label(_short(row.name), 32, y + 4.5, fill=INK),
        label(share_range(strict.p, lenient.p, language), WIDE, y + 4.5, text_anchor="end", fill=INK),
    ]
    if lenient.low is not None and lenient.high is not None:
        ends = {"x1": where(lenient.low), "x2": where(lenient.high)}
        parts.append(element("line", **ends, y1=y, y2=y, stroke=QUIET, stroke_width=1.5))
    if strict.p is not None and lenient.p is not None:
        ends = {"x1": where(strict.p), "x2": where(lenient.p)}
        parts.append(element("line", **ends, y1=y, y2=y, stroke=BLUE, stroke_width=5, stroke_opacity=0.55))
        parts.append(element("circle", cx=where(lenient.p), cy=y, r=4.5, fill=BLUE))
    return parts


def _short(name: str) -> str:
    return name if len(name) <= 30 else name[:29].rstrip() + "…"
