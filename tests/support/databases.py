"""Databases of the PostgreSQL that the tests share: made from a template, emptied, dropped."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from sqlalchemy import text
from sqlalchemy.engine import make_url

from monitor.db import connect

TEMPLATE = "template_monitor"  # a database with the schema

# What the schema of a database is made of, and what was set for it.
_SCHEMA = """
SELECT md5(string_agg(part, E'\\n' ORDER BY part)) FROM (
    SELECT concat_ws(' ', relname, relkind, relnatts, relchecks, relacl) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', attrelid::regclass, attname, atttypid, attnotnull, atthasdef) FROM pg_attribute
        JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
    UNION ALL SELECT concat_ws(' ', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger
    UNION ALL SELECT concat_ws(' ', conrelid::regclass, conname, convalidated) FROM pg_constraint
    UNION ALL SELECT concat_ws(' ', proname, prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', setrole, setconfig) FROM pg_db_role_setting
        JOIN pg_database ON setdatabase = pg_database.oid WHERE datname = current_database()
) AS parts(part)
"""


def emptied(url: str) -> bool:
    """Make a database what it was when it was made; False where a test has changed its schema, and nothing is done."""
    engine = connect(url)
    try:
        with engine.begin() as connection:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            connection.execute(text(f"{others} AND pid <> pg_backend_pid()"))
            made = _made(make_url(url).set(database=None).render_as_string(hide_password=False))
            if connection.scalar(text(_SCHEMA)) != made.schema:
                return False
            any_row = " UNION ALL ".join(f"(SELECT '{name}' FROM {name} LIMIT 1)" for name in made.rows)
            names = connection.scalars(text(any_row)).all()
            connection.execute(text("SET LOCAL session_replication_role = replica"))  # triggers guard the facts
            connection.execute(text(f"TRUNCATE {', '.join(names)} RESTART IDENTITY CASCADE"))
            for name, rows in made.rows.items():
                for row in rows:
                    record = f"jsonb_populate_record(NULL::{name}, CAST(:row AS jsonb))"
                    connection.execute(text(f"INSERT INTO {name} SELECT * FROM {record}"), {"row": row})
    finally:
        engine.dispose()
    return True


@dataclass(frozen=True)
class _Made:
    """A migrated database that is new: its schema, and by table the rows that a migration put there, as JSON."""

    schema: str
    rows: dict[str, list[str]]


@cache
def _made(server: str) -> _Made:
    engine = connect(named(server, TEMPLATE))
    try:
        with engine.connect() as connection:
            tables = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
            rows = {
                name: list(connection.scalars(text(f"SELECT CAST(to_jsonb({name}) AS text) FROM {name}")))
                for name in tables
            }
            return _Made(connection.scalar(text(_SCHEMA)), rows)
    finally:
        engine.dispose()


def drop(url: str) -> None:
    """Drop a database, and whoever is connected to it."""
    administer(named(url, "postgres"), f"DROP DATABASE {make_url(url).database} WITH (FORCE)")


def administer(address: str, statement: str) -> None:
    """Give the server an order that no transaction may hold."""
    engine = connect(address)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()


def named(address: str, database: str) -> str:
    """The address of another database of the server."""
    return make_url(address).set(database=database).render_as_string(hide_password=False)
