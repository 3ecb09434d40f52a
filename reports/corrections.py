"""Corrections in words: which version replaced which, why, and what reads otherwise since."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from monitor.comparison.changes import Changes, CompanyChange, changes, lines
from monitor.disclosure.rows import PublicTable
from monitor.wording import formatting
from monitor.wording.words import FIGURES, Language, Text

MOST = 20  # companies that are listed; the release itself has all

_TOLD = ("name", "standing", "rank", "on_time", "median", "episodes", "outstanding", "refused")
_WHOLE = Text("Alle bedrijven samen", "All companies together")
_OF_HITS = Text("{name} (treffers)", "{name} (hits)")
_LISTED = Text("In de publicatie", "In the release")
_YES, _NO = Text("ja", "yes"), Text("nee", "no")


@dataclass(frozen=True, slots=True)
class Correction:
    """A published version that replaced another of the same period, the reason given for it, and both tables."""

    period: str
    version: int
    published_at: datetime
    reason: str
    before: PublicTable
    after: PublicTable


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of a company that reads otherwise."""

    company: str
    figure: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Corrected:
    """The differences that are printed, and how many companies have others besides."""

    lines: tuple[Difference, ...]
    others: int


def corrected(correction: Correction, language: Language) -> Corrected:
    """What the reader of the earlier version must know: ranks, standings and main figures, the notices first."""
    told: list[Difference] = []
    others = 0
    for before, after, name in _tables(correction, language):
        found = changes(before, after)
        companies = _companies(found, name, language)
        told += [*_whole(before, after, name, language), *chain.from_iterable(companies[:MOST])]
        others += len(found.companies) + len(found.came) + len(found.gone) - len(companies[:MOST])
    return Corrected(tuple(told), others)


def _tables(correction: Correction, language: Language) -> Iterator[tuple[PublicTable, PublicTable, str]]:
    """Both tables of the notices and, where both versions have them, of the hash hits; with how companies are named."""
    before, after = correction.before, correction.after
    yield before, after, "{name}"
    if before.hash_hits and after.hash_hits:
        yield before.hash_hits, after.hash_hits, _OF_HITS[language]


def _companies(found: Changes, name: str, language: Language) -> list[tuple[Difference, ...]]:
    """Company by company, those with another rank or standing first; without those that differ in a detail only."""
    moved = sorted(found.companies, key=lambda company: not company.judged_otherwise)
    told = [_company(company, name, language) for company in moved]
    for rows, words in ((found.came, (_NO, _YES)), (found.gone, (_YES, _NO))):
        before, after = (word[language] for word in words)
        told += [(Difference(name.format(name=row.name), _LISTED[language], before, after),) for row in rows]
    return [company for company in told if company]


def _company(change: CompanyChange, name: str, language: Language) -> tuple[Difference, ...]:
    told = lines(change.before, change.after, language, only=_TOLD)
    return tuple(Difference(name.format(name=change.after.name), line.name, line.before, line.after) for line in told)


def _whole(before: PublicTable, after: PublicTable, name: str, language: Language) -> Iterator[Difference]:
    old, new = (
        formatting.share_range(table.network.strict.p, table.network.lenient.p, language) for table in (before, after)
    )
    if old != new:
        yield Difference(name.format(name=_WHOLE[language]), FIGURES["on_time"].name[language], old, new)
