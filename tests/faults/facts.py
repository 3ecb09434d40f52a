"""All that a database holds, compared by what it says: ids are replaced by what they stand for, seals opened."""

from __future__ import annotations

from typing import Any

from sqlalchemy import MetaData, Table, select
from sqlalchemy.orm import Session

from monitor.db import REFERS_TO, Base, connect
from monitor.vault import Vault

_HISTORY = {"collector_runs", "key_checks"}  # how often and when it was tried is not what was found

Row = dict[str, Any]


def facts(url: str, vault: Vault) -> dict[str, list[str]]:
    """The rows of each table, each as text, in an order of their own."""
    engine = connect(url)
    with Session(engine) as session:
        tables = [table for table in _in_order(Base.metadata) if table.name not in _HISTORY]
        told: dict[tuple[str, int], str] = {}
        found = {table.name: sorted(_told(session, vault, table, told)) for table in tables}
    engine.dispose()
    return found


def _in_order(metadata: MetaData) -> list[Table]:
    """All tables, each after those it refers to, by foreign key or without."""
    for table in metadata.tables.values():
        for column in table.c:
            if parent := column.info.get(REFERS_TO):
                table.add_is_dependent_on(metadata.tables[parent])
    return metadata.sorted_tables


def _told(session: Session, vault: Vault, table: Table, told: dict[tuple[str, int], str]) -> list[str]:
    """`told`: what the rows of the tables before this one, on which it depends, say by their id."""
    lines = []
    for row in session.execute(select(table)).mappings():
        line = repr([(name, _meaning(vault, table, name, dict(row), told)) for name in row if name != "id"])
        lines.append(line)
        if "id" in row:
            told[table.name, row["id"]] = line
    return lines


def _meaning(vault: Vault, table: Table, name: str, row: Row, told: dict[tuple[str, int], str]) -> object:
    value = row[name]
    if value is not None and name == "reference_sealed":
        return vault.open_equal(value, row["key_version"], "notices.reference")
    if value is not None and name.endswith("_sealed"):
        return vault.open(value, row["key_version"])
    parents = [key.column.table.name for key in table.c[name].foreign_keys if key.column.name == "id"]
    for parent in (*parents, *filter(None, (table.c[name].info.get(REFERS_TO),))):
        if value is not None:
            return told[parent, value]
    return value
