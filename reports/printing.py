"""From HTML to a tagged PDF (PDF/UA-1): nothing is fetched, and nothing but the release decides its bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from weasyprint import HTML
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from monitor.cycles import uncollected
from monitor.publish.words import LANGUAGES, Language
from reports.document import Report, page
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


def pdf(report: Report, language: Language) -> bytes:
    """The report as PDF; its identifier is derived from the release and the language."""
    return _typeset(page(report, language, "print"), _identifier(report, language))


def pdfs(report: Report) -> Mapping[Language, bytes]:
    """The same in every language, each in a process of its own: to typeset is all work for one core."""
    jobs = [(page(report, language, "print"), _identifier(report, language)) for language in LANGUAGES]
    with ProcessPoolExecutor(len(jobs), get_context("spawn")) as pool:
        made = pool.map(_typeset, *zip(*jobs, strict=True))
        return dict(zip(LANGUAGES, made, strict=True))


def _identifier(report: Report, language: Language) -> bytes:
    return hashlib.sha256(f"{report.manifest_sha256} {report.version} {language}".encode()).digest()[:16]


def _typeset(html: str, identifier: bytes) -> bytes:
    source = HTML(string=html, base_url=f"{STATIC.as_uri()}/", url_fetcher=OnlyOurFiles())
    with uncollected():  # two fifths of the time of a long report (docs/adr/0016)
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
