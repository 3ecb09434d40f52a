"""Facts are shifted with the triggers dropped, in a way that moves no published figure: the pinned digests tell."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from monitor import audit
from monitor.db import Base, transaction
from monitor.errors import MonitorError
from monitor.instants import HOUR
from monitor.models.guards import lifted
from monitor.models.release import Release
from monitor.release.draft import FACTS, draft, fact_digests
from monitor.release.rebuild import rebuild, require_rebuildable
from monitor.release.store import canonical, digest
from monitor.score.fact_digests import COLUMNS
from monitor.score.methods import method
from monitor.score.pipeline import score_for_release
from tests.attack.tampering.conftest import Installation
from tests.conftest import Database
from tests.release.history import DRAFTED, KNOWN, MOVES_FIGURES, PERIOD, first_facts, learn, request
from tests.score.world import ZERO, World

ADDED = {
    "company_details": ("legal_name", "legal_form", "natural_person", "parent_id", "successor_id", "ended_on"),
    "suspensions": ("source", "decided_by", "approved_by"),
    "corrections": ("approved_by",),
}  # columns that were not there when the first releases were made
ADD = """
INSERT INTO sightings (id, delivery_id, content_id, seen_at, state, observer, recorded_at)
VALUES (9999, 1, 2, 1, 'online', 'x', 1)
"""
CHANGES = {
    "sightings": (
        "UPDATE sightings SET country = 'XX' WHERE id = (SELECT min(id) FROM sightings)",
        "sightings: country",
    ),
    "notices": ("UPDATE notices SET channel = 'api' WHERE id = (SELECT min(id) FROM notices)", "notices: channel"),
    "contents": ("UPDATE contents SET delivery_id = 99", "contents: delivery_id"),
    "attributions": ("UPDATE attributions SET netblock_table_id = 5", "attributions: netblock_table_id"),
    "corrections": ("UPDATE corrections SET reason = 'another'", "corrections: reason"),
    "company_details": ("UPDATE company_details SET registration = ''", "company_details: registration"),
}


@pytest.mark.parametrize("table", CHANGES)
def test_a_fact_that_moves_no_figure_is_named_by_its_column(installation: Installation, table: str) -> None:
    statement, problem = CHANGES[table]
    installation.change(table, statement)
    assert installation.problems("release", "verify") == []  # reads no facts
    found = installation.problems("release", "verify", "--facts")
    assert f"{PERIOD} version 2: {problem} were changed after it was made" in found


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("DELETE FROM sightings WHERE id = (SELECT min(id) FROM sightings)", "143 rows were recorded by then"),
        (
            "UPDATE sightings SET recorded_at = 2000000000 WHERE id = (SELECT max(id) FROM sightings)",
            "143 rows were recorded by then",
        ),
        (ADD, "145 rows were recorded by then"),
    ],
)
def test_a_fact_that_was_added_or_deleted_is_named(installation: Installation, statement: str, problem: str) -> None:
    installation.change("sightings", statement)
    found = installation.problems("release", "verify", "--facts", "1")
    assert found == [f"{PERIOD} version 1: sightings: {problem}, and there were 144"]


def drafted(database: Database) -> Release:
    """A draft from facts of which one rests under no figure: a sighting before the notice."""
    items = first_facts(database)
    with transaction(database.engine) as session:
        world = World.__new__(World)
        world.session, world.ids = session, iter(range(5000, 6000))
        world.seen(items.late[0], -1, "online")
    with transaction(database.engine) as session:
        made = draft(session, score_for_release(session, request()), method(), DRAFTED, "test")
        session.expunge(made)
    return made


SHIFT = f"UPDATE sightings SET seen_at = seen_at - {HOUR} WHERE id = 5000"


def shift(database: Database) -> None:
    with database.engine.begin() as connection, lifted(connection, "sightings"):
        assert connection.execute(text(SHIFT)).rowcount == 1


def test_one_sighting_shifted_by_an_hour_is_found_though_no_figure_moved(database: Database) -> None:
    made = drafted(database)
    with transaction(database.engine) as session:
        assert rebuild(session, session.get_one(Release, made.id)).problems == ()
    shift(database)
    with transaction(database.engine) as session:
        release = session.get_one(Release, made.id)
        again = rebuild(session, release)
        assert again.problems == ("other facts: sightings: seen_at were changed after it was made",)
        assert not again.differences
        with pytest.raises(MonitorError, match="seen_at were changed after it was made; draft it again"):
            require_rebuildable(session, release)


def unpin(session: Session, release: Release) -> None:
    """Make it one that was made before facts were pinned."""
    release.manifest = {name: value for name, value in release.manifest.items() if name != FACTS}
    release.manifest_sha256 = digest(canonical(release.manifest))
    title = f"{release.period} version {release.version}"
    audit.record(session, DRAFTED, "test", "release.draft", title, {"manifest": release.manifest_sha256})


def test_a_release_from_before_comes_out_again_and_it_is_said_what_is_not_proven(database: Database) -> None:
    made = drafted(database)
    shift(database)
    with transaction(database.engine) as session:
        release = session.get_one(Release, made.id)
        unpin(session, release)
        again = rebuild(session, release)
    assert again.identical
    assert again.notes == (
        "made before releases pinned their facts: a change that moves none of its figures is not found",
    )


def test_what_is_learnt_later_is_no_change(database: Database) -> None:
    items = first_facts(database)
    with transaction(database.engine) as session:
        before = fact_digests(session, [KNOWN])
    for later in MOVES_FIGURES.values():
        learn(database, later, items)
    with transaction(database.engine) as session:
        assert fact_digests(session, [KNOWN]) == before


def test_several_instants_in_one_pass_are_as_each_alone(database: Database) -> None:
    learn(database, MOVES_FIGURES["a delivery"], first_facts(database))
    instants = [ZERO - 1, KNOWN, 2**40]
    with transaction(database.engine) as session:
        together = fact_digests(session, instants)
        assert together == [fact_digests(session, [instant])[0] for instant in instants]
    assert [facts["sightings"]["rows"] for facts in together] == [0, 144, 145]


def test_both_databases_give_the_same_digests(database: Database) -> None:
    first_facts(database)
    with transaction(database.engine) as session:
        [facts] = fact_digests(session, [KNOWN])
    assert digest(canonical(facts)) == "d9c67b7e2c917fa32e6e1c5b6fe63f2841c5367a9a0de36610db192ebbd6bdb8"
    del facts["item_identities"]
    for table, names in ADDED.items():  # what a release of before them pinned is still the same
        for name in names:
            del facts[table]["columns"][name]
    assert digest(canonical(facts)) == "440443c7a2fdae2d6645c461784d888ffdd6d8e01569732680df871ecf4b2815"


def test_every_column_that_is_digested_is_there() -> None:
    for table, columns in COLUMNS.items():
        assert set(columns) < set(Base.metadata.tables[table].columns.keys())
