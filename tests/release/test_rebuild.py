"""A table as it was known on a day comes out again to the byte, whatever is learnt later."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

import monitor
from monitor.comparison.changes import Change
from monitor.db import transaction
from monitor.errors import MonitorError
from monitor.instants import iso, to_datetime
from monitor.models.release import Release, ReleaseRow
from monitor.release.draft import draft, serialise
from monitor.release.rebuild import rebuild, require_rebuildable
from monitor.release.signing import create_signing_key
from monitor.release.store import load_table
from monitor.score.methods import method
from monitor.score.pipeline import score, score_for_release
from monitor.score.table import Table, from_json, without_parts
from tests.conftest import Database
from tests.release.conftest import Published, Run
from tests.release.history import (
    DRAFTED,
    EVERYTHING,
    KNOWN,
    MOVES_FIGURES,
    NOW,
    PERIOD,
    delivery,
    first_facts,
    learn,
    request,
    seen_late,
)
from tests.score.world import ZERO


def test_what_is_learnt_later_changes_no_byte_of_what_was_known(published: Published) -> None:
    """One thing after another is learnt, and moves the table as it is known now; that of the release stays."""
    with transaction(published.database.engine) as session:
        now = serialise(score(session, request(NOW))).rows
    moved = []
    for name, later in EVERYTHING.items():
        learn(published.database, later, published.items)
        with transaction(published.database.engine) as session:
            before, now = now, serialise(score(session, request(NOW))).rows
        moved += [name] if now != before else []
    assert moved == list(MOVES_FIGURES)
    with transaction(published.database.engine) as session:
        release = session.get_one(Release, 1)
        made = rebuild(session, release)
        assert (made.problems, made.notes, bool(made.differences)) == ((), (), False)
        rows = session.execute(select(ReleaseRow.company_key, ReleaseRow.row_json).order_by(ReleaseRow.position))
        assert serialise(score_for_release(session, request())).rows == tuple(tuple(row) for row in rows)


def test_a_score_as_of_then_is_the_table_of_the_release(published: Published, run: Run) -> None:
    learn(published.database, MOVES_FIGURES["a removal set"], published.items)
    options = ("score", "--period", PERIOD, "--as-of", iso(request().as_of), "--json", "--curves")
    with transaction(published.database.engine) as session:
        released = load_table(session, session.get_one(Release, 1))
    then = run(*options, "--known-at", iso(KNOWN)).json
    assert from_json(Table, then) == without_parts(released)
    assert [c["on_time"]["late"] for c in then["companies"]] == [36, 0, 0, 0]
    assert [c["on_time"]["late"] for c in run(*options).json["companies"]] == [35, 0, 0, 0]


def backdated(session: Session, content: int) -> None:
    """What a delivery does that was under way while the release was made."""
    delivery(session, to_datetime(KNOWN))
    seen_late(session, content, 60, to_datetime(KNOWN))


def test_a_fact_that_was_recorded_earlier_than_it_could_be_seen_is_found(published: Published, run: Run) -> None:
    learn(published.database, lambda session, items: backdated(session, items.late[0]), published.items)
    with transaction(published.database.engine) as session:
        made = rebuild(session, session.get_one(Release, 1))
    assert made.problems == (
        "the table's head came out otherwise",
        "the row of b came out otherwise",
        "other deliveries are recorded by then",
    )
    changed = next(each for each in made.differences.notices.companies if each.after.company == "b")
    assert Change("outstanding", 0, 1) in changed.changes
    said = run("release", "rebuild", "1")
    assert said.error == "release 2026Q1 version 1 does not come out again"
    assert "b: outstanding 0 -> 1\n" in said.out
    assert run("release", "rebuild", PERIOD, "--json").json["identical"] is False


def test_a_draft_that_does_not_come_out_again_is_not_published(database: Database, run: Run, tmp_path: Path) -> None:
    items = first_facts(database)
    create_signing_key(tmp_path / "signing.pem", tmp_path / "publications" / "keys")
    known = ("--period", PERIOD, "--as-of", iso(request().as_of), "--known-at", iso(KNOWN))
    assert run("release", "draft", *known).error is None
    learn(database, lambda session, items: backdated(session, items.late[0]), items)
    publish = ("release", "publish", PERIOD, "--waive-hearing", "invented companies")
    refused = run(*publish).error
    assert refused == "the draft does not come out again: the table's head came out otherwise; draft it again"
    assert run("release", "draft", *known).error is None
    assert run(*publish).error is None
    said = run("release", "rebuild", PERIOD)
    assert (said.error, said.out) == (None, "2026Q1 version 1 comes out again, byte for byte\n")


def test_an_input_without_effect_is_found_too(database: Database) -> None:
    first_facts(database)
    with transaction(database.engine) as session:
        release = draft(session, score(session, request()), method(), DRAFTED, "test")
        require_rebuildable(session, release)
        delivery(session, to_datetime(KNOWN))
        with pytest.raises(MonitorError, match="other deliveries are recorded by then; draft it again"):
            require_rebuildable(session, release)


def test_a_release_from_before_there_were_flows_and_norms_comes_out_again(database: Database) -> None:
    """It is compared as it was: what is frozen since then beside the figures is no difference."""
    first_facts(database)
    with transaction(database.engine) as session:
        release = draft(session, score(session, request()), method(), DRAFTED, "test")
        assert not {"flows", "norms", "quality"} & {*json.loads(release.table_json)}
        made = rebuild(session, release)
        assert (made.problems, bool(made.differences)) == ((), False)


def test_newer_code_is_a_note_and_no_failure(published: Published, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    frozen = monitor.__version__
    monkeypatch.setattr(monitor, "__version__", "99.0")
    answer = run("release", "rebuild", "1", "--json").json
    assert answer["notes"] == [f"frozen by version {frozen} of the code, rebuilt by 99.0"]
    assert (answer["identical"], answer["problems"], answer["notices"]["whole"]) == (True, [], [])


def test_a_release_that_was_tampered_with_is_not_rebuilt(database: Database) -> None:
    first_facts(database)
    with transaction(database.engine) as session:
        release = draft(session, score(session, request()), method(), DRAFTED, "test")
        session.scalars(select(ReleaseRow)).first().row_json = "{}"  # type: ignore[union-attr]
        session.flush()
        with pytest.raises(MonitorError, match="not what was frozen: the row of b was changed"):
            rebuild(session, release)


def test_nothing_is_drafted_from_what_is_yet_to_be_recorded(database: Database, run: Run) -> None:
    first_facts(database)
    with transaction(database.engine) as session:
        table = score(session, request(ZERO + 11))
        with pytest.raises(MonitorError, match="will be known at 2026-03-31T00:00:11Z is not known yet"):
            draft(session, table, method(), to_datetime(ZERO + 10), "test")
    future = run("release", "draft", "--period", PERIOD, "--known-at", "2999-01-01").error
    assert future == "what will be known at 2999-01-01T00:00:00Z is not known yet; choose a time that has passed"
