"""Keys are tied to their database, and what a thief could guess from is keyed or sealed.

Revision 0009, after 0008. `deliveries.sha256` becomes a keyed digest of it, and `notices.reference` is sealed: where
anything is stored, that needs the vault. Manifests and audit entries that were made before keep the bare hashes that
they were made with, for they are attested (docs/threat-model.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import context, op

import monitor.db
from monitor.errors import ConfigurationError
from monitor.vault import Vault

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_PURPOSE = "notices.reference"
_ROWS = 10_000
_OLD, _NEW = "uq_deliveries_source_format_sha256", "uq_deliveries_source_format_file_digest"


def upgrade() -> None:
    """Add the check values; digest the hashes of files, and seal the senders' numbers."""
    op.create_table(
        "key_checks",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("check_value", sa.LargeBinary(32), nullable=False),
        sa.Column("recorded_at", monitor.db.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_key_checks")),
    )
    op.execute("ALTER TABLE deliveries RENAME COLUMN sha256 TO file_digest")
    _rename_constraint(_OLD, _NEW)
    op.add_column("notices", sa.Column("reference_sealed", sa.LargeBinary(), nullable=True))
    if _is_there("deliveries WHERE TRUE"):
        vault = _vault()
        _each("deliveries", "file_digest", "file_digest", lambda texts: [vault.digest_file(text) for text in texts])
        _each("notices", "reference", "reference_sealed", lambda texts: vault.seal_equal(texts, _PURPOSE))
        _each("notices", "reference", "reference", lambda texts: [None for _ in texts])
        context.config.attributes["erased"] = True
    op.drop_column("notices", "reference")


def downgrade() -> None:
    """The numbers come back in clear; a digest of a file stays one, under the name that the hash had."""
    op.add_column("notices", sa.Column("reference", sa.String(64), nullable=True))
    if _is_there("notices WHERE reference_sealed IS NOT NULL"):
        vault = _vault()
        _each(
            "notices", "reference_sealed", "reference",
            lambda sealed: [vault.open_equal(bytes(text), vault.version, _PURPOSE) for text in sealed],
        )  # fmt: skip
    op.drop_column("notices", "reference_sealed")
    _rename_constraint(_NEW, _OLD)
    op.execute("ALTER TABLE deliveries RENAME COLUMN file_digest TO sha256")
    op.drop_table("key_checks")


def _vault() -> Vault:
    vault = context.config.attributes.get("vault")
    if not isinstance(vault, Vault):
        raise ConfigurationError("this step needs the key file: run `monitor init` where it is")
    return vault


def _is_there(rows: str) -> bool:
    return op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first() is not None  # noqa: S608


def _each(table: str, source: str, target: str, change: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
    """Fill a column from another, a few thousand rows at a time, in the order of their ids."""
    connection, last = op.get_bind(), -1
    found = sa.text(
        f"SELECT id, {source} FROM {table} WHERE id > :last AND {source} IS NOT NULL ORDER BY id LIMIT {_ROWS}"  # noqa: S608
    )
    update = sa.text(f"UPDATE {table} SET {target} = :value WHERE id = :id")  # noqa: S608
    while rows := connection.execute(found, {"last": last}).all():
        values = change([row[1] for row in rows])
        connection.execute(update, [{"id": row[0], "value": value} for row, value in zip(rows, values, strict=True)])
        last = rows[-1][0]


def _rename_constraint(old: str, new: str) -> None:
    """In SQLite in the schema's text (https://www.sqlite.org/lang_altertable.html#otheralter): no row moves."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.execute(f"ALTER TABLE deliveries RENAME CONSTRAINT {old} TO {new}")
        return
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema=ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'deliveries'", (old, new)
    )
    connection.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema=RESET")
