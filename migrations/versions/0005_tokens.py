"""Who may push notices: tokens of hotlines, and the answers to requests already seen.

Revision 0005, after 0004.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import monitor.db

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_IDENTIFIER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the tables and columns."""
    op.create_table(
        "access_tokens",
        sa.Column("id", _IDENTIFIER, nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("selector", sa.String(16), nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("issued_at", monitor.db.UtcDateTime(), nullable=False),
        sa.Column("expires_at", monitor.db.UtcDateTime(), nullable=False),
        sa.Column("revoked_at", monitor.db.UtcDateTime(), nullable=True),
        sa.Column("last_used_at", monitor.db.UtcDateTime(), nullable=True),
        sa.Column("window_at", monitor.db.UtcDateTime(), nullable=False),
        sa.Column("window_spent", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_tokens")),
        sa.UniqueConstraint("selector", name=op.f("uq_access_tokens_selector")),
    )
    op.create_index(op.f("ix_access_tokens_source"), "access_tokens", ["source"])
    op.create_table(
        "pushed_requests",
        sa.Column("id", _IDENTIFIER, nullable=False),
        sa.Column("token_id", _IDENTIFIER, nullable=False),
        sa.Column("key_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("body_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("delivery_id", _IDENTIFIER, nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("recorded_at", monitor.db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["token_id"], ["access_tokens.id"], name=op.f("fk_pushed_requests_token_id")),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_pushed_requests_delivery_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pushed_requests")),
        sa.UniqueConstraint("token_id", "key_digest", name=op.f("uq_pushed_requests_token_id_key_digest")),
    )
    op.create_index(op.f("ix_pushed_requests_delivery_id"), "pushed_requests", ["delivery_id"])


def downgrade() -> None:
    """Take them away again."""
    op.drop_table("pushed_requests")
    op.drop_table("access_tokens")
