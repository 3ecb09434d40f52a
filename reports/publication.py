"""The publication of a release: its report in both languages, and its open data made while the report is typeset."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from monitor.cycles import gc_paused
from monitor.db import transaction
from monitor.publish.words import LANGUAGES
from monitor.release.package import build
from monitor.release.publications import Package, write_files
from monitor.release.signing import SigningKey
from monitor.release.store import find_published
from monitor.settings import Settings
from reports.document import Report
from reports.presses import presses
from reports.printing import documents
from reports.reading import read_report


def publication(engine: Engine, settings: Settings, period: str, key: SigningKey) -> tuple[Report, Package]:
    """The newest published version of a period, and its signed package with the report in it.

    Raises MonitorError as `read_report` and `build` do.
    """
    with gc_paused(), presses(len(LANGUAGES)) as pool, transaction(engine) as session:
        report = read_report(session, settings, period)
        release = find_published(session, period)
        return report, build(session, release, settings, key, documents(report, pool))


def write(report: Report, folder: Path) -> list[Path]:
    """Write the report alone; returns the paths of its files."""
    with presses(len(LANGUAGES)) as pool:
        return write_files(documents(report, pool)(), folder)
