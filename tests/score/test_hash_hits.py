"""The table of the hash hits beside that of the notices: the same rules, other beginnings, each judged alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy.orm import Session

from monitor.cli import cli
from monitor.db import transaction
from monitor.instants import DAY, HOUR
from monitor.period import Period
from monitor.score.explain import explain_period
from monitor.score.methods import HASH_HITS, METHODS, method
from monitor.score.pipeline import Request, score, score_for_release, scored_episodes
from monitor.score.table import Table, from_json, without_parts
from tests.conftest import Database
from tests.score.world import ZERO, world

NOTICES = Request(Period("2026Q2", ZERO, ZERO + DAY), ZERO + 100 * HOUR, ZERO, method())
HITS = replace(NOTICES, kinds=HASH_HITS)


@pytest.fixture
def both(database: Database) -> Database:
    """At `a` an item hit at 1 h and noticed at 21 h, one that was only noticed, two refused hits; at `b` one hit."""
    with world(database) as w:
        item = w.content("a")
        w.notice(item, 1, kind="hash_hit")
        w.notice(item, 5, kind="hash_hit")
        w.notice(item, 21)
        w.seen(item, 30, "online")
        w.seen(item, 31, "offline")
        w.notice(w.content("a"), 2)
        w.notice(w.content("a"), 3, kind="hash_hit", delivery="refused")
        w.notice(w.content("a"), 3, kind="hash_hit", delivery="failed")
        w.notice(w.content("b"), 4, kind="hash_hit", deadline_hours=2.0)
    return database


def counts(table: Table) -> dict[str, tuple[int, ...]]:
    """Episodes, notices, on time, late and refused of each company."""
    return {c.company: (c.episodes, c.notices, c.on_time.on_time, c.on_time.late, c.refused) for c in table.companies}


def begun(session: Session, request: Request) -> list[tuple[Any, ...]]:
    rows = scored_episodes(session, request).to_pylist()
    return sorted((r["company"], (r["start"] - ZERO) / HOUR, r["first_offline_h"], r["deadline_h"]) for r in rows)


def test_each_table_begins_an_episode_at_the_first_of_its_own_kinds(both: Database) -> None:
    with transaction(both.engine) as session:
        assert begun(session, NOTICES) == [("a", 2, None, 24), ("a", 21, 10, 24)]
        assert begun(session, HITS) == [("a", 1, 30, 24), ("b", 4, None, 2)]


def test_one_removal_is_on_time_after_the_notice_and_late_after_the_hit(both: Database) -> None:
    with transaction(both.engine) as session:
        notices, hits = score(session, NOTICES), score(session, HITS)
    assert counts(notices) == {"a": (2, 2, 1, 0, 0)}
    assert counts(hits) == {"a": (1, 2, 0, 1, 2), "b": (1, 1, 0, 0, 0)}
    assert (notices.kinds, hits.kinds, hits.network.refused) == (None, ("hash_hit",), 2)


def test_several_kinds_together_begin_at_the_first_of_any(both: Database) -> None:
    everything = replace(NOTICES, kinds=(*METHODS["2026.1"].scored_kinds, *HASH_HITS))
    with transaction(both.engine) as session:
        assert begun(session, everything) == [("a", 1, 30, 24), ("a", 2, None, 24), ("b", 4, None, 2)]


def test_a_release_has_both_and_each_is_the_table_that_is_scored_alone(both: Database) -> None:
    """The quality of what came in is told once, beside the notices."""
    with transaction(both.engine) as session:
        notices, hits, release = score(session, NOTICES), score(session, HITS), score_for_release(session, NOTICES)
    assert without_parts(release) == replace(notices, hash_hits=hits)
    assert release.hash_hits is not None
    assert [part is None for part in (release.flows, release.norms, release.quality)] == [False] * 3
    assert [part is None for part in (release.hash_hits.flows, release.hash_hits.norms)] == [False] * 2
    assert release.hash_hits.quality is None
    assert from_json(Table, json.loads(json.dumps(release.as_json()))) == release


@pytest.mark.parametrize("engine", ["duckdb", "in place"])
def test_no_hit_in_the_period_means_no_second_table(both: Database, engine: str) -> None:
    url = "duckdb://" if engine == "duckdb" else both.url.partition("+")[0].partition(":")[0] + "://"
    before = replace(NOTICES, period=Period("2026Q1", ZERO - DAY, ZERO + HOUR), engine_url=url)
    after = replace(before, period=Period("2026Q1", ZERO - DAY, ZERO + HOUR + 1))
    with transaction(both.engine) as session:
        assert score_for_release(session, before).hash_hits is None
        hits = score_for_release(session, after).hash_hits
    assert hits is not None
    assert counts(hits) == {"a": (1, 2, 0, 1, 0), "b": (0, 0, 0, 0, 0)}  # what is open at b began later


def test_the_deadline_shown_is_that_of_the_kinds() -> None:
    slower = replace(method(), deadlines_hours={**method().deadlines_hours, "hash_hit": 48.0})
    assert (slower.usual_deadline_hours, slower.of_kinds(HASH_HITS).usual_deadline_hours) == (24, 48)
    assert method().of_kinds(None) is method()


def test_the_command_shows_the_kinds_and_what_a_standing_rests_on(both: Database, tmp_path: Path) -> None:
    settings = {"MONITOR_HOME": str(tmp_path), "MONITOR_DATABASE_URL": both.url}
    asked = "score --period 2026-03-31..2026-04-01 --as-of 2026-04-04T04:00:00Z --kinds hash_hit".split()  # noqa: SIM905

    def said(*more: str) -> str:
        return CliRunner().invoke(cli, [*asked, *more], env=settings, catch_exceptions=False).stdout

    assert said().splitlines()[0].endswith("method 2026.1  kinds hash_hit")
    data = json.loads(said("--json"))
    assert (data["kinds"], [row["company"] for row in data["companies"]]) == (["hash_hit"], ["a", "b"])
    with transaction(both.engine) as session:
        explained = [explain_period(session, request, "a").makeup for request in (NOTICES, HITS)]
    assert [(makeup.episodes, makeup.late) for makeup in explained] == [(2, 0), (1, 1)]
