"""The lock of the leader: one holder, freed by its death, and known to be lost when it is."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import text

from monitor.errors import ConfigurationError, MonitorError
from monitor.schedule.leadership import exclusive, lock_for
from monitor.settings import Settings
from tests.conftest import Database


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Settings:
    """An installation on each database."""
    return Settings(home=tmp_path, database_url=database.url)


def test_one_holder_at_a_time(settings: Settings) -> None:
    first, second, other = lock_for(settings, "a"), lock_for(settings, "a"), lock_for(settings, "b")
    assert first.acquire()
    assert not second.acquire()
    assert not second.held()
    assert other.acquire()
    assert first.held()
    first.release()
    assert not first.held()
    end = time.monotonic() + 30
    while not second.acquire():  # PostgreSQL frees the lock when it has noticed that the connection is closed
        assert time.monotonic() < end
    assert second.held()
    for lock in (first, second, other):
        lock.release()


def test_exclusive_says_what_is_in_the_way(settings: Settings) -> None:
    def both() -> None:
        with exclusive(lock_for(settings, "a"), "free"), exclusive(lock_for(settings, "a"), "busy"):
            pytest.fail("both hold the lock")

    with pytest.raises(MonitorError, match="busy"):
        both()
    with exclusive(lock_for(settings, "a"), "still busy"):
        pass


def test_lost_lock_is_not_held(settings: Settings, database: Database) -> None:
    lock = lock_for(settings, "a")
    assert lock.acquire()
    take_away(settings, database)
    assert not lock.held()
    assert not lock.held()  # nor after the connection could have been made anew
    lock.release()


def test_lock_that_cannot_be_had(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file, not a folder", "utf-8")
    with pytest.raises(ConfigurationError, match="cannot be opened for locking"):
        lock_for(Settings(home=tmp_path / "home"), "a").acquire()


def take_away(settings: Settings, database: Database, name: str = "a") -> None:
    """Lose the lock: the file is replaced, or the server ends the session."""
    if database.engine.dialect.name == "sqlite":
        (settings.home / f"{name}.lock").unlink()
        (settings.home / f"{name}.lock").touch()
        return
    ending = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = "
    with database.engine.connect() as connection:
        connection.execute(text(ending + "(SELECT oid FROM pg_database WHERE datname = current_database())"))
