"""What the published releases say of earlier quarters: a company's course, and the corrections with their reasons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy.orm import Session

from monitor.comparison.changes import Line, lines
from monitor.comparison.trend import TrendPoint, company_trend, is_quarter
from monitor.disclosure.rows import PublicTable
from monitor.wording.words import Language
from web.announced import announcements
from web.releases import ReleaseIndex, ReleaseTables, ReleaseVersion


@dataclass(frozen=True, slots=True)
class Correction:
    """A later version of a period and the one it replaced; `reason` is None where the release gives none."""

    before: ReleaseVersion
    after: ReleaseVersion
    reason: str | None


@dataclass(frozen=True, slots=True)
class CompanyCorrection:
    """A later version of a period in which figures of one company differ, and those of them that read otherwise."""

    period: str
    before: ReleaseVersion
    after: ReleaseVersion
    reason: str | None
    lines: tuple[Line, ...]


def all_quarters(session: Session, tables: ReleaseTables, known: ReleaseIndex) -> tuple[PublicTable, ...]:
    """The newest published table of every quarter, oldest first."""
    quarters = sorted((edition for edition in known.newest if is_quarter(edition.period)), key=lambda e: e.period)
    return tuple(tables.table(session, edition) for edition in quarters)


def company_history(session: Session, tables: ReleaseTables, known: ReleaseIndex, key: str) -> tuple[TrendPoint, ...]:
    """The company in every quarter from the first release to the last; withheld or missing is a point without values.

    A company that no quarter knows has no points.
    """
    quarters = all_quarters(session, tables, known)
    return company_trend(quarters, key) if any(table.find(key) for table in quarters) else ()


def company_corrections(
    session: Session, tables: ReleaseTables, known: ReleaseIndex, key: str, language: Language
) -> tuple[CompanyCorrection, ...]:
    """Later versions of any period in which something the site says of the company reads otherwise, newest first.

    A version in which it appeared or no longer stands is one of them, with no lines.
    """
    found, reasons = [], _reasons(session)
    for before, after in _successive(known):
        old, new = (tables.table(session, edition).find(key) for edition in (before, after))
        told = lines(old, new, language) if old and new else ()
        if told or (old is None) != (new is None):
            found.append(CompanyCorrection(after.period, before, after, reasons[after.id], told))
    return tuple(found)


def corrections(session: Session, known: ReleaseIndex, *editions: ReleaseVersion) -> tuple[Correction, ...]:
    """What was corrected on the way to each of these editions, or between them where they are of one period."""
    one_period = len({edition.period for edition in editions}) == 1
    since = min(edition.version for edition in editions) if one_period else 0
    reached = {edition.period: edition.version for edition in sorted(editions, key=lambda edition: edition.version)}
    reasons = _reasons(session)
    return tuple(
        Correction(before, after, reasons[after.id])
        for before, after in _successive(known)
        if since < after.version <= reached.get(after.period, 0)
    )


def _reasons(session: Session) -> dict[int, str | None]:
    """Why each edition replaced the one before it, by its id."""
    return {said.edition.id: said.reason for said in announcements(session)}


def _successive(known: ReleaseIndex) -> Iterator[tuple[ReleaseVersion, ReleaseVersion]]:
    """Each published version with the one before it of its period, newest first."""
    for newer, older in pairwise(known.editions):
        if newer.period == older.period:
            yield older, newer
