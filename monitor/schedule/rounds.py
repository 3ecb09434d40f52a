"""One round of the schedule: write down what ended, start what is due, and see which sources went stale.

A round keeps nothing in memory but the processes that run: where the database fails in the middle of one, the next
round does the rest.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from monitor.db import transaction
from monitor.instants import to_datetime
from monitor.models.run import CollectorRun, ScheduledSource
from monitor.schedule import alerts
from monitor.schedule.health import watch
from monitor.schedule.leadership import Superseded
from monitor.schedule.plan import claim, due, next_run
from monitor.schedule.process import GRACE, Run, Runs
from monitor.schedule.runs import FAILED, STOPPED, RunId, Verdict, record, run_named
from monitor.settings import Settings

_log = logging.getLogger(__name__)
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
