"""Facts are found by their ids where their delivery asks for them, so two indexes less are kept (docs/adr/0014).

Revision 0008, after 0007. No row is touched.
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TABLES = ("notices", "sightings")


def upgrade() -> None:
    """Drop them: each row that is stored was written into them too."""
    for table in _TABLES:
        op.drop_index(f"ix_{table}_delivery_id", table_name=table)


def downgrade() -> None:
    """Put them back."""
    for table in _TABLES:
        op.create_index(f"ix_{table}_delivery_id", table, ["delivery_id"])
