"""One job a source, kept in the database: what is due survives a restart, and who leads next finds it there.

The job store pickles its jobs. It lies in our own database, and whoever can write there could do worse than that; a
job's only argument is the name of its source.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy import Engine, bindparam, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from monitor.instants import to_datetime
from monitor.settings import Settings, Source

_log = logging.getLogger(__name__)

TABLE = "apscheduler_jobs"
_MOST_AT_ONCE = 4
_LONGEST_JITTER = 60


def scheduled(settings: Settings) -> list[Source]:
    """The sources to collect: those somebody gave a location."""
    return sorted((s for s in settings.sources.values() if s.location), key=lambda source: source.name)


class PersistentScheduler(BackgroundScheduler):  # type: ignore[misc]  # APScheduler has no types
    """Goes on where the database fails while a job is moved to its next time; the original's thread would just end."""

    def _process_jobs(self) -> float | None:
        try:
            wait: float | None = super()._process_jobs()
        except SQLAlchemyError as error:
            _log.warning("the schedule could not be kept in the database (%s); trying again", type(error).__name__)
            wait = self.jobstore_retry_interval
        return wait


def build(engine: Engine) -> BackgroundScheduler:
    """A scheduler over the jobs in the database; not started yet."""
    return PersistentScheduler(
        jobstores={"default": SQLAlchemyJobStore(engine=engine, tablename=TABLE)},
        executors={"default": ThreadPoolExecutor(_MOST_AT_ONCE)},
        timezone=UTC,
    )


def arrange(scheduler: BackgroundScheduler, sources: Iterable[Source], now: datetime) -> None:
    """Make the stored jobs those of the sources. A job whose cadence is unchanged keeps its next run time, so that
    restarting often neither delays nor repeats anything; a new one runs at once.
    """
    wanted = {source.name: source for source in sources}
    stored = {job.id: job for job in scheduler.get_jobs()}
    for name in stored.keys() - wanted.keys():
        scheduler.remove_job(name)
    for name, source in wanted.items():
        seconds = source.cadence_minutes * 60
        if name in stored and stored[name].trigger.interval == timedelta(seconds=seconds):
            continue
        scheduler.add_job(
            "monitor.schedule.process:collect",
            IntervalTrigger(seconds=seconds, jitter=min(_LONGEST_JITTER, seconds / 10), timezone=UTC),
            args=[name],
            id=name,
            name=name,
            replace_existing=True,
            next_run_time=now,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=max(1, round(seconds)),  # a run missed while nobody led is made up for, once
        )


def halt(scheduler: BackgroundScheduler) -> None:
    """Start nothing more. Without its jobs: on shutting down, the scheduler looks once more for what is due, moves it
    to its next time, and only then finds that nothing can be started any more.
    """
    scheduler.pause()
    scheduler.remove_jobstore("default")


def next_runs(engine: Engine, names: Iterable[str]) -> Mapping[str, datetime]:
    """When each source is due, as stored; nothing where no scheduler has run yet."""
    if not inspect(engine).has_table(TABLE):
        return {}
    query = text(f"SELECT id, next_run_time FROM {TABLE} WHERE id IN :names")  # noqa: S608 -- a constant
    with engine.connect() as connection:
        rows: Any = connection.execute(query.bindparams(bindparam("names", expanding=True)), {"names": list(names)})
        return {name: to_datetime(int(when)) for name, when in rows if when is not None}
