"""The database itself refuses to change facts (docs/adr/0021).

Revision 0011, after 0010. No row is touched. What 0002 guarded is guarded in the same form, and against TRUNCATE too.
To change facts in a later migration, do it within `monitor.models.guards.lifted`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from monitor.models.guards import REFUSAL, Guard, guards_of

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_RECORDED = (
    "attributions", "audit_entries", "companies", "company_claims", "company_details", "contents", "corrections",
    "hash_hits", "item_references", "key_checks", "netblock_steps", "netblock_tables", "networks", "notices",
    "quarantined", "sightings", "sites", "suspensions",
)  # fmt: skip
_ACTIONS = ("update", "delete")
_ROWS = "EXISTS (SELECT 1 FROM releases r WHERE r.id = OLD.release_id AND r.stage = 'published')"
_BEFORE = {"releases": "OLD.stage = 'published'", "audit_entries": "1 = 1"}  # what 0002 made, with its conditions


def upgrade() -> None:
    """Replace the guards of published releases and of the audit trail, and add those of the facts."""
    dialect = op.get_bind().dialect.name
    for table in (*_BEFORE, "release_rows"):
        for action in _ACTIONS:
            op.execute(f"DROP TRIGGER keep_{table}_{action}" + ("" if dialect == "sqlite" else f" ON {table}"))
    if dialect == "postgresql":
        source = Guard("audit_entries", "update").source
        op.execute(f"CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $${source}$$")
    for guard in _guards(dialect):
        for statement in guard.create(dialect):
            op.execute(statement)


def downgrade() -> None:
    """Leave what 0002 made."""
    dialect = op.get_bind().dialect.name
    for guard in _guards(dialect):
        for statement in guard.drop(dialect):
            op.execute(statement)
    for action in _ACTIONS:
        for table, condition in _BEFORE.items():
            op.execute(_as_before(dialect, table, action, condition))
        for statement in Guard("release_rows", action, _ROWS).create(dialect):
            op.execute(statement)


def _guards(dialect: str) -> list[Guard]:
    inspector = sa.inspect(op.get_bind())
    columns = {name: [c["name"] for c in inspector.get_columns(name)] for name in ("deliveries", "waiting_statements")}
    return guards_of(dialect, _RECORDED, columns)


def _as_before(dialect: str, table: str, action: str, condition: str) -> str:
    name = f"keep_{table}_{action}"
    if dialect == "sqlite":
        body = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        return f"CREATE TRIGGER {name} BEFORE {action.upper()} ON {table} WHEN {condition} {body}"
    each = f"FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION refuse_change()"
    return f"CREATE TRIGGER {name} BEFORE {action.upper()} ON {table} {each}"
