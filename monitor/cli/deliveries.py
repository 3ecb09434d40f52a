"""`monitor ingest` and `monitor deliveries`: ingest what was delivered, and review what is suspicious."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.cli.runtime import INSTANT, Runtime, json_option, runtime, show
from monitor.db import lock_writers, transaction
from monitor.errors import MonitorError
from monitor.formats.catalogue import DEFAULT_SOURCE, FORMATS
from monitor.ingest import delivery
from monitor.ingest.delivery import DeliveryFile, read_ahead
from monitor.ingest.reader import ReadAhead
from monitor.ingest.result import IngestResult, findings_of
from monitor.ingest.review import ReviewDecision, accept, read_pending_ahead, reject
from monitor.models.facts import Delivery, Quarantined
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
    """Ingest one delivery, plain, gzip, zstd or ZIP. The same file twice changes nothing.

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


F = TypeVar("F", bound=Callable[..., Any])
NUMBER = click.IntRange(1, 2**63 - 1)

_WHAT_NOW = {
    Verdict.OK: "it counts; nothing is to be done",
    Verdict.SUSPICIOUS: (
        "nothing of it counts until you decide:\n  monitor deliveries accept {number} --reason TEXT --by NAME\n  "
        "monitor deliveries reject {number} --reason TEXT --by NAME"
    ),
    Verdict.REFUSED: "nothing of it counts; once the cause is fixed, deliver it again",
}


def decision_options(function: F) -> F:
    """Add `--reason` and `--by`, both required."""
    by = click.option("--by", required=True, metavar="NAME", help="Who decides; kept in the audit trail.")
    return click.option("--reason", required=True, metavar="TEXT", help="Why; kept in the audit trail.")(by(function))


@click.group(invoke_without_command=True)
@click.option("--quarantine", type=NUMBER, metavar="ID", help="List the quarantined rows of one delivery.")
@click.option("--verdict", type=click.Choice([str(word) for word in Verdict]), help="Only those with this verdict.")
@click.option("--source", help="Only those of this source.")
@json_option
@click.pass_context
def deliveries(
    context: click.Context, quarantine: int | None, verdict: str | None, source: str | None, as_json: bool
) -> None:
    """List what came in, the newest first; with --quarantine, the rows of one delivery that could not be read."""
    if context.invoked_subcommand is not None:
        return
    with transaction(runtime().engine) as session:
        if quarantine is None:
            rows = [row_of(delivery) for delivery in _chosen(session, verdict, source)]
            show(rows, as_json, "\n".join(map(_line, rows)) or "no deliveries yet")
        else:
            found = _quarantined(session, quarantine)
            show(found, as_json, "\n".join(map(_bad_row, found)) or "no row of this delivery is in quarantine")


@deliveries.command("show")
@click.argument("number", type=NUMBER, metavar="ID")
@json_option
def show_one(number: int, as_json: bool) -> None:
    """Say what became of one delivery, why, and what to do."""
    with transaction(runtime().engine) as session:
        delivery = _found(session, number)
        data, text = row_of(delivery), _story(delivery)
    show(data, as_json, text)


@deliveries.command("accept")
@click.argument("number", type=NUMBER, metavar="ID")
@decision_options
@json_option
def accept_one(number: int, reason: str, by: str, as_json: bool) -> None:
    """Ingest a delivery that is pending review: as it arrived then, recorded now."""
    run = runtime()
    with Session(run.engine) as looking:
        source = run.settings.source(_found(looking, number).source)
        with read_pending_ahead(looking, run.vault, source, number) as reader:

            def decide(session: Session, decision: ReviewDecision) -> IngestResult:
                return accept(session, run.vault, source, number, decision, reader)

            def attempt() -> IngestResult:
                return _decide(run, decide, reason, by)

            result = reader.store(attempt) if reader else attempt()
    text = f"delivery {number} counts now: {result.accepted} rows accepted, {result.duplicate} duplicate"
    show(result.as_json(), as_json, text)


@deliveries.command("reject")
@click.argument("number", type=NUMBER, metavar="ID")
@decision_options
@json_option
def reject_one(number: int, reason: str, by: str, as_json: bool) -> None:
    """Refuse a delivery that is pending review, for good; what was kept of it is erased."""
    result = _decide(runtime(), lambda session, decision: reject(session, number, decision), reason, by)
    show(result.as_json(), as_json, f"delivery {number} is refused; what was kept of it is erased")


def _decide(
    run: Runtime, decide: Callable[[Session, ReviewDecision], IngestResult], reason: str, by: str
) -> IngestResult:
    """Ask the clock when nobody else writes: what is recorded by then is what others can see."""
    with transaction(run.engine) as session:
        lock_writers(session)
        return decide(session, ReviewDecision(by, reason, run.now()))


def _chosen(session: Session, verdict: str | None, source: str | None) -> list[Delivery]:
    """The newest first; of those that arrived together, in the order they were ingested."""
    query = select(Delivery).order_by(Delivery.received_at.desc(), Delivery.id)
    if verdict is not None:
        query = query.where(Delivery.verdict == Verdict(verdict))
    if source is not None:
        query = query.where(Delivery.source == source)
    return list(session.scalars(query))


def _found(session: Session, number: int) -> Delivery:
    delivery = session.get(Delivery, number)
    if delivery is None:
        raise MonitorError(f"no delivery {number}; `monitor deliveries` lists them")
    return delivery


def _quarantined(session: Session, number: int) -> list[dict[str, object]]:
    delivery = _found(session, number)
    if delivery.verdict is not Verdict.OK:
        raise MonitorError(f"no row of delivery {number} was stored; see `monitor deliveries show {number}`")
    query = select(Quarantined).where(Quarantined.delivery_id == number).order_by(Quarantined.line)
    return [{"line": q.line, "reason": q.reason, "column": q.column} for q in session.scalars(query)]


def row_of(delivery: Delivery) -> dict[str, Any]:
    """A delivery with the stable keys of `monitor deliveries --json`."""
    decided = delivery.decided_at
    return {
        "delivery": delivery.id,
        "received_at": _instant(delivery.received_at),
        "source": delivery.source,
        "format": delivery.format,
        "file_digest": delivery.file_digest,
        "rows": delivery.rows,
        "accepted": delivery.accepted,
        "duplicate": delivery.duplicate,
        "rejected": sum(delivery.quarantined.values()),
        "quarantined": delivery.quarantined,
        "verdict": str(delivery.verdict),
        "reasons": [reason.as_json() for reason in findings_of(delivery)],
        "recorded_at": _instant(delivery.recorded_at),
        "decided_at": None if decided is None else _instant(decided),
        "decided_by": delivery.decided_by,
        "decision": delivery.decision,
    }


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['delivery']:>5}  {row['received_at']}  {row['source']:10} {row['format']:16} {row['verdict']:10} "
        f"{row['rows']:>8} rows {row['accepted']:>8} accepted {row['duplicate']:>8} duplicate "
        f"{row['rejected']:>6} quarantined"
    )


def _bad_row(row: dict[str, object]) -> str:
    return f"line {row['line']}: {row['reason']}{' in ' + str(row['column']) if row['column'] else ''}"


def _story(delivery: Delivery) -> str:
    received, bad = _instant(delivery.received_at), sum(delivery.quarantined.values())
    counts = f"{delivery.accepted:,} accepted, {delivery.duplicate:,} duplicate, {bad:,} quarantined"
    lines = [
        f"delivery {delivery.id} of {delivery.source} ({delivery.format}), received {received}: {delivery.verdict}",
        f"{delivery.rows:,} rows: {counts}",
    ]
    for reason in findings_of(delivery):
        lines += [f"{reason.verdict}: {reason.text}", f"  {reason.advice}"]
    if delivery.decided_at is not None:
        lines.append(f"decided by {delivery.decided_by} at {_instant(delivery.decided_at)}: {delivery.decision}")
    return "\n".join([*lines, _WHAT_NOW[delivery.verdict].format(number=delivery.id)])


def _instant(moment: Any) -> str:
    return str(moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
