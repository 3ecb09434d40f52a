"""Releases: a scored table frozen with its manifest, then published and never changed again."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from monitor.db import Base, Identifier
from monitor.models.columns import words


class Stage(StrEnum):
    """Where a release stands."""

    DRAFT = "draft"
    PUBLISHED = "published"


class Release(Base):
    """One version of one period's table; `table_json` holds everything but the companies, as canonical JSON."""

    __tablename__ = "releases"
    __table_args__ = (UniqueConstraint("period", "version"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    period: Mapped[str] = mapped_column(String(32))
    version: Mapped[int]
    stage: Mapped[Stage] = mapped_column(words(Stage))
    drafted_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    hearing_waived: Mapped[str | None] = mapped_column(String(2000))
    table_json: Mapped[str] = mapped_column(Text)
    manifest: Mapped[dict[str, Any]] = mapped_column(JSON)
    manifest_sha256: Mapped[str] = mapped_column(String(64))


class ReleaseRow(Base):
    """One company's line in a release, as canonical JSON, in the order of the table."""

    __tablename__ = "release_rows"
    __table_args__ = (UniqueConstraint("release_id", "company_key"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    release_id: Mapped[int] = mapped_column(ForeignKey("releases.id"), index=True)
    position: Mapped[int]
    company_key: Mapped[str] = mapped_column(String(96))
    row_json: Mapped[str] = mapped_column(Text)
