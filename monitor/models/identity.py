"""Under which rules items are told apart, and what changed of an item when those rules or the key changed (ADR 26)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from monitor.db import REFERS_TO, Base, Identifier


class DigestScheme(Base):
    """What the digests of items and sites depend on: URL rules, public suffix list, key. The last row is in force.

    `position`: up to which content the digests of earlier schemes were brought up to this one; `finished_at`: since
    when there are none of an earlier one. These two change, nothing else.
    """

    __tablename__ = "digest_schemes"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    url_rules: Mapped[int]
    suffix_list: Mapped[str] = mapped_column(String(64))
    key_version: Mapped[int]
    recorded_at: Mapped[datetime]
    position: Mapped[int] = mapped_column(Identifier)
    finished_at: Mapped[datetime | None]


class ItemIdentity(Base):
    """Since `recorded_at` a content is the item `item_id` (itself, or one that it became one with), on `site_id`.

    The last row about a content is in force; a content without one is itself, on the site that it was stored with.
    `former_stem`: equal for contents that had one `stem_digest` until then, None where it had none: a table of before
    joins cut URLs by it.
    """

    __tablename__ = "item_identities"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True, autoincrement=False)
    content_id: Mapped[int] = mapped_column(Identifier, info={REFERS_TO: "contents"}, index=True)
    item_id: Mapped[int] = mapped_column(Identifier, info={REFERS_TO: "contents"}, index=True)
    site_id: Mapped[int] = mapped_column(Identifier, info={REFERS_TO: "sites"})
    former_stem: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    scheme: Mapped[int]
    recorded_at: Mapped[datetime]
