"""Drafting: a scored table frozen row by row, with a manifest of everything it was made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

import monitor
from monitor import audit
from monitor.errors import MonitorError
from monitor.identities import require_one_scheme
from monitor.instants import parse_instant, to_datetime
from monitor.models.company import CompanyClaim, CompanyDetail, NetblockTable
from monitor.models.facts import Correction, Delivery, Suspension
from monitor.models.release import Release, ReleaseRow, Stage
from monitor.release.store import HASH_HIT, canonical, digest
from monitor.score.fact_digests import Digests, digested_columns, digests
from monitor.score.facts import read_database
from monitor.score.methods import Method
from monitor.score.pipeline import database_url
from monitor.score.table import LATER_FIELDS, Table
from monitor.vocabulary import Verdict


@dataclass(frozen=True, slots=True)
class SerialisedTable:
    """A table in canonical JSON: its head, and (company, row) in the order of the table.

    The rows of the hash hits follow those of the notices, under HASH_HIT and the company.
    """

    head: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Corrects:
    """Which version of the period a draft corrects, by its number and its manifest, and why."""

    version: int
    manifest_sha256: str
    reason: str


def draft(
    session: Session, table: Table, method: Method, drafted_at: datetime, actor: str, corrects: Corrects | None = None
) -> Release:
    """Freeze a table as the draft of its period's next version; an earlier draft of it is replaced.

    Raises MonitorError where the table claims to know what is yet to be recorded: nobody could rebuild it; and where
    items have digests of different schemes, so that one of them may be counted twice.
    """
    require_one_scheme(session, "a draft")
    if parse_instant(table.known_at) > drafted_at.timestamp():
        raise MonitorError(f"what will be known at {table.known_at} is not known yet; choose a time that has passed")
    _drop_draft(session, table.period)
    serialised = serialise(table)
    [facts] = fact_digests(session, [parse_instant(table.known_at)])
    manifest = manifest_of(session, table, method, serialised) | {FACTS: facts}
    manifest |= {"corrects": asdict(corrects)} if corrects else {}
    release = Release(
        period=table.period,
        version=_next_version(session, table.period),
        stage=Stage.DRAFT,
        drafted_at=drafted_at,
        published_at=None,
        hearing_waived=None,
        table_json=serialised.head,
        manifest=manifest,
        manifest_sha256=digest(canonical(manifest)),
    )
    _store(session, release, serialised)
    details = {"manifest": release.manifest_sha256} | ({"corrects": asdict(corrects)} if corrects else {})
    action = "release.correct" if corrects else "release.draft"
    audit.record(session, drafted_at, actor, action, f"{release.period} version {release.version}", details)
    return release


def serialise(table: Table) -> SerialisedTable:
    """The bytes of a table; `monitor.release.store.load_serialised` reads them again."""
    data = table.as_json()
    rows = [(row["company"], _row(row)) for row in data.pop("companies")]
    hits = data.get("hash_hits", {}).pop("companies", ())
    rows += [(HASH_HIT + row["company"], _row(row)) for row in hits]
    return SerialisedTable(canonical(data), tuple(rows))


def _row(row: dict[str, Any]) -> str:
    """What is not known is left out, as when there was no such field: so earlier releases are rebuilt the same."""
    return canonical({name: value for name, value in row.items() if value is not None or name not in LATER_FIELDS})


def manifest_of(session: Session, table: Table, method: Method, serialised: SerialisedTable) -> dict[str, Any]:
    """Everything a table was made from, as plain data, and the hashes of what came out."""
    inputs = _inputs(session, to_datetime(parse_instant(table.known_at)))
    return {
        "period": table.period,
        "as_of": table.as_of,
        "known_at": table.known_at,
        "method": method.version,
        "parameters": method.parameters(),
        "parameters_sha256": method.parameter_hash(),
        "code_version": monitor.__version__,
        "inputs": inputs,
        "inputs_sha256": digest(canonical(inputs)),
        "table_sha256": digest(serialised.head),
        "rows_sha256": {key: digest(row) for key, row in serialised.rows},
        **({"hash_hits": {"scored_kinds": table.hash_hits.kinds}} if table.hash_hits else {}),
        **({COMPARED: table.earlier.method} if table.earlier else {}),
    }


def _store(session: Session, release: Release, serialised: SerialisedTable) -> None:
    session.add(release)
    session.flush()
    session.add_all(
        ReleaseRow(release_id=release.id, position=position, company_key=key, row_json=row)
        for position, (key, row) in enumerate(serialised.rows)
    )
    session.flush()


def _drop_draft(session: Session, period: str) -> None:
    old = session.scalars(select(Release.id).where(Release.period == period, Release.stage == Stage.DRAFT)).all()
    session.execute(delete(ReleaseRow).where(ReleaseRow.release_id.in_(old)))
    session.execute(delete(Release).where(Release.id.in_(old)))


def discard(session: Session, release: Release, at: datetime, actor: str) -> None:
    """Remove a draft, which the audit trail then tells; raises MonitorError for what is published."""
    name = f"{release.period} version {release.version}"
    if release.stage is not Stage.DRAFT:
        raise MonitorError(f"{name} is published, and stays: what is wrong with it is corrected by the next version")
    details = {"manifest": release.manifest_sha256}
    _drop_draft(session, release.period)
    audit.record(session, at, actor, "release.discard", name, details)


def _next_version(session: Session, period: str) -> int:
    return (session.scalar(select(func.max(Release.version)).where(Release.period == period)) or 0) + 1


def _inputs(session: Session, known_at: datetime) -> dict[str, Any]:
    """What the table was made from: each delivery by its hash, and how many decisions and registry entries."""
    counts = (Delivery.verdict == Verdict.OK, Delivery.recorded_at <= known_at)
    deliveries = session.scalars(select(Delivery).where(*counts).order_by(Delivery.id))
    networks = session.scalars(
        select(NetblockTable).where(NetblockTable.recorded_at <= known_at).order_by(NetblockTable.id)
    )
    counted = (Suspension, Correction, CompanyDetail, CompanyClaim)
    return {
        "deliveries": [{"source": d.source, "format": d.format, "file_digest": d.file_digest} for d in deliveries],
        "netblocks": [{"dated": n.dated.isoformat(), "sha256": n.sha256} for n in networks],
        **{
            model.__tablename__: session.scalar(
                select(func.count()).select_from(model).where(model.recorded_at <= known_at)
            )
            for model in counted
        },
    }


FACTS = "facts"  # the name in the manifest
COMPARED = "compared_with"  # the version of the method in force before, whose standings stand beside


def fact_digests(session: Session, known_at: Sequence[int]) -> list[Digests]:
    """The facts as they were known at each instant, in one pass over all that is committed.

    Raises MonitorError where the database cannot be read, or holds a value that is no value of its column.
    """
    return read_database(digests, database_url(session), digested_columns(), list(known_at))


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
