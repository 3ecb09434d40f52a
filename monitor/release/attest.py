"""What the audit trail attests of a release: all its columns when it is published, its package when that is made."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor import audit
from monitor.instants import to_instant
from monitor.models.audit import AuditEntry
from monitor.models.release import Release, ReleaseRow
from monitor.release.publications import MANIFEST, Package
from monitor.release.signing import kept_public_keys
from monitor.release.store import canonical, digest

DRAFTED, PUBLISHED, PACKAGED, DISCARDED, KEY = (
    ("release.draft", "release.correct"),
    "release.publish",
    "release.package",
    "release.discard",
    "keys.signing",
)
_SUBJECT = re.compile(r"(?P<period>.+) version (?P<version>\d+)")


@dataclass(frozen=True, slots=True)
class Entries:
    """The entries about one version of a period, in their order."""

    drafted: tuple[AuditEntry, ...]
    published: tuple[AuditEntry, ...]
    packaged: tuple[AuditEntry, ...]
    discarded: tuple[AuditEntry, ...] = ()

    @property
    def is_discarded(self) -> bool:
        """Whether the last thing that became of its draft is that it was thrown away."""
        return bool(self.discarded) and (not self.drafted or self.drafted[-1].id < self.discarded[-1].id)


def subject_of(period: str, version: int) -> str:
    """How the audit trail names a release."""
    return f"{period} version {version}"


def release_digest(session: Session, release: Release) -> str:
    """SHA-256 over all columns of a release and of its rows, but for the numbers the database gave them."""
    query = select(ReleaseRow.position, ReleaseRow.company_key, ReleaseRow.row_json)
    rows = session.execute(query.where(ReleaseRow.release_id == release.id).order_by(ReleaseRow.position))
    columns = {
        "period": release.period,
        "version": release.version,
        "stage": str(release.stage),
        "drafted_at": to_instant(release.drafted_at),
        "published_at": None if release.published_at is None else to_instant(release.published_at),
        "hearing_waived": release.hearing_waived,
        "table_sha256": digest(release.table_json),
        "manifest": release.manifest,
        "manifest_sha256": release.manifest_sha256,
        "rows": [[row.position, row.company_key, digest(row.row_json)] for row in rows],
    }
    return digest(canonical(columns))


def record_package(session: Session, package: Package, at: datetime, actor: str) -> bool:
    """Attest the manifest of a package, unless the last entry about it does; whether that was new."""
    subject = subject_of(package.about.period, package.about.version)
    manifest = hashlib.sha256(package.files[MANIFEST]).hexdigest()
    query = select(AuditEntry).where(AuditEntry.subject == subject, AuditEntry.action == PACKAGED)
    last = session.scalars(query.order_by(AuditEntry.id.desc()).limit(1)).one_or_none()
    if last is not None and last.details.get("manifest_json") == manifest:
        return False
    details = {"manifest_json": manifest, "public_key_sha256": package.fingerprint}
    audit.record(session, at, actor, PACKAGED, subject, details)
    return True


def entries_about_releases(session: Session) -> dict[tuple[str, int], Entries]:
    """By period and version all that the trail says of it."""
    found = defaultdict[tuple[str, int], dict[str, list[AuditEntry]]](lambda: defaultdict(list))
    actions = (*DRAFTED, PUBLISHED, PACKAGED, DISCARDED)
    for entry in session.scalars(select(AuditEntry).where(AuditEntry.action.in_(actions)).order_by(AuditEntry.id)):
        if match := _SUBJECT.fullmatch(entry.subject):
            kind = DRAFTED[0] if entry.action in DRAFTED else entry.action
            found[match["period"], int(match["version"])][kind].append(entry)
    return {
        name: Entries(*(tuple(kinds[kind]) for kind in (DRAFTED[0], PUBLISHED, PACKAGED, DISCARDED)))
        for name, kinds in found.items()
    }


def packaged(session: Session) -> list[tuple[str, int]]:
    """Period and version of each release of which a package was made."""
    query = select(AuditEntry.subject).where(AuditEntry.action == PACKAGED).distinct()
    found = [_SUBJECT.fullmatch(subject) for subject in session.scalars(query)]
    return [(match["period"], int(match["version"])) for match in found if match]


def trusted_keys(session: Session, public_keys: Path) -> Mapping[str, bytes]:
    """The kept public keys that the audit trail names; all of them where it names none (they were made before)."""
    kept = kept_public_keys(public_keys)
    named = {
        details.get("fingerprint")
        for details in session.scalars(select(AuditEntry.details).where(AuditEntry.action == KEY))
    }
    return {name: pem for name, pem in kept.items() if name in named} if named else kept
