"""Seeing that another process has published: every page may then be another."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import TypeAlias

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from monitor.models.release import Release, Stage

EVERY = 1.0  # seconds between two looks of one worker

_LOG = logging.getLogger("monitor.site")

State: TypeAlias = tuple[object, ...]


class Watch:
    """Counts how often what is published was seen to change; looks at most once in EVERY seconds.

    Only one thread looks; meanwhile the others go on with what was seen last, also where the database does not answer.
    """

    def __init__(self, engine: Engine, publications: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._folder, self._clock = engine, publications, clock
        self._lock = Lock()
        self._seen: State | None = None
        self._due = clock()
        self._count = 0
        self._answers = True

    def __call__(self) -> int:
        """The number of the present state."""
        if self._clock() >= self._due and self._lock.acquire(blocking=False):
            try:
                self._due = self._clock() + EVERY
                self._look()
            finally:
                self._lock.release()
        return self._count

    def _look(self) -> None:
        try:
            seen = published(self._engine, self._folder)
        except SQLAlchemyError as error:
            if self._answers:
                _LOG.warning("the database does not answer (%s): kept pages are shown on", type(error).__name__)
            self._answers = False
            return
        self._answers = True
        if seen != self._seen:
            self._seen, self._count = seen, self._count + 1


def published(engine: Engine, publications: Path) -> State:
    """What changes whenever a release is published, or its files are made; raises SQLAlchemyError."""
    query = select(func.count(), func.max(Release.id), func.max(Release.published_at))
    with engine.connect() as connection:
        releases = connection.execute(query.where(Release.stage == Stage.PUBLISHED)).one()
    try:
        files = publications.stat().st_mtime_ns
    except FileNotFoundError:
        files = None
    return (*releases, files)
