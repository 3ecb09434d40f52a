"""How to cite a release, or one company's figures in it: in words, BibTeX, RIS and CSL-JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from monitor.wording import formatting
from monitor.wording.words import Language, Text

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
