"""`monitor ingest` and `monitor deliveries`: what came in and what became of it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click
from sqlalchemy import select

from monitor.cli.runtime import INSTANT, json_option, runtime, show
from monitor.db import transaction
from monitor.errors import MonitorError
from monitor.formats.catalogue import DEFAULT_SOURCE, FORMATS
from monitor.ingest.answer import Answer
from monitor.ingest.take import Parcel
from monitor.intake import take_in
from monitor.models.facts import Delivery, Quarantined


@click.command()
@click.argument("format", type=click.Choice(list(FORMATS)))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--source", help="Who delivered it (default: the source of the format).")
@click.option("--received-at", type=INSTANT, help="When it arrived, e.g. 2026-04-10T12:07:25Z (default: now).")
@click.option("--zone", help="The time zone of its times, e.g. Europe/Amsterdam (default: the source's).")
@json_option
def ingest(
    format: str,  # noqa: A002 -- the name users see
    file: Path,
    source: str | None,
    received_at: int | None,
    zone: str | None,
    as_json: bool,
) -> None:
    """Take in one delivery, plain, gzip or zstd. The same file twice changes nothing."""
    run = runtime()
    configured = run.settings.source(source or DEFAULT_SOURCE[format])
    parcel = Parcel(
        replace(configured, zone=zone or configured.zone),
        format,
        file,
        run.now() if received_at is None else received_at,
    )
    with transaction(run.engine) as session:
        answer = take_in(session, run.vault, parcel, run.now(), counted_on_terminal)
    show(answer.as_json(), as_json, describe(answer))


def counted_on_terminal(rows: int) -> None:
    """Show how far it is, where a person is watching."""
    if sys.stderr.isatty():
        click.echo(f"\r  {rows:,} rows", nl=False, err=True)


def describe(answer: Answer) -> str:
    """A delivery's answer in words."""
    refused = ", ".join(f"{count} {reason}" for reason, count in answer.quarantined.items()) or "none"
    lines = [
        f"delivery {answer.delivery}: {answer.rows} rows, {answer.accepted} accepted, {answer.duplicate} duplicate",
        f"new: {answer.contents_new} contents, {answer.notices_new} notices, {answer.sightings_new} sightings",
        f"quarantined: {refused}",
        *(f"warning: {warning}" for warning in answer.warnings),
    ]
    return "\n".join(lines)


@click.command()
@click.option("--quarantine", type=int, metavar="ID", help="List the quarantined rows of one delivery.")
@json_option
def deliveries(quarantine: int | None, as_json: bool) -> None:
    """List what came in; with --quarantine, the rows of one delivery that could not be taken and why."""
    with transaction(runtime().engine) as session:
        if quarantine is not None:
            if session.get(Delivery, quarantine) is None:
                raise MonitorError(f"no delivery {quarantine}; `monitor deliveries` lists them")
            query = select(Quarantined).where(Quarantined.delivery_id == quarantine).order_by(Quarantined.line)
            found = [{"line": q.line, "reason": q.reason, "column": q.column} for q in session.scalars(query)]
            lines = [
                f"line {q['line']}: {q['reason']}{' in ' + str(q['column']) if q['column'] else ''}" for q in found
            ]
            show(found, as_json, "\n".join(lines) or "no row of this delivery is in quarantine")
            return
        rows = [_row(delivery) for delivery in session.scalars(select(Delivery).order_by(Delivery.id))]
    text = [
        f"{r['delivery']:>5}  {r['received_at']}  {r['source']:10} {r['format']:16} "
        f"{r['rows']:>8} rows {r['accepted']:>8} accepted {r['duplicate']:>8} duplicate {r['rejected']:>6} quarantined"
        for r in rows
    ]
    show(rows, as_json, "\n".join(text) or "no deliveries yet")


def _row(delivery: Delivery) -> dict[str, object]:
    return {
        "delivery": delivery.id,
        "received_at": delivery.received_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "source": delivery.source,
        "format": delivery.format,
        "sha256": delivery.sha256,
        "rows": delivery.rows,
        "accepted": delivery.accepted,
        "duplicate": delivery.duplicate,
        "rejected": sum(delivery.quarantined.values()),
        "quarantined": delivery.quarantined,
    }
