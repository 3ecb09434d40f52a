"""Runs migrations on the connection that was handed over, or on the configured database."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from monitor.db import Base, connect
from monitor.models import Company
from monitor.settings import load_settings

assert Company.metadata is Base.metadata  # importing the models has filled it


def run(connection: Connection) -> None:
    """Bring one database to the wanted revision, in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    run(handed_over)
else:
    with connect(load_settings().database_url).begin() as fresh:
        run(fresh)
