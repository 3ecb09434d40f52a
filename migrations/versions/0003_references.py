"""Which item a hotline's own file number stands for, and statements that wait for their item.

Revision 0003, after 0002.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import monitor.db

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_IDENTIFIER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the tables."""
    _create(
        "item_references",
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("number_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("content_id", _IDENTIFIER, sa.ForeignKey("contents.id"), nullable=False),
        unique=("number_digest", "source", "content_id"),
    )
    op.create_index(op.f("ix_item_references_content_id"), "item_references", ["content_id"])
    _create(
        "waiting_statements",
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("number_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("statement_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("statement_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("settled_at", monitor.db.UtcDateTime(), nullable=True),
        unique=("number_digest", "source", "statement_digest"),
    )
    _create(
        "hash_hits",
        sa.Column("content_id", _IDENTIFIER, sa.ForeignKey("contents.id"), nullable=False),
        sa.Column("checked_at", monitor.db.UtcDateTime(), nullable=False),
        unique=("content_id", "source", "checked_at"),
    )


def _create(table: str, *columns: sa.Column[object], unique: tuple[str, ...]) -> None:
    """A table of what a delivery of a source said, and when that was recorded."""
    op.create_table(
        table,
        sa.Column("id", _IDENTIFIER, nullable=False),
        sa.Column("delivery_id", _IDENTIFIER, sa.ForeignKey("deliveries.id"), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("recorded_at", monitor.db.UtcDateTime(), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint(*unique, name=op.f(f"uq_{table}_{'_'.join(unique)}")),
    )
    op.create_index(op.f(f"ix_{table}_delivery_id"), table, ["delivery_id"])


def downgrade() -> None:
    """Take them away again."""
    for table in ("hash_hits", "waiting_statements", "item_references"):
        op.drop_table(table)
