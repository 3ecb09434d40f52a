"""The database itself refuses to change a published release or the audit trail.

Revision 0002, after 0001.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_PUBLISHED_ROW = "EXISTS (SELECT 1 FROM releases r WHERE r.id = OLD.release_id AND r.stage = 'published')"
_GUARDS = {
    "releases": "OLD.stage = 'published'",
    "release_rows": _PUBLISHED_ROW,
    "audit_entries": "1 = 1",
}
_REFUSAL = "what is published or recorded is never changed"


def upgrade() -> None:
    """Refuse updates and deletes."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$"
        )
    for table, condition in _GUARDS.items():
        for action in ("UPDATE", "DELETE"):
            op.execute(_guard(table, action, condition))


def _guard(table: str, action: str, condition: str) -> str:
    name = f"keep_{table}_{action.lower()}"
    if op.get_bind().dialect.name == "sqlite":
        body = f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        return f"CREATE TRIGGER {name} BEFORE {action} ON {table} WHEN {condition} {body}"
    if condition is _PUBLISHED_ROW:  # PostgreSQL allows no subquery in WHEN: the function asks
        body = f"BEGIN IF {condition} THEN RAISE EXCEPTION '{_REFUSAL}'; END IF; "
        body += f"RETURN {'OLD' if action == 'DELETE' else 'NEW'}; END"
        op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
        return f"CREATE TRIGGER {name} BEFORE {action} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
    return (
        f"CREATE TRIGGER {name} BEFORE {action} ON {table} FOR EACH ROW WHEN ({condition}) "
        "EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """Allow them again."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for table, condition in _GUARDS.items():
        for action in ("update", "delete"):
            op.execute(f"DROP TRIGGER keep_{table}_{action}" + (f" ON {table}" if is_postgresql else ""))
            if is_postgresql and condition is _PUBLISHED_ROW:
                op.execute(f"DROP FUNCTION keep_{table}_{action}()")
    if is_postgresql:
        op.execute("DROP FUNCTION refuse_change()")
