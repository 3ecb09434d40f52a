"""The facts that a release was made from, pinned by their digests in its manifest (docs/adr/0022)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from monitor.instants import parse_instant
from monitor.models.release import Release
from monitor.score.fact_digests import Digests, digests
from monitor.score.facts import read_database
from monitor.score.run import database_url

FACTS = "facts"  # the name in the manifest


def fact_digests(session: Session, known_at: Sequence[int]) -> list[Digests]:
    """The facts as they were known at each instant, in one pass over all that is committed.

    Raises MonitorError where the database cannot be read, or holds a value that is no value of its column.
    """
    return read_database(digests, database_url(session), list(known_at))


def fact_problems(session: Session, releases: Sequence[Release]) -> list[list[str]]:
    """For each release the kinds of fact that are not those it was made from; nothing where it pins none."""
    pinning = [release for release in releases if FACTS in release.manifest]
    now = fact_digests(session, [parse_instant(release.manifest["known_at"]) for release in pinning]) if pinning else []
    found = {
        release.id: list(_changed(release.manifest[FACTS], facts)) for release, facts in zip(pinning, now, strict=True)
    }
    return [found.get(release.id, []) for release in releases]


def _changed(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for table, pinned in then.items():
        found = now.get(table, {"rows": None, "columns": {}})
        if pinned["rows"] != found["rows"]:
            yield f"{table}: {found['rows']} rows were recorded by then, and there were {pinned['rows']}"
        elif changed := [name for name, digest in pinned["columns"].items() if found["columns"].get(name) != digest]:
            yield f"{table}: {', '.join(changed)} were changed after it was made"
