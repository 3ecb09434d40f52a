"""One release as a document: what the template is given, and the HTML text made from it."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from monitor.publish import charts as site_charts
from monitor.publish import formatting, sentences
from monitor.publish.rows import PublicTable
from monitor.publish.words import FIGURES, LATENESS, STANDINGS, Language, Text
from reports import charts
from reports.figures import key_figures, outstanding_by_age, shown, unmeasured
from reports.prose import PROSE
from reports.summary import standing_counts, summary, what_was_measured
from reports.words import WORDS

STATIC = Path(__file__).parent / "static"
Medium = Literal["screen", "print"]
_SAID = {**WORDS, **PROSE}
_FORMATTERS = ("count", "share", "percent", "share_range", "hours", "reached", "hours_range", "instant", "period")
_URL = re.compile(r'url\("([a-z0-9_.-]+)"\)')


@dataclass(frozen=True, slots=True)
class Report:
    """A published release with what may be shown of it, and whose report it is."""

    period: str
    version: int
    published_at: datetime
    manifest_sha256: str
    code_version: str
    table: PublicTable
    publisher: str
    demonstration: bool


def page(report: Report, language: Language, medium: Medium) -> str:
    """The whole report as HTML: for the screen in one file, for print with its style sheet beside it."""
    return _environment().get_template("report.html").render(_context(report, language, medium))


def _environment() -> Environment:
    folder = FileSystemLoader(Path(__file__).parent / "templates")
    return Environment(loader=folder, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _context(report: Report, language: Language, medium: Medium) -> dict[str, Any]:
    table = report.table
    formatters = {name: partial(getattr(formatting, name), language=language) for name in _FORMATTERS}
    return formatters | {
        "report": report,
        "network": table.network,
        "lang": language,
        "medium": medium,
        "say": partial(_say, language=language),
        "style": _inlined("screen.css") if medium == "screen" else Markup(),
        "figures": FIGURES,
        "lateness": LATENESS,
        "standings": STANDINGS,
        "charts": charts,
        "site_charts": site_charts,
        "sentences": sentences,
        "shown": partial(shown, language=language),
        **_companies(table),
        "has_ranks": any(row.figures and row.figures.rank is not None for row in table.rows),
        "hits": _companies(table.hash_hits) if table.hash_hits else None,
        "hits_summary": what_was_measured(table.hash_hits, language) if table.hash_hits else (),
        "summary": summary(table, language),
        "standing_counts": standing_counts(table, language),
        "key_figures": key_figures(table, language),
        "unmeasured": unmeasured(table, language),
        "ages": outstanding_by_age(table.rows),
    }


def _companies(table: PublicTable) -> dict[str, Any]:
    """A table with its companies as the report lists them: the ranked in their order, the others by name."""
    return {
        "table": table,
        "ranked": [row for row in table.rows if row.ranked],
        "unranked": sorted((row for row in table.rows if not row.ranked), key=lambda row: row.name.casefold()),
        "rank_intervals": any(row.figures and row.figures.rank_low is not None for row in table.rows),
    }


def _say(key: str, language: Language, **values: object) -> str:
    words: Text = _SAID[key]
    return words[language].format(**values)


def _inlined(name: str) -> Markup:
    """A style sheet of ours with the files it names inside it, so that the page needs no other file."""
    css = (STATIC / name).read_text("utf-8")
    return Markup(_URL.sub(lambda found: f'url("{_data(STATIC / found[1])}")', css))  # noqa: S704


def _data(path: Path) -> str:
    return f"data:{media_type(path)};base64,{base64.b64encode(path.read_bytes()).decode()}"


def media_type(path: Path) -> str:
    """The media type of a file of ours; a table of our own, for those of the machine differ."""
    return {".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}[path.suffix]
