"""Episodes by outcome, and the outstanding ones by age: of one company or of all whose figures are shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from monitor.charts.frame import WIDE, Chart, Key, empty_note, legend, patch, rule
from monitor.charts.svg import BLUE, INK, ORANGE, PALE, element, label, picture, text_width
from monitor.disclosure.rows import Row
from monitor.figures import LATENESS
from monitor.score.table import AgeCount, OnTime
from monitor.wording.language import Language, Message


def outstanding_by_age(rows: Iterable[Row]) -> tuple[AgeCount, ...]:
    """The groups of those with figures, added up: only what each of them shows already."""
    counts: Counter[tuple[float, float | None]] = Counter()
    for row in rows:
        for age in row.figures.outstanding_by_age if row.figures else ():
            counts[age.from_hours, age.to_hours] += age.episodes
    return tuple(AgeCount(*bounds, counts[bounds]) for bounds in sorted(counts, key=lambda bounds: bounds[0]))


_ROW = 34.0
_TITLE = Message("Outstanding episodes by time since the notice")
_COLUMNS = (
    Message("Time since the notice"),
    Message("Outstanding episodes"),
)


def age_figure(ages: Sequence[AgeCount], deadline_hours: float, language: Language) -> Chart:
    """A bar for each group of ages; those past the deadline are orange and said to be."""
    said = _described(ages, deadline_hours, language)
    return Chart(
        name="age",
        title=language.gettext(_TITLE),
        description=said,
        columns=tuple(language.gettext(column) for column in _COLUMNS),
        rows=tuple((language.age_group(age), age.episodes) for age in ages),
        draw=lambda name, width: _drawn(name, width, ages, deadline_hours, said, language),
    )


def age_chart(
    name: str, ages: Sequence[AgeCount], deadline_hours: float, language: Language, width: float = WIDE
) -> Markup:
    """The picture of `age_figure` by itself. `name` is unique on the page."""
    return age_figure(ages, deadline_hours, language).draw(name, width)


def _described(ages: Sequence[AgeCount], deadline_hours: float, language: Language) -> str:
    if not any(age.episodes for age in ages):
        return language.gettext("Nothing is outstanding.")
    parts = [f"{language.age_group(age)}: {language.count(age.episodes)}" for age in ages]
    return language.gettext(
        "A bar for each group, the newest on top. {parts}. Orange: the deadline of {deadline} has passed.",
        parts="; ".join(parts),
        deadline=language.deadline(deadline_hours),
    )


def _drawn(
    name: str, width: float, ages: Sequence[AgeCount], deadline_hours: float, said: str, language: Language
) -> Markup:
    if not ages:
        return picture(name, width, 40, language.gettext(_TITLE), said, empty_note(language, width))
    keys, top = legend(_keys(ages, deadline_hours, language), width)
    top += 8
    left = max(text_width(language.age_group(age)) for age in ages) + 10
    numbers = [language.count(age.episodes) for age in ages]
    room = width - left - 10 - max(text_width(number, bold=True) for number in numbers)
    most = max(age.episodes for age in ages) or 1
    parts = [rule(left, top, left, top + _ROW * len(ages))]
    for index, (age, number) in enumerate(zip(ages, numbers, strict=True)):
        y, size = top + _ROW * index, room * age.episodes / most
        parts += [
            label(language.age_group(age), left - 10, y + 22, text_anchor="end", fill=INK),
            element("rect", x=left, y=y + 6, width=size, height=22, fill=_colour(age, deadline_hours)),
            label(number, left + size + 8, y + 22, fill=INK, font_weight=600),
        ]
    return picture(name, width, top + _ROW * len(ages) + 4, language.gettext(_TITLE), said, *keys, *parts)


def _keys(ages: Sequence[AgeCount], deadline_hours: float, language: Language) -> list[Key]:
    """A line of the legend for each colour there is."""
    late = language.gettext("Deadline of {deadline} passed", deadline=language.deadline(deadline_hours))
    there = {_colour(age, deadline_hours) for age in ages}
    words = {
        BLUE: language.gettext("Deadline still running"),
        PALE: language.gettext("Deadline partly passed"),
        ORANGE: late,
    }
    return [(text, patch(colour)) for colour, text in words.items() if colour in there]


def _colour(age: AgeCount, deadline_hours: float) -> str:
    """A group that the deadline runs through has neither colour."""
    if age.from_hours >= deadline_hours:
        return ORANGE
    return BLUE if age.to_hours is not None and age.to_hours <= deadline_hours else PALE


COLOURS = {"on_time": BLUE, "undetermined": PALE, "late": ORANGE}
ON_COLOUR = {"on_time": "#ffffff", "undetermined": INK, "late": "#ffffff"}

_OUTCOME_TITLE = Message("On time, undetermined and late")
_OUTCOME_COLUMNS = (Message("Outcome"), Message("Episodes"))


def counts_figure(timing: OnTime, language: Language) -> Chart:
    """The three counts among the episodes whose deadline has passed."""
    said = _describe_outcomes(timing, language)
    return Chart(
        name="counts",
        title=language.gettext(_OUTCOME_TITLE),
        description=said,
        columns=tuple(language.gettext(column) for column in _OUTCOME_COLUMNS),
        rows=tuple((language.gettext(LATENESS[key].name), value) for key, value in _counts(timing).items()),
        draw=lambda name, width: _draw_outcomes(name, width, timing, said, language),
    )


def counts_bar(name: str, timing: OnTime, language: Language, width: float = WIDE) -> Markup:
    """The picture of `counts_figure` by itself. `name` is unique on the page."""
    return counts_figure(timing, language).draw(name, width)


def _counts(timing: OnTime) -> dict[str, int]:
    return {"on_time": timing.on_time, "undetermined": timing.undetermined, "late": timing.late}


def _describe_outcomes(timing: OnTime, language: Language) -> str:
    if not timing.mature:
        return language.gettext("The deadline has passed of no episode yet.")
    parts = [
        f"{language.gettext(LATENESS[key].name).lower()} {language.count(value)}"
        for key, value in _counts(timing).items()
    ]
    return language.ngettext(
        "One bar of {n} episode whose deadline of {deadline} has passed: {parts}. The length of each part is its"
        " share.",
        "One bar of {n} episodes whose deadline of {deadline} has passed: {parts}. The length of each part is its"
        " share.",
        timing.mature,
        deadline=language.deadline(timing.deadline_hours),
        parts=", ".join(parts),
    )


def _draw_outcomes(name: str, width: float, timing: OnTime, said: str, language: Language) -> Markup:
    counts = {key: value for key, value in _counts(timing).items() if value}
    if not counts:
        return picture(name, width, 48, language.gettext(_OUTCOME_TITLE), said, empty_note(language, width, 29))
    total = sum(counts.values())
    parts, x, unnamed = [], 0.0, []
    for key, value in counts.items():
        part = width * value / total
        drawn, named = bar_part(key, language.gettext(LATENESS[key].name), value, (x, 4.0, part), language)
        parts += drawn
        unnamed += [] if named else [(f"{language.gettext(LATENESS[key].name)} {language.count(value)}", key)]
        x += part
    below, taken = legend([(text, patch(COLOURS[key])) for text, key in unnamed], width)
    moved = element("g", *below, transform="translate(0 48)")
    return picture(
        name, width, 48 + taken, language.gettext(_OUTCOME_TITLE), said, *parts, *([moved] if unnamed else [])
    )


def bar_part(
    key: str, word: str, value: int, place: tuple[float, float, float], language: Language
) -> tuple[list[Markup], bool]:
    """One part of a bar at (x, y) with its width, and whether its word could be written in it."""
    x, y, width = place
    bar = element("rect", x=x, y=y, width=max(width - 2, 1), height=40, fill=COLOURS[key])
    number = language.count(value)
    fits = [text for text in (f"{word} {number}", number) if text_width(text, bold=True) + 20 <= width]
    if not fits:
        return [bar], False
    words = label(fits[0], x + 10, y + 25, fill=ON_COLOUR[key], font_size=15, font_weight=600)
    return [bar, words], len(fits) > 1
