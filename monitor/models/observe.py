"""What an observer remembers between runs of what it asks about: when it asked last, and how that stands."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from monitor.db import Base


class ObserverState(Base):
    """`subject`: the keyed digest of what is asked about, a host name or a URL.

    `failures` in a row, the last of them at `failed_at`: of the probe, or looks of the relocation watch that found a
    name elsewhere; `company_id`: where the name's addresses lay last.
    """

    __tablename__ = "observer_states"

    observer: Mapped[str] = mapped_column(String(64), primary_key=True)
    subject: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    asked_at: Mapped[datetime]
    failures: Mapped[int] = mapped_column(default=0)
    failed_at: Mapped[datetime | None]
    company_id: Mapped[int | None] = mapped_column(ForeignKey("companies.id"), index=True)
