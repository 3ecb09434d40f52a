"""Who proposed and who approved a decision, and suspensions of one source.

Revision 0013, after 0012. No row is touched: of what was recorded before, nobody noted who approved it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("suspensions", "source", 64), ("suspensions", "decided_by", 128), ("suspensions", "approved_by", 128),
    ("corrections", "approved_by", 128),
)  # fmt: skip


def upgrade() -> None:
    """Add the columns."""
    for table, name, length in _COLUMNS:
        op.add_column(table, sa.Column(name, sa.String(length), nullable=True))


def downgrade() -> None:
    """Take them away again; raises RuntimeError over a suspension of one source, which would become everybody's."""
    if op.get_bind().execute(sa.text("SELECT 1 FROM suspensions WHERE source IS NOT NULL")).first() is not None:
        raise RuntimeError("a suspension of one source is recorded: without its source it would hold for all")
    for table, name, _ in _COLUMNS:
        op.drop_column(table, name)
