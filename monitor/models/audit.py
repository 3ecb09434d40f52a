"""The audit trail: each entry carries the hash of the one before it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from monitor.db import Base, Identifier


class AuditEntry(Base):
    """Who did what to what, and when; `entry_hash` covers all of it and `previous_hash`."""

    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True, autoincrement=False)
    happened_at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(128))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(128))
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    previous_hash: Mapped[str] = mapped_column(String(64))
    entry_hash: Mapped[str] = mapped_column(String(64), unique=True)
