"""The norm simulator's picture: how many companies would meet a deadline of 1, 12, 24 or 48 hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from monitor.charts.frame import Chart, Key, empty_note, in_sentences, legend, patch
from monitor.charts.svg import BLUE, INK, ORANGE, PALE, element, label, picture, text_width
from monitor.score.table import Norm, Standing
from monitor.wording.language import Language, Message
from monitor.wording.words import STANDING_WORDS

_JUDGED: tuple[Standing, ...] = ("below", "not_proven", "meets")
_COLOURS: Mapping[Standing, str] = {"below": ORANGE, "not_proven": PALE, "meets": BLUE}
_ON_COLOUR: Mapping[Standing, str] = {"below": "#ffffff", "not_proven": INK, "meets": "#ffffff"}
_ROW = 64.0

TITLE = Message("How many companies would meet the norm under another deadline")


def norms_figure(norms: Sequence[Norm] | None, language: Language) -> Chart:
    """For each deadline a bar of the companies below the norm, not proven and meeting it; None: there are none."""
    known = tuple(norms or ())
    said = _described(known, language)
    unreachable = any(_number(norm, "unreachable") for norm in known)
    standings: tuple[Standing, ...] = (*_JUDGED, *(("unreachable",) if unreachable else ()), "too_few")
    return Chart(
        name="norms",
        title=language.gettext(TITLE),
        description=said,
        columns=(
            language.gettext("Deadline"),
            *(language.gettext(STANDING_WORDS[standing].label) for standing in standings),
        ),
        rows=tuple(
            (language.deadline(norm.deadline_hours), *(_number(norm, standing) for standing in standings))
            for norm in known
        ),
        draw=lambda name, width: _drawn(name, width, known, said, language),
    )


def _number(norm: Norm, standing: Standing) -> int:
    return sum(line.standing == standing for line in norm.companies)


def _described(norms: Sequence[Norm], language: Language) -> str:
    if not norms:
        return language.gettext("This release has no figures for other deadlines.")
    lines = [
        language.gettext(
            "At {deadline}: below the norm {below}, not proven {not_proven}, meets the norm {meets}.",
            deadline=language.deadline(norm.deadline_hours),
            **{standing: language.count(_number(norm, standing)) for standing in _JUDGED},
        )
        for norm in norms
    ]
    said = language.gettext(
        "A bar for each deadline, with the same episodes. The length of each part is the number of"
        " companies. {lines} Companies with too few data to judge are not in the bar.",
        lines=" ".join(lines),
    )
    if not (unreachable := max(_number(norm, "unreachable") for norm in norms)):
        return said
    return in_sentences(
        said,
        language.ngettext(
            "{n} company that is unreachable is not in the bar either.",
            "{n} companies that are unreachable are not in the bar either.",
            unreachable,
        ),
    )


def _drawn(name: str, width: float, norms: Sequence[Norm], said: str, language: Language) -> Markup:
    if not norms:
        return picture(name, width, 40, language.gettext(TITLE), said, empty_note(language, width))
    keys, taken = legend(_keys(language), width)
    most = max(sum(_number(norm, standing) for standing in _JUDGED) for norm in norms)
    parts: list[Markup] = []
    for index, norm in enumerate(norms):
        top = taken + 4 + _ROW * index
        words = language.gettext("Deadline {deadline}", deadline=language.deadline(norm.deadline_hours))
        parts.append(label(words, 0, top + 16, fill=INK))
        parts += _bar(norm, top + 24, width / max(most, 1), language)
    return picture(name, width, taken + 8 + _ROW * len(norms), language.gettext(TITLE), said, *keys, *parts)


def _keys(language: Language) -> list[Key]:
    return [(language.gettext(STANDING_WORDS[standing].label), patch(_COLOURS[standing])) for standing in _JUDGED]


def _bar(norm: Norm, top: float, unit: float, language: Language) -> list[Markup]:
    """The three parts of one bar, each with its number where that fits."""
    parts, x = [], 0.0
    for standing in _JUDGED:
        number = _number(norm, standing)
        part = number * unit
        if number:
            parts.append(element("rect", x=x, y=top, width=max(part - 2, 1), height=30, fill=_COLOURS[standing]))
            text = language.count(number)
            if text_width(text, bold=True) + 8 <= part:
                attributes = {"fill": _ON_COLOUR[standing], "font_weight": 600, "text_anchor": "middle"}
                parts.append(label(text, x + part / 2, top + 20, **attributes))
        x += part
    return parts or [label(language.gettext("no company with enough data"), 0, top + 20)]
