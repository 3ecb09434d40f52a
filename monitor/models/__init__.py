"""All tables of the system of record; importing this package registers every one of them."""

from monitor.models.audit import AuditEntry
from monitor.models.company import Company, CompanyClaim, CompanyDetail, Netblock, NetblockTable, Network
from monitor.models.facts import (
    Attribution,
    Content,
    Correction,
    Delivery,
    Notice,
    Quarantined,
    Sighting,
    Site,
    Suspension,
)
from monitor.models.release import Release, ReleaseRow
from monitor.models.run import CollectorRun

__all__ = [
    "Attribution",
    "AuditEntry",
    "CollectorRun",
    "Company",
    "CompanyClaim",
    "CompanyDetail",
    "Content",
    "Correction",
    "Delivery",
    "Netblock",
    "NetblockTable",
    "Network",
    "Notice",
    "Quarantined",
    "Release",
    "ReleaseRow",
    "Sighting",
    "Site",
    "Suspension",
]
