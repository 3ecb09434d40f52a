"""The bytes of a suspicious delivery that is pending review, sealed, in pieces."""

from __future__ import annotations

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from monitor.db import Base


class PendingPiece(Base):
    """A piece of a delivery as it arrived, sealed; pieces are numbered from 0 and gone once a person has decided."""

    __tablename__ = "held_pieces"

    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    key_version: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
