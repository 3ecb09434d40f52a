"""When an item was reported to its hotline and classified there; and notices of which nobody says to whom they went.

Revision 0014, after 0013. No row is touched.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import monitor.db
from monitor.models.guards import Guard, lifted

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_TABLES = ("classifications", "reports")
_BEFORE = "recipient_role IN ('hoster', 'site_owner', 'registrar', 'police')"
_AFTER = "recipient_role IN ('hoster', 'site_owner', 'registrar', 'police', 'unknown')"


def upgrade() -> None:
    """Add the two tables of facts with their guards, and a role of recipients."""
    dialect = op.get_bind().dialect.name
    for table in _TABLES:
        op.create_table(
            table,
            sa.Column("id", monitor.db.Identifier, autoincrement=False, nullable=False),
            sa.Column("delivery_id", monitor.db.Identifier, nullable=False),
            sa.Column("content_id", monitor.db.Identifier, nullable=False),
            sa.Column("source", sa.String(64), nullable=False),
            sa.Column("at", monitor.db.UtcDateTime(), nullable=False),
            sa.Column("recorded_at", monitor.db.UtcDateTime(), nullable=False),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        )
        op.create_index(f"uq_{table}_natural", table, ["content_id", "source", "at"], unique=True)
    for guard in _guards(dialect):
        for statement in guard.create(dialect):
            op.execute(statement)
    _replace_roles(_BEFORE, _AFTER)


def downgrade() -> None:
    """Take them away again, and the notices that no role of before fits: none of them started a clock."""
    connection = op.get_bind()
    with lifted(connection, "notices"), lifted(connection, "corrections"):
        op.execute(
            "DELETE FROM corrections WHERE notice_id IN (SELECT id FROM notices WHERE recipient_role = 'unknown')"
        )
        op.execute("DELETE FROM notices WHERE recipient_role = 'unknown'")
    _replace_roles(_AFTER, _BEFORE)
    for guard in _guards(connection.dialect.name):
        for statement in guard.drop(connection.dialect.name):
            op.execute(statement)
    for table in _TABLES:
        op.drop_table(table)


def _guards(dialect: str) -> list[Guard]:
    actions = ("update", "delete") if dialect == "sqlite" else ("update", "delete", "truncate")
    return [Guard(table, action) for table in _TABLES for action in actions]


def _replace_roles(old: str, new: str) -> None:
    """In SQLite in the schema's text (https://www.sqlite.org/lang_altertable.html#otheralter): no row moves."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.execute("ALTER TABLE notices DROP CONSTRAINT ck_notices_role")
        op.execute(f"ALTER TABLE notices ADD CONSTRAINT ck_notices_role CHECK ({new})")
        return
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema=ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'notices'", (old, new)
    )
    connection.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema=RESET")
