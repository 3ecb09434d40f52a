"""Facts refer to each other without foreign keys, and indexes that no question uses go (docs/adr/0014).

Revision 0007, after 0006. No row is touched. In SQLite the clauses are taken out of the schema's text, as
https://www.sqlite.org/lang_altertable.html#otheralter says for constraints that do not change what is stored:
copying the tables would take hours where there are many facts.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_REFERENCES = {
    "contents": {"delivery_id": "deliveries", "site_id": "sites"},
    "notices": {"delivery_id": "deliveries", "content_id": "contents"},
    "sightings": {"delivery_id": "deliveries", "content_id": "contents"},
    "attributions": {
        "content_id": "contents",
        "company_id": "companies",
        "other_company_id": "companies",
        "netblock_table_id": "netblock_tables",
    },
}
_INDEXES = (
    ("contents", "delivery_id"),
    ("contents", "site_id"),
    ("attributions", "company_id"),
    ("attributions", "other_company_id"),
    ("attributions", "netblock_table_id"),
)
_STEM, _CUT = "ix_contents_stem_digest", sa.text("stem_digest IS NOT NULL")


def upgrade() -> None:
    """Drop the foreign keys and the indexes; of the cut forms only those that exist stay indexed, and few do."""
    for table, column in _INDEXES:
        op.drop_index(f"ix_{table}_{column}", table_name=table)
    op.drop_index(_STEM, table_name="contents")
    op.create_index(_STEM, "contents", ["stem_digest"], sqlite_where=_CUT, postgresql_where=_CUT)
    if op.get_bind().dialect.name == "sqlite":
        _rewrite(_without)
        return
    for table, columns in _REFERENCES.items():
        for column in columns:
            op.drop_constraint(f"fk_{table}_{column}", table, type_="foreignkey")


def downgrade() -> None:
    """Put them back; it fails where a fact refers to what is not there."""
    if op.get_bind().dialect.name == "sqlite":
        _rewrite(_with)
    else:
        for table, columns in _REFERENCES.items():
            for column, parent in columns.items():
                op.create_foreign_key(f"fk_{table}_{column}", table, parent, [column], ["id"])
    op.drop_index(_STEM, table_name="contents")
    op.create_index(_STEM, "contents", ["stem_digest"])
    for table, column in _INDEXES:
        op.create_index(f"ix_{table}_{column}", table, [column])


def _clauses(table: str) -> list[str]:
    return [
        f"CONSTRAINT fk_{table}_{column} FOREIGN KEY({column}) REFERENCES {parent} (id)"
        for column, parent in _REFERENCES[table].items()
    ]


def _without(table: str, text: str) -> str:
    for clause in _clauses(table):
        text, found = re.subn(rf",\s*{re.escape(clause)}", "", text)
        if found != 1:
            raise RuntimeError(f"the schema of {table} is not the one that revision 0006 left")
    return text


def _with(table: str, text: str) -> str:
    return text.rstrip().removesuffix(")").rstrip() + ", \n\t" + ", \n\t".join(_clauses(table)) + "\n)"


def _rewrite(change: Callable[[str, str], str]) -> None:
    """Change the text of SQLite's schema; its new version makes other connections read it again, the reset this one."""
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema=ON")
    for table in _REFERENCES:
        row = "sqlite_schema WHERE type = 'table' AND name = ?"
        text = connection.exec_driver_sql(f"SELECT sql FROM {row}", (table,)).scalar_one()  # noqa: S608
        update = f"UPDATE {row.replace('WHERE', 'SET sql = ? WHERE')}"
        connection.exec_driver_sql(update, (change(table, text), table))
    connection.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema=RESET")
    broken = [table for table in _REFERENCES if connection.exec_driver_sql(f"PRAGMA foreign_key_check({table})").all()]
    if broken:
        raise RuntimeError(f"facts refer to what is not there: {', '.join(broken)}")
