"""Every hour a signed head of the audit trail; what keeps it from being written is told once, and that it is over."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from sqlalchemy import select, text

from monitor import audit
from monitor.db import transaction
from monitor.instants import HOUR, to_datetime
from monitor.models.guards import lifted
from monitor.models.run import Alert
from monitor.release.signing import create_signing_key
from monitor.schedule.leader import Checkpoints
from monitor.settings import Settings
from tests.conftest import Database

NOW = 1_775_000_000


@pytest.fixture
def hourly(database: Database, tmp_path: Path) -> Checkpoints:
    settings = Settings(home=tmp_path, database_url=database.url)
    create_signing_key(settings.signing_key_file, settings.public_keys)
    record(database)
    return Checkpoints(settings, database.engine)


def record(database: Database) -> None:
    with transaction(database.engine) as session:
        audit.record(session, to_datetime(NOW), "test", "act", "thing", {})


def written(hourly: Checkpoints) -> list[int]:
    """The number of entries that each head attests, in their order."""
    folder = hourly.settings.home / "checkpoints"
    return [int(path.name.split("-")[1]) for path in sorted(folder.glob("*.checkpoint"))]


def alerts(database: Database) -> list[tuple[str, str, bool]]:
    with transaction(database.engine) as session:
        return [(a.kind, str(a.details.get("reason")), a.ended_at is None) for a in session.scalars(select(Alert))]


def test_one_is_written_an_hour_and_no_other_in_between(hourly: Checkpoints, database: Database) -> None:
    for minute in range(0, 150, 10):
        if minute == 70:
            record(database)
        hourly.go(NOW + minute * 60)
    assert written(hourly) == [1, 1, 2]


def test_one_whose_name_is_of_the_future_keeps_none_from_being_written(hourly: Checkpoints) -> None:
    (hourly.settings.home / "checkpoints").mkdir()
    (hourly.settings.home / "checkpoints" / "29990101T000000Z-9-0123456789abcdef.checkpoint").write_text("planted")
    hourly.go(NOW)
    assert written(hourly) == [1, 9]


def test_nothing_is_written_of_an_empty_trail(database: Database, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=database.url)
    create_signing_key(settings.signing_key_file, settings.public_keys)
    hourly = Checkpoints(settings, database.engine)
    hourly.go(NOW)
    assert written(hourly) == []
    assert alerts(database) == []


def test_without_a_key_that_is_said_once(database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    record(database)
    hourly = Checkpoints(Settings(home=tmp_path, database_url=database.url), database.engine)
    caplog.set_level(logging.WARNING)
    for minute in range(3):
        hourly.go(NOW + 60 * minute)
    said = [r.getMessage() for r in caplog.records]
    assert said == ["no checkpoint is written: make a key with `monitor keys signing`"]


def test_a_trail_that_is_not_what_was_signed_raises_an_alert_and_gets_no_signature(
    hourly: Checkpoints, database: Database
) -> None:
    record(database)
    hourly.go(NOW)
    with database.engine.begin() as connection, lifted(connection, "audit_entries"):
        connection.execute(text("DELETE FROM audit_entries WHERE id = 2"))
    for hour in (1, 2):
        hourly.go(NOW + hour * HOUR)
    assert written(hourly) == [2]
    [(kind, reason, lasts)] = alerts(database)
    assert (kind, lasts) == ("checkpoint_failed", True)
    assert "its end was cut off" in reason


def test_a_folder_that_cannot_be_written_raises_an_alert_that_ends(
    database: Database, hourly: Checkpoints, tmp_path: Path
) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    both = Checkpoints(Settings(home=tmp_path, database_url=database.url, checkpoints=blocked), database.engine)
    both.go(NOW)
    assert written(both) == [1]
    [(kind, reason, lasts)] = alerts(database)
    assert (kind, lasts) == ("checkpoint_failed", True)
    assert "the checkpoint cannot be written" in reason
    blocked.unlink()
    both.go(NOW + HOUR)
    assert [lasts for _, _, lasts in alerts(database)] == [False]
    assert len(list(blocked.iterdir())) == 1
