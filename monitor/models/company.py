"""Who is who: companies, what the registry claims for them, and the dated tables of networks."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from monitor.db import Base, Identifier
from monitor.models.columns import words
from monitor.vocabulary import Claim


class Company(Base):
    """A hosting provider under its lasting key (`acme-hosting`, `as64496`)."""

    __tablename__ = "companies"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    key: Mapped[str] = mapped_column(String(96), unique=True)
    recorded_at: Mapped[datetime]


class CompanyDetail(Base):
    """What is known of a company; the row recorded last is in force. `review`: nobody has confirmed it yet.

    A company that nobody has confirmed is never published (`monitor.attribute.review`). `name` is what it is called in
    tables; `legal_name`, `legal_form` and `registration` (its number at the chamber of commerce) are of the legal
    entity behind it. `natural_person`: that entity is a person, such as a sole trader; None where nobody has said.
    `parent_id`: the company it is controlled by, None where it is in no group. `ended_on`: the first day on which it
    no longer traded; `successor_id`: who goes on with what was its own from that day.
    """

    __tablename__ = "company_details"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    country: Mapped[str | None] = mapped_column(String(2))
    legal_name: Mapped[str | None] = mapped_column(String(255))
    legal_form: Mapped[str | None] = mapped_column(String(64))
    registration: Mapped[str | None] = mapped_column(String(64))
    natural_person: Mapped[bool | None]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("companies.id"))
    successor_id: Mapped[int | None] = mapped_column(ForeignKey("companies.id"))
    ended_on: Mapped[date | None] = mapped_column(Date)
    proxy: Mapped[bool]
    review: Mapped[bool]
    recorded_at: Mapped[datetime]


class CompanyClaim(Base):
    """An alias, abuse address, ASN, prefix or domain of a company, with its validity (dates, end excluded)."""

    __tablename__ = "company_claims"
    __table_args__ = (Index("ix_company_claims_claim_value", "claim", "value"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), index=True)
    claim: Mapped[Claim] = mapped_column(words(Claim))
    value: Mapped[str] = mapped_column(String(255))
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    recorded_at: Mapped[datetime]


class NetblockTable(Base):
    """One dated table of address ranges.

    `format`: whose form it came in, which also says which of two tables of one day is asked. `rows`: as it came.
    `ranges_v4` and `ranges_v6`: stretches of one origin after nesting was resolved; 0: it is silent on that family.
    """

    __tablename__ = "netblock_tables"
    __table_args__ = (UniqueConstraint("sha256", "dated"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    dated: Mapped[date] = mapped_column(Date, index=True)
    sha256: Mapped[str] = mapped_column(String(64))
    format: Mapped[str] = mapped_column(String(16), default="ranges", server_default="ranges")
    rows: Mapped[int]
    ranges_v4: Mapped[int] = mapped_column(default=0, server_default="0")
    ranges_v6: Mapped[int] = mapped_column(default=0, server_default="0")
    recorded_at: Mapped[datetime]


class NetblockSteps(Base):
    """The origins of one address family (4 or 6) in a table, packed by `attribute.interval_map`; never changed."""

    __tablename__ = "netblock_steps"

    table_id: Mapped[int] = mapped_column(ForeignKey("netblock_tables.id"), primary_key=True, autoincrement=False)
    family: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    packed: Mapped[bytes] = mapped_column(LargeBinary)


class Network(Base):
    """The organisation behind an ASN, as a netblock table names it."""

    __tablename__ = "networks"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True, autoincrement=False)
    table_id: Mapped[int] = mapped_column(ForeignKey("netblock_tables.id"), index=True)
    asn: Mapped[int] = mapped_column(Identifier, index=True)
    organisation: Mapped[str] = mapped_column(String(255))
