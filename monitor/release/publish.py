"""Publishing a draft, and proving that a release is still what was published."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor import audit
from monitor.attribute.registry import unconfirmed
from monitor.clear_text import refuse_address
from monitor.comparison.changes import release_changes
from monitor.errors import MonitorError
from monitor.instants import parse_instant
from monitor.models.audit import AuditEntry
from monitor.models.release import Release, ReleaseRow, Stage
from monitor.release.attest import release_digest
from monitor.release.draft import Corrects, draft
from monitor.release.store import HASH_HIT, canonical, digest, load_table, newest_published
from monitor.score.pipeline import Request, score_for_release

_ATTEST = ("release.draft", "release.correct", "release.publish")


def publish(session: Session, release: Release, waived: str | None, published_at: datetime, actor: str) -> None:
    """Make a draft public, for good.

    Raises MonitorError without a hearing, or the reason it was waived for; where a version of the period is published
    that the draft does not correct; and where nobody has confirmed one of its companies.
    """
    if release.stage is Stage.PUBLISHED:
        raise MonitorError(f"release {release.period} version {release.version} is published already")
    _require_corrects(release, newest_published(session, release.period))
    if not (waived or "").strip():
        raise MonitorError("every named company must be heard first; waive the hearing with --waive-hearing REASON")
    if names := [row["company"] for row in unconfirmed_in(session, release)]:
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        raise MonitorError(
            f"nobody has confirmed who {shown} is: see `monitor attribute`, then `monitor confirm COMPANY... --by NAME`"
        )
    refuse_address(waived or "", "the reason")
    problems = check(session, release)
    if problems:
        raise MonitorError(f"the draft is not what was frozen: {problems[0]}; draft it again")
    release.stage, release.published_at, release.hearing_waived = Stage.PUBLISHED, published_at, waived
    session.flush()
    whole = release_digest(session, release)
    details = {"manifest": release.manifest_sha256, "hearing_waived": waived, "release_sha256": whole}
    subject = f"{release.period} version {release.version}"
    audit.record(session, published_at, actor, "release.publish", subject, details)


def unconfirmed_in(session: Session, release: Release) -> list[dict[str, str]]:
    """The companies that a release names and nobody has confirmed: in rows, in flows, and as those of groups."""
    rows = session.scalars(select(ReleaseRow.company_key).where(ReleaseRow.release_id == release.id))
    table = json.loads(release.table_json)
    flows = [*(table.get("flows") or ()), *((table.get("hash_hits") or {}).get("flows") or ())]
    named = {key.removeprefix(HASH_HIT) for key in rows}
    named |= {flow[end] for flow in flows for end in ("origin", "destination") if flow[end]}
    named |= {group["group"] for group in table.get("groups") or ()}
    return unconfirmed(session, named)


def check(session: Session, release: Release) -> list[str]:
    """What differs from the manifest, and the manifest from the audit trail; empty where all is unchanged."""
    problems = content_problems(session, release)
    if release.manifest_sha256 != _attested(session, release):
        problems.append("the audit trail knows no such manifest")
    return problems + audit.verify(session)


def content_problems(session: Session, release: Release) -> list[str]:
    """What differs from the manifest; empty where its head and rows are what was frozen."""
    problems = []
    if digest(canonical(release.manifest)) != release.manifest_sha256:
        problems.append("the manifest was changed")
    if digest(release.table_json) != release.manifest["table_sha256"]:
        problems.append("the table's head was changed")
    query = select(ReleaseRow.company_key, ReleaseRow.row_json).where(ReleaseRow.release_id == release.id)
    found = {row.company_key: digest(row.row_json) for row in session.execute(query)}
    frozen = release.manifest["rows_sha256"]
    problems += [f"the row of {key} was changed" for key in sorted(frozen) if found.get(key) not in (None, frozen[key])]
    problems += [f"the row of {key} is missing" for key in sorted(frozen.keys() - found.keys())]
    return problems + [f"a row of {key} was added" for key in sorted(found.keys() - frozen.keys())]


def _require_corrects(release: Release, published: Release | None) -> None:
    corrected = release.manifest.get("corrects", {}).get("manifest_sha256")
    if published is not None and corrected != published.manifest_sha256:
        raise MonitorError(
            f"{release.period} version {published.version} is published: what differs from it is a correction, with "
            f"its reason; draft it with `monitor release correct {published.id} --reason TEXT`"
        )


def _attested(session: Session, release: Release) -> str | None:
    """The manifest that was drafted, or published, last under that version."""
    query = select(AuditEntry).where(AuditEntry.subject == f"{release.period} version {release.version}")
    entries = session.scalars(query.where(AuditEntry.action.in_(_ATTEST)).order_by(AuditEntry.id.desc()).limit(1))
    return next((str(entry.details.get("manifest")) for entry in entries), None)


def correct(
    session: Session, release: Release, request: Request, reason: str, drafted_at: datetime, actor: str
) -> Release:
    """Draft the next version of a published period; the version it corrects stays as it is.

    `request` is `monitor.release.verify.request_of` the release with a later `known_at`, and another method or
    reference date where that is what was wrong. Raises MonitorError without a reason, where the release is not the
    version in force or knew more than the request, and where no figure would differ.
    """
    name = f"{release.period} version {release.version}"
    _require_reason(reason)
    if release is not newest_published(session, release.period):
        raise MonitorError(f"{name} is not in force: only the newest published version of a period can be corrected")
    if request.known_at < parse_instant(release.manifest["known_at"]):
        raise MonitorError(
            f"{name} was made from what was known at {release.manifest['known_at']}; choose a later time"
        )
    table = score_for_release(session, request)
    if not release_changes(load_table(session, release), table):
        raise MonitorError(f"there is nothing to correct: from what is known now {name} comes out the same")
    corrects = Corrects(release.version, release.manifest_sha256, reason.strip())
    return draft(session, table, request.method, drafted_at, actor, corrects)


def _require_reason(reason: str) -> None:
    """The reason is published: no address of reported material goes into it."""
    if not reason.strip():
        raise MonitorError("a correction needs its reason, which is published with it")
    refuse_address(reason, "the reason")
