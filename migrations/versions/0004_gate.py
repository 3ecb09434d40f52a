"""The verdict on a delivery, and deliveries that are pending review.

Revision 0004, after 0003. What was ingested before there were delivery checks is ok.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import monitor.db

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# In words that both databases know: SQLite adds a constraint to a table that is there only as part of a column.
_VERDICT = (
    "verdict VARCHAR(24) DEFAULT 'ok' NOT NULL "
    "CONSTRAINT ck_deliveries_verdict CHECK (verdict IN ('ok', 'suspicious', 'refused'))"
)


def upgrade() -> None:
    """Add the tables and columns."""
    op.execute(f"ALTER TABLE deliveries ADD COLUMN {_VERDICT}")
    op.add_column("deliveries", sa.Column("reasons", sa.JSON(), server_default="[]", nullable=False))
    op.add_column("deliveries", sa.Column("measures", sa.JSON(), server_default="{}", nullable=False))
    op.add_column("deliveries", sa.Column("decided_at", monitor.db.UtcDateTime(), nullable=True))
    op.add_column("deliveries", sa.Column("decided_by", sa.String(128), nullable=True))
    op.add_column("deliveries", sa.Column("decision", sa.String(2000), nullable=True))
    op.create_table(
        "held_pieces",
        sa.Column("delivery_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_held_pieces_delivery_id")),
        sa.PrimaryKeyConstraint("delivery_id", "number", name=op.f("pk_held_pieces")),
    )


def downgrade() -> None:
    """Take them away again, with every delivery that does not count: without a verdict it would."""
    op.drop_table("held_pieces")
    op.execute("DELETE FROM deliveries WHERE verdict <> 'ok'")
    for column in ("decision", "decided_by", "decided_at", "measures", "reasons", "verdict"):
        op.drop_column("deliveries", column)
