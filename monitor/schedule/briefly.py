"""A connection for those who must not wait: what cannot be had at once is tried again a moment later."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import make_url

from monitor.db import connect
from monitor.schedule.lock import NOTICE_LOSS

_PATIENCE_MS = 1000


def connect_briefly(url: str) -> Engine:
    """An engine whose statements fail with OperationalError where a lock is not free within a second."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.update_query_dict(NOTICE_LOSS)
    engine = connect(parsed.render_as_string(hide_password=False))
    event.listen(engine, "connect", _hurry_sqlite if engine.dialect.name == "sqlite" else _hurry_postgresql)
    return engine


def _hurry_sqlite(connection: Any, _record: object) -> None:
    connection.execute(f"PRAGMA busy_timeout={_PATIENCE_MS}").close()


def _hurry_postgresql(connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = {_PATIENCE_MS}")
        cursor.execute(f"SET statement_timeout = {20 * _PATIENCE_MS}")
    connection.commit()
