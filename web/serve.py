"""The production server: the site under granian."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from granian import Granian
from granian.constants import Interfaces

from monitor import logs
from monitor.schedule.briefly import connect_briefly
from monitor.settings import Settings
from web.api.places import TOTAL
from web.app import create_app
from web.cache import PageCache
from web.published import Watch

_FOR_READERS = 4  # threads of a worker that no request with a token can take


def serve(settings: Settings, host: str = "127.0.0.1", port: int = 8000, workers: int = 1) -> None:
    """Serve the site until it is stopped; each worker is a process with its own pages and tables in memory."""
    run(partial(_load, settings), host, port, workers)


def run(load: Callable[[], Any], host: str, port: int, workers: int) -> None:
    """Serve the WSGI application that `load` makes in each worker."""
    server = Granian(
        "web.app:create_app",
        address=host,
        port=port,
        workers=workers,
        interface=Interfaces.WSGI,
        blocking_threads=_FOR_READERS + TOTAL,
    )
    server.serve(target_loader=load, wrap_loader=False)


def _load(settings: Settings) -> Callable[..., Any]:
    logs.configure(settings)  # in each worker: it logs as the schedule does
    return with_cache(settings)


def with_cache(settings: Settings) -> PageCache:
    """The site with its finished pages in memory, as each worker has it."""
    watch = Watch(connect_briefly(settings.database_url), settings.publications)
    return PageCache(create_app(settings), watch)
