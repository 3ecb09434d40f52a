"""The production server: the site under granian."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from granian import Granian
from granian.constants import Interfaces

from monitor import logs
from monitor.settings import Settings
from web.app import create_app


def serve(settings: Settings, host: str = "127.0.0.1", port: int = 8000, workers: int = 1) -> None:
    """Serve the site until it is stopped; each worker is a process with its own cache of tables."""
    server = Granian(
        "web.app:create_app", address=host, port=port, workers=workers, interface=Interfaces.WSGI, blocking_threads=4
    )
    server.serve(target_loader=partial(_load, settings), wrap_loader=False)


def _load(settings: Settings) -> Callable[..., Any]:
    logs.configure(settings)  # in each worker: it logs as the schedule does
    return create_app(settings)
