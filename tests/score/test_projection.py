"""The projection of the running quarter: at every hour, made from what changed, it is the score of that hour."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import given
from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.db import transaction
from monitor.instants import HOUR, parse_period
from monitor.models.facts import Sighting, Suspension
from monitor.score import projection
from monitor.score.methods import METHODS, method
from monitor.score.pipeline import Request, score
from monitor.score.projection import project, read_table, without_curves
from tests.conftest import Database, NewDatabase
from tests.score.oracle import World
from tests.score.strategies import search, worlds
from tests.score.test_known_facts_properties import _new, store
from tests.score.world import ZERO, at, world

PERIOD = parse_period("2026-03-31..2026-05-01")


def request(hours: float, version: str = "2026.2") -> Request:
    moment = ZERO + round(hours * HOUR)
    return Request(PERIOD, moment, moment, method(version))


def project_at(session: Session, hours: float, folder: Path, version: str = "2026.2") -> int | None:
    """How many contents were made anew; the table is that of the score."""
    asked = request(hours, version)
    found = project(session, asked, folder)
    assert found.table == score(session, asked)
    assert read_table(folder) == json.loads(json.dumps(without_curves(found.table).as_json()))
    return found.anew


@search(1)
@given(told=worlds(least=20, most=30))
def test_in_whatever_order_facts_arrive_it_is_the_score_of_the_hour(new_database: NewDatabase, told: World) -> None:
    incremental = 0
    with ExitStack() as stack:
        database = _new(new_database, stack)
        store(database, told)
        stack.enter_context(patch.object(projection, "_MOST", 2.0))
        folder = Path(stack.enter_context(TemporaryDirectory()))
        for hours in (5, 25, 100, 175, 400):
            with transaction(database.engine) as session:
                incremental += project_at(session, hours, folder) is not None
    assert incremental > 0


@pytest.mark.parametrize("version", METHODS)
def test_only_what_changed_or_has_not_ended_is_made_anew(database: Database, tmp_path: Path, version: str) -> None:
    with world(database) as w:
        ended = [w.content("a") for _ in range(8)]
        for content in ended:
            w.notice(content, 0)
            w.seen(content, 5, "offline", recorded_at=at(5))
        w.notice(w.content("b"), 1)
    with transaction(database.engine) as session:
        assert project_at(session, 10, tmp_path, version) is None
        assert project_at(session, 11, tmp_path, version) == 1
    _seen_online(database, ended[0], 11.5, 11.5)
    with transaction(database.engine) as session:
        assert project_at(session, 12, tmp_path, version) == 2


def _seen_online(database: Database, content: int, hours: float, recorded: float) -> None:
    with transaction(database.engine) as session:
        row = Sighting(id=10_000, delivery_id=1, content_id=content, seen_at=at(hours), state="online", observer="test")
        row.recorded_at = at(recorded)
        session.add(row)


@pytest.fixture
def kept(database: Database, tmp_path: Path) -> Path:
    """A projection of hour 10: an item of ten has not ended."""
    with world(database) as w:
        for place, content in enumerate([w.content("a") for _ in range(10)]):
            w.notice(content, 0)
            if place:
                w.seen(content, 5, "offline", recorded_at=at(5))
    with transaction(database.engine) as session:
        assert project_at(session, 10, tmp_path) is None
    return tmp_path


def test_what_holds_for_all_makes_all_anew(database: Database, kept: Path) -> None:
    with transaction(database.engine) as session:
        row = Suspension(content_id=None, starts_at=at(3), ends_at=at(6), pause="outage", reason="test")
        row.recorded_at = at(10.5)
        session.add(row)
    with transaction(database.engine) as session:
        assert project_at(session, 11, kept) is None


def test_a_fact_recorded_before_what_was_known_makes_all_anew(database: Database, kept: Path) -> None:
    with transaction(database.engine) as session:
        content = session.scalars(select(Sighting.content_id)).first()
    assert content is not None
    _seen_online(database, content, 6, 9)
    with transaction(database.engine) as session:
        assert project_at(session, 11, kept) is None


def _holds(session: Session, asked: Request, folder: Path) -> bool:
    """Whether what is kept would be used."""
    return projection._read(folder, projection._state(session, asked)) is not None


def test_what_is_not_whole_or_of_something_else_is_not_used(database: Database, kept: Path) -> None:
    [file] = kept.glob("episodes.*.arrow")
    whole = file.read_bytes()
    with transaction(database.engine) as session:
        assert _holds(session, request(10), kept)
        assert not _holds(session, request(11, "2026.1"), kept)
        assert not _holds(session, request(9), kept)
        assert not _holds(session, replace(request(12), period=parse_period("2026-03-31..2026-06-01")), kept)
        file.write_bytes(whole[:-9])
        assert not _holds(session, request(11), kept)
        file.unlink()
        assert not _holds(session, request(11), kept)
        file.write_bytes(whole)
        assert _holds(session, request(11), kept)
        (kept / "state.json").write_text("{")
        assert not _holds(session, request(11), kept)


def test_files_are_for_the_operator_alone_and_none_is_left_over(database: Database, kept: Path) -> None:
    with transaction(database.engine) as session:
        project_at(session, 11, kept)
    assert sorted(path.name.split(".")[0] for path in kept.iterdir()) == ["episodes", "refused", "state", "table"]
    assert {path.stat().st_mode & 0o077 for path in kept.iterdir()} == {0}
    assert read_table(kept / "nowhere") is None
