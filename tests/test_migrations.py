"""The schema: migrations make what the models say, and go down and up again."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

import monitor.models  # noqa: F401 -- fills the metadata
from monitor.db import Base
from monitor.migrate import downgrade, upgrade
from tests.conftest import Database


def test_migrations_make_the_schema_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_down_to_nothing_and_up_again(database: Database) -> None:
    downgrade(database.engine, "base")
    assert set(inspect(database.engine).get_table_names()) == {"alembic_version"}
    upgrade(database.engine)
    assert "notices" in inspect(database.engine).get_table_names()
