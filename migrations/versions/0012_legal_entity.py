"""A company's legal entity, group and successor stand beside its name.

Revision 0012, after 0011. No row is touched: of what was recorded before, none of these is known.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("legal_name", sa.String(255)),
    ("legal_form", sa.String(64)),
    ("natural_person", sa.Boolean()),
    ("ended_on", sa.Date()),
)
_COMPANIES = ("parent_id", "successor_id")


def upgrade() -> None:
    """Add the columns. SQLite takes a reference only within the column, and keeps the table's triggers that way."""
    for name, kind in _COLUMNS:
        op.add_column("company_details", sa.Column(name, kind, nullable=True))
    for name in _COMPANIES:
        key = f"CONSTRAINT fk_company_details_{name} REFERENCES companies (id)"
        integer = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
        op.execute(f"ALTER TABLE company_details ADD COLUMN {name} {integer} {key}")


def downgrade() -> None:
    """Take them away again, with what they hold."""
    for name in (*_COMPANIES, *(name for name, _ in _COLUMNS)):
        op.drop_column("company_details", name)
