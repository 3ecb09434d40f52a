"""The demonstration: everything at its own time, on the record, provable, and the same when it is run again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monitor import audit
from monitor.db import Base, transaction
from monitor.demo import BY, Step, play, prepare
from monitor.errors import MonitorError
from monitor.models.facts import Correction, Delivery, Suspension
from monitor.models.release import Release
from monitor.release.store import load_table
from monitor.release.verify import rebuild
from monitor.settings import Settings
from monitor.vault import Vault
from tests.conftest import Database

FIRST, LAST = "20241003", "20260303"  # deliveries of these days: the gap, the merger, the second outage, a withdrawal
PERIODS = ("2024Q4", "2025Q4")


@pytest.fixture
def part(tmp_path: Path) -> Step:
    """A part of the history, with a quarter of its notices."""
    step = prepare(tmp_path, "history", 0.25)
    for path in step.deliveries:
        if not FIRST <= path.name[:8] <= LAST:
            path.unlink()
    releases = [release for release in step.facts["releases"] if release["period"] in PERIODS]
    return replace(step, facts=step.facts | {"releases": releases})


def run(database: Database, step: Step) -> None:
    """Play it, as the command does."""
    home = step.folder.parents[1]
    settings = Settings(home=home, database_url=database.url, key_file=home / "keys.json")
    play(database.engine, settings, step, lambda done, total: None)


def sizes(session: Session) -> dict[str, int]:
    """Rows of every table."""
    tables = Base.metadata.sorted_tables
    return {table.name: session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}


def test_a_history_is_recorded_released_and_corrected_in_its_time(database: Database, vault: Vault, part: Step) -> None:
    run(database, part)
    with transaction(database.engine) as session:
        before = sizes(session)
        releases = session.scalars(select(Release).order_by(Release.id)).all()
        assert [(r.period, r.version, str(r.published_at)[:10], r.manifest["known_at"]) for r in releases] == [
            ("2024Q4", 1, "2025-02-05", "2025-02-05T09:00:00Z"),
            ("2025Q4", 1, "2026-02-05", "2026-02-05T09:00:00Z"),
            ("2025Q4", 2, "2026-03-02", "2026-03-02T10:00:00Z"),
        ]
        assert rebuild(session, releases[1]).identical  # what was decided later is not known to it
        assert audit.verify(session) == []

        held = session.scalars(
            select(Delivery).where(Delivery.decided_by == BY).order_by(Delivery.received_at, Delivery.format)
        ).all()
        assert [(d.format, str(d.received_at)[:10], str(d.decided_at)[:16], d.verdict) for d in held] == [
            ("scart-ntd", "2025-04-03", "2025-04-03 09:00", "ok"),
            ("scart-ntdclosed", "2025-04-10", "2025-04-10 09:00", "ok"),
            ("scart-whois", "2025-04-10", "2025-04-10 09:00", "ok"),
        ]
        assert "long_gap" in {reason["rule"] for delivery in held for reason in delivery.reasons}
        outages = session.scalars(select(Suspension).order_by(Suspension.starts_at)).all()
        assert [(s.content_id, str(s.starts_at)[:10], str(s.ends_at)[:10], s.pause) for s in outages] == [
            (None, "2024-05-14", "2024-05-19", "outage"),
            (None, "2025-11-04", "2025-11-07", "outage"),
        ]

        old, wrong, right = (load_table(session, release) for release in releases)
        names = [{company.company for company in table.companies} for table in (old, right)]
        assert ["klinker-colo" in keys for keys in names] == [True, False]
        counts = [{c.company: c.episodes for c in table.companies} for table in (wrong, right)]
        withdrawn = session.scalar(select(func.count()).select_from(Correction)) or 0
        assert counts[0]["waddenwind-servers"] - counts[1].get("waddenwind-servers", 0) == withdrawn > 0
        assert {key for key in counts[0] if counts[0][key] != counts[1].get(key)} == {"waddenwind-servers"}
        assert right.quality is not None
        assert [s.starts[:10] for s in right.quality.standstills] == ["2025-11-04"]
        assert {company.announced_ipv4 is not None for company in right.companies} == {True}

    run(database, part)
    with transaction(database.engine) as session:
        assert sizes(session) == before


def test_a_delivery_that_is_not_as_expected_ends_it(database: Database, vault: Vault, part: Step) -> None:
    first = part.deliveries[0]
    header, *rows = first.read_text("utf-8").splitlines(keepends=True)
    first.write_text(header + "".join(row.replace(";", "|") for row in rows), "utf-8")
    with pytest.raises(MonitorError, match=r"delivery 1: refused: 58 of 58 rows could not be read"):
        run(database, part)


def test_a_study_has_a_home_of_its_own(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MONITOR_")}
    command = [sys.executable, "-m", "monitor", "demo", "--study", "2022", "--scale", "0.02", "--json"]
    environment = kept | {"MONITOR_HOME": str(tmp_path / "demo")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["pages"] == [
        "http://127.0.0.1:8000/nl/ranglijst/2022Q2", "http://127.0.0.1:8000/nl/open-data",
    ]  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["demo-study-2022"]
