"""From HTML to a tagged PDF (PDF/UA-1): nothing is fetched, and only the page and its identifier decide its bytes.

It knows nothing of releases, so that a process that only typesets has WeasyPrint to load and no more.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from weasyprint import HTML
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from reports.styles import STATIC, media_type


class OnlyOurFiles(URLFetcher):  # type: ignore[misc] # WeasyPrint has no types
    """Serves `reports/static` and stops at anything else."""

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:  # noqa: ARG002
        """The file's bytes; FatalURLFetchingError for any other address."""
        parts = urlsplit(url)
        path = Path(unquote(parts.path)).resolve()
        if parts.scheme != "file" or path.parent != STATIC.resolve() or not path.is_file():
            raise FatalURLFetchingError("the report may fetch nothing but its own files")
        return URLFetcherResponse(url, path.read_bytes(), {"Content-Type": media_type(path)})


def write_pdf(html: str, identifier: bytes) -> bytes:
    """The page as PDF, with those 16 bytes as its identifier."""
    source = HTML(string=html, base_url=f"{STATIC.as_uri()}/", url_fetcher=OnlyOurFiles())
    written: bytes = source.write_pdf(
        pdf_variant="pdf/ua-1", pdf_identifier=identifier, finisher=_say_what_headers_head
    )
    return written


def _say_what_headers_head(_: Any, written: Any) -> None:
    """Give every header cell its scope, which WeasyPrint leaves out: a column in the head, a row in the body."""
    elements = {item.reference: item for item in written.objects if _is_element(item)}
    for item in elements.values():
        if item["S"] == "/TH":
            group = elements[elements[item["P"]]["P"]]
            item["A"]["Scope"] = "/Column" if group["S"] == "/THead" else "/Row"


def _is_element(item: Any) -> bool:
    return isinstance(item, dict) and item.get("Type") == "/StructElem"
