"""What both observers share: they ask batch by batch, each batch recorded before it is asked and delivered after."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from monitor import audit
from monitor.db import lock_writers, transaction
from monitor.errors import ConfigurationError, MonitorError
from monitor.instants import to_datetime
from monitor.observe.facts import Observation, claim, deliver, due, forget, recall
from monitor.observe.items import OpenItem, open_items
from monitor.settings import Source
from spiders.collection_run import CollectionRun

SHORTEST_INTERVAL = timedelta(minutes=15)
_BATCH = 10  # subjects that a run which is killed leaves unasked until the next interval


@dataclass(frozen=True)
class Observer:
    """An observer that is off until `needs`, a field of its source, is set.

    `check` makes one run, and says that nothing ended it early: a signal ends the process, between two transactions.
    """

    SOURCE: Source
    needs: str
    check: Callable[[CollectionRun], bool]


@contextmanager
def reported(run: CollectionRun) -> Iterator[None]:
    """Note errors that an operator can act on in the outcome of the run, as with a spider."""
    try:
        yield
    except MonitorError as error:
        run.outcome.refuse(run.source.name, str(error))
    run.outcome.complete = True


def start(run: CollectionRun, details: dict[str, object]) -> list[OpenItem]:
    """The open items, once the audit trail says that they will be opened, with `details`."""
    now, name = to_datetime(run.now()), run.source.name
    with transaction(run.engine) as session:
        lock_writers(session)  # SQLite refuses to write on what was read before another one wrote
        items = open_items(session, now)
        audit.record(session, now, name, "observe", "open items", {"items": len(items)} | details)
        forget(session, name, now)
    return items


def batches(run: CollectionRun, subjects: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The subjects that are due, batch by batch; each batch is written down as asked before it is given out.

    A run uses half of the time its source gives it. What is left is due at the next, and goes first.
    """
    name, interval = run.source.name, interval_of(run.source)
    until = run.now() + run.source.timeout_minutes * 60 / 2
    with transaction(run.engine) as session:
        waiting = due(subjects, recall(session, name), to_datetime(run.now()), interval)
    while waiting and run.now() <= until:
        batch, waiting = waiting[:_BATCH], waiting[_BATCH:]
        with transaction(run.engine) as session:
            lock_writers(session)
            claim(session, name, batch, to_datetime(run.now()))
        yield batch


def conclude_and_deliver(run: CollectionRun, conclude: Callable[[Session], Sequence[Observation]]) -> None:
    """What `conclude` makes of a batch, with all it remembers of it, and its delivery: one transaction."""
    with transaction(run.engine) as session:
        lock_writers(session)
        seen = conclude(session)
        delivery = deliver(session, run.source.name, seen, run.now()).id if seen else None
    if delivery is not None:
        run.outcome.expected += 1
        run.outcome.ingested[delivery] = len(seen)


def paced(pause: float) -> Callable[[], None]:
    """Waits before each question but the first, so that all of them together come no faster than one a pause."""
    last: float | None = None

    def wait() -> None:
        nonlocal last
        if last is not None:
            time.sleep(max(0.0, last + pause - time.monotonic()))
        last = time.monotonic()

    return wait


def interval_of(source: Source) -> timedelta:
    """How long a subject is left alone: `recheck_gap_hours`."""
    hours = source.recheck_gap_hours
    if hours is None or timedelta(hours=hours) < SHORTEST_INTERVAL:
        raise ConfigurationError(f"[sources.{source.name}]: recheck_gap_hours must be 0.25 or more")
    return timedelta(hours=hours)
