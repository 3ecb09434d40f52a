"""The triggers by which the database itself refuses to change what was recorded (docs/adr/0021).

A migration makes them from its own list of tables; the list here is what must be there now, so that one that was
dropped, disabled or emptied is found. None of them runs at an INSERT.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, text

from monitor.db import Base
from monitor.vocabulary import Verdict

REFUSAL = "what is published or recorded is never changed"

# No row of these is ever changed or deleted.
RECORDED = (
    "attributions", "audit_entries", "classifications", "companies", "company_claims", "company_details", "contents",
    "corrections", "hash_hits", "item_identities", "item_references", "key_checks", "netblock_steps", "netblock_tables",
    "networks", "notices", "quarantined", "reports", "sightings", "sites", "suspensions",
)  # fmt: skip

# What ingesting, the checks and a person's review change of a delivery. All else of it stays as it was.
_OF_A_DECISION = frozenset({"verdict", "reasons", "decided_at", "decided_by", "decision"})
_COUNTED = frozenset(
    {
        "rows", "accepted", "duplicate", "quarantined", "warnings", "contents_new", "notices_new", "sightings_new",
        "measures",
    }
)  # fmt: skip
# A file that was refused may come again, and what waited is recorded when it is accepted: until then these may change.
_UNTIL_OK = frozenset({"received_at", "recorded_at", "zone", "recheck_gap_seconds"})

_IN_A_PUBLISHED_RELEASE = "EXISTS (SELECT 1 FROM releases r WHERE r.id = OLD.release_id AND r.stage = 'published')"
_TYPE_BITS = {"update": 16, "delete": 8, "truncate": 32}  # of pg_trigger.tgtype
_ROW, _BEFORE = 1, 2


@dataclass(frozen=True, slots=True)
class Guard:
    """A trigger that refuses an action (update, delete, truncate) on a table.

    `condition`: SQL over OLD and NEW, of the rows it is refused for; None: it is refused whatever the row.
    """

    table: str
    action: str
    condition: str | None = None

    @property
    def name(self) -> str:
        """What the trigger is called."""
        return f"keep_{self.table}_{self.action}"

    def create(self, dialect: str) -> list[str]:
        """The statements that make it."""
        before = f"CREATE TRIGGER {self.name} BEFORE {self.action.upper()} ON {self.table}"
        if dialect == "sqlite":
            when = f" WHEN {self.condition}" if self.condition else ""
            return [f"{before}{when} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"]
        if self.condition is None:
            return [f"{before} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"]
        function = f"CREATE OR REPLACE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS $${self.source}$$"
        return [function, f"{before} FOR EACH ROW EXECUTE FUNCTION {self.name}()"]

    def drop(self, dialect: str) -> list[str]:
        """The statements that take it away, where it is there."""
        if dialect == "sqlite":
            return [f"DROP TRIGGER IF EXISTS {self.name}"]
        function = [f"DROP FUNCTION IF EXISTS {self.name}()"] if self.condition else []
        return [f"DROP TRIGGER IF EXISTS {self.name} ON {self.table}", *function]

    @property
    def source(self) -> str:
        """What its function does on PostgreSQL."""
        if self.condition is None:
            return f" BEGIN RAISE EXCEPTION '{REFUSAL}'; END "
        passed = "OLD" if self.action == "delete" else "NEW"
        return f" BEGIN IF {self.condition} THEN RAISE EXCEPTION '{REFUSAL}'; END IF; RETURN {passed}; END "

    @property
    def kind(self) -> int:
        """Its `tgtype` on PostgreSQL."""
        return _TYPE_BITS[self.action] | _BEFORE | (_ROW if self.condition else 0)


def guards_of(dialect: str, recorded: Collection[str], columns: Mapping[str, Collection[str]]) -> list[Guard]:
    """All guards, where the tables of `recorded` take no change at all.

    `columns` names those of `deliveries` and `waiting_statements`: what is not meant to change is not listed, so that
    a new column is guarded too.
    """
    published = "OLD.stage = 'published'"
    found = [Guard(table, action) for table in sorted(recorded) for action in ("update", "delete")]
    found += [
        Guard("deliveries", "update", _delivery_changes(dialect, columns["deliveries"])),
        Guard("deliveries", "delete"),
        Guard("waiting_statements", "update", _statement_changes(dialect, columns["waiting_statements"])),
        Guard("waiting_statements", "delete"),
        Guard("held_pieces", "update"),  # they go when a person has decided
        *(Guard("releases", action, published) for action in ("update", "delete")),
        *(Guard("release_rows", action, _IN_A_PUBLISHED_RELEASE) for action in ("update", "delete")),
    ]
    if dialect == "sqlite":  # has no TRUNCATE
        return found
    return [*found, *(Guard(table, "truncate") for table in sorted({guard.table for guard in found}))]


def _delivery_changes(dialect: str, columns: Collection[str]) -> str:
    always = sorted(set(columns) - _OF_A_DECISION - _COUNTED - _UNTIL_OK)
    counts = f"OLD.verdict = '{Verdict.OK}' AND ({_differ(dialect, sorted(_UNTIL_OK))})"
    return f"{_differ(dialect, always)} OR ({counts})"


def _statement_changes(dialect: str, columns: Collection[str]) -> str:
    """It is settled once, and nothing else changes."""
    again = f"(OLD.settled_at IS NOT NULL AND {_differ(dialect, ['settled_at'])})"
    return f"{_differ(dialect, sorted(set(columns) - {'settled_at'}))} OR {again}"


def _differ(dialect: str, columns: Sequence[str]) -> str:
    differs = "IS NOT" if dialect == "sqlite" else "IS DISTINCT FROM"
    return " OR ".join(f"OLD.{name} {differs} NEW.{name}" for name in columns)


def expected_guards(dialect: str) -> list[Guard]:
    """The guards that a database with the present schema has."""
    tables = ("deliveries", "waiting_statements")
    return guards_of(dialect, RECORDED, {name: Base.metadata.tables[name].columns.keys() for name in tables})


def guard_problems(connection: Connection) -> list[str]:
    """Which guards are missing or not what they should be, and which triggers are none of ours; a sentence each."""
    dialect = connection.dialect.name
    expected = {guard.name: guard for guard in expected_guards(dialect)}
    found = _sqlite_triggers(connection) if dialect == "sqlite" else _postgresql_triggers(connection)
    wanted = {name: _as_found(guard, dialect) for name, guard in expected.items()}
    problems = []
    for name, guard in expected.items():
        if name not in found:
            problems.append(
                f"the database no longer refuses {guard.action.upper()} on {guard.table}: trigger {name} is gone"
            )
        elif found[name] != wanted[name]:
            problems.append(f"trigger {name} on {guard.table} is not what it was: it was replaced or disabled")
    tables = {guard.table for guard in expected.values()}
    strange = sorted(name for name in found.keys() - expected.keys() if found[name][0] in tables)
    return problems + [f"trigger {name} on {found[name][0]} is none of this program's" for name in strange]


def _as_found(guard: Guard, dialect: str) -> tuple[object, ...]:
    if dialect == "sqlite":
        return guard.table, guard.create(dialect)[0]
    return guard.table, guard.kind, True, guard.source


def _sqlite_triggers(connection: Connection) -> dict[str, tuple[object, ...]]:
    rows = connection.execute(text("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"))
    return {row.name: (row.tbl_name, row.sql) for row in rows}


_TRIGGERS = """
SELECT t.tgname AS name, c.relname AS tbl, t.tgtype AS kind, p.prosrc AS source,
  t.tgenabled IN ('O', 'A') AND t.tgqual IS NULL AND t.tgattr::text = '' AS always
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace
"""


def _postgresql_triggers(connection: Connection) -> dict[str, tuple[object, ...]]:
    rows = connection.execute(text(_TRIGGERS))
    return {row.name: (row.tbl, row.kind, row.always, row.source) for row in rows}


@contextmanager
def lifted(connection: Connection, table: str) -> Iterator[None]:
    """Let rows of a table be changed, within the caller's transaction: for migrations, new keys and retention only.

    The guards are the same again at its end; where it fails, the transaction must be rolled back.
    """
    dialect = connection.dialect.name
    if dialect == "postgresql":
        connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        yield
        connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
        return
    made = [(name, sql) for name, (owner, sql) in _sqlite_triggers(connection).items() if owner == table]
    for name, _ in made:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    yield
    for _, sql in made:
        connection.exec_driver_sql(str(sql))
