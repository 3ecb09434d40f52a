"""The schema: migrations make what the models say, and go down and up again."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DatabaseError, IntegrityError

import monitor.models  # noqa: F401 -- fills the metadata
from monitor.db import Base, connect
from monitor.errors import ConfigurationError
from monitor.migrate import downgrade, require_schema, upgrade
from monitor.models.guards import guard_problems
from monitor.vault import Vault
from tests.conftest import Database


def test_migrations_make_the_schema_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrations_make_the_triggers_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        assert guard_problems(connection) == []


def test_the_triggers_of_before_come_back_and_go_again(database: Database) -> None:
    with database.engine.begin() as connection:
        for fact in FACTS:
            connection.execute(text(fact))
        connection.execute(text(ENTRY))
    downgrade(database.engine, "0010")
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE sightings SET observer = 'x'"))
    with pytest.raises(DatabaseError, match="never changed"), database.engine.begin() as connection:
        connection.execute(text("DELETE FROM audit_entries"))
    upgrade(database.engine)
    with pytest.raises(DatabaseError, match="never changed"), database.engine.begin() as connection:
        connection.execute(text("UPDATE sightings SET observer = 'x'"))
    with database.engine.connect() as connection:
        assert guard_problems(connection) == []


def test_triggers_that_were_dropped_or_emptied_are_put_back_by_going_down_and_up(database: Database) -> None:
    with database.engine.begin() as connection:
        if database.engine.dialect.name == "postgresql":
            emptied = "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            connection.execute(text(f"{emptied} $$ BEGIN RETURN NULL; END $$"))
            connection.execute(text("DROP TRIGGER keep_deliveries_update ON deliveries"))
        else:
            connection.execute(text("DROP TRIGGER keep_deliveries_update"))
        assert guard_problems(connection) != []
    downgrade(database.engine, "0010")
    upgrade(database.engine)
    with database.engine.connect() as connection:
        assert guard_problems(connection) == []


def test_down_to_nothing_and_up_again(database: Database) -> None:
    require_schema(database.engine)
    downgrade(database.engine, "base")
    assert set(inspect(database.engine).get_table_names()) == {"alembic_version"}
    with pytest.raises(ConfigurationError, match="the database has no tables yet"):
        require_schema(database.engine)
    upgrade(database.engine)
    assert "notices" in inspect(database.engine).get_table_names()


def test_a_database_that_nobody_made_has_no_tables(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(ConfigurationError, match="run `monitor init --create-keys`"):
        require_schema(engine)
    engine.dispose()


DELIVERY = """
INSERT INTO deliveries (id, source, format, file_digest, received_at, recorded_at, zone, rows, accepted, duplicate,
  quarantined, warnings, contents_new, notices_new, sightings_new)
VALUES (1, 's', 'f', '0', 0, 0, 'UTC', 0, 0, 0, '{}', '{}', 0, 0, 0)
"""
SITE = "INSERT INTO sites (id, key_version, digest) VALUES (1, 1, '1')"
CONTENT = """
INSERT INTO contents (id, delivery_id, site_id, key_version, url_digest, url_sealed, truncated, recorded_at)
VALUES (1, 1, 1, 1, '1', '1', FALSE, 0)
"""
SIGHTING = """
INSERT INTO sightings (id, delivery_id, content_id, seen_at, state, observer, recorded_at)
VALUES (1, 1, 1, 0, 'online', 's', 0)
"""
ATTRIBUTION = "INSERT INTO attributions (id, content_id, valid_from, basis, recorded_at) VALUES (1, 1, 0, 'none', 0)"
CORRECTION = """
INSERT INTO corrections (decision, content_id, reason, decided_by, recorded_at) VALUES ('set_removal', 1, 'r', 'p', 0)
"""
ENTRY = """
INSERT INTO audit_entries (id, happened_at, actor, action, subject, details, previous_hash, entry_hash)
VALUES (1, 0, 'a', 'a', 's', '{}', '0', '1')
"""
FACTS = (DELIVERY, SITE, CONTENT, SIGHTING, ATTRIBUTION, CORRECTION)
ORPHAN = SIGHTING.replace("(1, 1, 1,", "(2, 1, 9,")


def _counts(connection: Connection) -> list[int]:
    tables = ("deliveries", "sites", "contents", "sightings", "attributions", "corrections")
    return [connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in tables]


def test_facts_get_their_foreign_keys_back_and_lose_them_again_where_they_lie(database: Database, vault: Vault) -> None:
    with database.engine.begin() as connection:
        for fact in FACTS:
            connection.execute(text(fact))
    downgrade(database.engine, "0006")
    with database.engine.connect() as connection:
        assert _counts(connection) == [1] * 6
        with pytest.raises(IntegrityError):
            connection.execute(text(ORPHAN))
    upgrade(database.engine, vault=vault)
    with database.engine.begin() as connection:
        assert _counts(connection) == [1] * 6
        connection.execute(text(ORPHAN))


NOTICE = """
INSERT INTO notices (id, delivery_id, content_id, sent_at, kind, recipient_role, channel, delivery, key_version,
  recorded_at)
VALUES ({}, 1, 1, 0, 'hotline_notice', '{}', 'email', 'assumed', 1, 0)
"""
REPORT = "INSERT INTO reports (id, delivery_id, content_id, source, at, recorded_at) VALUES (1, 1, 1, 's', 0, 0)"


def test_a_notice_of_unknown_role_goes_with_the_role_and_the_others_stay(database: Database) -> None:
    with database.engine.begin() as connection:
        for fact in (*FACTS, REPORT, NOTICE.format(1, "hoster"), NOTICE.format(2, "unknown")):
            connection.execute(text(fact))
    downgrade(database.engine, "0011")
    with database.engine.begin() as connection:
        assert connection.execute(text("SELECT id, recipient_role FROM notices")).all() == [(1, "hoster")]
        with pytest.raises(IntegrityError), connection.begin_nested():
            connection.execute(text(NOTICE.format(2, "unknown")))
        with pytest.raises(DatabaseError, match="never changed"), connection.begin_nested():
            connection.execute(text("DELETE FROM notices"))
    assert "reports" not in inspect(database.engine).get_table_names()
    upgrade(database.engine)
    with database.engine.begin() as connection:
        assert guard_problems(connection) == []
        connection.execute(text(NOTICE.format(2, "unknown")))
        connection.execute(text(REPORT))
        with pytest.raises(DatabaseError, match="never changed"), connection.begin_nested():
            connection.execute(text("DELETE FROM reports"))


def test_foreign_keys_do_not_come_back_over_a_fact_that_points_nowhere(database: Database) -> None:
    with database.engine.begin() as connection:
        for fact in (*FACTS, ORPHAN):
            connection.execute(text(fact))
    with pytest.raises((RuntimeError, IntegrityError)):
        downgrade(database.engine, "0006")
    with database.engine.connect() as connection:
        assert _counts(connection) == [1, 1, 1, 2, 1, 1]


COMPANY = "INSERT INTO companies (id, key, recorded_at) VALUES ({0}, 'c{0}', 0)"
DETAIL = """
INSERT INTO company_details (company_id, name, legal_name, natural_person, parent_id, successor_id, ended_on, proxy,
  review, recorded_at) VALUES (1, 'C', 'C B.V.', FALSE, 2, 2, '2026-01-01', TRUE, FALSE, 0)
"""


def test_legal_entities_go_and_come_back_empty_while_the_details_and_their_triggers_stay(database: Database) -> None:
    with database.engine.begin() as connection:
        for statement in (COMPANY.format(1), COMPANY.format(2), DETAIL):
            connection.execute(text(statement))
    with pytest.raises(IntegrityError), database.engine.begin() as connection:
        connection.execute(text(DETAIL.replace("FALSE, 2, 2", "FALSE, 9, 2")))
    downgrade(database.engine, "0011")
    with database.engine.connect() as connection:
        assert "parent_id" not in {column["name"] for column in inspect(connection).get_columns("company_details")}
    upgrade(database.engine)
    with database.engine.connect() as connection:
        [row] = connection.execute(text("SELECT name, proxy, legal_name, parent_id, ended_on FROM company_details"))
        assert (row.name, bool(row.proxy), *row[2:]) == ("C", True, None, None, None)
        assert guard_problems(connection) == []


SUSPENSION = """
INSERT INTO suspensions (starts_at, ends_at, pause, reason, recorded_at, source) VALUES (0, 1, 'outage', 'r', 1, {0})
"""


def test_suspensions_of_all_survive_without_who_approved_them_and_those_of_a_source_are_not_widened(
    database: Database,
) -> None:
    with database.engine.begin() as connection:
        connection.execute(text(SUSPENSION.format("NULL")))
    downgrade(database.engine, "0012")
    upgrade(database.engine)
    with database.engine.begin() as connection:
        [row] = connection.execute(text("SELECT pause, source, approved_by FROM suspensions"))
        assert tuple(row) == ("outage", None, None)
        assert guard_problems(connection) == []
        connection.execute(text(SUSPENSION.format("'s'")))
    with pytest.raises(RuntimeError, match="a suspension of one source is recorded"):
        downgrade(database.engine, "0012")
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM suspensions WHERE source = 's'")).scalar_one() == 1
