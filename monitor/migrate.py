"""Bringing a database to the newest schema, with Alembic: loaded only then, for it takes a quarter of a second."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

import migrations
from monitor.errors import ConfigurationError

if TYPE_CHECKING:
    from alembic.config import Config

    from monitor.vault import Vault

_MARK = "alembic_version"  # holds the revision; empty where the schema was taken back to nothing


def configuration() -> Config:
    """Alembic's configuration, wherever the package is installed."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    return config


def upgrade(engine: Engine, revision: str = "head", vault: Vault | None = None) -> None:
    """Create or migrate the schema in one transaction; what was kept in clear before needs the vault to be sealed.

    Raises ConfigurationError where it needs one and there is none.
    """
    from alembic import command

    with engine.begin() as connection:
        config = configuration()
        config.attributes["connection"] = connection
        config.attributes["vault"] = vault
        command.upgrade(config, revision)
    if config.attributes.get("erased"):
        _forget_erased(engine)


def _forget_erased(engine: Engine) -> None:
    """What a migration erased is gone from free pages, write-ahead log and dead rows too; takes room for a copy."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM FULL"))
        return
    driver = engine.raw_connection()  # outside any transaction
    try:
        for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            driver.cursor().execute(statement)
    finally:
        driver.close()


def downgrade(engine: Engine, revision: str, vault: Vault | None = None) -> None:
    """Take the schema back to an earlier revision (`base`: to nothing); raises as `upgrade`."""
    from alembic import command

    with engine.begin() as connection:
        config = configuration()
        config.attributes["connection"] = connection
        config.attributes["vault"] = vault
        command.downgrade(config, revision)


@cache
def newest_revision() -> str | None:
    """The revision that this version of the software needs."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(configuration()).get_current_head()


def current_revision(connection: Connection) -> str | None:
    """The revision of a database; None where it has no schema."""
    if not inspect(connection).has_table(_MARK):
        return None
    found: str | None = connection.scalar(text(f"SELECT version_num FROM {_MARK}"))  # noqa: S608 -- ours
    return found


def require_schema(engine: Engine) -> None:
    """Raise ConfigurationError where the database has no schema yet."""
    with engine.connect() as connection:
        if current_revision(connection) is None:
            raise ConfigurationError("the database has no tables yet: run `monitor init --create-keys`")
