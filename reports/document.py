"""One release as a document: what the template is given, and the HTML text made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from monitor import charts
from monitor.comparison.share_change import compared_share, points
from monitor.comparison.summary import summary
from monitor.disclosure.rows import PublicTable
from monitor.figures import (
    FIGURES,
    FULL_COUNTS,
    GROUP_COUNTS,
    HOURLY,
    LEGAL,
    REPORT_TOTALS,
    UNRANKED_COUNTS,
    figures_under,
)
from monitor.tables import competing_sentences, sentences
from monitor.wording.language import FORMATS, Language, Message
from monitor.wording.readings import rank_words
from monitor.wording.words import MATERIAL_WORDS, STANDING_WORDS
from reports import sections
from reports.figures import cell, key_figures, numeric, pictures, shown, unmeasured
from reports.quality import quality
from reports.sections import Correction, corrected, explained, norms, progress
from reports.styles import inlined
from reports.summary import counted, standing_counts, what_was_measured

Medium = Literal["screen", "print"]


@dataclass(frozen=True, slots=True)
class Report:
    """A published release with what may be shown of it, whose report it is, and what was public before it.

    `earlier`: the newest version of each earlier quarter, oldest first; all but the last without flows, norms and
    quality, for they are in the trend only. `corrections`: what was corrected since the report before. Both end where
    this release was published.
    """

    period: str
    version: int
    published_at: datetime
    manifest_sha256: str
    code_version: str
    table: PublicTable
    publisher: str
    demonstration: bool
    site_name: str = ""
    contact: str = ""
    objections: str = ""
    report_address: str = ""
    help_address: str = ""
    material: str = "child-sexual-abuse"
    licence: str = ""
    hearing_waived: str | None = None
    earlier: tuple[PublicTable, ...] = ()
    corrections: tuple[Correction, ...] = ()


def page(report: Report, language: Language, medium: Medium) -> str:
    """The whole report as HTML: for the screen in one file, for print with its style sheet beside it."""
    return _environment().get_template("report.html").render(_context(report, language, medium))


@cache
def _environment() -> Environment:
    folder = FileSystemLoader(Path(__file__).parent / "templates")
    return Environment(loader=folder, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _context(report: Report, language: Language, medium: Medium) -> dict[str, Any]:
    table, before = report.table, report.earlier[-1] if report.earlier else None
    return {
        **_wording(language),
        "report": report,
        "before": before,
        "medium": medium,
        "style": inlined("screen.css") if medium == "screen" else Markup(),
        "chapters": chapters(table),
        "most": sections.IN_A_CHAPTER,
        "next_table": count(1).__next__,
        "next_picture": count(1).__next__,
        "notices": sections.listed(table),
        "hits": sections.listed(table.hash_hits) if table.hash_hits else None,
        "hits_summary": what_was_measured(table.hash_hits, language) if table.hash_hits else (),
        "answers": summary(table, before, language),
        "measured": (counted(table, language), *what_was_measured(table, language)),
        "standing_counts": standing_counts(table, language),
        "key_figures": key_figures(table, before, language),
        "unmeasured": unmeasured(table, language),
        "pictures": pictures(table, report.earlier, language),
        "progress": progress(table, before),
        "quality": quality(table, language),
        "norms": norms(table),
        "corrections": [(one, corrected(one, language)) for one in report.corrections],
        "explained": explained(table, report.earlier, language),
        "since": table.method.competing_risks,
        "full_counts": figures_under(table.method, FULL_COUNTS),
        "group_counts": GROUP_COUNTS,
        "unranked_counts": figures_under(table.method, UNRANKED_COUNTS),
        "unreachable": [row for row in table.rows if row.standing == "unreachable"],
    }


def _wording(language: Language) -> dict[str, Any]:
    """Words, and numbers as the reader writes them."""
    return {name: getattr(language, name) for name in FORMATS} | {
        "lang": language,
        "_": language.markup,
        "ngettext": language.nmarkup,
        "titles": CHAPTERS,
        "materials": MATERIAL_WORDS,
        "total_names": _TOTALS,
        "figures": FIGURES,
        "legal": LEGAL,
        "hourly": HOURLY,
        "competing": competing_sentences,
        "compared_share": compared_share,
        "report_totals": REPORT_TOTALS,
        "standings": STANDING_WORDS,
        "sentences": sentences,
        "rank_words": rank_words,
        "charts": charts,
        "shown": partial(shown, language=language),
        "cell": partial(cell, language=language),
        "numeric": numeric,
        "points": partial(points, language=language),
    }


CHAPTERS: Mapping[str, Message] = MappingProxyType(
    {
        "summary": Message("Summary"),
        "key_figures": Message("Key figures"),
        "ranking": Message("Ranking"),
        "groups": Message("Companies under one control"),
        "funnel": Message("Who measurably differs from the average?"),
        "slow": Message("Slow and improving companies"),
        "relocation": Message("Moved elsewhere"),
        "hash_hits": Message("Follow-up of the hash service"),
        "quality": Message("Quality of the data"),
        "norms": Message("Under another deadline"),
        "method_change": Message("What changed in the method"),
        "trend": Message("Trend over the quarters"),
        "how": Message("The method in brief"),
        "corrections": Message("Corrections to earlier reports"),
        "tables": Message("Tables in full"),
        "colophon": Message("About this report"),
    }
)
_TOTALS = {
    "shown": Message("Companies with figures"),
    "withheld": Message("Companies without figures"),
    "unattributed": Message("Not attributed to a company"),
    "network": Message("All together"),
}


def chapters(table: PublicTable) -> Mapping[str, int]:
    """The number of each chapter that this release has, by its key."""
    absent = {"hash_hits": table.hash_hits, "groups": table.groups, "method_change": table.earlier}
    there = (key for key in CHAPTERS if absent.get(key, True))
    return {key: number for number, key in enumerate(there, 1)}
