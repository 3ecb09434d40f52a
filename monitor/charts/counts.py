"""On time, undetermined and late as one bar in three parts."""

from __future__ import annotations

from markupsafe import Markup

from monitor.charts.chart import Figure
from monitor.charts.frame import WIDE, empty_note, legend, patch
from monitor.charts.lettering import text_width
from monitor.charts.svg import BLUE, INK, ORANGE, PALE, element, label, picture
from monitor.score.table import OnTime
from monitor.wording import formatting
from monitor.wording.sentences import deadline as deadline_words
from monitor.wording.words import LATENESS, Language, Text

COLOURS = {"on_time": BLUE, "undetermined": PALE, "late": ORANGE}
ON_COLOUR = {"on_time": "#ffffff", "undetermined": INK, "late": "#ffffff"}

_TITLE = Text("Op tijd, onbepaald en te laat", "On time, undetermined and late")
_SAID = Text(
    "Eén balk van {mature} episodes waarvan de termijn van {deadline} voorbij is: {parts}. De lengte van elk deel is"
    " het aandeel ervan.",
    "One bar of {mature} episodes whose deadline of {deadline} has passed: {parts}. The length of each part is its"
    " share.",
)
_NONE = Text("Van geen episode is de termijn al voorbij.", "The deadline has passed of no episode yet.")
_COLUMNS = (Text("Uitkomst", "Outcome"), Text("Episodes", "Episodes"))


def counts_figure(timing: OnTime, language: Language) -> Figure:
    """The three counts among the episodes whose deadline has passed."""
    said = _described(timing, language)
    return Figure(
        name="counts",
        title=_TITLE[language],
        description=said,
        columns=tuple(column[language] for column in _COLUMNS),
        rows=tuple((LATENESS[key].name[language], value) for key, value in _counts(timing).items()),
        draw=lambda name, width: _drawn(name, width, timing, said, language),
    )


def counts_bar(name: str, timing: OnTime, language: Language, width: float = WIDE) -> Markup:
    """The picture of `counts_figure` by itself. `name` is unique on the page."""
    return counts_figure(timing, language).draw(name, width)


def _counts(timing: OnTime) -> dict[str, int]:
    return {"on_time": timing.on_time, "undetermined": timing.undetermined, "late": timing.late}


def _described(timing: OnTime, language: Language) -> str:
    if not timing.mature:
        return _NONE[language]
    parts = [
        f"{LATENESS[key].name[language].lower()} {formatting.count(value, language)}"
        for key, value in _counts(timing).items()
    ]
    return _SAID[language].format(
        mature=formatting.count(timing.mature, language),
        deadline=deadline_words(timing.deadline_hours, language),
        parts=", ".join(parts),
    )


def _drawn(name: str, width: float, timing: OnTime, said: str, language: Language) -> Markup:
    counts = {key: value for key, value in _counts(timing).items() if value}
    if not counts:
        return picture(name, width, 48, _TITLE[language], said, empty_note(language, width, 29))
    total = sum(counts.values())
    parts, x, unnamed = [], 0.0, []
    for key, value in counts.items():
        part = width * value / total
        drawn, named = bar_part(key, LATENESS[key].name[language], value, (x, 4.0, part), language)
        parts += drawn
        unnamed += [] if named else [(f"{LATENESS[key].name[language]} {formatting.count(value, language)}", key)]
        x += part
    below, taken = legend([(text, patch(COLOURS[key])) for text, key in unnamed], width)
    moved = element("g", *below, transform="translate(0 48)")
    return picture(name, width, 48 + taken, _TITLE[language], said, *parts, *([moved] if unnamed else []))


def bar_part(
    key: str, word: str, value: int, place: tuple[float, float, float], language: Language
) -> tuple[list[Markup], bool]:
    """One part of a bar at (x, y) with its width, and whether its word could be written in it."""
    x, y, width = place
    bar = element("rect", x=x, y=y, width=max(width - 2, 1), height=40, fill=COLOURS[key])
    number = formatting.count(value, language)
    fits = [text for text in (f"{word} {number}", number) if text_width(text, bold=True) + 20 <= width]
    if not fits:
        return [bar], False
    words = label(fits[0], x + 10, y + 25, fill=ON_COLOUR[key], font_size=15, font_weight=600)
    return [bar, words], len(fits) > 1
