"""Runs of collectors, judged by what was stored, and what to send with the next conditional request."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from monitor.db import Base, Identifier


class CollectorRun(Base):
    """One run of one collector. `verdict`: ok, unchanged or failed. `remembered`: validators per location digest."""

    __tablename__ = "collector_runs"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    source: Mapped[str] = mapped_column(String(64), index=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime]
    verdict: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(500))
    deliveries: Mapped[list[int]] = mapped_column(JSON)
    rows: Mapped[int]
    remembered: Mapped[dict[str, dict[str, str]]] = mapped_column(JSON)
