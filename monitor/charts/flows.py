"""Relocation: from which company material moved, to which company and country, as ribbons as wide as they are many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from monitor.charts.frame import Cell, Chart, empty_note, in_sentences, is_wide
from monitor.charts.svg import BLUE, INK, QUIET, SMALL, element, label, picture, text_width, wrapped
from monitor.score.table import Flow
from monitor.wording.language import Language, Message

Ends = tuple[str, str]  # from, to

_FROM, _TO = Message("From"), Message("To")
_HEIGHT = 300.0  # pixels of all episodes together
_MOST = 12.0  # pixels of one episode, where there are few
_BAR, _LINE, _GAP, _TOP = 10.0, 17.0, 10.0, 30.0


@dataclass(frozen=True, slots=True)
class _End:
    """One end of ribbons: its bar from `top`, `height` pixels, and the lines of its label."""

    top: float
    height: float
    lines: tuple[str, ...]


def drawn(
    name: str, width: float, words: tuple[str, str], ribbons: Mapping[Ends, int], pooled: str, language: Language
) -> Markup:
    """The picture of episodes by (from, to); ends that begin with `pooled` come last.

    `words` are title and description, `name` is unique on the page.
    """
    room = 250.0 if is_wide(width) else 122.0
    unit = min(_HEIGHT / sum(ribbons.values()), _MOST)
    left, right = (_column(ribbons, side, unit, room, pooled, language) for side in (0, 1))
    height = max(_bottom(left), _bottom(right))
    left, right = (_centred(column, height) for column in (left, right))
    x1, x2 = room + _BAR, width - room - _BAR
    parts = [
        label(language.gettext(_FROM), room, 16, text_anchor="end", fill=INK, font_weight=600),
        label(language.gettext(_TO), width - room, 16, fill=INK, font_weight=600),
        *_ribbons(ribbons, left, right, unit, (x1, x2)),
    ]
    for column, bar, text, anchor in ((left, room, room - 8, "end"), (right, x2, width - room + 8, "start")):
        for end in column.values():
            parts.append(element("rect", x=bar, y=end.top, width=_BAR, height=max(end.height, 1.5), fill=BLUE))
            parts += _label(end, text, anchor)
    return picture(name, width, height + 6, *words, *parts)


def _column(
    ribbons: Mapping[Ends, int], side: int, unit: float, room: float, pooled: str, language: Language
) -> dict[str, _End]:
    """The ends of one side, the largest on top, far enough apart for their labels."""
    counts: dict[str, int] = {}
    for ends, episodes in ribbons.items():
        counts[ends[side]] = counts.get(ends[side], 0) + episodes
    column, y = {}, _TOP
    for end in sorted(counts, key=lambda end: (end.startswith(pooled), -counts[end], end)):
        lines = _lines(end, language.count(counts[end]), room - 8)
        height = counts[end] * unit
        pitch = max(height, len(lines) * _LINE) + _GAP
        column[end] = _End(y + (pitch - height) / 2, height, lines)
        y += pitch
    return column


def _lines(name: str, number: str, room: float) -> tuple[str, ...]:
    """The name over at most three lines, and the number behind it where it fits."""
    lines = wrapped(name, room, SMALL, lines=3)
    together = f"{lines[-1]}: {number}"
    if text_width(together, SMALL) <= room:
        return (*lines[:-1], together)
    return (*lines, number)


def _bottom(column: Mapping[str, _End]) -> float:
    last = list(column.values())[-1]
    return last.top + max(last.height, len(last.lines) * _LINE) / 2 + last.height / 2 + _GAP


def _centred(column: Mapping[str, _End], height: float) -> dict[str, _End]:
    down = (height - _bottom(column)) / 2
    return {name: _End(end.top + down, end.height, end.lines) for name, end in column.items()}


def _label(end: _End, x: float, anchor: str) -> list[Markup]:
    middle = end.top + end.height / 2
    first = middle - (len(end.lines) - 1) * _LINE / 2 + 4.5
    return [
        label(line, x, first + i * _LINE, text_anchor=anchor, fill=INK, font_size=SMALL)
        for i, line in enumerate(end.lines)
    ]


def _ribbons(
    ribbons: Mapping[Ends, int], left: Mapping[str, _End], right: Mapping[str, _End], unit: float, x: Sequence[float]
) -> list[Markup]:
    """One area for each pair, stacked on both bars in the order of the other side, so that few cross."""
    starts = _stacked(ribbons, 0, left, right, unit)
    stops = _stacked(ribbons, 1, right, left, unit)
    return [
        _ribbon(x[0], starts[ends], x[1], stops[ends], max(ribbons[ends] * unit, 1.0), number % 2 == 0)
        for number, ends in enumerate(sorted(ribbons, key=lambda ends: (starts[ends], ends)))
    ]


def _stacked(
    ribbons: Mapping[Ends, int], side: int, column: Mapping[str, _End], other: Mapping[str, _End], unit: float
) -> dict[Ends, float]:
    order = {name: position for position, name in enumerate(other)}
    tops, places = {name: end.top for name, end in column.items()}, dict[Ends, float]()
    for ends in sorted(ribbons, key=lambda ends: order[ends[1 - side]]):
        places[ends] = tops[ends[side]]
        tops[ends[side]] += ribbons[ends] * unit
    return places


def _ribbon(x1: float, y1: float, x2: float, y2: float, height: float, even: bool) -> Markup:
    middle = (x1 + x2) / 2
    d = (
        f"M{x1:.1f} {y1:.1f}C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
        f"v{height:.1f}C{middle:.1f} {y2 + height:.1f} {middle:.1f} {y1 + height:.1f} {x1:.1f} {y1 + height:.1f}Z"
    )
    return element("path", d=d, fill=BLUE if even else QUIET, fill_opacity=0.35 if even else 0.25)


TITLE = Message("Relocated material: from which company to which company and country")
_UNKNOWN_COUNTRY = Message("country not known")
_OTHER = Message("Other")
_COLUMNS = (Message("From"), Message("To"), Message("Country"), Message("Episodes"))
_WIDE_ENDS, _NARROW_ENDS = 14, 8  # ends on each side before the smallest are pooled
_COUNTRIES_SAID = 5


def flow_figure(flows: Sequence[Flow] | None, names: Mapping[str, str], language: Language) -> Chart:
    """Relocations from origin to destination, the largest first; `names` by company key. None: there are none."""
    known = sorted(flows or (), key=lambda flow: (-flow.episodes, flow.origin, flow.destination or "", flow.country))
    ends = [(_origin(flow, names), _destination(flow, names, language)) for flow in known]
    said = _described(known, ends, language)
    return Chart(
        name="flows",
        title=language.gettext(TITLE),
        description=said,
        columns=tuple(language.gettext(column) for column in _COLUMNS),
        rows=tuple(_row(flow, names, language) for flow in known),
        draw=lambda name, width: _drawn(name, width, known, ends, said, language),
    )


def _origin(flow: Flow, names: Mapping[str, str]) -> str:
    return names.get(flow.origin, flow.origin)


def _destination(flow: Flow, names: Mapping[str, str], language: Language) -> str:
    """`Polderhost (NL)`, or the country alone where no company is named."""
    if flow.destination is None:
        country = flow.country or language.gettext(_UNKNOWN_COUNTRY)
        return language.gettext("Not named ({country})", country=country)
    name = names.get(flow.destination, flow.destination)
    return f"{name} ({flow.country})" if flow.country else name


def _row(flow: Flow, names: Mapping[str, str], language: Language) -> tuple[Cell, ...]:
    where = language.gettext("Not named") if flow.destination is None else names.get(flow.destination, flow.destination)
    return (_origin(flow, names), where, flow.country or None, flow.episodes)


def _described(flows: Sequence[Flow], ends: Sequence[tuple[str, str]], language: Language) -> str:
    if not flows:
        return language.gettext("There are no relocations to show.")
    said = language.gettext(
        "At the left the companies where the material stood, at the right where it stood afterwards."
        " The wider a ribbon, the more episodes. Relocated episodes: {episodes}; companies of origin:"
        " {origins}; destinations: {destinations}.",
        episodes=_count(sum(flow.episodes for flow in flows), language),
        origins=_count(len({flow.origin for flow in flows}), language),
        destinations=_count(len({(flow.destination, flow.country) for flow in flows}), language),
    )
    more = []
    if len(flows) > 1 and flows[0].episodes > flows[1].episodes:
        widest = {"origin": ends[0][0], "destination": ends[0][1], "most": _count(flows[0].episodes, language)}
        more.append(language.gettext("The widest ribbon runs from {origin} to {destination}: {most}.", **widest))
    countries = _by_country(flows, language)
    more.append(
        language.gettext("By country, with its code of two letters (ISO 3166): {countries}.", countries=countries)
    )
    if any(len(set(side)) > _NARROW_ENDS for side in zip(*ends, strict=True)):
        more.append(language.gettext("The smallest are pooled in the chart as 'other'; the table names all."))
    if any(flow.destination is None for flow in flows):
        more.append(
            language.gettext("'Not named': the company is not known, or has too few episodes to give figures of.")
        )
    return in_sentences(said, *more)


def _by_country(flows: Sequence[Flow], language: Language) -> str:
    counts: Counter[str] = Counter()
    for flow in flows:
        counts[flow.country or language.gettext(_UNKNOWN_COUNTRY)] += flow.episodes
    first = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    said = [f"{country} {_count(episodes, language)}" for country, episodes in first[:_COUNTRIES_SAID]]
    rest = sum(episodes for _, episodes in first[_COUNTRIES_SAID:])
    other = language.gettext("other countries")
    return ", ".join([*said, f"{other} {_count(rest, language)}"] if rest else said)


def _count(value: int, language: Language) -> str:
    return language.count(value)


def _drawn(
    name: str, width: float, flows: Sequence[Flow], ends: Sequence[tuple[str, str]], said: str, language: Language
) -> Markup:
    if not flows:
        return picture(name, width, 40, language.gettext(TITLE), said, empty_note(language, width))
    most = _WIDE_ENDS if is_wide(width) else _NARROW_ENDS
    weights = [flow.episodes for flow in flows]
    left = _pooled([end[0] for end in ends], weights, most, language)
    right = _pooled([end[1] for end in ends], weights, most, language)
    ribbons: Counter[Ends] = Counter()
    for pair, episodes in zip(zip(left, right, strict=True), weights, strict=True):
        ribbons[pair] += episodes
    return drawn(name, width, (language.gettext(TITLE), said), ribbons, f"{language.gettext(_OTHER)} (", language)


def _pooled(ends: Sequence[str], weights: Sequence[int], most: int, language: Language) -> list[str]:
    """The ends of one side, the smallest under one name where there are more than `most`."""
    counts: Counter[str] = Counter()
    for end, weight in zip(ends, weights, strict=True):
        counts[end] += weight
    if len(counts) <= most:
        return list(ends)
    kept = set(sorted(counts, key=lambda end: (-counts[end], end))[: most - 1])
    other = f"{language.gettext(_OTHER)} ({_count(len(counts) - len(kept), language)})"
    return [end if end in kept else other for end in ends]
