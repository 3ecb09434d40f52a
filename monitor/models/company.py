"""Who is who: companies, what the registry claims for them, and the dated tables of networks."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from monitor.db import Base, Identifier
from monitor.models.columns import words
from monitor.models.words import Claim


class Company(Base):
    """A hosting provider under its lasting key (`acme-hosting`, `as64496`)."""

    __tablename__ = "companies"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    key: Mapped[str] = mapped_column(String(96), unique=True)
    recorded_at: Mapped[datetime]


class CompanyDetail(Base):
    """What is known of a company; the row recorded last is in force. `review`: nobody has confirmed it yet."""

    __tablename__ = "company_details"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    country: Mapped[str | None] = mapped_column(String(2))
    registration: Mapped[str | None] = mapped_column(String(64))
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
    """One dated table of address ranges."""

    __tablename__ = "netblock_tables"
    __table_args__ = (UniqueConstraint("sha256", "dated"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    dated: Mapped[date] = mapped_column(Date, index=True)
    sha256: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int]
    recorded_at: Mapped[datetime]


class Netblock(Base):
    """A range of addresses, both ends included, as 16 bytes each (IPv4 mapped into IPv6), and its ASN."""

    __tablename__ = "netblocks"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True, autoincrement=False)
    table_id: Mapped[int] = mapped_column(ForeignKey("netblock_tables.id"), index=True)
    first: Mapped[bytes] = mapped_column(LargeBinary(16))
    last: Mapped[bytes] = mapped_column(LargeBinary(16))
    asn: Mapped[int] = mapped_column(Identifier)


class Network(Base):
    """The organisation behind an ASN, as a netblock table names it."""

    __tablename__ = "networks"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True, autoincrement=False)
    table_id: Mapped[int] = mapped_column(ForeignKey("netblock_tables.id"), index=True)
    asn: Mapped[int] = mapped_column(Identifier)
    organisation: Mapped[str] = mapped_column(String(255))
