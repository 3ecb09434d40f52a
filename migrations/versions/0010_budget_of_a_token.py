"""What a token sends and costs is counted beside its requests, so that a few dear ones are as limited as many.

Revision 0010, after 0009.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_COLUMNS = ("window_bytes", "window_milliseconds")


def upgrade() -> None:
    """Add the columns; nothing was counted so far."""
    for name in _COLUMNS:
        op.add_column("access_tokens", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    """Take them away again."""
    for name in _COLUMNS:
        op.drop_column("access_tokens", name)
