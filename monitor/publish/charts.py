"""The charts of the site and the report: pure functions from figures to SVG, the same on screen and on paper."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from monitor.publish import formatting
from monitor.publish.intervals import survival_limits
from monitor.publish.sentences import deadline as deadline_words
from monitor.publish.svg import BAND, BLUE, GRID, INK, ORANGE, OUTER, Plot, Point, element, label, picture
from monitor.publish.words import LATENESS, Language, Text
from monitor.score.table import AgeCount, OnTime, SurvivalPoint

WIDE, NARROW = 760, 340
_LATENESS_COLOURS = {"on_time": BLUE, "undetermined": "#c9d3de", "late": ORANGE}
_ON_COLOUR = {"on_time": "#ffffff", "undetermined": INK, "late": "#ffffff"}

_SURVIVAL_TITLE = Text("Aandeel nog niet verwijderd, naar uren na de melding",
                       "Share not yet removed, by hours after the notice")  # fmt: skip
_SURVIVAL_TEXT = Text(
    "Van 0 tot 168 uur. Getrokken lijn: {name}, met de band van de gunstige tot de strenge lezing en daaromheen"
    " het 95%-betrouwbaarheidsinterval. Streeplijn: alle bedrijven samen. Stippellijn: de termijn van {deadline}."
    " De cijfers staan in de tabel hierna.",
    "From 0 to 168 hours. Solid line: {name}, with the band from the lenient to the strict reading and around it"
    " the 95% confidence interval. Dashed line: all companies together. Dotted line: the deadline of {deadline}."
    " The table that follows has the figures.",
)
_HOURS_AXIS = Text("Uren na de melding", "Hours after the notice")
_NETWORK = Text("Alle bedrijven samen", "All companies together")
_READINGS = Text("Gunstige tot strenge lezing", "Lenient to strict reading")
_INTERVAL = Text("95%-betrouwbaarheidsinterval", "95% confidence interval")
_DEADLINE = Text("termijn {deadline}", "deadline {deadline}")
_BAR_TITLE = Text("Op tijd, onbepaald en te laat", "On time, undetermined and late")
_AGE_TITLE = Text("Openstaande episodes naar tijd sinds de melding", "Outstanding episodes by time since the notice")


def survival_chart(
    name: str,
    company: str,
    curve: Sequence[SurvivalPoint],
    network: Sequence[SurvivalPoint],
    deadline_hours: float,
    confidence: float,
    language: Language,
    width: float = WIDE,
) -> Markup:
    """Turnbull's curve of a company in its band, beside that of the network. `name` is unique on the page."""
    wide = width >= WIDE
    keys = _keys(company, language)
    top = 24.0 * (len(keys) / 2 if wide else len(keys)) + 26
    plot = Plot(54, top, width - 68, 260 if wide else 220, curve[-1].t if curve else 168)
    words = deadline_words(deadline_hours, language)
    return picture(
        name,
        width,
        plot.bottom + 52,
        _SURVIVAL_TITLE[language],
        _SURVIVAL_TEXT[language].format(name=company, deadline=words),
        *_legend(keys, wide=wide),
        *_bands(plot, curve, confidence),
        *_grid(plot, wide=wide),
        label(_HOURS_AXIS[language], plot.left + plot.width / 2, plot.bottom + 44, text_anchor="middle", fill=INK),
        plot.line(_points(network, "npmle"), stroke=ORANGE, stroke_width=2, stroke_dasharray="6 4"),
        plot.line(_points(curve, "npmle"), stroke=BLUE, stroke_width=2.5),
        *_deadline(plot, deadline_hours, _DEADLINE[language].format(deadline=words)),
    )


def _points(curve: Sequence[SurvivalPoint], reading: str) -> list[Point]:
    return [(point.t, getattr(point, reading)) for point in curve]


def limits_at(point: SurvivalPoint, confidence: float) -> tuple[float | None, float | None]:
    """From the lower limit of the lenient to the upper limit of the strict curve."""
    low = survival_limits(point.lenient, point.lenient_se, confidence)[0]
    return low, survival_limits(point.strict, point.strict_se, confidence)[1]


def _bands(plot: Plot, curve: Sequence[SurvivalPoint], confidence: float) -> list[Markup]:
    """The interval around both readings, and the readings themselves."""
    limits = [(point.t, limits_at(point, confidence)) for point in curve]
    low: list[Point] = [(t, ends[0]) for t, ends in limits]
    high: list[Point] = [(t, ends[1]) for t, ends in limits]
    return [plot.area(low, high, OUTER), plot.area(_points(curve, "lenient"), _points(curve, "strict"), BAND)]


def _grid(plot: Plot, *, wide: bool) -> list[Markup]:
    parts = []
    for percent in (0, 25, 50, 75, 100):
        y = plot.y(percent / 100)
        parts.append(
            element("line", x1=plot.left, x2=plot.left + plot.width, y1=y, y2=y, stroke=GRID if percent else INK)
        )
        parts.append(label(f"{percent}%", plot.left - 7, y + 5, text_anchor="end"))
    for hour in range(0, int(plot.x_end) + 1, 24 if wide else 48):
        x = plot.x(hour)
        parts.append(element("line", x1=x, x2=x, y1=plot.bottom, y2=plot.bottom + 5, stroke=INK))
        parts.append(label(str(hour), x, plot.bottom + 21, text_anchor="middle"))
    return parts


def _deadline(plot: Plot, hour: float, words: str) -> list[Markup]:
    x = plot.x(hour)
    rule = element(
        "line", x1=x, x2=x, y1=plot.top - 4, y2=plot.bottom, stroke=INK, stroke_width=1.5, stroke_dasharray="2 4"
    )
    return [rule, label(words, x + 6, plot.top + 10, fill=INK)]


def _keys(company: str, language: Language) -> list[tuple[str, Markup]]:
    def sample(**attributes: object) -> Markup:
        return element("path", d="M0 7H26", fill="none", **attributes)

    short = company if len(company) <= 32 else company[:31] + "…"
    return [
        (short, sample(stroke=BLUE, stroke_width=2.5)),
        (_NETWORK[language], sample(stroke=ORANGE, stroke_width=2, stroke_dasharray="6 4")),
        (_READINGS[language], element("rect", y=1, width=26, height=12, fill=BAND)),
        (_INTERVAL[language], element("rect", y=1, width=26, height=12, fill=OUTER, stroke=GRID)),
    ]


def _legend(keys: Sequence[tuple[str, Markup]], *, wide: bool) -> list[Markup]:
    """Two by two where there is room, else one below the other."""
    parts = []
    for index, (text, sample) in enumerate(keys):
        x, y = (index % 2 * 340, index // 2 * 24) if wide else (0, index * 24)
        parts.append(element("g", sample, label(text, 33, 12.5, fill=INK), transform=f"translate({x} {y + 4})"))
    return parts


def counts_bar(name: str, timing: OnTime, language: Language, width: float = WIDE) -> Markup:
    """The three counts as one stacked bar, each part labelled where it fits."""
    counts = {"on_time": timing.on_time, "undetermined": timing.undetermined, "late": timing.late}
    said = ", ".join(f"{LATENESS[key].name[language]}: {value}" for key, value in counts.items())
    parts, x = [], 0.0
    for key, value in counts.items():
        part = width * value / max(timing.mature, 1)
        parts.extend(_bar_part(key, value, x, part, language))
        x += part
    return picture(name, width, 48, _BAR_TITLE[language], said, *parts)


def _bar_part(key: str, value: int, x: float, width: float, language: Language) -> list[Markup]:
    if not value:
        return []
    bar = element("rect", x=x, y=4, width=max(width - 2, 1), height=40, fill=_LATENESS_COLOURS[key])
    number = formatting.count(value, language)
    text = f"{LATENESS[key].name[language]} {number}"
    fitting = next((words for words in (text, number) if len(words) * 8 + 16 < width), None)
    if fitting is None:
        return [bar]
    return [bar, label(fitting, x + 10, 29, fill=_ON_COLOUR[key], font_size=15, font_weight=600)]


def age_chart(
    name: str, ages: Sequence[AgeCount], deadline_hours: float, language: Language, width: float = WIDE
) -> Markup:
    """Outstanding episodes by age, one bar each; those past the deadline are orange and marked."""
    most = max([age.episodes for age in ages], default=0) or 1
    row, left = 34.0, 138.0
    parts = [element("line", x1=left, x2=left, y1=0, y2=row * len(ages), stroke=INK)]
    for index, age in enumerate(ages):
        y, size = row * index, (width - left - 60) * age.episodes / most
        late = age.from_hours >= deadline_hours
        parts += [
            label(age_words(age, language), left - 10, y + 22, text_anchor="end", fill=INK),
            element("rect", x=left, y=y + 6, width=size, height=22, fill=ORANGE if late else BLUE),
            label(formatting.count(age.episodes, language), left + size + 8, y + 22, fill=INK, font_weight=600),
        ]
    said = "; ".join(f"{age_words(age, language)}: {age.episodes}" for age in ages)
    return picture(name, width, row * len(ages) + 4, _AGE_TITLE[language], said, *parts)


def age_words(age: AgeCount, language: Language) -> str:
    """`24 tot 48 uur`, `2 tot 7 dagen`, `30 dagen of meer`."""
    unit = 24 if age.from_hours >= 48 else 1
    words = {1: Text("uur", "hours"), 24: Text("dagen", "days")}[unit][language]
    first = f"{age.from_hours / unit:g}"
    if age.to_hours is None:
        return f"{first} {words} {Text('of meer', 'or more')[language]}"
    return f"{first} {Text('tot', 'to')[language]} {age.to_hours / unit:g} {words}"
