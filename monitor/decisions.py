"""Decisions that people take about facts: that clocks stood still, or a correction. One proposes, another approves.

A decision is a fact of its own beside those that were collected, with its reason. Nothing is undone but by another
decision; what is published changes with the next version of a release (`monitor.release.publish.correct`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor import audit
from monitor.attribute.assign import attribute_notices
from monitor.clear_text import holds_address, refuse_address
from monitor.db import lock_writers
from monitor.errors import MonitorError
from monitor.identities import require_one_scheme
from monitor.ingest.batches import REFERENCE
from monitor.ingest.references import digest_of_number
from monitor.models.columns import ItemReference
from monitor.models.company import Company
from monitor.models.facts import Content, Correction, Delivery, Notice, Suspension
from monitor.urls import NotAUrlError, parse_url
from monitor.vault import Vault
from monitor.vocabulary import Decision, Pause, Role

_LONGEST_NAME, _LONGEST_REASON = 128, {"suspension": 500, "correction": 2000}  # characters
_LISTED = 20  # items of a decision that the audit trail names one by one


@dataclass(frozen=True, slots=True)
class Approval:
    """Why a decision is taken, on what evidence, who proposed it and who, being another, approved it."""

    reason: str
    decided_by: str
    approved_by: str
    evidence: str = ""

    def __post_init__(self) -> None:
        """Raise MonitorError where something is missing, or one person did both."""
        for text, what in (
            (self.reason, "the reason"),
            (self.decided_by, "who proposes"),
            (self.approved_by, "who approves"),
        ):
            if not text.strip():
                raise MonitorError(f"{what} is missing: a decision has a reason, and two people who took it")
            refuse_address(text, what)
        refuse_address(self.evidence, "the evidence")
        if _same(self.decided_by) == _same(self.approved_by):
            raise MonitorError("who approves a decision must be another than who proposes it")
        if max(len(self.decided_by), len(self.approved_by)) > _LONGEST_NAME:
            raise MonitorError(f"a name has {_LONGEST_NAME} characters at most")

    def as_details(self) -> dict[str, str]:
        """For the audit trail."""
        evidence = {"evidence": self.evidence.strip()} if self.evidence.strip() else {}
        return {"reason": self.reason.strip(), "approved_by": self.approved_by} | evidence


def _same(name: str) -> str:
    return " ".join(name.split()).casefold()


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a decision is about: contents by their number, and the notices that were named (none: the item was)."""

    contents: tuple[int, ...]
    notices: tuple[int, ...] = ()


def refuse_url(reference: str) -> None:
    """Raise MonitorError for an address in the place of a number."""
    if holds_address(reference):
        raise MonitorError("that is an address, not a number: give a URL in a file, or on standard input")


def choose_by_reference(
    session: Session, vault: Vault, reference: str, source: str | None = None, *, several: bool = False
) -> Chosen:
    """The notices of that number of the sender, else the items of that file number.

    Raises MonitorError, which never repeats the number, where there is none, where several sources use it and none is
    named, and where it is of several and `several` is not said.
    """
    refuse_url(reference)
    [sealed] = vault.seal_equal([reference], REFERENCE)
    notices = select(Notice.id, Notice.content_id, Delivery.source).join(Delivery, Delivery.id == Notice.delivery_id)
    sent = session.execute(notices.where(Notice.reference_sealed == sealed).order_by(Notice.id))
    chosen: list[tuple[int | None, int, str]] = [(row.id, row.content_id, row.source) for row in sent]
    if not chosen:
        items = select(ItemReference.content_id, ItemReference.source).order_by(ItemReference.id)
        numbered = session.execute(items.where(ItemReference.number_digest == digest_of_number(vault, reference)))
        chosen = [(None, row.content_id, row.source) for row in numbered]
    sources = sorted({used for _, _, used in chosen})
    if source is None and len(sources) > 1:
        raise MonitorError(f"several sources use that number ({', '.join(sources)}): say which with --source")
    chosen = [row for row in chosen if source in (None, row[2])]
    if not chosen:
        raise MonitorError("no notice and no item has that number; see that it is written as the sender writes it")
    found = Chosen(
        tuple(dict.fromkeys(content for _, content, _ in chosen)),
        tuple(notice for notice, _, _ in chosen if notice is not None),
    )
    if max(len(found.contents), len(found.notices)) > 1 and not several:
        raise MonitorError(
            f"{len(found.notices) or len(found.contents)} {'notices' if found.notices else 'items'} have that number: "
            "if all of them are meant, say so with --all"
        )
    return found


def choose_by_url(session: Session, vault: Vault, url: str) -> Chosen:
    """The item of a URL; MonitorError where there is none, or where some still have digests of an earlier scheme."""
    require_one_scheme(session, "finding an item by its URL")
    try:
        digest = vault.url_digest(parse_url(url.strip()).text)
    except NotAUrlError as error:
        raise MonitorError("what was given is no URL with a host") from error
    content = session.scalar(select(Content.id).where(Content.url_digest == digest))
    if content is None:
        raise MonitorError("no item has that URL; a notice may know only its first 255 characters")
    return Chosen((content,))


def choose_by_number(session: Session, content: int) -> Chosen:
    """The item of that content number, as `monitor attribute` names it; MonitorError where there is none."""
    if session.get(Content, content) is None:
        raise MonitorError(f"there is no item {content}")
    return Chosen((content,))


@dataclass(frozen=True, slots=True)
class Span:
    """From an instant (included) to one (not included)."""

    starts_at: datetime
    ends_at: datetime

    def require_past(self, now: datetime) -> None:
        """Raise MonitorError where it is empty, or has not ended: what is to come is recorded when it has been."""
        if self.ends_at <= self.starts_at:
            raise MonitorError("the time ends before it begins")
        if self.ends_at > now:
            raise MonitorError("the time has not ended yet: record it when it has")

    def as_details(self) -> dict[str, str]:
        """For the audit trail."""
        return {"from": self.starts_at.isoformat(), "to": self.ends_at.isoformat()}


def suspend(
    session: Session,
    pause: Pause,
    span: Span,
    approval: Approval,
    now: datetime,
    *,
    contents: Sequence[int] = (),
    source: str | None = None,
) -> list[Suspension]:
    """Record that clocks stood still: of some items, of all that a source gave notice of, or (neither) of all.

    Raises MonitorError where that is recorded already, nothing was delivered by the source, or the time has not passed.
    """
    lock_writers(session)
    span.require_past(now)
    reason = _reason(approval, "suspension")
    if source is not None and contents:
        raise MonitorError("a suspension is of items or of a source, not of both")
    if source is not None and session.scalar(select(Delivery.id).where(Delivery.source == source).limit(1)) is None:
        raise MonitorError(f"nothing was delivered by a source {source!r}; see `monitor deliveries`")
    about: Sequence[int | None] = contents or (None,)
    same = (Suspension.starts_at == span.starts_at, Suspension.ends_at == span.ends_at, Suspension.pause == pause)
    recorded = {(row.content_id, row.source) for row in session.scalars(select(Suspension).where(*same))}
    if any((content, source) in recorded for content in about):
        raise MonitorError("that suspension is recorded already")
    rows = [
        Suspension(
            content_id=content, source=source, starts_at=span.starts_at, ends_at=span.ends_at, pause=pause,
            reason=reason, decided_by=approval.decided_by, approved_by=approval.approved_by, recorded_at=now,
        )
        for content in about
    ]  # fmt: skip
    session.add_all(rows)
    session.flush()
    subject = _subject(contents) if contents else f"source {source}" if source else "all items"
    _record(session, now, approval, "suspension.record", subject, {"pause": str(pause)} | span.as_details(), contents)
    return rows


def withdraw_notice(session: Session, chosen: Chosen, approval: Approval, now: datetime) -> list[Correction]:
    """Withdraw notices: they start no clock and count nowhere. Where an item was chosen, all notices about it.

    Raises MonitorError where they are withdrawn already.
    """
    about: list[dict[str, Any]] = [{"content_id": content} for content in chosen.contents]
    if chosen.notices:
        content_of = {
            row.id: row.content_id
            for row in session.execute(select(Notice.id, Notice.content_id).where(Notice.id.in_(chosen.notices)))
        }
        about = [{"content_id": content_of[notice], "notice_id": notice} for notice in chosen.notices]
    return _correct(session, Decision.WITHDRAW_NOTICE, about, approval, now)


def reassign(
    session: Session,
    vault: Vault,
    chosen: Chosen,
    company: str,
    approval: Approval,
    now: datetime,
    span: Span | None = None,
) -> list[Correction]:
    """Decide which company hosted items, for all notices or those sent within a time; they are attributed anew.

    Raises MonitorError where there is no such company, or that is decided already.
    """
    identifier = session.scalar(select(Company.id).where(Company.key == company))
    if identifier is None:
        raise MonitorError(f"there is no company {company!r}; its key is that of the registry")
    notified = select(Notice.content_id).where(
        Notice.content_id.in_(chosen.contents), Notice.recipient_role == Role.HOSTER
    )
    if set(chosen.contents) - set(session.scalars(notified)):
        raise MonitorError("no notice about it went to a hosting company: there is nothing to reassign")
    about = [{"content_id": content, "company_id": identifier, **_times(span)} for content in chosen.contents]
    rows = _correct(session, Decision.REASSIGN, about, approval, now, {"company": company})
    attribute_notices(session, vault, now, chosen.contents)
    return rows


def set_removal(
    session: Session, chosen: Chosen, removed_at: datetime, approval: Approval, now: datetime
) -> list[Correction]:
    """Decide when items were removed. Raises MonitorError for a time to come, and where that is decided already."""
    if removed_at > now:
        raise MonitorError("a removal cannot lie in the future")
    about = [{"content_id": content, "starts_at": removed_at} for content in chosen.contents]
    return _correct(session, Decision.SET_REMOVAL, about, approval, now, {"removed": removed_at.isoformat()})


def exclude_interval(
    session: Session, chosen: Chosen, span: Span, approval: Approval, now: datetime
) -> list[Correction]:
    """Take a time off the clock of items. Raises MonitorError where it has not passed, or is excluded already."""
    span.require_past(now)
    about = [{"content_id": content, **_times(span)} for content in chosen.contents]
    return _correct(session, Decision.EXCLUDE_INTERVAL, about, approval, now, span.as_details())


def _correct(
    session: Session,
    decision: Decision,
    about: Sequence[Mapping[str, Any]],
    approval: Approval,
    now: datetime,
    details: Mapping[str, str] = {},
) -> list[Correction]:
    lock_writers(session)
    reason = _reason(approval, "correction")
    rows = [
        Correction(
            decision=decision, reason=reason, decided_by=approval.decided_by, approved_by=approval.approved_by,
            recorded_at=now, **each,
        )
        for each in about
    ]  # fmt: skip
    contents = [row.content_id for row in rows]
    before = session.scalars(
        select(Correction).where(Correction.decision == decision, Correction.content_id.in_(contents))
    )
    if {_about(row) for row in before} & {_about(row) for row in rows}:
        raise MonitorError("that is decided already; see the audit trail")
    session.add_all(rows)
    session.flush()
    notices = [row.notice_id for row in rows if row.notice_id is not None]
    named = {**details, **({"notices": len(notices)} if notices else {})}
    _record(session, now, approval, f"correction.{decision}", _subject(contents), named, contents)
    return rows


def _about(row: Correction) -> tuple[Any, ...]:
    return row.content_id, row.notice_id, row.company_id, row.starts_at, row.ends_at


def _times(span: Span | None) -> dict[str, datetime]:
    return {} if span is None else {"starts_at": span.starts_at, "ends_at": span.ends_at}


def _reason(approval: Approval, kind: str) -> str:
    reason = approval.reason.strip()
    if len(reason) > _LONGEST_REASON[kind]:
        raise MonitorError(f"the reason of a {kind} has {_LONGEST_REASON[kind]} characters at most")
    return reason


def _subject(contents: Sequence[int]) -> str:
    return f"item {contents[0]}" if len(set(contents)) == 1 else f"{len(set(contents))} items"


def _record(
    session: Session,
    now: datetime,
    approval: Approval,
    action: str,
    subject: str,
    details: Mapping[str, Any],
    contents: Sequence[int],
) -> None:
    listed = {"items": sorted(set(contents))} if 1 < len(set(contents)) <= _LISTED else {}
    audit.record(session, now, approval.decided_by, action, subject, {**details, **listed, **approval.as_details()})
