"""The pages on citing and embedding: `/en/cite/<period>`, and the files behind it at `/cite/<period>.<form>`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from flask import Flask, Response, abort, make_response, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from monitor.disclosure.rows import Row
from monitor.wording import formatting
from monitor.wording.words import LANGUAGES, Language, Text
from web import languages
from web.addresses import absolute, settings, shareable
from web.badge import HEIGHT, WIDTH, asked_language
from web.pages import release_tables, session, to_latest
from web.releases import ReleaseIndex, ReleaseVersion, release_index
from web.views import Query

_RANKING = Text("Ranglijst van hostingbedrijven: {period}", "Ranking of hosting companies: {period}")
_COMPANY = Text("{name} in de ranglijst van hostingbedrijven: {period}",
                "{name} in the ranking of hosting companies: {period}")  # fmt: skip
_DATASET = Text("dataset, versie {version}", "data set, version {version}")
_NO_YEAR = Text("z.j.", "n.d.")
_NOTE = Text("SHA-256 van het manifest: {sha256}", "SHA-256 of the manifest: {sha256}")
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
    words = formatting.period(period, language)
    if company is None:
        return _line(_RANKING[language].format(period=words))
    return _line(_COMPANY[language].format(name=company, period=words))


def plain(work: Work) -> str:
    """One sentence, in the order of APA."""
    year = str(work.published.year) if work.published else _NO_YEAR[work.language]
    kind = _DATASET[work.language].format(version=work.version)
    return f"{_line(work.publisher)} ({year}). {work.title} [{kind}]. {work.address}"


def bibtex(work: Work) -> str:
    """One `@misc` entry; month as BibTeX's own word."""
    day = work.published
    fields = {
        "author": f"{{{_tex(work.publisher)}}}",
        "title": f"{{{_tex(work.title)}}}",
        "year": str(day.year) if day else None,
        "howpublished": _tex(_DATASET[work.language].format(version=work.version)),
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
        ("LA", work.language),
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
        "language": work.language,
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
    return f"{_NOTE[work.language].format(sha256=work.manifest_sha256)}. {work.licence}"


def _line(text: str) -> str:
    """On one line: a format of lines must not be broken by a name."""
    return " ".join(text.split())


def _tex(text: str) -> str:
    return _line(text).translate(_SPECIAL)


def add_cite(app: Flask) -> None:
    """Register the page in both languages, and the files."""
    for language in LANGUAGES:
        path = f"/{language}/{languages.PATHS[language]['cite']}/<period>"
        app.add_url_rule(path, "cite", cite, defaults={"lang": language})
    app.add_url_rule(f"/cite/<period>.<any({','.join(FORMS)}):form>", "cite_file", cite_file)


def cite(lang: Language, period: str) -> BaseResponse:
    """How to cite a release; with `?company=`, how to cite that company's figures and embed its badge."""
    known = release_index(session())
    if period == "latest":
        return to_latest(known, "cite", lang=lang)
    edition, row = _asked(known, period)
    work = _work(edition, row, lang)
    page = render_template(
        "cite.html",
        edition=edition,
        versions=known.versions(period),
        row=row,
        sentence=plain(work),
        forms=FORMS,
        work=work,
        badge=row and _embedded(edition, row, lang),
    )
    return shareable(make_response(page))


def cite_file(period: str, form: str) -> Response:
    """The citation as a file."""
    edition, row = _asked(release_index(session()), period)
    work, wanted = _work(edition, row, asked_language()), FORMS[form]
    response = Response(wanted.write(work), content_type=f"{wanted.mimetype}; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename=f"{work.key}.{form}")
    return shareable(response)


def _asked(known: ReleaseIndex, period: str) -> tuple[ReleaseVersion, Row | None]:
    """The release and, where one is asked for, the company; 404 where either is not there."""
    edition = known.find(period, Query.read(request.args).version) or abort(404)
    key = request.args.get("company")
    if not key:
        return edition, None
    return edition, release_tables().table(session(), edition).find(key) or abort(404)


def _work(edition: ReleaseVersion, row: Row | None, lang: Language) -> Work:
    values: dict[str, Any] = {"lang": lang, "form": "html", "period": edition.period, "version": edition.version}
    key, name = (row.company, row.name) if row else (None, None)
    values |= {"key": key} if key else {}
    known = settings()
    return Work(
        key=key_of(known.site_name, edition.period, key, edition.version),
        title=title_of(edition.period, name, lang),
        publisher=known.site_name,
        published=edition.published_at and edition.published_at.date(),
        version=edition.version,
        address=absolute(url_for("company" if row else "ranking", **values)),
        manifest_sha256=edition.manifest_sha256,
        language=lang,
        licence=known.licence,
    )


def _embedded(edition: ReleaseVersion, row: Row, lang: Language) -> str:
    """The HTML that shows a company's badge on another site, with a link to the figures behind it."""
    page = url_for("company", lang=lang, form="html", period=edition.period, key=row.company)
    picture = url_for("badge", period=edition.period, key=row.company, lang=lang)
    return render_template(
        "badge_code.html",
        page=absolute(page),
        picture=absolute(picture),
        words=title_of(edition.period, row.name, lang),
        width=WIDTH,
        height=HEIGHT,
    )
