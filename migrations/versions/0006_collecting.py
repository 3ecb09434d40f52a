"""Runs of collectors, health of sources, and who leads.

Revision 0006, after 0005. The schedule's own tables replace the one that a scheduler library made beside the schema.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import monitor.db
from migrations import observing

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_IDENTIFIER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    """Add the tables and columns."""
    observing.pack_networks()
    observing.add_observers()
    op.execute("DROP TABLE IF EXISTS apscheduler_jobs")
    _runs()
    _leadership()
    _scheduled_sources()
    _alerts()


def downgrade() -> None:
    """Take them away again."""
    observing.drop_observers()
    observing.unpack_networks()
    for table in ("alerts", "scheduled_sources", "leadership"):
        op.drop_table(table)
    op.drop_index(op.f("uq_collector_runs_run"), table_name="collector_runs")
    for column in ("term", "run"):
        op.drop_column("collector_runs", column)


def _runs() -> None:
    op.add_column("collector_runs", sa.Column("run", sa.String(32), nullable=True))
    op.add_column("collector_runs", sa.Column("term", sa.Integer(), nullable=True))
    op.create_index(op.f("uq_collector_runs_run"), "collector_runs", ["run"], unique=True)


def _leadership() -> None:
    table = op.create_table(
        "leadership",
        sa.Column("id", _IDENTIFIER, autoincrement=False, nullable=False),
        sa.Column("term", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(64), nullable=True),
        sa.Column("since", monitor.db.UtcDateTime(), nullable=True),
        sa.Column("beat", sa.Integer(), nullable=False),
        sa.Column("beat_at", monitor.db.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leadership")),
    )
    op.bulk_insert(table, [{"id": 1, "term": 0, "holder": None, "since": None, "beat": 0, "beat_at": None}])


def _scheduled_sources() -> None:
    op.create_table(
        "scheduled_sources",
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("cadence_seconds", sa.Integer(), nullable=False),
        sa.Column("jitter_seconds", sa.Integer(), nullable=False),
        sa.Column("limit_seconds", sa.Integer(), nullable=False),
        sa.Column("retry_seconds", sa.Integer(), nullable=False),
        sa.Column("scheduled_at", monitor.db.UtcDateTime(), nullable=False),
        sa.Column("next_run_at", monitor.db.UtcDateTime(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_scheduled_sources")),
    )


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", _IDENTIFIER, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("began_at", monitor.db.UtcDateTime(), nullable=False),
        sa.Column("began_told_at", monitor.db.UtcDateTime(), nullable=True),
        sa.Column("ended_at", monitor.db.UtcDateTime(), nullable=True),
        sa.Column("ended_told_at", monitor.db.UtcDateTime(), nullable=True),
        sa.Column("claimed_at", monitor.db.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
    )
    op.create_index(
        "uq_alerts_open", "alerts", ["kind", "subject"], unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
    )
