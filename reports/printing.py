"""From HTML to a tagged PDF (PDF/UA-1): nothing is fetched, and nothing but the release decides its bytes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import unquote, urlsplit

from weasyprint import HTML
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from monitor.publish.words import Language
from reports.document import STATIC, Report, media_type, page


class OnlyOurFiles(URLFetcher):  # type: ignore[misc] # WeasyPrint has no types
    """Serves `reports/static` and stops at anything else."""

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:  # noqa: ARG002
        """The file's bytes; FatalURLFetchingError for any other address."""
        parts = urlsplit(url)
        path = Path(unquote(parts.path)).resolve()
        if parts.scheme != "file" or path.parent != STATIC.resolve() or not path.is_file():
            raise FatalURLFetchingError(f"the report may not fetch {url}")
        return URLFetcherResponse(url, path.read_bytes(), {"Content-Type": media_type(path)})


def pdf(report: Report, language: Language) -> bytes:
    """The report as PDF; its identifier is derived from the release and the language."""
    html = HTML(string=page(report, language, "print"), base_url=f"{STATIC.as_uri()}/", url_fetcher=OnlyOurFiles())
    identifier = hashlib.sha256(f"{report.manifest_sha256} {report.version} {language}".encode()).digest()[:16]
    written: bytes = html.write_pdf(pdf_variant="pdf/ua-1", pdf_identifier=identifier)
    return written
