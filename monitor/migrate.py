"""Bringing a database to the newest schema, with Alembic: loaded only then, for it takes a quarter of a second."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, inspect, text

import migrations
from monitor.errors import ConfigurationError

if TYPE_CHECKING:
    from alembic.config import Config

_MARK = "alembic_version"  # holds the revision; empty where the schema was taken back to nothing


def configuration() -> Config:
    """Alembic's configuration, wherever the package is installed."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    return config


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Create or migrate the schema in one transaction."""
    from alembic import command

    with engine.begin() as connection:
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Take the schema back to an earlier revision (`base`: to nothing)."""
    from alembic import command

    with engine.begin() as connection:
        config = configuration()
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def require_schema(engine: Engine) -> None:
    """Raise ConfigurationError where the database has no schema yet."""
    with engine.connect() as connection:
        is_marked = inspect(connection).has_table(_MARK)
        if not is_marked or not connection.scalar(text(f"SELECT COUNT(*) FROM {_MARK}")):  # noqa: S608 -- ours
            raise ConfigurationError("the database has no tables yet: run `monitor init --create-keys`")
