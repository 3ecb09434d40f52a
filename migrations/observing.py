"""Revision 0006, the part for networks and observers: tables packed once for all, and what observers remember.

Ranges are packed by the code of the core: the form is written down there (`monitor.attribute.networks.pack`).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from alembic import op

from monitor.attribute.networks import NO_MATCH, V4, V6, flatten, index_families, pack, unpack
from monitor.db import Identifier, UtcDateTime
from monitor.formats.netblocks import MAPPED

_COUNTS = {V4: "ranges_v4", V6: "ranges_v6"}


def pack_networks() -> None:
    """Tables of networks: from a row a range to one packed value a table and family."""
    op.add_column("netblock_tables", sa.Column("format", sa.String(16), nullable=False, server_default="ranges"))
    for name in _COUNTS.values():
        op.add_column("netblock_tables", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_networks_asn", "networks", ["asn"])
    steps = op.create_table(
        "netblock_steps",
        sa.Column("table_id", Identifier, nullable=False, autoincrement=False),
        sa.Column("family", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["table_id"], ["netblock_tables.id"], name=op.f("fk_netblock_steps_table_id")),
        sa.PrimaryKeyConstraint("table_id", "family", name=op.f("pk_netblock_steps")),
    )
    for number in op.get_bind().execute(sa.text("SELECT id FROM netblock_tables")).scalars().all():
        for row in _packed(number):
            op.bulk_insert(steps, [row])
    op.drop_index("ix_netblocks_table_id", table_name="netblocks")
    op.drop_table("netblocks")


def _packed(number: int) -> Iterator[dict[str, Any]]:
    """The families of one table; those it has are counted at its head."""
    query = sa.text("SELECT first, last, asn FROM netblocks WHERE table_id = :table ORDER BY id")
    rows = op.get_bind().execute(query, {"table": number})
    indexes = index_families([(bytes(first), bytes(last), asn) for first, last, asn in rows])
    for family, index in zip((V4, V6), indexes, strict=True):
        steps = flatten(family, index)
        if steps.ranges:
            count = sa.text(f"UPDATE netblock_tables SET {_COUNTS[family]} = :count WHERE id = :table")  # noqa: S608
            op.get_bind().execute(count, {"count": steps.ranges, "table": number})
            yield {"table_id": number, "family": family, "packed": pack(steps)}


def unpack_networks() -> None:
    """Back to a row a range; what was nested stays resolved."""
    netblocks = op.create_table(
        "netblocks",
        sa.Column("id", Identifier, nullable=False, autoincrement=False),
        sa.Column("table_id", Identifier, nullable=False),
        sa.Column("first", sa.LargeBinary(16), nullable=False),
        sa.Column("last", sa.LargeBinary(16), nullable=False),
        sa.Column("asn", Identifier, nullable=False),
        sa.ForeignKeyConstraint(["table_id"], ["netblock_tables.id"], name=op.f("fk_netblocks_table_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_netblocks")),
    )
    op.create_index("ix_netblocks_table_id", "netblocks", ["table_id"])
    number = 0
    for packed in op.get_bind().execute(sa.text("SELECT table_id, family, packed FROM netblock_steps")).all():
        rows = [row | {"id": number + place} for place, row in enumerate(_ranges(*packed), 1)]
        op.bulk_insert(netblocks, rows)
        number += len(rows)
    op.drop_table("netblock_steps")
    op.drop_index("ix_networks_asn", table_name="networks")
    for name in ("format", *_COUNTS.values()):
        op.drop_column("netblock_tables", name)


def _ranges(table: int, family: int, packed: bytes) -> Iterator[dict[str, Any]]:
    """The rows of one table and family."""
    steps = unpack(family, bytes(packed))
    for (first, following), asn in zip(pairwise(steps.positions), steps.value.tolist(), strict=True):
        if asn != NO_MATCH:
            last = _address(family, following - 1)
            yield {"table_id": table, "first": _address(family, first), "last": last, "asn": asn}


def _address(family: int, number: int) -> bytes:
    return MAPPED + number.to_bytes(4) if family == V4 else number.to_bytes(16)


def add_observers() -> None:
    """What the relocation watch and the availability probe remember between runs."""
    op.create_table(
        "observer_states",
        sa.Column("observer", sa.String(64), nullable=False),
        sa.Column("subject", sa.LargeBinary(32), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failed_at", UtcDateTime(), nullable=True),
        sa.Column("company_id", Identifier, nullable=True),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_observer_states_company_id")),
        sa.PrimaryKeyConstraint("observer", "subject", name=op.f("pk_observer_states")),
    )
    op.create_index("ix_observer_states_company_id", "observer_states", ["company_id"])


def drop_observers() -> None:
    """Forget it."""
    op.drop_index("ix_observer_states_company_id", table_name="observer_states")
    op.drop_table("observer_states")
