"""Verifying: every release held against the audit trail, both ways, and its files against what was signed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor import audit
from monitor.errors import MonitorError
from monitor.instants import iso, to_instant
from monitor.models.audit import AuditEntry
from monitor.models.guards import guard_problems
from monitor.models.release import Release, Stage
from monitor.release.attest import Entries, entries_about_releases, release_digest, subject_of, trusted_keys
from monitor.release.checkpoints import compare_with_checkpoints
from monitor.release.draft import FACTS, fact_problems
from monitor.release.export import index_problems
from monitor.release.intact import Inspector, NotIntactError
from monitor.release.publish import content_problems
from monitor.release.signing import kept_public_keys
from monitor.settings import Settings

_NONE = Entries((), (), ())
_OF_THE_MANIFEST = (
    "period",
    "as_of",
    "known_at",
    "method",
    "parameters",
    "parameters_sha256",
    "code_version",
    "corrects",
)


@dataclass(frozen=True, slots=True)
class Verified:
    """The releases that were looked at, what is wrong, and what cannot be proven; a sentence each."""

    releases: tuple[Release, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass
class _Found:
    """What is found on the way."""

    problems: list[str]
    notes: list[str]


def verify(session: Session, settings: Settings, name: str | None = None, *, facts: bool = False) -> Verified:
    """Look at all releases, at all versions of the period of that name, or at the one with that number.

    `facts`: read all facts too, and hold them against those that each release pins.
    Raises MonitorError where neither the database nor the audit trail knows one of that name.
    """
    found = _Found(*_of_the_trail(session, settings))
    attested = entries_about_releases(session)
    releases = tuple(session.scalars(select(Release).order_by(Release.period, Release.version)))
    chosen = tuple(release for release in releases if _is_meant(release, name))
    scope = {key for key in attested if name in (None, key[0])} | {(r.period, r.version) for r in chosen}
    if name is not None and not scope:
        raise MonitorError(f"no release {name!r}; `monitor release list` shows those there are")
    by_name = {(release.period, release.version): release for release in releases}
    inspector = Inspector(settings.publications, lambda: trusted_keys(session, settings.public_keys))
    for key in sorted(scope):
        entries = attested.get(key, _NONE)
        if (release := by_name.get(key)) is None:
            found.problems += [f"{subject_of(*key)}: {problem}" for problem in _gone(entries)]
        else:
            _one(session, release, entries, inspector, found)
    periods = {key[0] for key in scope}
    found.problems += _versions([release for release in releases if release.period in periods])
    if name is None:
        found.problems += [*_strange_files(settings, inspector, by_name), *index_problems(session, settings)]
    if facts:
        _facts(session, chosen, found)
    return Verified(chosen, tuple(found.problems), tuple(found.notes))


def _facts(session: Session, releases: Sequence[Release], found: _Found) -> None:
    for release, problems in zip(releases, fact_problems(session, releases), strict=True):
        title = subject_of(release.period, release.version)
        found.problems += [f"{title}: {problem}" for problem in problems]
        if FACTS not in release.manifest:
            found.notes.append(
                f"{title}: made before releases pinned their facts: only `monitor release rebuild` shows"
            )


def _is_meant(release: Release, name: str | None) -> bool:
    return name is None or (release.id == int(name) if name.isdecimal() else release.period == name)


def _of_the_trail(session: Session, settings: Settings) -> tuple[list[str], list[str]]:
    """The trail itself, without which nothing is proven."""
    compared = compare_with_checkpoints(session, settings)
    problems = audit.verify(session) + guard_problems(session.connection()) + list(compared.problems)
    if compared.missing and kept_public_keys(settings.public_keys):
        return [*problems, *compared.missing], list(compared.notes)
    return problems, [*compared.missing, *compared.notes]


def _gone(entries: Entries) -> Iterator[str]:
    """What the trail tells of a release that is not there."""
    if entries.published:
        yield f"it was published (audit entry {entries.published[-1].id}) and is gone"
    elif entries.drafted and entries.is_discarded:
        return
    elif entries.drafted:
        yield f"it was drafted (audit entry {entries.drafted[-1].id}) and is gone"
    else:
        yield "the audit trail names it, and it was never drafted"


def _one(session: Session, release: Release, entries: Entries, inspector: Inspector, found: _Found) -> None:
    """A release that is there: its content, its entries, its files."""
    title = subject_of(release.period, release.version)
    problems = [
        *content_problems(session, release),
        *_drafting(release, entries),
        *_publishing(session, release, entries),
    ]
    notes = list[str]()
    if release.stage is Stage.PUBLISHED:
        if entries.published and "release_sha256" not in entries.published[-1].details:
            notes.append("published before all columns were attested: the order of its rows is not proven")
        of_files, said = _files(release, entries.packaged, inspector)
        problems, notes = problems + of_files, notes + said
    found.problems += [f"{title}: {problem}" for problem in problems]
    found.notes += [f"{title}: {note}" for note in notes]


def _drafting(release: Release, entries: Entries) -> Iterator[str]:
    if not entries.drafted:
        yield "no audit entry says that it was drafted"
        return
    last = entries.drafted[-1]
    if entries.is_discarded:
        yield f"it was discarded (audit entry {entries.discarded[-1].id}), and is there again"
    if last.details.get("manifest") != release.manifest_sha256:
        yield f"its manifest is not the one that was drafted (audit entry {last.id})"
    if to_instant(last.happened_at) != to_instant(release.drafted_at):
        yield f"drafted_at is not the time at which it was drafted (audit entry {last.id})"
    if last.details.get("corrects") != release.manifest.get("corrects"):
        yield f"what it corrects is not what was drafted (audit entry {last.id})"


def _publishing(session: Session, release: Release, entries: Entries) -> Iterator[str]:
    published = release.stage is Stage.PUBLISHED
    if not entries.published:
        if published:
            yield "it is published, and no audit entry says so"
        if release.published_at is not None or release.hearing_waived is not None:
            yield "no audit entry says that it was published, and it has a time or a reason of that"
        return
    last = entries.published[-1]
    if not published:
        yield f"it was published (audit entry {last.id}), and is a draft again"
    if len(entries.published) > 1:
        yield f"several audit entries say that it was published ({', '.join(str(e.id) for e in entries.published)})"
    if entries.drafted and entries.drafted[-1].id > last.id:
        yield f"it was drafted again (audit entry {entries.drafted[-1].id}) after it was published"
    if published:
        yield from _columns(session, release, last)


def _columns(session: Session, release: Release, entry: AuditEntry) -> Iterator[str]:
    """Of a published release each column that its entry tells, and all of them together."""
    at = None if release.published_at is None else to_instant(release.published_at)
    told = entry.details
    problems = {
        "its manifest is not the one that was published": told.get("manifest") != release.manifest_sha256,
        "published_at is not the time at which it was published": at != to_instant(entry.happened_at),
        "hearing_waived is not the reason that was given": told.get("hearing_waived") != release.hearing_waived,
    }
    found = [problem for problem, wrong in problems.items() if wrong]
    if not found and told.get("release_sha256") not in (None, release_digest(session, release)):
        found = ["a column of it, or the order of its rows, is not what was published"]
    yield from (f"{problem} (audit entry {entry.id})" for problem in found)


def _versions(releases: Sequence[Release]) -> Iterator[str]:
    """Versions of a period count from 1, and each corrects the one before it."""
    by_period = defaultdict[str, dict[int, Release]](dict)
    for release in releases:
        by_period[release.period][release.version] = release
    for period, versions in by_period.items():
        missing = sorted(set(range(1, max(versions) + 1)) - versions.keys())
        yield from (f"{subject_of(period, number)} is missing, and a later version is there" for number in missing)
        for number, release in versions.items():
            before, corrects = versions.get(number - 1), release.manifest.get("corrects", {})
            given = (corrects.get("version"), corrects.get("manifest_sha256"))
            if before is not None and given != (number - 1, before.manifest_sha256):
                yield f"{subject_of(period, number)} does not correct the version before it as that is now"


def _files(release: Release, packaged: Sequence[AuditEntry], inspector: Inspector) -> tuple[list[str], list[str]]:
    """What is wrong with the files of a published release, and what cannot be proven of them."""
    problems = list(inspector.problems(release.period, release.version))
    try:
        signed = inspector.find(release.period, release.version)
    except NotIntactError:
        return problems, []
    if signed is None:
        return (
            (["its files are gone from the publications folder"], [])
            if packaged
            else ([], ["no files were made of it yet"])
        )
    other = [name for name, value in _told_of(release).items() if signed.release.get(name) != value]
    problems += [f"its signed manifest says something else of {name} than the database" for name in other]
    if not packaged:
        return problems, ["its files were made before packages were attested: only their signature is proven"]
    if packaged[-1].details.get("manifest_json") != signed.manifest_sha256:
        problems.append(f"its signed manifest is not the one that was made last (audit entry {packaged[-1].id})")
    return problems, []


def _told_of(release: Release) -> Mapping[str, Any]:
    """What the manifest in the package tells of the release itself."""
    published_at = None if release.published_at is None else iso(to_instant(release.published_at))
    return {
        **{name: release.manifest[name] for name in _OF_THE_MANIFEST if name in release.manifest},
        "version": release.version,
        "published_at": published_at,
        "hearing_waived": release.hearing_waived,
        "manifest_sha256": release.manifest_sha256,
    }


def _strange_files(
    settings: Settings, inspector: Inspector, releases: Mapping[tuple[str, int], Release]
) -> Iterator[str]:
    """What lies in the folder of publications and is of no published release."""
    for key in inspector.names():
        release = releases.get(key)
        if release is None or release.stage is not Stage.PUBLISHED:
            yield f"publications has files of {subject_of(*key)}, which is not published"
    kept = kept_public_keys(settings.public_keys)
    yield from (
        f"{path.name} among the public keys is not what its name says"
        for path in _keys(settings)
        if path.stem not in kept
    )


def _keys(settings: Settings) -> list[Path]:
    return sorted(settings.public_keys.glob("*.pem"))
