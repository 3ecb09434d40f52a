"""A site whose companies move: one faster for certain, one slower, one corrected after publication, and a registry."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from monitor.attribute.registry import load_registry
from monitor.db import connect
from monitor.formats.registry import ClaimRecord, CompanyRecord
from monitor.release.export import export
from monitor.release.signing import create_signing_key
from monitor.settings import Settings
from monitor.vocabulary import Claim
from tests.support.published import COMPANIES, invent, publish

FASTER = replace(COMPANIES[0], on_time=245, undetermined=2, late=10)  # Rietkraag Cloud
SLOWER = replace(COMPANIES[7], on_time=20, undetermined=1, late=50)  # Polderhost
KLINKER, KLINKER_CORRECTED = COMPANIES[1], replace(COMPANIES[1], on_time=68, late=86)
REASON = "Ten notices were sent to an address of another company."
CLAIMS = (
    ClaimRecord(Claim.ALIAS, "klinker colo"),
    ClaimRecord(Claim.ALIAS, "klinker hosting bv"),
    ClaimRecord(Claim.ASN, "64497"),
    ClaimRecord(Claim.ASN, "64510", None, date(2026, 4, 1)),  # until the period began
    ClaimRecord(Claim.ASN, "64511", date(2026, 5, 1)),
    ClaimRecord(Claim.PREFIX, "198.51.100.0/24"),
    ClaimRecord(Claim.PREFIX, "203.0.113.7/32"),
    ClaimRecord(Claim.PREFIX, "2001:db8::/48"),
    ClaimRecord(Claim.DOMAIN, "customer.example"),
    ClaimRecord(Claim.ABUSE_ADDRESS, "abuse@klinker.example"),
)


def publish_moving(folder: Path, url: str) -> None:
    """Two quarters, the second corrected; what the registry learnt after the release is of no concern to it.

    Written from a database, as `monitor release export` does.
    """
    settings = Settings(home=folder, database_url=url)
    engine, key = connect(url), create_signing_key(settings.signing_key_file, settings.public_keys)
    with Session(engine) as session:
        now = (FASTER, KLINKER, *COMPANIES[2:7], SLOWER, *COMPANIES[8:])
        publish(session, invent("2026Q1"))
        publish(session, invent("2026Q2", now))
        publish(session, invent("2026Q2", (FASTER, KLINKER_CORRECTED, *now[2:])), version=2, reason=REASON)
        _register(session, datetime(2026, 4, 2, tzinfo=UTC), CLAIMS)
        _register(session, datetime(2026, 8, 1, tzinfo=UTC), (*CLAIMS, ClaimRecord(Claim.ASN, "64496")))
        session.commit()
        export(session, settings, key)
    engine.dispose()


def _register(session: Session, recorded_at: datetime, claims: tuple[ClaimRecord, ...]) -> None:
    load_registry(session, [CompanyRecord("as64497", "Klinker Colo", "NL", claims=claims)], recorded_at)
