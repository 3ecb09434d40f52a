"""All tables of the system of record; importing this package registers every one of them."""

from monitor.models.account import AccessToken, PushedRequest
from monitor.models.audit import AuditEntry, KeyCheck
from monitor.models.columns import HashHit, ItemReference, WaitingStatement
from monitor.models.company import Company, CompanyClaim, CompanyDetail, NetblockSteps, NetblockTable, Network
from monitor.models.facts import (
    Attribution,
    Classification,
    Content,
    Correction,
    Delivery,
    Notice,
    PendingPiece,
    Quarantined,
    Report,
    Sighting,
    Site,
    Suspension,
)
from monitor.models.identity import DigestScheme, ItemIdentity
from monitor.models.release import Release, ReleaseRow
from monitor.models.run import Alert, CollectorRun, Leadership, ObserverState, ScheduledSource

__all__ = [
    "AccessToken",
    "Alert",
    "Attribution",
    "AuditEntry",
    "Classification",
    "CollectorRun",
    "Company",
    "CompanyClaim",
    "CompanyDetail",
    "Content",
    "Correction",
    "Delivery",
    "DigestScheme",
    "HashHit",
    "ItemIdentity",
    "ItemReference",
    "KeyCheck",
    "Leadership",
    "NetblockSteps",
    "NetblockTable",
    "Network",
    "Notice",
    "ObserverState",
    "PendingPiece",
    "PushedRequest",
    "Quarantined",
    "Release",
    "ReleaseRow",
    "Report",
    "ScheduledSource",
    "Sighting",
    "Site",
    "Suspension",
    "WaitingStatement",
]
