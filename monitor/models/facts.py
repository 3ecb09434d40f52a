"""The facts: what arrived, what was noticed, what was seen. Appended to, never updated, never deleted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import InstrumentedAttribute, Mapped, MappedColumn, mapped_column

from monitor.db import REFERS_TO, Base, Identifier
from monitor.models.columns import words
from monitor.vocabulary import (
    LONGEST_COUNTRY,
    LONGEST_RECIPIENT,
    Basis,
    Channel,
    Decision,
    DeliveryState,
    Kind,
    Pause,
    Role,
    State,
    Verdict,
)


def _refers_to(table: str) -> MappedColumn[Any]:
    """The id of a row of a table; `insert_rows` checks it once a batch instead of the database once a row (ADR 14)."""
    return mapped_column(Identifier, info={REFERS_TO: table})


class Delivery(Base):
    """One file or answer from one source, applied whole or not at all.

    Only one whose verdict is `ok` counts: readers filter on it. Of the others no fact is stored, and the counts are
    what would have been. The same file has one row: a refused one that comes again is judged anew. `reasons`: what
    the checks found; `measures`: what it compares later deliveries with; `decided_*`: a person's last decision.
    `file_digest`: `Vault.digest_file`, for the bare hash of a file of one row is soon guessed.
    """

    __tablename__ = "deliveries"
    __table_args__ = (UniqueConstraint("source", "format", "file_digest"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    source: Mapped[str] = mapped_column(String(64))
    format: Mapped[str] = mapped_column(String(32))
    file_digest: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    zone: Mapped[str] = mapped_column(String(64))
    recheck_gap_seconds: Mapped[int | None]
    rows: Mapped[int]
    accepted: Mapped[int]
    duplicate: Mapped[int]
    quarantined: Mapped[dict[str, int]] = mapped_column(JSON)
    warnings: Mapped[dict[str, int]] = mapped_column(JSON)
    contents_new: Mapped[int]
    notices_new: Mapped[int]
    sightings_new: Mapped[int]
    verdict: Mapped[Verdict] = mapped_column(words(Verdict), default=Verdict.OK, server_default=Verdict.OK)
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list, server_default="[]")
    measures: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(128))
    decision: Mapped[str | None] = mapped_column(String(2000))


class Quarantined(Base):
    """A row that could not be taken, sealed as it came, with the reason."""

    __tablename__ = "quarantined"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id"), index=True)
    line: Mapped[int]
    reason: Mapped[str] = mapped_column(String(48))
    column: Mapped[str | None] = mapped_column(String(64))
    key_version: Mapped[int]
    row_sealed: Mapped[bytes] = mapped_column(LargeBinary)


class Site(Base):
    """A registrable domain or an address, known only by its keyed digest; URLs of one site fall together."""

    __tablename__ = "sites"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True, autoincrement=False)
    key_version: Mapped[int]
    scheme: Mapped[int] = mapped_column(server_default="1")  # the `DigestScheme` of its digest
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)


class Content(Base):
    """One reported URL: keyed digest and sealed text.

    `truncated`: the source cut the URL. `stem_digest`: keyed digest of the cut form of a URL long enough
    to be cut, so that both forms are found to be one item whichever arrives first. `scheme`: the `DigestScheme` of
    both; `key_version`: the key that sealed the URL. Which item it is now, and on which site: `ItemIdentity`.
    """

    __tablename__ = "contents"
    __table_args__ = (
        Index(
            "ix_contents_stem_digest",
            "stem_digest",
            sqlite_where=text("stem_digest IS NOT NULL"),
            postgresql_where=text("stem_digest IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True, autoincrement=False)
    delivery_id: Mapped[int] = _refers_to("deliveries")
    site_id: Mapped[int] = _refers_to("sites")
    key_version: Mapped[int]
    scheme: Mapped[int] = mapped_column(server_default="1")
    url_digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    url_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    truncated: Mapped[bool]
    stem_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    recorded_at: Mapped[datetime]


class Notice(Base):
    """A notice about a content item was sent to a recipient; `address_sealed` is where it then stood.

    `reference_sealed`: the sender's own number for it, equal where the numbers are (`Vault.seal_equal`).
    """

    __tablename__ = "notices"
    __table_args__ = (
        Index("uq_notices_natural", "content_id", "sent_at", "kind", "recipient_role", "delivery", unique=True),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True, autoincrement=False)
    delivery_id: Mapped[int] = _refers_to("deliveries")
    content_id: Mapped[int] = _refers_to("contents")
    sent_at: Mapped[datetime] = mapped_column(index=True)
    kind: Mapped[Kind] = mapped_column(words(Kind))
    recipient_role: Mapped[Role] = mapped_column(words(Role))
    recipient: Mapped[str | None] = mapped_column(String(LONGEST_RECIPIENT))
    recipient_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    recipient_country: Mapped[str | None] = mapped_column(String(LONGEST_COUNTRY))
    channel: Mapped[Channel] = mapped_column(words(Channel))
    delivery: Mapped[DeliveryState] = mapped_column(words(DeliveryState))
    deadline_hours: Mapped[float | None]
    key_version: Mapped[int]
    address_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    reference_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    recorded_at: Mapped[datetime]


class Sighting(Base):
    """At `seen_at` an observer found the content in a state; `pause` says why it could not look."""

    __tablename__ = "sightings"
    __table_args__ = (Index("uq_sightings_natural", "content_id", "seen_at", "state", "observer", unique=True),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True, autoincrement=False)
    delivery_id: Mapped[int] = _refers_to("deliveries")
    content_id: Mapped[int] = _refers_to("contents")
    seen_at: Mapped[datetime]
    state: Mapped[State] = mapped_column(words(State))
    pause: Mapped[Pause | None] = mapped_column(words(Pause))
    country: Mapped[str | None] = mapped_column(String(64))
    observer: Mapped[str] = mapped_column(String(64))
    recorded_at: Mapped[datetime]


class Report(Base):
    """A source received a report of the content at `at`; it starts no company's clock.

    Of several values of a source the earliest counts: systems set the time anew when an item is imported again. A value
    is recorded where it is earlier than all that are known, so that the result does not depend on the order in which
    deliveries arrive.
    """

    __tablename__ = "reports"
    __table_args__ = (Index("uq_reports_natural", "content_id", "source", "at", unique=True),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True, autoincrement=False)
    delivery_id: Mapped[int] = _refers_to("deliveries")
    content_id: Mapped[int] = _refers_to("contents")
    source: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class Classification(Base):
    """A source classified the content as illegal at `at`; which starts no company's clock. The earliest counts."""

    __tablename__ = "classifications"
    __table_args__ = (Index("uq_classifications_natural", "content_id", "source", "at", unique=True),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True, autoincrement=False)
    delivery_id: Mapped[int] = _refers_to("deliveries")
    content_id: Mapped[int] = _refers_to("contents")
    source: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class Attribution(Base):
    """From `valid_from` the content was hosted by a company, on a basis; a later row supersedes an earlier."""

    __tablename__ = "attributions"
    __table_args__ = (Index("ix_attributions_content_id_valid_from", "content_id", "valid_from"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True, autoincrement=False)
    content_id: Mapped[int] = _refers_to("contents")
    company_id: Mapped[int | None] = _refers_to("companies")
    valid_from: Mapped[datetime]
    basis: Mapped[Basis] = mapped_column(words(Basis))
    other_company_id: Mapped[int | None] = _refers_to("companies")
    netblock_table_id: Mapped[int | None] = _refers_to("netblock_tables")
    recorded_at: Mapped[datetime]

    @classmethod
    def precedence(cls) -> tuple[InstrumentedAttribute[datetime], InstrumentedAttribute[int]]:
        """Of the attributions of a content that have begun, the last one in this order is in force."""
        return cls.valid_from, cls.id


class Suspension(Base):
    """The clock stood still from..to: for one content item, for all that a source gave notice of, or (neither) for all.

    `decided_by` proposed it and `approved_by` approved it.
    """

    __tablename__ = "suspensions"
    __table_args__ = (CheckConstraint("ends_at IS NULL OR ends_at >= starts_at", name="order"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    content_id: Mapped[int | None] = mapped_column(ForeignKey("contents.id"), index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    pause: Mapped[Pause] = mapped_column(words(Pause))
    reason: Mapped[str] = mapped_column(String(500))
    recorded_at: Mapped[datetime]
    source: Mapped[str | None] = mapped_column(String(64))
    decided_by: Mapped[str | None] = mapped_column(String(128))
    approved_by: Mapped[str | None] = mapped_column(String(128))


class Correction(Base):
    """A decision that overrides collected facts: its reason, who proposed it (`decided_by`) and who approved it."""

    __tablename__ = "corrections"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    decision: Mapped[Decision] = mapped_column(words(Decision))
    content_id: Mapped[int] = mapped_column(ForeignKey("contents.id"), index=True)
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notices.id"), index=True)
    company_id: Mapped[int | None] = mapped_column(ForeignKey("companies.id"), index=True)
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(String(2000))
    decided_by: Mapped[str] = mapped_column(String(128))
    recorded_at: Mapped[datetime]
    approved_by: Mapped[str | None] = mapped_column(String(128))


class PendingPiece(Base):
    """A piece of a delivery as it arrived, sealed; pieces are numbered from 0 and gone once a person has decided."""

    __tablename__ = "held_pieces"

    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    key_version: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
