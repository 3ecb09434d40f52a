"""`monitor sources`: the state of each source, for people, programs and checks."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli.schedule import sources
from monitor.db import transaction
from monitor.errors import MonitorError
from monitor.instants import iso
from monitor.schedule.health import freshness
from monitor.schedule.plan import Timing, arrange
from monitor.schedule.runs import Verdict, record
from tests.conftest import Database

HOURLY = Timing("urlhaus", cadence=3600, jitter=60, limit=600, retry=300)


@pytest.fixture
def now(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """The present, in an installation over the database."""
    monkeypatch.setenv("MONITOR_HOME", str(tmp_path))
    monkeypatch.setenv("MONITOR_DATABASE_URL", database.url)
    return int(time.time())


def _ask(*arguments: str) -> Result:
    return CliRunner().invoke(sources, list(arguments), catch_exceptions=False)


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (0, "fresh"),
        (-500, "fresh"),
        (3600 + 660, "fresh"),
        (3600 + 661, "late"),
        (3 * 3600 + 660, "late"),
        (3 * 3600 + 661, "stale"),
    ],
)
def test_freshness_against_the_cadence(age: int, expected: str) -> None:
    assert freshness(HOURLY, 1_777_636_800, 1_777_636_800 + age) == expected


def test_nothing_on_schedule(now: int) -> None:
    assert _ask("--check").stdout.startswith("no source was ever on schedule here")
    assert json.loads(_ask("--json").stdout) == []


def test_each_source(now: int, database: Database) -> None:
    with transaction(database.engine) as session:
        arrange(session, [HOURLY], now - 86_400)
        record(session, "urlhaus", now - 700, now - 600, Verdict("ok", rows=12))
        record(session, "urlhaus", now - 20, now - 10, Verdict("failed", "the feed: the server answered 503"))
    assert json.loads(_ask("--json", "--check").stdout) == [
        {
            "source": "urlhaus",
            "freshness": "fresh",
            "cadence_seconds": 3600,
            "last_success": iso(now - 600),
            "last_run": iso(now - 10),
            "verdict": "failed",
            "reason": "the feed: the server answered 503",
            "rows": 0,
            "failures": 0,
            "next_run": iso(now - 86_400),
        }
    ]
    said = _ask().stdout
    assert said.startswith("urlhaus      fresh  every 60 min, next ")
    assert "last failed at " in said


def test_check_fails_where_a_source_is_stale(now: int, database: Database) -> None:
    with transaction(database.engine) as session:
        arrange(session, [HOURLY], now - 86_400)
    assert "stale" in _ask().stdout
    assert "never ran" in _ask().stdout
    with pytest.raises(MonitorError, match="stale: urlhaus"):
        _ask("--check")
