"""The norm simulator's picture: how many companies would meet a deadline of 1, 12, 24 or 48 hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from monitor.charts.frame import Chart, Key, empty_note, legend, patch
from monitor.charts.svg import BLUE, INK, ORANGE, PALE, element, label, picture, text_width
from monitor.score.table import Norm, Standing
from monitor.wording import formatting
from monitor.wording.formatting import deadline as deadline_words
from monitor.wording.words import STANDINGS, Language, Text

_JUDGED: tuple[Standing, ...] = ("below", "not_proven", "meets")
_COLOURS: Mapping[Standing, str] = {"below": ORANGE, "not_proven": PALE, "meets": BLUE}
_ON_COLOUR: Mapping[Standing, str] = {"below": "#ffffff", "not_proven": INK, "meets": "#ffffff"}
_ROW = 64.0

TITLE = Text("Hoeveel bedrijven bij een andere termijn aan de norm zouden voldoen",
             "How many companies would meet the norm under another deadline")  # fmt: skip
_HOW = Text(
    "Een balk per termijn, met dezelfde episodes. De lengte van elk deel is het aantal bedrijven. {lines} Bedrijven"
    " met te weinig gegevens voor een oordeel tellen niet mee in de balk.",
    "A bar for each deadline, with the same episodes. The length of each part is the number of companies. {lines}"
    " Companies with too few data to judge are not in the bar.",
)
_LINE = Text(
    "Bij {deadline}: {below} onder de norm, {not_proven} niet aangetoond, {meets} voldoet aan de norm.",
    "At {deadline}: {below} below the norm, {not_proven} not proven, {meets} meets the norm.",
)
_NONE = Text("Deze publicatie heeft geen cijfers voor andere termijnen.",
             "This release has no figures for other deadlines.")  # fmt: skip
_DEADLINE = Text("Termijn", "Deadline")
_TERM = Text("Termijn {deadline}", "Deadline {deadline}")
_NOBODY = Text("geen bedrijf met genoeg gegevens", "no company with enough data")


def norms_figure(norms: Sequence[Norm] | None, language: Language) -> Chart:
    """For each deadline a bar of the companies below the norm, not proven and meeting it; None: there are none."""
    known = tuple(norms or ())
    said = _described(known, language)
    standings: tuple[Standing, ...] = (*_JUDGED, "too_few")
    return Chart(
        name="norms",
        title=TITLE[language],
        description=said,
        columns=(_DEADLINE[language], *(STANDINGS[standing].label[language] for standing in standings)),
        rows=tuple(
            (deadline_words(norm.deadline_hours, language), *(_number(norm, standing) for standing in standings))
            for norm in known
        ),
        draw=lambda name, width: _drawn(name, width, known, said, language),
    )


def _number(norm: Norm, standing: Standing) -> int:
    return sum(line.standing == standing for line in norm.companies)


def _described(norms: Sequence[Norm], language: Language) -> str:
    if not norms:
        return _NONE[language]
    lines = [
        _LINE[language].format(
            deadline=deadline_words(norm.deadline_hours, language),
            **{standing: formatting.count(_number(norm, standing), language) for standing in _JUDGED},
        )
        for norm in norms
    ]
    return _HOW[language].format(lines=" ".join(lines))


def _drawn(name: str, width: float, norms: Sequence[Norm], said: str, language: Language) -> Markup:
    if not norms:
        return picture(name, width, 40, TITLE[language], said, empty_note(language, width))
    keys, taken = legend(_keys(language), width)
    most = max(sum(_number(norm, standing) for standing in _JUDGED) for norm in norms)
    parts: list[Markup] = []
    for index, norm in enumerate(norms):
        top = taken + 4 + _ROW * index
        words = _TERM[language].format(deadline=deadline_words(norm.deadline_hours, language))
        parts.append(label(words, 0, top + 16, fill=INK))
        parts += _bar(norm, top + 24, width / max(most, 1), language)
    return picture(name, width, taken + 8 + _ROW * len(norms), TITLE[language], said, *keys, *parts)


def _keys(language: Language) -> list[Key]:
    return [(STANDINGS[standing].label[language], patch(_COLOURS[standing])) for standing in _JUDGED]


def _bar(norm: Norm, top: float, unit: float, language: Language) -> list[Markup]:
    """The three parts of one bar, each with its number where that fits."""
    parts, x = [], 0.0
    for standing in _JUDGED:
        number = _number(norm, standing)
        part = number * unit
        if number:
            parts.append(element("rect", x=x, y=top, width=max(part - 2, 1), height=30, fill=_COLOURS[standing]))
            text = formatting.count(number, language)
            if text_width(text, bold=True) + 8 <= part:
                attributes = {"fill": _ON_COLOUR[standing], "font_weight": 600, "text_anchor": "middle"}
                parts.append(label(text, x + part / 2, top + 20, **attributes))
        x += part
    return parts or [label(_NOBODY[language], 0, top + 20)]
