"""The rank interval plot: for each company its rank and the ranks that are possible too, worst first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from monitor.charts.frame import Chart, Key, axis_title, empty_note, in_sentences, is_wide, legend, rule, spot, stroke
from monitor.charts.svg import BLUE, GRID, INK, QUIET, element, label, picture, shortened, text_width
from monitor.disclosure.rows import Row
from monitor.wording.language import Language, Message

TITLE = Message("Rank, with the ranks that are also possible")
_COLUMNS = (
    Message("Company"),
    Message("Rank"),
    Message("First possible rank"),
    Message("Last possible rank"),
    Message("Band"),
)


_INDENT = text_width("9999") + 6  # of a name, behind its rank


@dataclass(frozen=True, slots=True)
class _Line:
    """One company's rank; `low` and `high` are the rank itself where no interval is given."""

    name: str
    rank: int
    low: int
    high: int
    known: bool
    band: str | None


def ranks_figure(rows: Sequence[Row], language: Language) -> Chart:
    """The ranked ones among the rows, by rank; others are left out."""
    lines = sorted((line for row in rows if (line := _line(row)) is not None), key=lambda line: line.rank)
    said = _described(lines, language)
    return Chart(
        name="ranks",
        title=language.gettext(TITLE),
        description=said,
        columns=tuple(language.gettext(column) for column in _COLUMNS),
        rows=tuple((n.name, n.rank, n.low if n.known else None, n.high if n.known else None, n.band) for n in lines),
        draw=lambda name, width: _drawn(name, width, lines, said, language),
    )


def _line(row: Row) -> _Line | None:
    item = row.figures
    if not row.ranked or item is None or item.rank is None:
        return None
    if item.rank_low is None or item.rank_high is None:
        return _Line(row.name, item.rank, item.rank, item.rank, known=False, band=item.band)
    return _Line(row.name, item.rank, item.rank_low, item.rank_high, known=True, band=item.band)


def _described(lines: Sequence[_Line], language: Language) -> str:
    if not lines:
        return language.gettext("There are no ranked companies.")
    companies = language.count(len(lines))
    said = language.gettext(
        "A line per company, the lowest score on top: {companies} in all. The dot is the rank, the line"
        " runs from the first to the last rank that is also possible with 95% confidence. Where two"
        " lines overlap, the order of those two is not certain.",
        companies=companies,
    )
    if not any(line.known for line in lines):
        return in_sentences(said, language.gettext("This release gives no other possible ranks."))
    sure = sum(line.known and line.low == line.high for line in lines)
    certain = language.gettext(
        "For {sure} of the {companies} only one rank is possible.", sure=language.count(sure), companies=companies
    )
    bands = list(dict.fromkeys(line.band for line in lines if line.band))
    if len(bands) < 2:
        return in_sentences(said, certain)
    return in_sentences(
        said, certain, language.gettext("Dashed lines separate the bands: {bands}.", bands=", ".join(bands))
    )


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Where ranks and lines stand: `left..right` holds `low..high`, each company takes `pitch` pixels from `top`."""

    left: float
    right: float
    low: int
    high: int
    top: float
    pitch: float

    def x(self, rank: float) -> float:
        if self.high == self.low:
            return (self.left + self.right) / 2
        return self.left + (self.right - self.left) * (rank - self.low) / (self.high - self.low)


def _drawn(name: str, width: float, lines: Sequence[_Line], said: str, language: Language) -> Markup:
    if not lines:
        return picture(name, width, 40, language.gettext(TITLE), said, empty_note(language, width))
    keys, taken = legend(_keys(language), width)
    sheet = _sheet(lines, width, taken)
    bottom = sheet.top + sheet.pitch * len(lines)
    parts: list[Markup] = []
    for index, line in enumerate(lines):
        new_band = index > 0 and line.band != lines[index - 1].band
        parts += _company(sheet, line, sheet.top + sheet.pitch * index, width, separated=new_band)
    return picture(
        name, width, bottom + 10, language.gettext(TITLE), said, *keys, *_ticks(sheet, bottom, width, language), *parts
    )


def _sheet(lines: Sequence[_Line], width: float, taken: float) -> _Sheet:
    """Names at the left where there is room for them, else each above its line."""
    wide = is_wide(width)
    longest = max(text_width(line.name) for line in lines) + _INDENT + 1
    left = min(longest, 350) + 20 if wide else 14.0
    low, high = min(line.low for line in lines), max(line.high for line in lines)
    return _Sheet(left, width - 14, low, high, taken + 54, 26 if wide else 44)


def _keys(language: Language) -> list[Key]:
    return [
        (language.gettext("Rank"), spot(BLUE)),
        (language.gettext("Also possible (95%)"), stroke(stroke=BLUE, stroke_width=5, stroke_opacity=0.4)),
    ]


def _ticks(sheet: _Sheet, bottom: float, width: float, language: Language) -> list[Markup]:
    """Ranks above the plot, as many as leave each other room, with a line down for each."""
    parts = [
        axis_title(language.gettext("Rank (1: lowest score)"), (sheet.left + sheet.right) / 2, sheet.top - 36, width)
    ]
    room = text_width(str(sheet.high)) + 22
    step = next(n for n in _steps() if n * (sheet.x(sheet.low + 1) - sheet.x(sheet.low)) >= room or n > sheet.high)
    first = [sheet.low] if sheet.low % step else []
    for rank in [*first, *(n for n in range(sheet.low, sheet.high + 1) if n % step == 0)]:
        if first and rank != sheet.low and sheet.x(rank) - sheet.x(sheet.low) < room:
            continue
        x = sheet.x(rank)
        parts.append(rule(x, sheet.top - 6, x, bottom, stroke=GRID))
        parts.append(label(str(rank), x, sheet.top - 12, text_anchor="middle"))
    return parts


def _steps() -> Sequence[int]:
    return [n * 10**power for power in range(7) for n in (1, 2, 5)]


def _company(sheet: _Sheet, line: _Line, top: float, width: float, *, separated: bool) -> list[Markup]:
    named_left = is_wide(width)
    y = top + (sheet.pitch / 2 if named_left else sheet.pitch - 10)
    room = (sheet.left - 20 if named_left else width) - _INDENT
    baseline = y + 5 if named_left else top + 20
    parts = [
        label(str(line.rank), 0, baseline),
        label(shortened(line.name, room), _INDENT, baseline, fill=INK),
    ]
    if line.known:
        ends = (sheet.x(line.low), y, sheet.x(line.high), y)
        parts.append(rule(*ends, stroke=BLUE, stroke_width=5, stroke_opacity=0.4, stroke_linecap="round"))
    parts.append(element("circle", cx=sheet.x(line.rank), cy=y, r=4.5, fill=BLUE))
    if separated:
        parts.append(rule(0, top, width, top, stroke=QUIET, stroke_dasharray="6 4"))
    return parts
