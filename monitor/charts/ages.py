"""Outstanding episodes by the time since their notice, a bar for each group."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from monitor.charts.chart import Figure
from monitor.charts.frame import WIDE, Key, empty_note, legend, patch, rule
from monitor.charts.lettering import text_width
from monitor.charts.svg import BLUE, INK, ORANGE, PALE, element, label, picture
from monitor.score.table import AgeCount
from monitor.wording import formatting
from monitor.wording.sentences import age_words
from monitor.wording.sentences import deadline as deadline_words
from monitor.wording.words import Language, Text

_ROW = 34.0
_TITLE = Text("Openstaande episodes naar tijd sinds de melding", "Outstanding episodes by time since the notice")
_SAID = Text(
    "Een balk per groep, de nieuwste boven. {parts}. Oranje: de termijn van {deadline} is voorbij.",
    "A bar for each group, the newest on top. {parts}. Orange: the deadline of {deadline} has passed.",
)
_NONE = Text("Er staat niets open.", "Nothing is outstanding.")
_LATE = Text("Termijn van {deadline} voorbij", "Deadline of {deadline} passed")
_NOT_LATE = Text("Termijn loopt nog", "Deadline still running")
_PARTLY = Text("Termijn deels voorbij", "Deadline partly passed")
_COLUMNS = (
    Text("Tijd sinds de melding", "Time since the notice"),
    Text("Openstaande episodes", "Outstanding episodes"),
)


def age_figure(ages: Sequence[AgeCount], deadline_hours: float, language: Language) -> Figure:
    """A bar for each group of ages; those past the deadline are orange and said to be."""
    said = _described(ages, deadline_hours, language)
    return Figure(
        name="age",
        title=_TITLE[language],
        description=said,
        columns=tuple(column[language] for column in _COLUMNS),
        rows=tuple((age_words(age, language), age.episodes) for age in ages),
        draw=lambda name, width: _drawn(name, width, ages, deadline_hours, said, language),
    )


def age_chart(
    name: str, ages: Sequence[AgeCount], deadline_hours: float, language: Language, width: float = WIDE
) -> Markup:
    """The picture of `age_figure` by itself. `name` is unique on the page."""
    return age_figure(ages, deadline_hours, language).draw(name, width)


def _described(ages: Sequence[AgeCount], deadline_hours: float, language: Language) -> str:
    if not any(age.episodes for age in ages):
        return _NONE[language]
    parts = [f"{age_words(age, language)}: {formatting.count(age.episodes, language)}" for age in ages]
    return _SAID[language].format(parts="; ".join(parts), deadline=deadline_words(deadline_hours, language))


def _drawn(
    name: str, width: float, ages: Sequence[AgeCount], deadline_hours: float, said: str, language: Language
) -> Markup:
    if not ages:
        return picture(name, width, 40, _TITLE[language], said, empty_note(language, width))
    keys, top = legend(_keys(ages, deadline_hours, language), width)
    top += 8
    left = max(text_width(age_words(age, language)) for age in ages) + 10
    numbers = [formatting.count(age.episodes, language) for age in ages]
    room = width - left - 10 - max(text_width(number, bold=True) for number in numbers)
    most = max(age.episodes for age in ages) or 1
    parts = [rule(left, top, left, top + _ROW * len(ages))]
    for index, (age, number) in enumerate(zip(ages, numbers, strict=True)):
        y, size = top + _ROW * index, room * age.episodes / most
        parts += [
            label(age_words(age, language), left - 10, y + 22, text_anchor="end", fill=INK),
            element("rect", x=left, y=y + 6, width=size, height=22, fill=_colour(age, deadline_hours)),
            label(number, left + size + 8, y + 22, fill=INK, font_weight=600),
        ]
    return picture(name, width, top + _ROW * len(ages) + 4, _TITLE[language], said, *keys, *parts)


def _keys(ages: Sequence[AgeCount], deadline_hours: float, language: Language) -> list[Key]:
    """A line of the legend for each colour there is."""
    late = _LATE[language].format(deadline=deadline_words(deadline_hours, language))
    there = {_colour(age, deadline_hours) for age in ages}
    words = {BLUE: _NOT_LATE[language], PALE: _PARTLY[language], ORANGE: late}
    return [(text, patch(colour)) for colour, text in words.items() if colour in there]


def _colour(age: AgeCount, deadline_hours: float) -> str:
    """A group that the deadline runs through has neither colour."""
    if age.from_hours >= deadline_hours:
        return ORANGE
    return BLUE if age.to_hours is not None and age.to_hours <= deadline_hours else PALE
