"""`monitor ingest`: ingest one delivery, and say what became of it."""

from __future__ import annotations

import gc
import sys
from dataclasses import replace
from pathlib import Path

import click

from monitor.cli.runtime import INSTANT, Runtime, json_option, runtime, show
from monitor.db import lock_writers, transaction
from monitor.errors import MonitorError
from monitor.formats.catalogue import DEFAULT_SOURCE, FORMATS
from monitor.ingest import delivery
from monitor.ingest.delivery import DeliveryFile, read_ahead
from monitor.ingest.reader import ReadAhead
from monitor.ingest.result import IngestResult
from monitor.ingest.review import ReviewDecision, accept
from monitor.vocabulary import Verdict


@click.command()
@click.argument("format", type=click.Choice(list(FORMATS)))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--source", help="Who delivered it (default: the source of the format).")
@click.option("--received-at", type=INSTANT, help="When it arrived, e.g. 2026-04-10T12:07:25Z (default: now).")
@click.option("--zone", help="The time zone of its times, e.g. Europe/Amsterdam (default: the source's).")
@click.option("--accept", "anyway", is_flag=True, help="Ingest it even if it is suspicious, with --reason and --by.")
@click.option("--reason", metavar="TEXT", help="With --accept: why.")
@click.option("--by", metavar="NAME", help="With --accept: who decides.")
@json_option
def ingest(
    format: str,  # noqa: A002 -- the name users see
    file: Path,
    source: str | None,
    received_at: int | None,
    zone: str | None,
    anyway: bool,
    reason: str | None,
    by: str | None,
    as_json: bool,
) -> None:
    """Ingest one delivery, plain, gzip or zstd. The same file twice changes nothing.

    Exit 1 where it does not count: refused, or suspicious and pending review.
    """
    if anyway != (reason is not None) or anyway != (by is not None):
        raise click.UsageError("--accept, --reason and --by go together")
    run = runtime()
    configured = run.settings.source(source or DEFAULT_SOURCE[format])
    zoned = replace(configured, zone=zone or configured.zone)
    arrived = run.now() if received_at is None else received_at
    delivery_file = DeliveryFile(zoned, format, file, arrived)
    decided = None if reason is None or by is None else (by, reason)
    gc.freeze()  # what is loaded by now stays to the end; looking through it again and again cost a sixth of the time
    with read_ahead(run.engine, run.vault, delivery_file) as reader:
        result = reader.store(lambda: _store(run, delivery_file, reader, decided))
    show(result.as_json(), as_json, describe(result))
    if result.verdict is not Verdict.OK:
        raise MonitorError(why_not(result))


def _store(
    run: Runtime, delivery_file: DeliveryFile, reader: ReadAhead, decided: tuple[str, str] | None
) -> IngestResult:
    """Ingest it, and accept it where somebody `decided` (who, why) to whatever it looks like."""
    with transaction(run.engine) as session:
        lock_writers(session)  # what is recorded by now is what others can see: ask the clock when nobody else writes
        now = run.now()
        result = delivery.ingest(session, run.vault, delivery_file, now, counted_on_terminal, reader=reader)
        if decided and result.verdict is Verdict.SUSPICIOUS:
            decision = ReviewDecision(*decided, now)
            result = accept(session, run.vault, delivery_file.source, result.delivery, decision, reader)
        return result


def why_not(result: IngestResult) -> str:
    """Why a delivery does not count, and what to do about it."""
    reasons = "; ".join(reason.text for reason in result.reasons)
    look = f"`monitor deliveries show {result.delivery}`"
    if result.verdict is Verdict.REFUSED:
        return f"delivery {result.delivery} is refused: {reasons}; see {look}"
    command = f"`monitor deliveries accept {result.delivery} --reason TEXT --by NAME`"
    return f"delivery {result.delivery} is pending review: {reasons}; see {look}; to ingest it: {command}"


def counted_on_terminal(rows: int) -> None:
    """Show how far it is, where a person is watching."""
    if sys.stderr.isatty():
        click.echo(f"\r  {rows:,} rows", nl=False, err=True)


def describe(result: IngestResult) -> str:
    """A delivery's result in words."""
    quarantined = ", ".join(f"{count} {reason}" for reason, count in result.quarantined.items()) or "none"
    lines = [
        f"delivery {result.delivery}: {result.rows} rows, {result.accepted} accepted, {result.duplicate} duplicate",
        f"new: {result.contents_new} contents, {result.notices_new} notices, {result.sightings_new} sightings",
        f"quarantined: {quarantined}",
        *(f"warning: {warning}" for warning in result.warnings),
        *([] if result.verdict is Verdict.OK else [f"verdict: {result.verdict}; nothing of this counts"]),
    ]
    return "\n".join(lines)
