"""From the database to a report: a published release, and what was public before it.

A report says only what was published up to its release, so it stays the same when later releases appear.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from sqlalchemy.orm import Session

from monitor.disclosure.rows import PublicTable, public_table
from monitor.errors import MonitorError
from monitor.models.release import Release
from monitor.release.store import load_table_without_curves, published, published_until
from monitor.settings import Settings
from reports.document import Report
from reports.sections import Correction

QUARTERS = 20  # five years: older ones are in the earlier reports


def read_report(session: Session, settings: Settings, period: str) -> Report:
    """The newest published release of a period; raises MonitorError where there is none."""
    releases = {release.period: release for release in published(session)}
    if period not in releases:
        there = ", ".join(releases) or "none yet"
        raise MonitorError(f"no published release of {period!r}; published: {there}. `monitor release list` shows all")
    return _report(session, settings, releases[period])


def _report(session: Session, settings: Settings, release: Release) -> Report:
    assert release.published_at is not None
    before = published_until(session, release)
    return Report(
        period=release.period,
        version=release.version,
        published_at=release.published_at,
        manifest_sha256=release.manifest_sha256,
        code_version=str(release.manifest.get("code_version", "")),
        table=_table(session, release),
        publisher=settings.site.published_by,
        site_name=settings.site_name,
        demonstration=settings.demonstration,
        contact=settings.contact,
        objections=settings.objections or settings.contact,
        report_address=settings.report_address,
        help_address=settings.help_address,
        material=settings.material,
        licence=settings.licence,
        hearing_waived=release.hearing_waived,
        earlier=_earlier(session, before, release),
        corrections=_corrections(session, before, release),
    )


def _earlier(session: Session, before: Sequence[Release], release: Release) -> tuple[PublicTable, ...]:
    newest = list({other.period: other for other in before if other.period != release.period}.values())[-QUARTERS:]
    return tuple(_table(session, other, parts=other is newest[-1]) for other in newest)


def _corrections(session: Session, before: Sequence[Release], release: Release) -> tuple[Correction, ...]:
    """What was corrected since the report of the quarter before was first published, and this release itself."""
    firsts = {other.period: other.published_at for other in reversed(before) if other.period != release.period}
    since = firsts[max(firsts)] if firsts else None
    versions = {(other.period, other.version): other for other in before}
    table = cache(lambda period, version: _table(session, versions[period, version]))
    found = []
    for other in before:
        corrects, at = other.manifest.get("corrects"), other.published_at
        new = other.period == release.period or (since is not None and at is not None and at > since)
        if corrects and at is not None and new and (other.period, corrects["version"]) in versions:
            tables = table(other.period, corrects["version"]), table(other.period, other.version)
            found.append(Correction(other.period, other.version, at, corrects["reason"], *tables))
    return tuple(sorted(found, key=lambda one: (one.published_at, one.period, one.version)))


def _table(session: Session, release: Release, *, parts: bool = True) -> PublicTable:
    """What may be shown of a release, without the companies' curves: no report draws them."""
    return public_table(load_table_without_curves(session, release.id, parts=parts))
