"""The whole way on simulated data, each step at its own time: ingest, decide, release, correct. Twice is as once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from monitor.attribute.netblocks import TableFile, load_netblocks
from monitor.attribute.registry import load_registry
from monitor.attribute.review import confirm
from monitor.db import lock_writers, transaction
from monitor.decisions import Approval, Chosen, Span, suspend, withdraw_notice
from monitor.errors import MonitorError
from monitor.formats.registry import read_registry
from monitor.ingest.delivery import DeliveryFile, ingest
from monitor.ingest.review import ReviewDecision, accept
from monitor.instants import DAY, HOUR, parse_instant, to_datetime
from monitor.key_checks import open_vault
from monitor.models.company import Company
from monitor.models.facts import Attribution, Content, Correction, Delivery, Notice, Suspension
from monitor.models.release import Release
from monitor.period import parse_period
from monitor.release.draft import draft
from monitor.release.publish import correct, publish, unconfirmed_in
from monitor.release.rebuild import request_of
from monitor.release.store import newest_published
from monitor.score.methods import method
from monitor.score.pipeline import Request, score_for_release
from monitor.settings import Settings, Source
from monitor.simulate import simulate
from monitor.vault import Vault
from monitor.vocabulary import Decision, Pause, Verdict

BY, APPROVED_BY = "demo", "demo, a second person"
WAIVED = "demonstration with invented companies: there is nobody to hear"
ACCEPTED = "the hotline explained the gap: it could not export; nothing of it can be had any more"
OUTAGE = "storing bij het meldpunt (outage at the hotline)"

_HASH_SERVICE = Source("hash-service", publisher="an invented hash service", zone="UTC", cadence_minutes=7 * 24 * 60)
_SOURCES = {"history": "scart"}  # the others are sources of their own: years lie between them
_PUBLISHED_AFTER = 28 * DAY  # from the reference date on: what was checked by then has arrived, companies were heard
_MORNING = 9 * HOUR
_AFTER_A_GAP = {"long_gap", "too_few_rows"}  # what the checks find in the first deliveries after one
_LOOKED_AFTER = 14  # days on which the operator looks at pending deliveries, after nothing came for long

Clock = Callable[[], int]
Progress = Callable[[int, int], None]
Act: TypeAlias = Callable[[Session, int], None]
Event: TypeAlias = tuple[int, Act]  # when (epoch seconds), and what is done, told that time


@dataclass(frozen=True)
class Step:
    """One scenario in its folder: the deliveries in the order they arrived, and what it says of itself."""

    folder: Path
    facts: dict[str, Any]

    @property
    def deliveries(self) -> list[Path]:
        """All exports, oldest first."""
        return sorted((self.folder / "deliveries").iterdir())

    @property
    def releases(self) -> list[dict[str, Any]]:
        """Each period that has data, with its reference date, oldest first."""
        every: list[dict[str, Any]] = self.facts.get("releases", [self.facts])
        return [release for release in every if release["expected"] is not None]


@dataclass(frozen=True)
class Operator:
    """Who acts on one scenario: with which keys, engine and source."""

    settings: Settings
    vault: Vault
    step: Step

    @classmethod
    def of(cls, engine: Engine, settings: Settings, step: Step) -> Operator:
        """The operator of an installation."""
        return cls(settings, open_vault(engine, settings.key_file, int(time.time())), step)

    @property
    def source(self) -> Source:
        """Whose deliveries they are, in which zone, and how often they are to come."""
        name, facts = self.step.folder.name, self.step.facts
        known = self.settings.source("scart")
        cadence = facts.get("cadence_minutes", known.cadence_minutes)
        return replace(known, name=_SOURCES.get(name, name), zone=facts["zone"], cadence_minutes=cadence)

    def source_of(self, form: str) -> Source:
        """Whose delivery is in that format: what is in XARF comes from the hash service."""
        return _HASH_SERVICE if form == "xarf" else self.source

    def load_companies(self, session: Session, at: int) -> None:
        """Load registry and networks, unless something was delivered before: later ones may have changed them since."""
        if session.scalar(select(Delivery.id).where(Delivery.source == self.source.name).limit(1)) is not None:
            return
        load_registry(session, read_registry(self.step.folder / "registry.yaml"), to_datetime(at))
        networks = self.step.folder / "networks.csv"
        if networks.exists():
            load_netblocks(session, TableFile(networks, to_datetime(at).date()), to_datetime(at))

    def ingest(self, delivery_file: DeliveryFile, session: Session, at: int) -> None:
        """Ingest a delivery; raises MonitorError where the checks stop it for more than what a gap explains."""
        result = ingest(session, self.vault, delivery_file, at)
        ends = [parse_instant(end) for _, end in self.step.facts.get("gaps", ())]
        after_a_gap = any(0 <= delivery_file.received_at - end < _LOOKED_AFTER * DAY for end in ends)
        if {reason.rule for reason in result.reasons} - (_AFTER_A_GAP if after_a_gap else set()):
            raise MonitorError(
                f"delivery {result.delivery}: {result.verdict}: {'; '.join(r.text for r in result.reasons)}"
            )

    def decide(self, session: Session, at: int) -> None:
        """Accept what is pending review."""
        waiting = select(Delivery.id).where(Delivery.source == self.source.name, Delivery.verdict == Verdict.SUSPICIOUS)
        for number in session.scalars(waiting.order_by(Delivery.id)).all():
            accept(session, self.vault, self.source, number, ReviewDecision(BY, ACCEPTED, at))

    def suspend(self, starts_at: datetime, ends_at: datetime, session: Session, at: int) -> None:
        """Note that nobody could look: every clock stood still."""
        known = select(Suspension).where(Suspension.content_id.is_(None), Suspension.starts_at == starts_at)
        if session.scalars(known).first() is None:
            span, approval = Span(starts_at, ends_at), Approval(OUTAGE, BY, APPROVED_BY)
            suspend(session, Pause.OUTAGE, span, approval, to_datetime(at))

    def release(self, period: str, as_of: int, session: Session, at: int) -> None:
        """Score and publish a period."""
        if newest_published(session, period) is None:
            record = method()
            table = score_for_release(session, Request(parse_period(period), as_of, at, record, self.settings.engine))
            self.publish(session, draft(session, table, record, to_datetime(at), BY), at)

    def publish(self, session: Session, made: Release, at: int) -> None:
        """Confirm who the companies of a draft are, and publish it."""
        if unknown := unconfirmed_in(session, made):
            confirm(session, [row["company"] for row in unknown], to_datetime(at), BY)
        publish(session, made, WAIVED, to_datetime(at), BY)

    def withdraw(self, told: dict[str, str], session: Session, at: int) -> None:
        """Withdraw the notices of one site of a company, unless they are, or the period was corrected before."""
        chosen = Chosen(tuple(_largest_site(session, told["company"], told["period"])))
        withdrawn = select(Correction.id).where(
            Correction.decision == Decision.WITHDRAW_NOTICE, Correction.content_id.in_(chosen.contents),
            Correction.notice_id.is_(None),
        )  # fmt: skip
        if _corrected(session, told["period"]) or session.scalars(withdrawn.limit(1)).first() is not None:
            return
        withdraw_notice(session, chosen, Approval(told["reason"], BY, APPROVED_BY), to_datetime(at))

    def correct(self, told: dict[str, str], session: Session, at: int) -> None:
        """Publish the period once more, from what is known since."""
        old = newest_published(session, told["period"])
        if old is not None and not _corrected(session, told["period"]):
            request = request_of(old, self.settings.engine, known_at=at)
            new = correct(session, old, request, told["reason"], to_datetime(at), BY)
            self.publish(session, new, at)


def prepare(home: Path, name: str, scale: float) -> Step:
    """Simulate a scenario under `home`, unless it was before."""
    folder = home / "simulated" / name
    if not (folder / "scenario.json").exists():
        simulate(name, folder, scale=scale)
    return Step(folder, json.loads((folder / "scenario.json").read_text("utf-8")))


def play(engine: Engine, settings: Settings, step: Step, progress: Progress) -> None:
    """Do all that was done over a scenario's time, in its order and recorded at its time; what was done is not redone.

    Raises MonitorError where the checks stop a delivery for more than what a gap explains.
    """
    operator = Operator.of(engine, settings, step)
    _do(engine, sorted((*_ingestion(operator), *_work(operator)), key=lambda event: event[0]), progress)


def ingest_all(engine: Engine, settings: Settings, step: Step, clock: Clock, progress: Progress) -> None:
    """Only load the registry and ingest every delivery, recorded when `clock` says; raises MonitorError as `play`."""
    events = _ingestion(Operator.of(engine, settings, step))
    _do(engine, [(clock(), act) for _, act in events], progress)


def _do(engine: Engine, events: list[Event], progress: Progress) -> None:
    for number, (at, act) in enumerate(events, 1):
        with transaction(engine) as session:
            lock_writers(session)
            act(session, at)
        progress(number, len(events))


def _ingestion(operator: Operator) -> Iterator[Event]:
    """The registry a day before the first delivery, then each delivery at the time its name says it arrived."""
    delivery_files = [_delivery_file(path, operator) for path in operator.step.deliveries]
    yield delivery_files[0].received_at - DAY, operator.load_companies
    yield from (
        (delivery_file.received_at, partial(operator.ingest, delivery_file)) for delivery_file in delivery_files
    )


def _work(operator: Operator) -> Iterator[Event]:
    """What a person does: note outages, decide after gaps, release each period, correct."""
    facts = operator.step.facts
    for begin, end in (map(parse_instant, days) for days in facts.get("outages", ())):
        yield end + _MORNING, partial(operator.suspend, to_datetime(begin), to_datetime(end))
    for _, end in facts.get("gaps", ()):
        yield from ((parse_instant(end) + day * DAY + _MORNING, operator.decide) for day in range(_LOOKED_AFTER))
    for release in operator.step.releases:
        as_of = parse_instant(release["as_of"])
        yield as_of + _PUBLISHED_AFTER + _MORNING, partial(operator.release, release["period"], as_of)
    for told in facts.get("withdrawals", ()):
        morning = parse_instant(told["day"]) + _MORNING
        yield morning, partial(operator.withdraw, told)
        yield morning + HOUR, partial(operator.correct, told)  # scoring sees what was committed


def _delivery_file(path: Path, operator: Operator) -> DeliveryFile:
    """A delivery named `20220408T060000Z-scart-ntd.csv`, as it arrived then."""
    stamp, _, rest = path.name.partition("-")
    moment = f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}T{stamp[9:11]}:{stamp[11:13]}:{stamp[13:15]}Z"
    form = rest.split(".")[0]
    return DeliveryFile(operator.source_of(form), form, path, parse_instant(moment))


def _corrected(session: Session, period: str) -> bool:
    release = newest_published(session, period)
    return release is not None and release.version > 1


def _largest_site(session: Session, company: str, period: str) -> list[int]:
    """The items of the company's site with the most items that were noticed in the period."""
    days = parse_period(period)
    noticed = (
        select(Content.id, Content.site_id)
        .join(Attribution, Attribution.content_id == Content.id)
        .join(Company, Company.id == Attribution.company_id)
        .join(Notice, Notice.content_id == Content.id)
        .where(Company.key == company)
        .where(Notice.sent_at >= to_datetime(days.start), Notice.sent_at < to_datetime(days.end))
        .distinct()
        .subquery()
    )
    sites = select(noticed.c.site_id).group_by(noticed.c.site_id).order_by(func.count().desc(), noticed.c.site_id)
    chosen = session.scalar(sites.limit(1))
    return list(session.scalars(select(noticed.c.id).where(noticed.c.site_id == chosen).order_by(noticed.c.id)))
