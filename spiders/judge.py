"""The verdict on a run, from what the database holds: Scrapy's own word on success says nothing."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monitor.models.facts import Delivery
from monitor.schedule.runs import FAILED, OK, UNCHANGED, Verdict
from spiders.trip import Outcome


def judge(session: Session, outcome: Outcome) -> Verdict:
    """Failed where anything went wrong, with why; ok where something new is stored; unchanged otherwise."""
    stored = session.scalar(select(func.count()).where(Delivery.id.in_(list(outcome.taken)))) or 0
    deliveries, rows = tuple(outcome.taken), sum(outcome.taken.values())
    if reason := _failure(outcome, stored):
        return Verdict(FAILED, reason, deliveries, rows)
    verdict = OK if outcome.taken else UNCHANGED
    return Verdict(verdict, _remark(outcome), deliveries, rows, outcome.validators)


def _failure(outcome: Outcome, stored: int) -> str | None:
    """What went wrong, in one line; None where all that was set out for is accounted for."""
    if outcome.failures:
        return "; ".join(outcome.failures)
    if stored != len(outcome.taken):
        return f"only {stored} of {len(outcome.taken)} deliveries are in the database"
    if outcome.accounted < outcome.expected:
        return f"stopped early: {outcome.expected - outcome.accounted} of {outcome.expected} deliveries did not arrive"
    return None if outcome.complete else "stopped before everything was asked for"


def _remark(outcome: Outcome) -> str | None:
    """What the operator should know about a good run."""
    remarks = []
    if outcome.growing:
        remarks.append(f"{outcome.growing} left for the next run: still growing")
    if outcome.unnamed:
        remarks.append(f"{outcome.unnamed} .csv left: a name must contain ntd or ntdclosed")
    return "; ".join(remarks) or None
