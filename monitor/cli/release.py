"""`monitor release`: freeze a scored table, publish it, prove it unchanged."""

from __future__ import annotations

import click
from sqlalchemy import select

from monitor.cli.runtime import INSTANT, json_option, runtime, show
from monitor.cli.score import ENGINE, METHOD, scored
from monitor.db import transaction
from monitor.errors import MonitorError
from monitor.instants import to_datetime
from monitor.models.release import Release
from monitor.release.draft import draft as draft_release
from monitor.release.publish import check
from monitor.release.publish import publish as publish_release
from monitor.release.store import find
from monitor.score.methods import method

NAME = click.argument("release")
ACTOR = click.option("--by", "actor", default="operator", show_default=True, help="Who does it, for the audit trail.")


@click.group()
def release() -> None:
    """Releases. RELEASE is a number, or a period (its newest version)."""


@release.command()
@click.option("--period", required=True, help="2026Q2, or 2026-03-11..2026-04-11 (last day not included).")
@click.option("--as-of", type=INSTANT, help="Reference date (default: when the last delivery was received).")
@click.option("--known-at", type=INSTANT, help="Use only what was recorded by then (default: now).")
@METHOD
@ENGINE
@ACTOR
@json_option
def draft(
    period: str,
    as_of: int | None,
    known_at: int | None,
    version: str | None,
    engine_url: str | None,
    actor: str,
    as_json: bool,
) -> None:
    """Score a period and freeze the table as a draft."""
    run = runtime()
    with transaction(run.engine) as session:
        table = scored(session, run, period, as_of, known_at, version, engine_url)
        made = draft_release(session, table, method(version), to_datetime(run.now()), actor)
        data = _row(made)
    show(
        data, as_json, f"draft {data['release']}: {period} version {data['version']}, {len(table.companies)} companies"
    )


@release.command("list")
@json_option
def list_releases(as_json: bool) -> None:
    """All releases and where they stand."""
    with transaction(runtime().engine) as session:
        rows = [_row(found) for found in session.scalars(select(Release).order_by(Release.period, Release.version))]
    text = [f"{r['release']:>4}  {r['period']:24} version {r['version']}  {r['stage']}" for r in rows]
    show(rows, as_json, "\n".join(text) or "no releases yet")


@release.command()
@NAME
@click.option("--waive-hearing", metavar="REASON", help="Publish without a hearing; the reason is kept.")
@ACTOR
@json_option
def publish(release: str, waive_hearing: str | None, actor: str, as_json: bool) -> None:
    """Make a draft public; it can never be changed after."""
    run = runtime()
    with transaction(run.engine) as session:
        found = find(session, release)
        publish_release(session, found, waive_hearing, to_datetime(run.now()), actor)
        data = _row(found)
    show(data, as_json, f"published: {data['period']} version {data['version']}")


@release.command()
@NAME
@json_option
def verify(release: str, as_json: bool) -> None:
    """Prove that a release is what was frozen; exit 1 where it is not."""
    with transaction(runtime().engine) as session:
        found = find(session, release)
        problems = check(session, found)
        data = _row(found) | {"problems": problems}
    show(data, as_json, "\n".join(problems) or f"{data['period']} version {data['version']} is unchanged")
    if problems:
        raise MonitorError(f"release {data['period']} version {data['version']} is not what was frozen")


def _row(found: Release) -> dict[str, object]:
    return {
        "release": found.id,
        "period": found.period,
        "version": found.version,
        "stage": str(found.stage),
        "method": found.manifest["method"],
        "as_of": found.manifest["as_of"],
        "known_at": found.manifest["known_at"],
        "manifest_sha256": found.manifest_sha256,
        "hearing_waived": found.hearing_waived,
    }
