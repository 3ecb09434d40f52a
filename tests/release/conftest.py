"""A published release, and the command line on its database."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from monitor.cli import cli
from monitor.db import transaction
from monitor.release.draft import draft
from monitor.release.publish import publish
from monitor.score.methods import method
from monitor.score.pipeline import score_for_release
from tests.conftest import Database, NewDatabase, prepared
from tests.release.history import DRAFTED, Items, first_facts, request


@dataclass(frozen=True)
class Published:
    """A database with one published release (number 1), and the items in it by what became of them."""

    database: Database
    items: Items


@pytest.fixture
def published(database: Database, new_database: NewDatabase) -> Published:
    return Published(database, prepared(database, new_database, "published", _publish))


def _publish(database: Database) -> Items:
    items = first_facts(database)
    with transaction(database.engine) as session:
        release = draft(session, score_for_release(session, request()), method(), DRAFTED, "test")
        publish(session, release, "invented companies", DRAFTED, "test")
    return items


@dataclass(frozen=True)
class Said:
    """What a command answered; `error` is the message of one that failed."""

    out: str
    error: str | None

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Said]


@pytest.fixture
def run(database: Database, tmp_path: Path) -> Run:
    """Runs `monitor release ...` on the database of the test, at the present time."""
    settings = {"MONITOR_HOME": str(tmp_path), "MONITOR_DATABASE_URL": database.url}

    def command(*arguments: object) -> Said:
        result = CliRunner().invoke(cli, [str(argument) for argument in arguments], env=settings)
        return Said(result.stdout, None if result.exit_code == 0 else str(result.exception))

    return command
