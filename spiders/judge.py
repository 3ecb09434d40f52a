"""The verdict on a run, from what the database holds: Scrapy reports success even where every item failed."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monitor.models.company import NetblockTable
from monitor.models.facts import Delivery
from monitor.schedule.runs import FAILED, HELD, OK, STOPPED, UNCHANGED, Verdict
from spiders.collection_run import RunOutcome
from spiders.scart_drop import NAMED_BY


def judge(session: Session, outcome: RunOutcome, *, finished: bool = True) -> Verdict:
    """Failed where anything went wrong, with why; held where a delivery is pending review; ok where something new is
    stored; unchanged otherwise. `finished`: False where the run was told to stop early; what it stored stays.
    """
    stored = session.scalar(select(func.count()).where(Delivery.id.in_(list(outcome.ingested)))) or 0
    tables = session.scalar(select(func.count()).where(NetblockTable.id.in_(list(outcome.tables)))) or 0
    deliveries, rows = tuple(outcome.ingested), sum(outcome.ingested.values()) + sum(outcome.tables.values())
    if not finished:
        return Verdict(STOPPED, "told to stop before it was done", deliveries, rows)
    if reason := _failure(outcome, stored, tables):
        return Verdict(FAILED, reason, deliveries, rows, not_before=outcome.not_before)
    if outcome.pending:
        return Verdict(HELD, "; ".join(outcome.pending), deliveries, rows, outcome.validators)
    verdict = OK if outcome.ingested or outcome.tables else UNCHANGED
    return Verdict(verdict, _remark(outcome), deliveries, rows, outcome.validators)


def _failure(outcome: RunOutcome, stored: int, tables: int) -> str | None:
    """What went wrong, in one line; None where all that was asked for is accounted for."""
    if outcome.failures:
        return "; ".join(outcome.failures)
    if stored != len(outcome.ingested):
        return f"only {stored} of {len(outcome.ingested)} deliveries are in the database"
    if tables != len(outcome.tables):
        return f"only {tables} of {len(outcome.tables)} tables of networks are in the database"
    if outcome.accounted < outcome.expected:
        return f"stopped early: {outcome.expected - outcome.accounted} of {outcome.expected} deliveries did not arrive"
    return None if outcome.complete else "stopped before everything was asked for"


def _remark(outcome: RunOutcome) -> str | None:
    """What the operator should know about a good run."""
    remarks = []
    if outcome.growing:
        remarks.append(f"{outcome.growing} left for the next run: still growing")
    if outcome.unnamed:
        remarks.append(f"tables left: {outcome.unnamed}, as a name must contain {NAMED_BY}")
    return "; ".join(remarks) or None
