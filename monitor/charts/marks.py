"""Small signs of a line or less: the strip beside a share, the icons of the standings, the arrows of a column."""

from __future__ import annotations

from markupsafe import Markup

from monitor.charts.svg import BLUE, GRID, INK, QUIET, element
from monitor.score.table import CompetingOnTime, Share
from monitor.wording.language import Language

_EXAMPLE = (Share(0.8, 0.05, 0.62, 0.95), Share(0.68, 0.05, 0.5, 0.8))


def share_key(target: float, language: Language) -> Markup:
    """The strip explained."""
    strip = share_strip(*_EXAMPLE, target)
    return Markup("{} {}").format(
        strip,
        language.gettext(
            "How to read the bar: thick from the strict to the lenient reading, the dot is the lenient reading, thin is"
            " its 95% confidence interval (95% CI). The vertical dotted line is the norm of {target}.",
            target=language.percent(target),
        ),
    )


def estimate_key(target: float, language: Language) -> Markup:
    """The strip of method 2026.2 explained."""
    strip = _strip((0.5, 0.95), (0.68, 0.8), 0.75, target)
    return Markup("{} {}").format(
        strip,
        language.gettext(
            "How to read the bar: thick from the strict to the lenient reading, the dot is the estimate between them,"
            " thin is the 95% confidence interval (95% CI) around both. The vertical dotted line is the norm of"
            " {target}.",
            target=language.percent(target),
        ),
    )


def estimate_strip(timing: CompetingOnTime, target: float) -> Markup:
    """The same since method 2026.2: the interval is that around both readings, the dot the estimate."""
    strict, lenient = timing.strict, timing.lenient
    return _strip((strict.low, lenient.high), (strict.p, lenient.p), timing.estimate, target)


def share_strip(lenient: Share, strict: Share, target: float) -> Markup:
    """A small picture beside the figures: interval (thin), strict to lenient (thick), lenient (dot), norm (tick).

    It only repeats the text beside it, so it is hidden from assistive technology.
    """
    return _strip((lenient.low, lenient.high), (strict.p, lenient.p), lenient.p, target)


_Ends = tuple[float | None, float | None]


def _strip(interval: _Ends, readings: _Ends, dot: float | None, target: float) -> Markup:
    width, height, middle = 132.0, 16.0, 8.0

    def x(value: float) -> float:
        return 4 + (width - 8) * value

    parts = [
        element("line", x1=x(0), x2=x(1), y1=middle, y2=middle, stroke=GRID),
        element("line", x1=x(target), x2=x(target), y1=1, y2=height - 1, stroke=INK, stroke_dasharray="2 2"),
    ]
    if interval[0] is not None and interval[1] is not None:
        parts.append(element("line", x1=x(interval[0]), x2=x(interval[1]), y1=middle, y2=middle, stroke=QUIET))
    if readings[0] is not None and readings[1] is not None:
        ends = {"x1": x(readings[0]), "x2": x(readings[1])}
        parts.append(element("line", **ends, y1=middle, y2=middle, stroke=BLUE, stroke_width=5, stroke_opacity=0.55))
        if dot is not None:
            parts.append(element("circle", cx=x(dot), cy=middle, r=4.5, fill=BLUE))
    return element(
        "svg", *parts, view_box=f"0 0 {width:g} {height:g}", width=width, height=height, aria_hidden="true",
        focusable="false", class_="strip",
    )  # fmt: skip


ICONS = {
    "check": "M3 8.5l3.2 3.2L13 4.6",
    "cross": "M4 4l8 8M12 4l-8 8",
    "tilde": "M2.5 9.5c2-3.4 4-3.4 5.5-1.5s3.5 1.9 5.5-1.5",
    "dash": "M3.5 8h9",
}


def icon(name: str) -> Markup:
    """A sign drawn in the colour of the text around it."""
    path = element("path", d=ICONS[name], fill="none", stroke="currentColor", stroke_width=2, stroke_linecap="round")
    return element(
        "svg", path, view_box="0 0 16 16", width=16, height=16, aria_hidden="true", focusable="false", class_="icon"
    )


def sort_mark(order: str) -> Markup:
    """The arrows beside a column's name: both faint, or the one that is in force."""
    up, down = (1.0 if order == "asc" else 0.25), (1.0 if order == "desc" else 0.25)
    up, down = (up, down) if order else (0.45, 0.45)
    arrows = [
        element("path", d="M5 1l4 5H1z", fill="currentColor", fill_opacity=up),
        element("path", d="M5 15l4-5H1z", fill="currentColor", fill_opacity=down),
    ]
    return element(
        "svg",
        *arrows,
        view_box="0 0 10 16",
        width=10,
        height=16,
        aria_hidden="true",
        focusable="false",
        class_="arrows",
    )
