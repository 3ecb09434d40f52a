"""Citing and embedding: the page `/en/cite/<period>`, its files at `/cite/<period>.<form>`, and the badge of a company,
a small picture of its standing for other sites: `/badge/<period>/<key>.svg`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from monitor.charts.marks import ICONS
from monitor.charts.svg import INK, QUIET, element, label
from monitor.disclosure.rows import PublicTable, Row
from monitor.figures import FIGURES
from monitor.instants import is_quarter
from monitor.release.published import ReleaseVersion
from monitor.score.table import Standing
from monitor.wording.language import EN, LANGUAGES, NL, Language, Message
from monitor.wording.words import STANDING_WORDS
from web.public.releases import LATEST, find_or_404, release_index, table_of, to_latest
from web.public.views import Query
from web.shared.addresses import absolute, asked, settings, shareable
from web.shared.headers import released

bp = Blueprint("cite", __name__)
_DATASET = Message("data set, version {version}")
_NOTE = Message("SHA-256 of the manifest: {sha256}")
_WORDED = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_SPECIAL = str.maketrans({letter: f"\\{letter}" for letter in "&%$#_{}"} | _WORDED)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()  # noqa: SIM905


@dataclass(frozen=True, slots=True)
class Work:
    """What is cited: one version, which never changes, so that no day of consulting is needed."""

    key: str
    title: str
    publisher: str
    published: date | None
    version: int
    address: str
    manifest_sha256: str
    language: Language
    licence: str


def title_of(period: str, company: str | None, language: Language) -> str:
    """The title of a release, or of a company's part of it, on one line."""
    words = language.period(period)
    if company is None:
        return _line(language.gettext("Ranking of hosting companies: {period}", period=words))
    return _line(language.gettext("{name} in the ranking of hosting companies: {period}", name=company, period=words))


def plain(work: Work) -> str:
    """One sentence, in the order of APA."""
    year = str(work.published.year) if work.published else work.language.gettext("n.d.")
    kind = work.language.gettext(_DATASET, version=work.version)
    return f"{_line(work.publisher)} ({year}). {work.title} [{kind}]. {work.address}"


def bibtex(work: Work) -> str:
    """One `@misc` entry; month as BibTeX's own word."""
    day = work.published
    fields = {
        "author": f"{{{_tex(work.publisher)}}}",
        "title": f"{{{_tex(work.title)}}}",
        "year": str(day.year) if day else None,
        "howpublished": _tex(work.language.gettext(_DATASET, version=work.version)),
        "url": work.address,
        "note": _tex(_note(work)),
    }
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
    if day:
        lines.append(f"  month = {_MONTHS[day.month - 1]}")
    return f"@misc{{{work.key},\n" + ",\n".join(lines) + "\n}\n"


def ris(work: Work) -> str:
    """RIS as reference managers read it: a tag, two spaces, a dash, a value, and CRLF."""
    day = work.published
    tags = [
        ("TY", "DATA"),
        ("ID", work.key),
        ("AU", _line(work.publisher)),
        ("TI", work.title),
        ("PY", str(day.year) if day else ""),
        ("DA", f"{day:%Y/%m/%d}" if day else ""),
        ("PB", _line(work.publisher)),
        ("ET", str(work.version)),
        ("UR", work.address),
        ("LA", work.language.code),
        ("N1", _note(work)),
    ]
    return "".join(f"{tag}  - {value}\r\n" for tag, value in tags if value) + "ER  - \r\n"


def csl(work: Work) -> str:
    """CSL-JSON (https://github.com/citation-style-language/schema, csl-data.json): a list of one item."""
    day, publisher = work.published, _line(work.publisher)
    item = {
        "id": work.key,
        "type": "dataset",
        "title": work.title,
        "author": [{"literal": publisher}],
        "publisher": publisher,
        "issued": {"date-parts": [[day.year, day.month, day.day]]} if day else None,
        "version": str(work.version),
        "URL": work.address,
        "language": work.language.code,
        "note": _note(work),
    }
    said = {name: value for name, value in item.items() if value is not None}
    return json.dumps([said], ensure_ascii=False, indent=2) + "\n"


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write a citation: its name, media type, and how."""

    name: str
    mimetype: str
    write: Callable[[Work], str]


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "bib": Form("BibTeX", "application/x-bibtex", bibtex),
        "ris": Form("RIS", "application/x-research-info-systems", ris),
        "json": Form("CSL-JSON", "application/vnd.citationstyles.csl+json", csl),
        "txt": Form("TXT", "text/plain", lambda work: plain(work) + "\n"),
    }
)


def key_of(publisher: str, period: str, company: str | None, version: int) -> str:
    """A key of letters, digits and dashes, the same for the same release: `hostingmonitor-2026Q2-v2`."""
    parts = (publisher.casefold(), period, company or "", f"v{version}")
    return "-".join(filter(None, (re.sub(r"[^A-Za-z0-9]+", "-", part).strip("-") for part in parts)))


def _note(work: Work) -> str:
    return f"{work.language.gettext(_NOTE, sha256=work.manifest_sha256)}. {work.licence}"


def _line(text: str) -> str:
    """On one line: a format of lines must not be broken by a name."""
    return " ".join(text.split())


def _tex(text: str) -> str:
    return _line(text).translate(_SPECIAL)


@bp.get("/nl/citeren/<period>", defaults={"lang": NL})
@bp.get("/en/cite/<period>", defaults={"lang": EN})
def cite(lang: Language, period: str) -> BaseResponse:
    """How to cite a release; with `?company=`, how to cite that company's figures and embed its badge."""
    if period == LATEST:
        return to_latest("cite.cite", lang=lang)
    edition, row = _asked(period)
    work = _work(edition, row, lang)
    page = render_template(
        "cite.html",
        edition=edition,
        versions=release_index().versions(period),
        row=row,
        sentence=plain(work),
        forms=FORMS,
        work=work,
        badge=row and _embedded(edition, row, lang),
    )
    return shareable(make_response(page))


@bp.get("/cite/<period>.<any(bib, ris, json, txt):form>")
def cite_file(period: str, form: str) -> Response:
    """The citation as a file."""
    edition, row = _asked(period)
    work, wanted = _work(edition, row, asked_language()), FORMS[form]
    response = Response(wanted.write(work), content_type=f"{wanted.mimetype}; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename=f"{work.key}.{form}")
    return shareable(response)


def _asked(period: str) -> tuple[ReleaseVersion, Row | None]:
    """The release and, where one is asked for, the company; 404 where either is not there."""
    edition = find_or_404(period, Query.read(request.args).version)
    key = request.args.get("company")
    if not key:
        return edition, None
    return edition, table_of(edition).find(key) or abort(404)


def _work(edition: ReleaseVersion, row: Row | None, lang: Language) -> Work:
    values: dict[str, Any] = {"lang": lang, "form": "html", "period": edition.period, "version": edition.version}
    key, name = (row.company, row.name) if row else (None, None)
    values |= {"key": key} if key else {}
    known = settings()
    return Work(
        key=key_of(known.site_name, edition.period, key, edition.version),
        title=title_of(edition.period, name, lang),
        publisher=known.published_by,
        published=edition.published_at and edition.published_at.date(),
        version=edition.version,
        address=absolute(url_for("company.company" if row else "ranking.ranking", **values)),
        manifest_sha256=edition.manifest_sha256,
        language=lang,
        licence=known.licence,
    )


def _embedded(edition: ReleaseVersion, row: Row, lang: Language) -> str:
    """The HTML that shows a company's badge on another site, with a link to the figures behind it."""
    page = url_for("company.company", lang=lang, form="html", period=edition.period, key=row.company)
    picture = url_for("cite.badge", period=edition.period, key=row.company, lang=lang)
    return render_template(
        "badge_code.html",
        page=absolute(page),
        picture=absolute(picture),
        words=title_of(edition.period, row.name, lang),
        width=WIDTH,
        height=HEIGHT,
    )


WIDTH, HEIGHT = 400, 120
_COLOURS: Mapping[str, str] = MappingProxyType(
    {"meets": "#1b6434", "below": "#a31515", "not_proven": "#8a4b00", "too_few": QUIET, "unreachable": "#a31515"}
)
_FONT = "Arial, Helvetica, 'Liberation Sans', sans-serif"
_NARROW, _WIDE = "iljtfrI.,:;'|! ()·", "mwMW@%"
_OPEN = Message("Not proven whether the norm was met")
_MET = {True: Message("Met the norm in {period}"), False: Message("Met the norm in this period")}  # by: is a quarter
_NO_JUDGEMENT = Message("No judgement")
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


@bp.get("/badge/<period>/<key>.svg")
def badge(period: str, key: str) -> BaseResponse:
    """The badge of a company, for any site to embed; `latest` leads to the last period."""
    known, version = release_index(), Query.read(request.args).version
    if period == LATEST and known.editions:
        values: dict[str, Any] = {**asked(), "period": known.editions[0].period, "key": key}
        return redirect(url_for("cite.badge", **values))
    edition = find_or_404(period, version)
    table = table_of(edition)
    row = table.find(key) or abort(404)
    picture = drawn(wording(row, table, edition, asked_language()))
    response = released(Response(str(picture), mimetype="image/svg+xml"))
    response.headers.update(_HEADERS)
    return response


def asked_language() -> Language:
    """The language of `?lang=`, Dutch where it is none that we speak."""
    return next((language for language in LANGUAGES if language.code == request.args.get("lang")), NL)


def wording(row: Row, table: PublicTable, edition: ReleaseVersion, language: Language) -> Said:
    """The words of a badge. A company that is not judged has no share on it, whatever is published of it."""
    words = STANDING_WORDS.get(row.standing) if row.standing else None
    when = language.period(table.period)
    source = [when[0].upper() + when[1:], settings().site_name]
    if edition.version > 1:
        source.insert(1, language.gettext("version {version}", version=edition.version))
    return Said(
        name=row.name,
        standing=_standing(row.standing, table.period, language),
        icon=words.icon if words else "dash",
        colour=_COLOURS.get(row.standing or "", QUIET),
        share=_share(row, table, language),
        source=" · ".join(source),
        mark="DEMO" if settings().demonstration else "",
    )


def _standing(standing: Standing | None, period: str, language: Language) -> str:
    """A standing in words; alone on another site, "not proven" must say what is not, and praise is of its period."""
    if standing == "meets":
        return language.gettext(_MET[is_quarter(period)], period=language.short_period(period))
    if standing is None:
        return language.gettext(_NO_JUDGEMENT)
    return language.gettext(_OPEN if standing == "not_proven" else STANDING_WORDS[standing].label)


def _share(row: Row, table: PublicTable, language: Language) -> str:
    if row.figures is None or row.standing in (None, "too_few"):
        return ""
    share = FIGURES["on_time"].read(row.figures, language).value
    return language.gettext(
        "Removed on time: {share} (norm {target})", share=share, target=language.percent(table.method.target)
    )


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
