"""One leader at a time: wait for a term, run the schedule while it lasts, stand down when another has begun."""

from __future__ import annotations

import logging
import secrets
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Event

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from monitor.db import transaction
from monitor.instants import to_datetime
from monitor.schedule import alerts
from monitor.schedule.checkpoints import LOOK, Checkpoints
from monitor.schedule.interval_jobs import IntervalJobs
from monitor.schedule.leadership import HeartbeatState, Superseded, beat, fence, look, release_term, take
from monitor.schedule.lock import connect_with_short_timeout
from monitor.schedule.plan import Timing, arrange
from monitor.schedule.process import Runs
from monitor.schedule.rounds import Rounds
from monitor.settings import Settings

_log = logging.getLogger(__name__)
_BEATS_A_LEASE = 10
_SEND_EVERY = 1.0  # seconds between looks for alerts that were not sent


def serve(settings: Settings, timings: Iterable[Timing], stop: Event) -> None:
    """Wait until no other instance leads, then lead; stand down where another took over, and wait again.

    Returns when `stop` is set. The database may come and go meanwhile.
    """
    timings = list(timings)
    engine = connect_with_short_timeout(settings.database_url)
    try:
        while not stop.is_set():
            term = _wait(settings, engine, stop)
            if term is not None:
                _lead(settings, timings, term, stop)
    finally:
        engine.dispose()


def _wait(settings: Settings, engine: Engine, stop: Event) -> int | None:
    """Try until a term is ours; None where we were stopped before.

    Nobody's clock is read but our own: who shows the same sign of life for a whole lease is taken to be gone.
    """
    holder = f"{socket.gethostname()[:40]}-{secrets.token_hex(4)}"
    last: HeartbeatState | None = None
    since = time.monotonic()
    trouble = OutageLogger("waiting to lead")
    while True:
        try:
            seen = look(engine)
            trouble.over()
            if seen != last:
                if last is None and seen.held:
                    _log.info("another instance leads, or did a moment ago; waiting", extra={"event": "waiting"})
                last, since = seen, time.monotonic()
            silent = time.monotonic() - since > settings.lease_seconds
            if not seen.held or silent:
                now = int(time.time())
                term = take(engine, seen.term, holder, to_datetime(now), partial(_note, seen.term + 1, seen.held, now))
                if term is not None:
                    return term
        except SQLAlchemyError as error:
            trouble.met(error)
        if stop.wait(settings.lease_seconds / _BEATS_A_LEASE):
            return None


def _lead(settings: Settings, timings: list[Timing], term: int, stop: Event) -> None:
    engine = fence(connect_with_short_timeout(settings.database_url), term)
    teller = fence(connect_with_short_timeout(settings.database_url), term)
    notary = fence(connect_with_short_timeout(settings.database_url), term)
    rounds = Rounds(settings, engine, Runs(term))
    names = ", ".join(timing.source for timing in timings) or "none"
    _log.info("leading in term %d; sources: %s", term, names, extra={"event": "leading", "term": term})
    try:
        interval_jobs = IntervalJobs()
        interval_jobs.every(settings.lease_seconds / _BEATS_A_LEASE, Leading(rounds, timings, term).go)
        interval_jobs.every(
            _SEND_EVERY, AlertSender(settings, teller).go
        )  # beside the rounds, so that a slow hook costs no term
        interval_jobs.every(LOOK, CheckpointWriter(Checkpoints(settings, notary)).go)
        interval_jobs.run(stop)
        _log.info("stopping", extra={"event": "stopping", "term": term})
    except Superseded:
        _log.warning("term %d is over: another instance leads", term, extra={"event": "superseded"})
    finally:
        rounds.stop()
        with suppress(Superseded):  # the new leader tells
            AlertSender(settings, teller).go()
        _leave(engine, term)
        notary.dispose()
        teller.dispose()
        engine.dispose()


class Leading:
    """Round after round of one term. What the database does not take now is tried again in the next one."""

    def __init__(self, rounds: Rounds, timings: list[Timing], term: int) -> None:
        """Nothing is done yet."""
        self._rounds, self._timings, self._term = rounds, timings, term
        self._trouble, self._number, self._begun = OutageLogger("leading"), 0, False

    def go(self) -> None:
        """One round; raises Superseded where the term is over."""
        self._number += 1
        now, engine = int(time.time()), self._rounds.engine
        try:
            if not beat(engine, self._term, self._number, now):
                raise Superseded("superseded")
            if not self._begun:
                with transaction(engine) as session:
                    arrange(session, self._timings, now)
                self._begun = True
            self._rounds.go(now)
            self._trouble.over()
        except SQLAlchemyError as error:
            self._trouble.met(error)


def _note(term: int, after_silence: bool, now: int, session: Session) -> None:
    """Raise the alerts of a new leader, in the transaction in which it begins to lead, so that none can be missing."""
    if term > 1:
        details = {"term": term, "before": "silent" if after_silence else "let go"}
        alerts.begin(session, alerts.LEADER_CHANGED, f"term {term}", details, now)
    if after_silence:
        words = {"reason": "the leader of this term was not heard of any more"}
        alerts.begin(session, alerts.SCHEDULE_STOPPED, f"term {term - 1}", words, now)


def _leave(engine: Engine, term: int) -> None:
    """Let go of the term, so that the next need not wait. Where that fails, it waits for a lease."""
    try:
        release_term(engine, term)
    except (Superseded, SQLAlchemyError) as error:
        _log.info("the term could not be let go (%s); the next leader waits a little", type(error).__name__)


class AlertSender:
    """Sends the operator the alerts that were not sent yet."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        """Nothing is told yet."""
        self._settings, self._engine, self._trouble = settings, engine, OutageLogger("telling alerts")

    def go(self) -> None:
        """Tell all there is; raises Superseded where the term is over."""
        try:
            alerts.tell(self._settings, self._engine)
            self._trouble.over()
        except SQLAlchemyError as error:
            self._trouble.met(error)


class CheckpointWriter:
    """Has the audit trail signed, every hour."""

    def __init__(self, checkpoints: Checkpoints) -> None:
        """Nothing is signed yet."""
        self._checkpoints, self._trouble = checkpoints, OutageLogger("signing the audit trail")

    def go(self) -> None:
        """Sign it where it is time; raises Superseded where the term is over."""
        try:
            self._checkpoints.go(int(time.time()))
            self._trouble.over()
        except SQLAlchemyError as error:
            self._trouble.met(error)


@dataclass
class OutageLogger:
    """Trouble with the database: said once when it begins and once when it is over."""

    doing: str
    on: bool = False

    def met(self, error: SQLAlchemyError) -> None:
        """There is some."""
        if not self.on:
            kind = type(error).__name__
            _log.warning(
                "%s: the database fails (%s); trying again", self.doing, kind, extra={"event": "database_lost"}
            )
        self.on = True

    def over(self) -> None:
        """There is none."""
        if self.on:
            _log.info("%s: the database is back", self.doing, extra={"event": "database_back"})
        self.on = False
