"""Rebuilding: a release scored once more from the facts it knew, and held against its frozen bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

import monitor
from monitor.comparison.changes import ReleaseChanges, release_changes
from monitor.errors import MonitorError
from monitor.instants import parse_instant
from monitor.models.release import Release, ReleaseRow
from monitor.period import parse_period
from monitor.release.draft import FACTS, SerialisedTable, fact_problems, manifest_of, serialise
from monitor.release.publish import check
from monitor.release.store import canonical, load_table
from monitor.score.methods import Method, method
from monitor.score.pipeline import Request, score_for_release
from monitor.score.table import alike

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
    """What was asked when the release was scored, but for what is given; raises MonitorError as `method_of` does."""
    manifest = release.manifest
    return Request(
        parse_period(release.period),
        parse_instant(manifest["as_of"]) if as_of is None else as_of,
        parse_instant(manifest["known_at"]) if known_at is None else known_at,
        record or method_of(release),
        engine_url,
    )


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
