"""Runs of collectors, who leads the schedule, alerts, and what was observed on the network."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from monitor.db import Base, Identifier


class CollectorRun(Base):
    """One run of one collector. `verdict`: ok, unchanged, failed or stopped. `remembered`: validators per location
    digest. `run` is its name in the logs; `term` is that of the leader who started it, None where a person did.
    """

    __tablename__ = "collector_runs"
    __table_args__ = (Index("uq_collector_runs_run", "run", unique=True),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    source: Mapped[str] = mapped_column(String(64), index=True)
    run: Mapped[str | None] = mapped_column(String(32))
    term: Mapped[int | None]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime]
    verdict: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(500))
    deliveries: Mapped[list[int]] = mapped_column(JSON)
    rows: Mapped[int]
    remembered: Mapped[dict[str, dict[str, str]]] = mapped_column(JSON)


class Leadership(Base):
    """One row: who leads the schedule, in which term. `term` only grows; `holder` is None once a leader let go.

    `beat` changes while the leader lives; `beat_at` is when it last did, by the leader's clock.
    """

    __tablename__ = "leadership"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True, autoincrement=False)
    term: Mapped[int]
    holder: Mapped[str | None] = mapped_column(String(64))
    since: Mapped[datetime | None]
    beat: Mapped[int]
    beat_at: Mapped[datetime | None]


class ScheduledSource(Base):
    """A source that is collected on schedule, as its spider describes it and the operator configured it.

    `failures`: runs that failed since the last good one. `scheduled_at`: since when it is on schedule.
    """

    __tablename__ = "scheduled_sources"

    source: Mapped[str] = mapped_column(String(64), primary_key=True)
    cadence_seconds: Mapped[int]
    jitter_seconds: Mapped[int]
    limit_seconds: Mapped[int]
    retry_seconds: Mapped[int]
    scheduled_at: Mapped[datetime]
    next_run_at: Mapped[datetime]
    failures: Mapped[int]


class Alert(Base):
    """Something the operator is told once when it begins, and once when it ends.

    `ended_at` is None while it lasts. `claimed_at`: somebody is telling it since then.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        Index(
            "uq_alerts_open",
            "kind",
            "subject",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(64))
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    began_at: Mapped[datetime]
    began_told_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_told_at: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]


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
