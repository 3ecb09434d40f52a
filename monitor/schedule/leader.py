"""The leader runs the schedule while its term lasts: what ended, what is due, and what is done every hour."""

from __future__ import annotations

import logging
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from threading import Event

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from monitor.db import transaction
from monitor.errors import MonitorError
from monitor.instants import HOUR, to_datetime
from monitor.models.run import CollectorRun, ScheduledSource
from monitor.release.checkpoints import load_key, newest_checkpoint, write_checkpoint
from monitor.schedule import alerts
from monitor.schedule.health import watch
from monitor.schedule.leadership import (
    HeartbeatState,
    Superseded,
    beat,
    connect_with_short_timeout,
    fence,
    look,
    release_term,
    take,
)
from monitor.schedule.plan import Timing, arrange, claim, due, next_run
from monitor.schedule.runs import FAILED, GRACE, STOPPED, Run, RunId, Runs, Verdict, record, run_named, send
from monitor.settings import Settings

# What is done again and again, turned by APScheduler; it stops with the first thing that must not go on.

_LOOK = 0.5  # seconds between looks at whether to stop, and at the clock
_JUMP = 5.0  # seconds by which the wall clock may drift against the time that passes


class IntervalJobs:
    """Jobs that are run in their interval, each one at a time: a late one is run once, however many it missed."""

    def __init__(self) -> None:
        """Nothing runs before `run`."""
        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._scheduler = BackgroundScheduler(timezone=UTC, job_defaults=defaults)
        self._over = Event()
        self._error: Exception | None = None

    def every(self, seconds: float, work: Callable[[], None]) -> None:
        """Run `work` at once and then in this interval."""
        self._scheduler.add_job(self._go, "interval", [work], seconds=seconds, next_run_time=datetime.now(UTC))

    def run(self, stop: Event) -> None:
        """Turn until `stop` is set, or a job raises: that is raised here, when what still runs has ended."""
        ahead = _ahead()
        self._scheduler.start()
        while not stop.is_set() and not self._over.wait(_LOOK):
            if abs(_ahead() - ahead) > _JUMP:  # jobs wait for a time of day, which has become another one
                ahead = _ahead()
                for job in self._scheduler.get_jobs():
                    job.modify(next_run_time=datetime.now(UTC))
        self._scheduler.shutdown(wait=True)
        if self._error is not None:
            raise self._error

    def _go(self, work: Callable[[], None]) -> None:
        if self._over.is_set():
            return
        try:
            work()
        except Exception as error:  # noqa: BLE001 -- goes on in `run`; APScheduler would log it and go on
            self._error = self._error or error
            self._over.set()


def _ahead() -> float:
    """By how much the wall clock is ahead of the time that passes."""
    return time.time() - time.monotonic()


# Every hour a signed head of the audit trail, outside the database; the operator is told where that fails.

_CHECKPOINT_LOOK = 60.0  # seconds between looks at whether an hour has passed
_SUBJECT = "the audit trail"
_log = logging.getLogger(__name__)


@dataclass
class Checkpoints:
    """Writes a checkpoint where the newest one in the home folder is an hour old.

    `told`: that there is no key. `failing`: the last one failed, or it is not known yet whether one did before us.
    """

    settings: Settings
    engine: Engine
    told: bool = False
    failing: bool = True

    def go(self, now: int) -> None:
        """Look, and write where it is time; raises SQLAlchemyError or Superseded, and can then be gone again."""
        newest = newest_checkpoint(self.settings.checkpoint_folders[0])
        if newest is not None and now - HOUR < newest <= now:  # one of the future was planted, or the clock put back
            return
        try:
            written = self._write(now)
        except MonitorError as error:
            self._failed(str(error), now)
            return
        if written and self.failing:
            with transaction(self.engine) as session:
                alerts.end(session, alerts.CHECKPOINT_FAILED, _SUBJECT, now)
            self.failing = False

    def _write(self, now: int) -> bool:
        """Whether there was something to sign, and a key; this only reads the database, which others may be writing."""
        key = load_key(self.settings)
        if key is None:
            self._say_once()
            return False
        with transaction(self.engine) as session:
            files = write_checkpoint(session, self.settings, key, now)
        if files:
            _log.info("checkpoint %s written", files[0].name, extra={"event": "checkpoint"})
        return bool(files)

    def _failed(self, reason: str, now: int) -> None:
        self.failing = True
        with transaction(self.engine) as session:
            is_new = alerts.begin(session, alerts.CHECKPOINT_FAILED, _SUBJECT, {"reason": reason}, now)
        if is_new:
            _log.error("%s", reason, extra={"event": "checkpoint_failed"})

    def _say_once(self) -> None:
        if not self.told:
            _log.warning("no checkpoint is written: make a key with `monitor keys signing`", extra={"event": "no_key"})
        self.told = True


# Every hour the running quarter as it then stands, in a process of its own: a table of it is for the desk.

_PROJECTION_LOOK = 60.0  # seconds between looks at whether an hour has begun
_PROJECTION = (sys.executable, "-m", "monitor", "project")


@dataclass
class Projections:
    """Has the running quarter projected: at the second look of a term, and then when an hour has begun.

    Where it fails, which is logged, the next hour tries again.
    """

    command: Sequence[str] = _PROJECTION
    looked: bool = False
    hour: int | None = None
    process: subprocess.Popen[bytes] | None = None

    def go(self, now: int) -> None:
        """Look whether one has ended, and begin one where it is time."""
        if self.process is not None:
            if (code := self.process.poll()) is None:
                return
            self.process = None
            if code:
                _log.error("the running quarter could not be projected", extra={"event": "projection_failed"})
            else:
                _log.info("running quarter projected", extra={"event": "projected"})
        if self.looked and now // HOUR != self.hour:
            self.hour = now // HOUR
            self.process = subprocess.Popen(  # noqa: S603
                self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
            )
        self.looked = True

    def stop(self) -> None:
        """End one that runs: what it has not finished leaves the one before in place."""
        if self.process is not None and self.process.poll() is None:
            send(self.process, signal.SIGKILL)
            self.process.wait()


# One round of the schedule: write down what ended, start what is due, and see which sources went stale.
#
# A round keeps nothing in memory but the processes that run: where the database fails in the middle of one, the next
# round does the rest.

_WATCH = 30.0  # seconds between looks at the freshness of sources and at stopped deliveries


@dataclass
class Rounds:
    """What a leader does in its term. `engine` is fenced: everything here ends with the term."""

    settings: Settings
    engine: Engine
    runs: Runs
    watched: float | None = None

    def go(self, now: int) -> None:
        """One round; raises SQLAlchemyError or Superseded, and can then be gone again."""
        for run in self.runs.over():
            self._settle(run, now)
        self._start_due(now)
        if self.watched is None or time.monotonic() - self.watched >= _WATCH:
            with transaction(self.engine) as session:
                watch(session, now)
            self.watched = time.monotonic()

    def stop(self) -> None:
        """End what runs, within the time of grace, and write down how, if this term still may."""
        self.runs.stop(GRACE)
        for run in self.runs.over():
            try:
                self._settle(run, int(time.time()), stopped=True)
            except (Superseded, SQLAlchemyError) as error:
                _log.info("the end of a run could not be written down (%s)", type(error).__name__, extra=_named(run))

    def _start_due(self, now: int) -> None:
        with transaction(self.engine) as session:
            waiting = [timing for timing in due(session, now) if timing.source not in self.runs.going]
        for timing in waiting:
            if not self.runs.room:
                return
            with transaction(self.engine) as session:
                claim(session, timing, now)
            run = self.runs.start(timing, now)
            _log.info("run started", extra={"event": "run_started"} | _named(run))

    def _settle(self, run: Run, now: int, *, stopped: bool = False) -> None:
        """Write down how a run ended, where it no longer could, and when its source is due again."""
        with transaction(self.engine) as session:
            ended = run_named(session, run.name) or self._record(session, run, now, stopped=stopped)
            source = session.get(ScheduledSource, run.timing.source)
            if source is not None:
                _plan(source, run, ended, now)
                self._alert_failures(session, source, ended, now)
            told = {"event": "run_ended", "verdict": ended.verdict, "rows": ended.rows} | _named(run)
            level = logging.ERROR if ended.verdict == FAILED else logging.INFO
            said = f"run ended: {ended.verdict}{f': {ended.reason}' if ended.reason else ''}"
        self.runs.settled(run)
        _log.log(level, "%s", said, extra=told)

    def _record(self, session: Session, run: Run, now: int, *, stopped: bool) -> CollectorRun:
        reason = run.broken or "it ended without a verdict; see its log"
        verdict = Verdict(STOPPED, "stopped with the schedule") if stopped else Verdict(FAILED, reason)
        run_id = RunId(run.name, self.runs.term)
        return record(session, run.timing.source, run.started_at, now, verdict, run_id)

    def _alert_failures(self, session: Session, source: ScheduledSource, ended: CollectorRun, now: int) -> None:
        if not source.failures:
            alerts.end(session, alerts.SOURCE_FAILING, source.source, now)
        elif source.failures >= self.settings.alerts.failures:
            details = {"failures": source.failures, "reason": ended.reason}
            alerts.begin(session, alerts.SOURCE_FAILING, source.source, details, now)


def _plan(source: ScheduledSource, run: Run, ended: CollectorRun, now: int) -> None:
    if ended.verdict == STOPPED:
        source.next_run_at = to_datetime(now)  # who leads next makes it up
        return
    source.failures = source.failures + 1 if ended.verdict == FAILED else 0
    source.next_run_at = to_datetime(next_run(run.timing, run.started_at, now, source.failures))


def _named(run: Run) -> dict[str, object]:
    return {"run": run.name, "source": run.timing.source}


# One leader at a time: wait for a term, run the schedule while it lasts, stand down when another has begun.

_BEATS_A_LEASE = 10
_SHORTEST_PAUSE = 15.0  # seconds that a leader may be silent within a transaction, however short the lease
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
    engine, teller, notary = (
        fence(connect_with_short_timeout(settings.database_url), term, max(settings.lease_seconds, _SHORTEST_PAUSE))
        for _ in range(3)
    )
    rounds, projections = Rounds(settings, engine, Runs(term)), Projections()
    names = ", ".join(timing.source for timing in timings) or "none"
    _log.info("leading in term %d; sources: %s", term, names, extra={"event": "leading", "term": term})
    try:
        interval_jobs = IntervalJobs()
        interval_jobs.every(settings.lease_seconds / _BEATS_A_LEASE, Leading(rounds, timings, term).go)
        interval_jobs.every(
            _SEND_EVERY, AlertSender(settings, teller).go
        )  # beside the rounds, so that a slow hook costs no term
        interval_jobs.every(_CHECKPOINT_LOOK, CheckpointWriter(Checkpoints(settings, notary)).go)
        interval_jobs.every(_PROJECTION_LOOK, lambda: projections.go(int(time.time())))
        interval_jobs.run(stop)
        _log.info("stopping", extra={"event": "stopping", "term": term})
    except Superseded:
        _log.warning("term %d is over: another instance leads", term, extra={"event": "superseded"})
    finally:
        projections.stop()
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
