"""What the system keeps of its own work: tokens, runs and alerts, the audit trail, key checks, and releases."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from monitor.db import Base, Identifier
from monitor.models.columns import words

# Who may push notices: tokens of hotlines, and the answers to requests that were seen.


class AccessToken(Base):
    """A token of one source. Only the SHA-256 of its secret half is kept; `selector`, the open half, finds it.

    `window_at` and `window_spent`: when the present window of the rate limit began, and the requests since;
    `window_bytes` and `window_milliseconds`: what they sent, inflated too, and the processor time they took.
    """

    __tablename__ = "access_tokens"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    source: Mapped[str] = mapped_column(String(64), index=True)
    selector: Mapped[str] = mapped_column(String(16), unique=True)
    secret_sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    window_at: Mapped[datetime]
    window_spent: Mapped[int]
    window_bytes: Mapped[int] = mapped_column(BigInteger, server_default="0")
    window_milliseconds: Mapped[int] = mapped_column(BigInteger, server_default="0")


class PushedRequest(Base):
    """A request that was applied: under which key, the digest of its body, and the answer it always gets again.

    The key is kept as a keyed digest: a sender may have made it of anything.
    """

    __tablename__ = "pushed_requests"
    __table_args__ = (UniqueConstraint("token_id", "key_digest"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    token_id: Mapped[int] = mapped_column(ForeignKey("access_tokens.id"))
    key_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    key_version: Mapped[int]
    body_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("deliveries.id"), index=True)
    answer: Mapped[str | None] = mapped_column(Text)
    recorded_at: Mapped[datetime]


# The audit trail, and the check values that tie a database to its keys.


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


class KeyCheck(Base):
    """A key version that digests and seals here. `check_value`: `Vault.check_values`, 32 bytes."""

    __tablename__ = "key_checks"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    check_value: Mapped[bytes] = mapped_column(LargeBinary(32))
    recorded_at: Mapped[datetime]


# Runs of collectors, who leads the schedule, alerts, and what was observed on the network.


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


# Releases: a scored table frozen with its manifest, then published and never changed again.


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
