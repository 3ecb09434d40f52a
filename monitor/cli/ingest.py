"""`monitor ingest`: take one delivery in, and say what became of it."""

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
from monitor.ingest.ahead import Ahead
from monitor.ingest.answer import Answer
from monitor.ingest.take import Parcel
from monitor.intake import Decision, accept, read_ahead, take_in
from monitor.vocabulary import Verdict


@click.command()
@click.argument("format", type=click.Choice(list(FORMATS)))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--source", help="Who delivered it (default: the source of the format).")
@click.option("--received-at", type=INSTANT, help="When it arrived, e.g. 2026-04-10T12:07:25Z (default: now).")
@click.option("--zone", help="The time zone of its times, e.g. Europe/Amsterdam (default: the source's).")
@click.option("--accept", "anyway", is_flag=True, help="Take it in even if it is suspicious, with --reason and --by.")
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
    """Take in one delivery, plain, gzip or zstd. The same file twice changes nothing.

    Exit 1 where it does not count: refused, or suspicious and waiting for a person.
    """
    if anyway != (reason is not None) or anyway != (by is not None):
        raise click.UsageError("--accept, --reason and --by go together")
    run = runtime()
    configured = run.settings.source(source or DEFAULT_SOURCE[format])
    zoned = replace(configured, zone=zone or configured.zone)
    arrived = run.now() if received_at is None else received_at
    parcel = Parcel(zoned, format, file, arrived)
    decided = None if reason is None or by is None else (by, reason)
    gc.freeze()  # what is loaded by now stays to the end; looking through it again and again cost a sixth of the time
    with read_ahead(run.engine, run.vault, parcel) as ahead:
        answer = ahead.store(lambda: _store(run, parcel, ahead, decided))
    show(answer.as_json(), as_json, describe(answer))
    if answer.verdict is not Verdict.OK:
        raise MonitorError(why_not(answer))


def _store(run: Runtime, parcel: Parcel, ahead: Ahead, decided: tuple[str, str] | None) -> Answer:
    """Take it in, and accept it where somebody `decided` (who, why) to whatever it looks like."""
    with transaction(run.engine) as session:
        lock_writers(session)  # what is recorded by now is what others can see: ask the clock when nobody else writes
        now = run.now()
        answer = take_in(session, run.vault, parcel, now, counted_on_terminal, given=ahead)
        if decided and answer.verdict is Verdict.SUSPICIOUS:
            decision = Decision(*decided, now)
            answer = accept(session, run.vault, parcel.source, answer.delivery, decision, ahead)
        return answer


def why_not(answer: Answer) -> str:
    """Why a delivery does not count, and what to do about it."""
    reasons = "; ".join(reason.text for reason in answer.reasons)
    look = f"`monitor deliveries show {answer.delivery}`"
    if answer.verdict is Verdict.REFUSED:
        return f"delivery {answer.delivery} is refused: {reasons}; see {look}"
    take = f"`monitor deliveries accept {answer.delivery} --reason TEXT --by NAME`"
    return f"delivery {answer.delivery} waits for a person: {reasons}; see {look}; to take it in: {take}"


def counted_on_terminal(rows: int) -> None:
    """Show how far it is, where a person is watching."""
    if sys.stderr.isatty():
        click.echo(f"\r  {rows:,} rows", nl=False, err=True)


def describe(answer: Answer) -> str:
    """A delivery's answer in words."""
    quarantined = ", ".join(f"{count} {reason}" for reason, count in answer.quarantined.items()) or "none"
    lines = [
        f"delivery {answer.delivery}: {answer.rows} rows, {answer.accepted} accepted, {answer.duplicate} duplicate",
        f"new: {answer.contents_new} contents, {answer.notices_new} notices, {answer.sightings_new} sightings",
        f"quarantined: {quarantined}",
        *(f"warning: {warning}" for warning in answer.warnings),
        *([] if answer.verdict is Verdict.OK else [f"verdict: {answer.verdict}; nothing of this counts"]),
    ]
    return "\n".join(lines)
