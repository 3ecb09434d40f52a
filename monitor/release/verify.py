"""Verifying: every release held against the audit trail and its signed files, or scored once more from its facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

import monitor
from monitor import audit
from monitor.comparison.changes import ReleaseChanges, release_changes
from monitor.errors import MonitorError
from monitor.instants import iso, parse_instant, parse_period, to_instant
from monitor.models.audit import AuditEntry
from monitor.models.guards import guard_problems
from monitor.models.release import Release, ReleaseRow, Stage
from monitor.release.attest import Entries, entries_about_releases, release_digest, subject_of, trusted_keys
from monitor.release.checkpoints import compare_with_checkpoints
from monitor.release.draft import COMPARED, FACTS, SerialisedTable, fact_problems, manifest_of, serialise
from monitor.release.export import index_problems
from monitor.release.intact import Inspector, NotIntactError
from monitor.release.publish import check, content_problems
from monitor.release.signing import kept_public_keys
from monitor.release.store import canonical, load_table, published
from monitor.score.methods import Method, method
from monitor.score.pipeline import Request, score_for_release
from monitor.score.table import alike
from monitor.settings import Settings

# Rebuilding: a release scored once more from the facts it knew, and held against its frozen bytes.

_UNPINNED = "made before releases pinned their facts: a change that moves none of its figures is not found"


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Which parts of the frozen bytes came out otherwise, the figures in which, and what to know beside it."""

    problems: tuple[str, ...]
    differences: ReleaseChanges
    notes: tuple[str, ...]

    @property
    def identical(self) -> bool:
        """Whether every byte came out again (but for the version of the code), and from the same facts."""
        return not self.problems


def rebuild(
    session: Session, release: Release, engine_url: str = "duckdb://", digest_file: Callable[[str], str] | None = None
) -> Rebuilt:
    """Score a release again, with its own method and from what was recorded by its own `known_at`.

    `digest_file` (`Vault.digest_file`) is needed for a release of before the hashes of deliveries were keyed.

    Raises MonitorError where the release is no longer what was frozen, or its method has other parameters now.
    """
    request = request_of(release, engine_url)
    if changed := check(session, release):
        raise MonitorError(f"the release is not what was frozen: {changed[0]}; see `monitor release verify`")
    frozen = load_table(session, release)
    _, table = alike(frozen, score_for_release(session, request))
    fresh = serialise(table)
    manifest = manifest_of(session, table, request.method, fresh)
    problems: tuple[str, ...] = (
        *_parts(_stored(session, release), fresh),
        *_inputs(_keyed(release.manifest["inputs"], digest_file), manifest["inputs"]),
    )
    if not problems:  # what moved a figure is named by that
        problems = tuple(f"other facts: {problem}" for problem in fact_problems(session, [release])[0])
    return Rebuilt(problems, release_changes(frozen, table), _notes(release))


def require_rebuildable(session: Session, release: Release, engine_url: str = "duckdb://") -> None:
    """Raise MonitorError where a draft is not what the facts known at its `known_at` give.

    A delivery that was under way while it was scored bears an earlier time and was not seen; or the code has changed.
    """
    if problems := rebuild(session, release, engine_url).problems:
        raise MonitorError(f"the draft does not come out again: {problems[0]}; draft it again")


def request_of(
    release: Release,
    engine_url: str = "duckdb://",
    *,
    known_at: int | None = None,
    as_of: int | None = None,
    record: Method | None = None,
) -> Request:
    """What was asked when the release was scored, but for what is given; raises MonitorError as `method_of` does.

    With another method than its own the release's is the one that is compared with.
    """
    manifest = release.manifest
    compared = method(manifest[COMPARED]) if COMPARED in manifest else None
    if record is not None and record.version != manifest["method"]:
        own = method_of(release) if record.competing_risks else None
        compared = own if own is not None and is_comparable(own, record) else None
    return Request(
        parse_period(release.period),
        parse_instant(manifest["as_of"]) if as_of is None else as_of,
        parse_instant(manifest["known_at"]) if known_at is None else known_at,
        record or method_of(release),
        engine_url,
        compared=compared,
    )


def is_comparable(before: Method, record: Method) -> bool:
    """Whether a release under a method shows the standings of the one before: with 2026.2 their rules changed."""
    return bool(record.competing_risks) and not before.competing_risks


def compared_method(session: Session, record: Method) -> Method | None:
    """The method in force before, for a release under a method that no published one has yet.

    That is the method of the last period that is published; None where there is none, or where it has the same rules.
    """
    manifests = session.scalars(select(Release.manifest).where(Release.stage == Stage.PUBLISHED)).all()
    if not record.competing_risks or any(manifest.get("method") == record.version for manifest in manifests):
        return None
    before = [method_of(release) for release in published(session)[:1]]
    return next((each for each in before if is_comparable(each, record)), None)


def method_of(release: Release) -> Method:
    """The method a release was made with.

    Raises MonitorError where there is none of that version, or where its parameters are not those of the release.
    """
    manifest = release.manifest
    record = method(manifest["method"])
    if record.parameter_hash() == manifest["parameters_sha256"]:
        return record
    now, then = record.parameters(), manifest["parameters"]
    changed = [name for name in sorted({*now, *then}) if canonical(now.get(name)) != canonical(then.get(name))]
    raise MonitorError(
        f"method {record.version} has other parameters in this code than in release {release.period} version "
        f"{release.version} ({', '.join(changed) or 'their hash'}): a released method never changes, add a version"
    )


def _stored(session: Session, release: Release) -> SerialisedTable:
    query = select(ReleaseRow.company_key, ReleaseRow.row_json).where(ReleaseRow.release_id == release.id)
    rows = session.execute(query.order_by(ReleaseRow.position))
    return SerialisedTable(release.table_json, tuple((row.company_key, row.row_json) for row in rows))


def _parts(frozen: SerialisedTable, fresh: SerialisedTable) -> Iterator[str]:
    """Head and rows that are not the same to the byte."""
    if frozen.head != fresh.head:
        yield "the table's head came out otherwise"
    old, new = dict(frozen.rows), dict(fresh.rows)
    yield from (f"the row of {key} came out otherwise" for key in old if key in new and old[key] != new[key])
    yield from (f"the row of {key} did not come out" for key in old if key not in new)
    yield from (f"a row of {key} came out that was not there" for key in new if key not in old)
    if old.keys() == new.keys() and list(old) != list(new):
        yield "the companies came out in another order"


def _keyed(inputs: Mapping[str, Any], digest_file: Callable[[str], str] | None) -> Mapping[str, Any]:
    """The inputs of a manifest as they are named now; MonitorError where that needs the key and there is none."""
    if not any("sha256" in delivery for delivery in inputs["deliveries"]):
        return inputs
    if digest_file is None:
        raise MonitorError("this release names its deliveries by bare hashes: rebuild it where the key file is")
    deliveries = [
        {"source": d["source"], "format": d["format"], "file_digest": digest_file(d["sha256"])}
        for d in inputs["deliveries"]
    ]
    return {**inputs, "deliveries": deliveries}


def _inputs(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """The kinds of input of which others, or more, are recorded by then than there were."""
    changed = (name for name in then if canonical(then[name]) != canonical(now.get(name)))
    yield from (f"other {name} are recorded by then" for name in changed)


def _notes(release: Release) -> tuple[str, ...]:
    then, now = release.manifest["code_version"], monitor.__version__
    older = () if then == now else (f"frozen by version {then} of the code, rebuilt by {now}",)
    return older if FACTS in release.manifest else (*older, _UNPINNED)


# Verifying: every release held against the audit trail, both ways, and its files against what was signed.

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
