"""What was published when: every version of every period, and for a correction why, for feeds, API and citations."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.models.release import Release, Stage
from web.releases import ReleaseVersion


@dataclass(frozen=True, slots=True)
class Announcement:
    """An edition as it was made public: the version it `corrects` and the `reason`, None for a first version."""

    edition: ReleaseVersion
    corrects: int | None
    reason: str | None
    hearing_waived: str | None


def announcements(session: Session) -> tuple[Announcement, ...]:
    """All that is published, the last made public first; of a manifest only the reason is read."""
    corrects = Release.manifest["corrects"]
    columns = (Release.id, Release.period, Release.version, Release.published_at, Release.manifest_sha256)
    query = (
        select(*columns, corrects["version"].as_integer(), corrects["reason"].as_string(), Release.hearing_waived)
        .where(Release.stage == Stage.PUBLISHED)
        .order_by(Release.published_at.desc(), Release.period.desc(), Release.version.desc())
    )
    return tuple(Announcement(ReleaseVersion(*row[:5]), *row[5:]) for row in session.execute(query))
