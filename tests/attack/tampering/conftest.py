"""A whole installation with a release, its correction, their files and signed heads: what an attacker finds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from monitor.cli import cli
from monitor.db import connect
from monitor.instants import iso
from monitor.models.guards import lifted
from monitor.settings import Settings
from tests.conftest import Database, NewDatabase
from tests.release.conftest import Said
from tests.release.history import KNOWN, MOVES_FIGURES, PERIOD, first_facts, learn, request
from tests.support.databases import administer, named

WAIVED = "invented companies"


@dataclass(frozen=True)
class Installation:
    """Its home folder and database."""

    home: Path
    url: str
    engine: Engine

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home, database_url=self.url)

    @property
    def files(self) -> Path:
        """The files of the version in force."""
        return (self.home / "publications" / f"{PERIOD}-v2").resolve()

    def run(self, *arguments: object) -> Said:
        """What a command of `monitor` answers."""
        given = {"MONITOR_HOME": str(self.home), "MONITOR_DATABASE_URL": self.url}
        result = CliRunner().invoke(cli, [str(argument) for argument in arguments], env=given)
        return Said(result.stdout, None if result.exit_code == 0 else str(result.exception))

    def problems(self, *command: object) -> list[str]:
        """What `release verify` or another command finds; it must fail where it finds something, and only there."""
        said = self.run(*command, "--json")
        found: list[str] = said.json["problems"]
        assert (said.error is None) == (not found), said
        return found

    def change(self, *tables_and_statement: str) -> None:
        """Change rows as the owner of the database can: without the triggers, which are put back."""
        *tables, statement = tables_and_statement
        with self.engine.begin() as connection:
            self._change(connection, tables, statement)

    def _change(self, connection: Any, tables: list[str], statement: str) -> None:
        if not tables:
            connection.execute(text(statement))
            return
        with lifted(connection, tables[0]):
            self._change(connection, tables[1:], statement)


@pytest.fixture(scope="session")
def untouched(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Made once for each database; tests get a copy."""
    url, home = new_database(), tmp_path_factory.mktemp("untouched")
    made = Installation(home, url, connect(url))
    database = Database(url, made.engine)
    assert made.run("init", "--create-keys").error is None
    items = first_facts(database)
    known = ("--as-of", iso(request().as_of), "--known-at", iso(KNOWN))
    commands: tuple[tuple[str, ...], ...] = (
        ("release", "draft", "--period", PERIOD, *known),
        ("release", "publish", PERIOD, "--waive-hearing", WAIVED),
    )
    for command in commands:
        assert made.run(*command).error is None
    learn(database, MOVES_FIGURES["a removal set"], items)
    assert made.run("release", "correct", PERIOD, "--reason", "a removal was set").error is None
    assert made.run("release", "publish", PERIOD, "--waive-hearing", WAIVED).error is None
    assert made.run("audit", "checkpoint").error is None
    made.engine.dispose()
    return made


@pytest.fixture
def installation(untouched: Installation, tmp_path: Path) -> Iterator[Installation]:
    """A copy of its own, with links as they were."""
    home = tmp_path / "home"
    shutil.copytree(untouched.home, home, symlinks=True)
    if untouched.engine.dialect.name == "sqlite":
        url = f"sqlite:///{tmp_path / 'monitor.db'}"
        shutil.copy(str(untouched.engine.url.database), tmp_path / "monitor.db")
    else:
        name = f"copy_{abs(hash(tmp_path)):x}"
        administer(named(untouched.url, "postgres"), f"CREATE DATABASE {name} TEMPLATE {untouched.engine.url.database}")
        url = named(untouched.url, name)
    engine = connect(url)
    yield Installation(home, url, engine)
    engine.dispose()
    if engine.dialect.name == "postgresql":
        administer(named(url, "postgres"), f"DROP DATABASE {engine.url.database} WITH (FORCE)")


def rehash(session: Session) -> None:
    """Make all hashes of the audit trail fit again, as whoever can write them can."""
    from sqlalchemy import select

    from monitor import audit
    from monitor.models.audit import AuditEntry

    previous = "0" * 64
    for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id)):
        entry.previous_hash = previous
        entry.entry_hash = previous = audit._hash(entry)
        session.flush()
