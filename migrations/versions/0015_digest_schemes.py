"""Each digest of an item or a site says under which scheme it was made (docs/adr/0026).

Revision 0015, after 0014. What is stored has scheme 1: URL rules 1. `monitor keys rotate --digest` brings it up to the
scheme in force, in batches and while all else goes on; until then both are looked up.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import monitor.db
from monitor.errors import ConfigurationError
from monitor.models.guards import Guard

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INDEXED = ("content_id", "item_id")


def upgrade() -> None:
    """Add the schemes and identities; name the scheme of what is there."""
    op.create_table(
        "digest_schemes",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("url_rules", sa.Integer(), nullable=False),
        sa.Column("suffix_list", sa.String(64), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", monitor.db.UtcDateTime(), nullable=False),
        sa.Column("position", _NUMBER, nullable=False),
        sa.Column("finished_at", monitor.db.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digest_schemes")),
    )
    op.create_table(
        "item_identities",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("content_id", _NUMBER, nullable=False),
        sa.Column("item_id", _NUMBER, nullable=False),
        sa.Column("site_id", _NUMBER, nullable=False),
        sa.Column("former_stem", sa.LargeBinary(32), nullable=True),
        sa.Column("scheme", sa.Integer(), nullable=False),
        sa.Column("recorded_at", monitor.db.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_identities")),
    )
    for column in _INDEXED:
        op.create_index(op.f(f"ix_item_identities_{column}"), "item_identities", [column])
    for table in ("contents", "sites"):
        op.add_column(table, sa.Column("scheme", sa.Integer(), server_default="1", nullable=False))
    op.execute(
        "INSERT INTO digest_schemes (id, url_rules, suffix_list, key_version, recorded_at, position, finished_at) "
        "SELECT 1, 1, 'not recorded', min(key_version), min(recorded_at), 0, min(recorded_at) FROM contents "
        "HAVING count(*) > 0"
    )
    dialect = op.get_bind().dialect.name
    for guard in _guards(dialect):
        for statement in guard.create(dialect):
            op.execute(statement)


def downgrade() -> None:
    """Forget the schemes: only where nothing was digested under another than the first."""
    later = (
        "SELECT 1 FROM contents c JOIN digest_schemes s ON s.id = c.scheme WHERE s.url_rules > 1 OR s.id > 1 LIMIT 1"
    )
    if op.get_bind().execute(sa.text(later)).first():
        raise ConfigurationError(
            "items have digests that an earlier version cannot find; restore a backup of before it"
        )
    for table in ("contents", "sites"):
        op.drop_column(table, "scheme")
    op.drop_table("item_identities")
    op.drop_table("digest_schemes")


def _guards(dialect: str) -> list[Guard]:
    actions = ("update", "delete") if dialect == "sqlite" else ("update", "delete", "truncate")
    return [Guard("item_identities", action) for action in actions]
