"""A small picture of one company's standing in one period, to put on another site: `/badge/<period>/<key>.svg`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from flask import Flask, Response, abort, redirect, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from monitor.charts.marks import ICONS
from monitor.charts.svg import INK, QUIET, element, label
from monitor.disclosure.rows import PublicTable, Row
from monitor.score.table import Standing
from monitor.wording import formatting
from monitor.wording.words import LANGUAGES, STANDINGS, Language, Text
from web.addresses import asked, settings
from web.pages import release_tables, session
from web.releases import ReleaseVersion, release_index
from web.transfer import released
from web.views import Query

WIDTH, HEIGHT = 400, 120
_COLOURS: Mapping[str, str] = MappingProxyType(
    {"meets": "#1b6434", "below": "#a31515", "not_proven": "#8a4b00", "too_few": QUIET}
)
_FONT = "Arial, Helvetica, 'Liberation Sans', sans-serif"
_NARROW, _WIDE = "iljtfrI.,:;'|! ()·", "mwMW@%"
_OPEN = Text("Niet aangetoond of de norm is gehaald", "Not proven whether the norm was met")
_NO_JUDGEMENT = Text("Geen oordeel", "No judgement")
_SHARE = Text("Op tijd verwijderd: {share} (norm {target})", "Removed on time: {share} (norm {target})")
_VERSION = Text("versie {version}", "version {version}")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
}


@dataclass(frozen=True, slots=True)
class Said:
    """What a badge says: four lines, the second with an icon in the `colour` of the standing; and a `mark` beside."""

    name: str
    standing: str
    icon: str
    colour: str
    share: str
    source: str
    mark: str = ""


def add_badge(app: Flask) -> None:
    """Register the route."""
    app.add_url_rule("/badge/<period>/<key>.svg", "badge", badge)


def badge(period: str, key: str) -> BaseResponse:
    """The badge of a company, for any site to embed; `latest` leads to the last period."""
    known, version = release_index(session()), Query.read(request.args).version
    if period == "latest" and known.editions:
        values: dict[str, Any] = {**asked(), "period": known.editions[0].period, "key": key}
        return redirect(url_for("badge", **values))
    edition = known.find(period, version) or abort(404)
    table = release_tables().table(session(), edition)
    row = table.find(key) or abort(404)
    picture = drawn(wording(row, table, edition, asked_language()))
    response = released(Response(str(picture), mimetype="image/svg+xml"))
    response.headers.update(_HEADERS)
    return response


def asked_language() -> Language:
    """The language of `?lang=`, Dutch where it is none that we speak."""
    return next((language for language in LANGUAGES if language == request.args.get("lang")), "nl")


def wording(row: Row, table: PublicTable, edition: ReleaseVersion, language: Language) -> Said:
    """The words of a badge. A company that is not judged has no share on it, whatever is published of it."""
    words = STANDINGS.get(row.standing) if row.standing else None
    when = formatting.period(table.period, language)
    source = [when[0].upper() + when[1:], settings().site_name]
    if edition.version > 1:
        source.insert(1, _VERSION[language].format(version=edition.version))
    return Said(
        name=row.name,
        standing=_standing(row.standing)[language],
        icon=words.icon if words else "dash",
        colour=_COLOURS.get(row.standing or "", QUIET),
        share=_share(row, table, language),
        source=" · ".join(source),
        mark="DEMO" if settings().demonstration else "",
    )


def _standing(standing: Standing | None) -> Text:
    """The label of a standing; alone on another site, "not proven" must say what is not."""
    if standing is None:
        return _NO_JUDGEMENT
    return _OPEN if standing == "not_proven" else STANDINGS[standing].label


def _share(row: Row, table: PublicTable, language: Language) -> str:
    if row.figures is None or row.standing in (None, "too_few"):
        return ""
    timing = row.figures.on_time
    share = formatting.share_range(timing.strict.p, timing.lenient.p, language)
    return _SHARE[language].format(share=share, target=formatting.percent(table.method.target, language))


def drawn(words: Said) -> Markup:
    """The picture: presentation attributes only, and all of its words in its title for who does not see it."""
    frame = {"x": 0.5, "y": 0.5, "width": WIDTH - 1, "height": HEIGHT - 1, "rx": 3}
    lines = [
        label(words.mark, WIDTH - 14, 28, font_size=12, font_weight="bold", text_anchor="end"),
        label(fitting(words.name, 17, WIDTH - 90), 20, 31, fill=INK, font_size=17, font_weight="bold"),
        label(words.standing, 44, 59, fill=words.colour, font_size=15, font_weight="bold"),
        label(words.share, 20, 83, fill=INK, font_size=14),
        label(fitting(words.source, 12, WIDTH - 36), 20, 106, font_size=12),
    ]
    sign = element("path", d=ICONS[words.icon], fill="none", stroke=words.colour, stroke_width=2.5,
                   stroke_linecap="round", transform="translate(19 45)")  # fmt: skip
    return element(
        "svg",
        element("title", ". ".join(filter(None, (words.mark, words.name, words.standing, words.share, words.source)))),
        element("rect", **frame, fill="#fff", stroke="#c9d1da"),
        element("rect", x=0, y=0, width=7, height=HEIGHT, fill=words.colour),
        sign,
        *lines,
        xmlns="http://www.w3.org/2000/svg",
        view_box=f"0 0 {WIDTH} {HEIGHT}",
        width=WIDTH,
        height=HEIGHT,
        role="img",
        font_family=_FONT,
    )


def fitting(text: str, size: float, room: float) -> str:
    """The text, cut with an ellipsis where it could be longer than `room` in a wide font; the title has all of it."""
    widths = [size * (0.4 if letter in _NARROW else 1.0 if letter in _WIDE else 0.64) for letter in text]
    if sum(widths) <= room:
        return text
    kept = next(n for n in range(len(text), -1, -1) if sum(widths[:n]) + size <= room)
    return text[:kept].rstrip(" ·,") + "…"
