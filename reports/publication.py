"""The publication of a release: its report in both languages, and its open data made while the report is typeset."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import Executor, Future
from pathlib import Path

from sqlalchemy import Engine

from monitor.cycles import gc_paused
from monitor.db import transaction
from monitor.release.package import Documents, build
from monitor.release.publications import Package, write_files
from monitor.release.signing import SigningKey
from monitor.release.store import find_published
from monitor.settings import Settings
from monitor.wording.language import LANGUAGES, Language
from reports.document import Report, page
from reports.pdf_pool import pdf_pool, render_pdf
from reports.read_release import read_report


def publication(engine: Engine, settings: Settings, period: str, key: SigningKey) -> tuple[Report, Package]:
    """The newest published version of a period, and its signed package with the report in it.

    Raises MonitorError as `read_report` and `build` do.
    """
    with gc_paused(), pdf_pool(len(LANGUAGES)) as pool, transaction(engine) as session:
        report = read_report(session, settings, period)
        release = find_published(session, period)
        return report, build(session, release, settings, key, documents(report, pool))


def package(engine: Engine, settings: Settings, period: str, key: SigningKey) -> Package:
    """The signed package of the newest published version of a period, with the report in it."""
    return publication(engine, settings, period, key)[1]


def write(report: Report, folder: Path) -> list[Path]:
    """Write the report alone; returns the paths of its files."""
    with pdf_pool(len(LANGUAGES)) as pool:
        return write_files(documents(report, pool)(), folder)


def documents(report: Report, pool: Executor) -> Documents:
    """Begin to make the files, in `pool` (`pdf_pool`); the function returned waits and has them by name."""
    pdfs = {
        language: pool.submit(render_pdf, page(report, language, "print"), identifier(report, language))
        for language in LANGUAGES
    }
    return lambda: _files(report, pdfs)


def _files(report: Report, pdfs: Mapping[Language, Future[bytes]]) -> Mapping[str, bytes]:
    stems = {language: f"report-{report.period}-{language}" for language in LANGUAGES}
    pages = {f"{stem}.html": page(report, language, "screen").encode() for language, stem in stems.items()}
    return pages | {f"{stem}.pdf": pdfs[language].result() for language, stem in stems.items()}


def identifier(report: Report, language: Language) -> bytes:
    """The 16 bytes that the PDF is known by: derived from the release and the language."""
    return hashlib.sha256(f"{report.manifest_sha256} {report.version} {language}".encode()).digest()[:16]
