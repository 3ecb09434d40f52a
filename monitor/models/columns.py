"""Column shapes that several models share."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Enum, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from monitor.db import Base, Identifier


def words(vocabulary: type[StrEnum]) -> Enum:
    """A text column restricted, by a check in the database, to the values of a closed vocabulary."""
    return Enum(
        vocabulary,
        native_enum=False,
        create_constraint=True,
        length=24,
        values_callable=lambda members: [member.value for member in members],
        name=vocabulary.__name__.lower(),
    )


class ItemReference(Base):
    """A source used a file number, known only by its keyed digest, for a content item."""

    __tablename__ = "item_references"
    __table_args__ = (UniqueConstraint("number_digest", "source", "content_id"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id"), index=True)
    source: Mapped[str] = mapped_column(String(64))
    key_version: Mapped[int]
    number_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    content_id: Mapped[int] = mapped_column(ForeignKey("contents.id"), index=True)
    recorded_at: Mapped[datetime]


class WaitingStatement(Base):
    """What a source said, sealed, of a file number whose whole URL is not known; `settled_at`: since when it is."""

    __tablename__ = "waiting_statements"
    __table_args__ = (UniqueConstraint("number_digest", "source", "statement_digest"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id"), index=True)
    source: Mapped[str] = mapped_column(String(64))
    key_version: Mapped[int]
    number_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    statement_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    statement_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    recorded_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class HashHit(Base):
    """A hash service knew the content. Nobody is told by that, so no clock starts; follow-up begins with a notice."""

    __tablename__ = "hash_hits"
    __table_args__ = (UniqueConstraint("content_id", "source", "checked_at"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id"), index=True)
    content_id: Mapped[int] = mapped_column(ForeignKey("contents.id"))
    source: Mapped[str] = mapped_column(String(64))
    checked_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
