"""Drafting: a scored table frozen row by row, with a manifest of everything it was made from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

import monitor
from monitor import audit
from monitor.instants import parse_instant, to_datetime
from monitor.models.company import CompanyClaim, CompanyDetail, NetblockTable
from monitor.models.facts import Correction, Delivery, Suspension
from monitor.models.release import Release, ReleaseRow, Stage
from monitor.release.canonical import canonical, digest
from monitor.score.methods import Method
from monitor.score.table import Table


def draft(session: Session, table: Table, method: Method, drafted_at: datetime, actor: str) -> Release:
    """Freeze a table as the draft of its period's next version; an earlier draft of it is replaced."""
    _drop_draft(session, table.period)
    data = table.as_json()
    companies = [(row["company"], canonical(row)) for row in data.pop("companies")]
    head = canonical(data)
    manifest = _manifest(session, table, method, head, companies)
    release = Release(
        period=table.period,
        version=_next_version(session, table.period),
        stage=Stage.DRAFT,
        drafted_at=drafted_at,
        published_at=None,
        hearing_waived=None,
        table_json=head,
        manifest=manifest,
        manifest_sha256=digest(canonical(manifest)),
    )
    session.add(release)
    session.flush()
    session.add_all(
        ReleaseRow(release_id=release.id, position=position, company_key=key, row_json=row)
        for position, (key, row) in enumerate(companies)
    )
    session.flush()
    subject = f"{release.period} version {release.version}"
    audit.record(session, drafted_at, actor, "release.draft", subject, {"manifest": release.manifest_sha256})
    return release


def _drop_draft(session: Session, period: str) -> None:
    old = session.scalars(select(Release.id).where(Release.period == period, Release.stage == Stage.DRAFT)).all()
    session.execute(delete(ReleaseRow).where(ReleaseRow.release_id.in_(old)))
    session.execute(delete(Release).where(Release.id.in_(old)))


def _next_version(session: Session, period: str) -> int:
    return (session.scalar(select(func.max(Release.version)).where(Release.period == period)) or 0) + 1


def _manifest(
    session: Session, table: Table, method: Method, head: str, companies: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    known_at = to_datetime(parse_instant(table.known_at))
    return {
        "period": table.period,
        "as_of": table.as_of,
        "known_at": table.known_at,
        "method": method.version,
        "parameters": method.parameters(),
        "parameters_sha256": method.parameter_hash(),
        "code_version": monitor.__version__,
        "inputs": _inputs(session, known_at),
        "table_sha256": digest(head),
        "rows_sha256": {key: digest(row) for key, row in companies},
    }


def _inputs(session: Session, known_at: datetime) -> dict[str, Any]:
    """What the table was made from: each delivery by its hash, and how many decisions and registry entries."""
    deliveries = session.scalars(select(Delivery).where(Delivery.recorded_at <= known_at).order_by(Delivery.id))
    networks = session.scalars(
        select(NetblockTable).where(NetblockTable.recorded_at <= known_at).order_by(NetblockTable.id)
    )
    counted = (Suspension, Correction, CompanyDetail, CompanyClaim)
    return {
        "deliveries": [{"source": d.source, "format": d.format, "sha256": d.sha256} for d in deliveries],
        "netblocks": [{"dated": n.dated.isoformat(), "sha256": n.sha256} for n in networks],
        **{
            model.__tablename__: session.scalar(
                select(func.count()).select_from(model).where(model.recorded_at <= known_at)
            )
            for model in counted
        },
    }
