"""The database refuses to change facts, whoever asks; and it is found where somebody took its triggers away."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DatabaseError

from monitor.db import Base
from monitor.models.guards import RECORDED, expected_guards, guard_problems, lifted
from tests.attack.tampering.rows import one_of_each
from tests.conftest import Database
from tests.release.test_release import change

FACTS = [table for table in RECORDED if table != "audit_entries"]
LOCKED = {
    "deliveries": (
        "source", "format", "file_digest", "id", "received_at", "recorded_at", "zone", "recheck_gap_seconds",
    ),
    "waiting_statements": ("source", "number_digest", "statement_digest", "statement_sealed", "recorded_at"),
    "held_pieces": ("sealed", "number"),
}  # fmt: skip
ALLOWED = (
    "UPDATE deliveries SET rows = 7, accepted = 7, quarantined = '{}', measures = '{}'",
    "UPDATE deliveries SET verdict = 'suspicious', reasons = '[]'",
    "UPDATE deliveries SET verdict = 'refused', decided_at = 1, decided_by = 'p', decision = 'd'",
    "UPDATE deliveries SET verdict = 'ok', received_at = 1, recorded_at = 1, zone = 'UTC', recheck_gap_seconds = 1",
    "UPDATE waiting_statements SET settled_at = 1",
    "UPDATE waiting_statements SET settled_at = 1",
    "DELETE FROM held_pieces",
)


@pytest.fixture
def filled(database: Database) -> Database:
    with database.engine.begin() as connection:
        one_of_each(connection)
    return database


def refused(database: Database, statement: str) -> None:
    with pytest.raises(DatabaseError, match="never changed"), database.engine.begin() as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize("table", FACTS)
def test_no_fact_is_updated_or_deleted(filled: Database, table: str) -> None:
    for column in Base.metadata.tables[table].columns:
        refused(filled, f'UPDATE {table} SET "{column.name}" = "{column.name}"')
    refused(filled, f"DELETE FROM {table}")
    with filled.engine.connect() as connection:
        assert connection.scalar(text(f"SELECT count(*) FROM {table}")) == 1


@pytest.mark.parametrize("table", LOCKED)
def test_of_a_delivery_and_a_statement_only_what_the_code_changes(filled: Database, table: str) -> None:
    for column in LOCKED[table]:
        other = {"sealed": "''", "source": "'y'", "format": "'y'", "zone": "'y'"}.get(column, "NULL")
        if column.endswith(("_digest", "_sealed")):
            other = "''"
        elif column in ("id", "number", "received_at", "recorded_at", "recheck_gap_seconds"):
            other = "99"
        refused(filled, f"UPDATE {table} SET {column} = {other}")
    if table != "held_pieces":
        refused(filled, f"DELETE FROM {table}")


def test_what_the_code_does_change_is_let_through(filled: Database) -> None:
    for statement in ALLOWED:
        with filled.engine.begin() as connection:
            connection.execute(text(statement))
    refused(filled, "UPDATE waiting_statements SET settled_at = 2")
    refused(filled, "UPDATE waiting_statements SET settled_at = NULL")


def test_a_table_is_not_emptied_at_one_stroke(filled: Database) -> None:
    if filled.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has no TRUNCATE")
    for table in {guard.table for guard in expected_guards("postgresql")}:
        refused(filled, f"TRUNCATE {table} CASCADE")


def test_no_trigger_runs_where_facts_are_stored() -> None:
    """Ingestion pays nothing."""
    for dialect in ("sqlite", "postgresql"):
        assert {guard.action for guard in expected_guards(dialect)} <= {"update", "delete", "truncate"}


def problems(database: Database, *statements: str) -> list[str]:
    with database.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
        return guard_problems(connection)


def test_a_whole_schema_has_all_its_guards(database: Database) -> None:
    assert problems(database) == []


def test_a_trigger_that_was_dropped_is_named(database: Database) -> None:
    with database.engine.begin() as connection:
        change_on(connection, "sightings")
        found = guard_problems(connection)
    assert found == [
        f"the database no longer refuses {action} on sightings: trigger keep_sightings_{action.lower()} is gone"
        for action in ("UPDATE", "DELETE")
    ]


def change_on(connection: Connection, table: str) -> None:
    on = "" if connection.dialect.name == "sqlite" else f" ON {table}"
    for action in ("update", "delete"):
        connection.execute(text(f"DROP TRIGGER keep_{table}_{action}{on}"))


def test_a_trigger_that_does_nothing_any_more_is_named(database: Database) -> None:
    if database.engine.dialect.name == "sqlite":
        found = problems(
            database,
            "DROP TRIGGER keep_notices_update",
            "CREATE TRIGGER keep_notices_update BEFORE UPDATE ON notices WHEN 0 BEGIN SELECT RAISE(ABORT, 'x'); END",
        )
    else:
        found = problems(database, "ALTER TABLE notices DISABLE TRIGGER keep_notices_update")
        emptied = "CREATE OR REPLACE FUNCTION keep_deliveries_update() RETURNS trigger LANGUAGE plpgsql AS "
        more = problems(database, emptied + "$$ BEGIN RETURN NEW; END $$")
        assert [line for line in more if "deliveries" in line] == [
            "trigger keep_deliveries_update on deliveries is not what it was: it was replaced or disabled"
        ]
    assert found == ["trigger keep_notices_update on notices is not what it was: it was replaced or disabled"]


def test_a_trigger_that_was_planted_is_named(database: Database) -> None:
    if database.engine.dialect.name == "sqlite":
        planted = [
            "CREATE TRIGGER later AFTER INSERT ON sightings BEGIN DELETE FROM sightings WHERE id = NEW.id; END",
        ]
    else:
        shifts = "$$ BEGIN NEW.seen_at = NEW.seen_at - 3600; RETURN NEW; END $$"
        planted = [
            f"CREATE FUNCTION later() RETURNS trigger LANGUAGE plpgsql AS {shifts}",
            "CREATE TRIGGER later BEFORE INSERT ON sightings FOR EACH ROW EXECUTE FUNCTION later()",
        ]
    assert problems(database, *planted) == ["trigger later on sightings is none of this program's"]


def test_a_migration_can_lift_the_guards_of_a_table_and_they_come_back(filled: Database) -> None:
    with filled.engine.begin() as connection:
        with lifted(connection, "notices"):
            connection.execute(text("UPDATE notices SET recipient = 'y'"))
        assert guard_problems(connection) == []
    refused(filled, "UPDATE notices SET recipient = 'z'")
    with pytest.raises(ZeroDivisionError), filled.engine.begin() as connection, lifted(connection, "notices"):
        raise ZeroDivisionError
    with filled.engine.connect() as connection:
        assert guard_problems(connection) == []


def test_who_drops_the_triggers_can_change_facts_again(filled: Database) -> None:
    """Triggers stop accidents and programs, not the owner of the database: that is why the rest is there."""
    from sqlalchemy.orm import Session

    with Session(filled.engine) as session, session.begin():
        change(session, "sightings", "UPDATE sightings SET seen_at = seen_at + 3600")
