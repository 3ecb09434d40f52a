"""Bringing a database to the newest schema, with Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Engine

import migrations
from monitor.errors import ConfigurationError


def configuration() -> Config:
    """Alembic's configuration, wherever the package is installed."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    return config


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Create or migrate the schema in one transaction."""
    with engine.begin() as connection:
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Take the schema back to an earlier revision (`base`: to nothing)."""
    with engine.begin() as connection:
        config = configuration()
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def require_schema(engine: Engine) -> None:
    """Raise ConfigurationError where the database has no schema yet."""
    with engine.connect() as connection:
        if MigrationContext.configure(connection).get_current_revision() is None:
            raise ConfigurationError("the database has no tables yet: run `monitor init --create-keys`")
