"""Releases: frozen, published once, immutable in the database itself, and provably unchanged."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from monitor import audit
from monitor.db import transaction
from monitor.errors import MonitorError
from monitor.instants import DAY, HOUR, Period
from monitor.models.audit import AuditEntry
from monitor.models.release import Release, ReleaseRow
from monitor.release.draft import draft
from monitor.release.publish import check, publish
from monitor.release.store import canonical, digest, find, load_table, published
from monitor.score.methods import method
from monitor.score.pipeline import Request, score
from monitor.score.table import Table
from tests.conftest import Database
from tests.score.world import ADDED, ZERO, world

WAIVED = "invented companies"
REQUEST = Request(Period("2026Q2", ZERO - DAY, ZERO + DAY), ZERO + 100 * HOUR, ZERO, method())


@pytest.fixture
def scored(database: Database) -> Database:
    with world(database) as w:
        for host, late in (("a", 0), ("b", 30)):
            site = [w.site() for _ in range(6)]
            for number in range(36):
                content = w.content(host, site=site[number % 6])
                w.notice(content, 1)
                w.seen(content, 2 + late, "online")
                w.seen(content, 4 + late, "offline")
        w.notice(w.content("c"), 1, delivery="failed")
        w.notice(w.content(None), 1)
    return database


def drafted(session: Session) -> Release:
    return draft(session, score(session, REQUEST), method(), ADDED, "test")


def test_the_table_that_is_frozen_is_the_table_that_is_read(scored: Database) -> None:
    with transaction(scored.engine) as session:
        table = score(session, REQUEST)
        release = draft(session, table, method(), ADDED, "test")
        assert load_table(session, release) == table


def test_worst_first_and_what_is_at_no_door_counts_in_the_whole(scored: Database) -> None:
    with transaction(scored.engine) as session:
        table = score(session, REQUEST)
    rows = [(c.company, c.rank, c.standing, c.on_time.lenient.p, c.refused) for c in table.companies]
    assert rows == [
        ("b", 1, "below", 0.0, 0),
        ("a", 2, "not_proven", 1.0, 0),  # all on time, yet 6 sites prove no 90 %
        ("c", None, "too_few", None, 1),
    ]
    assert (table.network.episodes, table.unattributed.episodes, table.network.refused) == (73, 1, 1)


def test_scoring_twice_gives_the_same_bytes(scored: Database) -> None:
    with transaction(scored.engine) as session:
        first, second = (json.dumps(score(session, REQUEST).as_json()) for _ in range(2))
    assert first == second


def test_a_manifest_names_all_it_was_made_from(scored: Database) -> None:
    with transaction(scored.engine) as session:
        manifest = drafted(session).manifest
    assert manifest["method"] == "2026.1"
    assert manifest["parameters_sha256"] == method().parameter_hash()
    assert manifest["inputs"]["deliveries"] == [{"source": "test", "format": "test", "file_digest": "0" * 64}]
    assert manifest["inputs_sha256"] == digest(canonical(manifest["inputs"]))
    assert set(manifest["rows_sha256"]) == {"a", "b", "c"}


def test_nothing_is_published_without_a_hearing_or_the_reason_for_none(scored: Database) -> None:
    with transaction(scored.engine) as session:
        release = drafted(session)
        for reason in (None, "  "):
            with pytest.raises(MonitorError, match="must be heard first"):
                publish(session, release, reason, ADDED, "test")
        assert published(session) == []
        publish(session, release, WAIVED, ADDED, "test")
        assert [r.hearing_waived for r in published(session)] == [WAIVED]
        with pytest.raises(MonitorError, match="published already"):
            publish(session, release, WAIVED, ADDED, "test")
        assert check(session, release) == []


def test_a_new_draft_replaces_a_draft_but_follows_a_publication(scored: Database) -> None:
    with transaction(scored.engine) as session:
        drafted(session)
        second = drafted(session)
        assert second.version == 1
        publish(session, second, WAIVED, ADDED, "test")
        third = drafted(session)
        assert (third.version, find(session, "2026Q2").version) == (2, 2)
        assert [r.version for r in published(session)] == [1]
        with pytest.raises(MonitorError, match="no release '2031Q1'"):
            find(session, "2031Q1")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE releases SET table_json = '{}'",
        "UPDATE releases SET stage = 'draft'",
        "DELETE FROM releases",
        "UPDATE release_rows SET row_json = '{}'",
        "DELETE FROM release_rows",
        "UPDATE audit_entries SET actor = 'nobody'",
        "DELETE FROM audit_entries",
    ],
)
def test_the_database_refuses_to_change_what_is_published(scored: Database, statement: str) -> None:
    with transaction(scored.engine) as session:
        publish(session, drafted(session), WAIVED, ADDED, "test")
    with (
        pytest.raises(DatabaseError, match="never changed"),
        transaction(scored.engine) as session,
    ):
        session.execute(text(statement))


def change(session: Session, table: str, statement: str) -> None:
    """Do what only somebody with the run of the database can: take the guard away first."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    for action in ("update", "delete"):
        session.execute(text(f"DROP TRIGGER keep_{table}_{action}" + ("" if sqlite else f" ON {table}")))
    session.execute(text(statement))
    session.expire_all()


@pytest.mark.parametrize(
    ("table", "statement", "problem"),
    [
        ("releases", "UPDATE releases SET table_json = '{}'", "the table's head was changed"),
        ("releases", "UPDATE releases SET manifest_sha256 = 'x'", "the manifest was changed"),
        ("release_rows", "UPDATE release_rows SET row_json = '{}' WHERE company_key = 'b'", "the row of b was changed"),
        ("release_rows", "DELETE FROM release_rows WHERE company_key = 'c'", "the row of c is missing"),
        ("audit_entries", "UPDATE audit_entries SET actor = 'nobody' WHERE id = 1", "entry 1 was changed"),
        ("audit_entries", "DELETE FROM audit_entries WHERE id = 1", "entry 1 is missing"),
    ],
)
def test_what_was_changed_behind_its_back_is_found(scored: Database, table: str, statement: str, problem: str) -> None:
    with transaction(scored.engine) as session:
        release = drafted(session)
        publish(session, release, WAIVED, ADDED, "test")
        change(session, table, statement)
        assert any(problem in found for found in check(session, release))


def test_a_forged_manifest_with_fitting_hashes_is_unknown_to_the_audit_trail(scored: Database) -> None:
    with transaction(scored.engine) as session:
        release = drafted(session)
        publish(session, release, WAIVED, ADDED, "test")
        forged = replace(load_table(session, release), companies=())
        change(session, "releases", "UPDATE releases SET stage = 'draft'")
        sqlite = session.get_bind().dialect.name == "sqlite"
        for action in ("update", "delete"):
            session.execute(text(f"DROP TRIGGER keep_release_rows_{action}" + ("" if sqlite else " ON release_rows")))
        rewritten = _forge(session, release, forged)
        assert check(session, rewritten) == ["the audit trail knows no such manifest"]


def _forge(session: Session, release: Release, table: Table) -> Release:
    from monitor.release.store import canonical, digest

    for row in session.scalars(select(ReleaseRow)):
        session.delete(row)
    data = table.as_json()
    data.pop("companies")
    release.table_json = canonical(data)
    release.manifest = release.manifest | {"table_sha256": digest(release.table_json), "rows_sha256": {}}
    release.manifest_sha256 = digest(canonical(release.manifest))
    session.flush()
    return release


def test_the_audit_trail_is_a_chain(database: Database) -> None:
    with transaction(database.engine) as session:
        for number in range(3):
            audit.record(session, ADDED, "test", "act", f"thing {number}", {"n": number})
        assert audit.verify(session) == []
        hashes = [(e.previous_hash, e.entry_hash) for e in session.scalars(select(AuditEntry).order_by(AuditEntry.id))]
    assert [previous for previous, _ in hashes] == ["0" * 64, *[own for _, own in hashes[:2]]]
