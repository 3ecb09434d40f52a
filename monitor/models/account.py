"""Who may push notices: tokens of hotlines, and the answers to requests that were seen."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from monitor.db import Base, Identifier


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
