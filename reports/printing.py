"""The report as files: HTML and PDF in each language."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import Executor, Future

from monitor.publish.words import LANGUAGES, Language
from monitor.release.package import Documents
from reports.document import Report, page
from reports.presses import printed


def documents(report: Report, pool: Executor) -> Documents:
    """Begin to print, in the processes of `presses`; the function given back waits for it and has the files by name."""
    pdfs = {
        language: pool.submit(printed, page(report, language, "print"), identifier(report, language))
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
