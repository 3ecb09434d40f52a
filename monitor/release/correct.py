"""Correcting: what is known now as the next version of a published period, linked to the one it corrects."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from monitor.clear_text import refuse_address
from monitor.errors import MonitorError
from monitor.instants import parse_instant
from monitor.models.release import Release
from monitor.release.compare import differences
from monitor.release.draft import Corrects, draft
from monitor.release.store import load_table, newest_published
from monitor.score.pipeline import Request, score_for_release


def correct(
    session: Session, release: Release, request: Request, reason: str, drafted_at: datetime, actor: str
) -> Release:
    """Draft the next version of a published period; the version it corrects stays as it is.

    `request` is `monitor.release.rebuild.request_of` the release with a later `known_at`, and another method or
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
    if not differences(load_table(session, release), table):
        raise MonitorError(f"there is nothing to correct: from what is known now {name} comes out the same")
    corrects = Corrects(release.version, release.manifest_sha256, reason.strip())
    return draft(session, table, request.method, drafted_at, actor, corrects)


def _require_reason(reason: str) -> None:
    """The reason is published: no address of reported material goes into it."""
    if not reason.strip():
        raise MonitorError("a correction needs its reason, which is published with it")
    refuse_address(reason, "the reason")
