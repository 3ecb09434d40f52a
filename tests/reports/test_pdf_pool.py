"""The processes that typeset: they load what they need and no more, and what goes wrong there is said here."""

from __future__ import annotations

import subprocess
import sys

import pytest
from weasyprint.urls import FatalURLFetchingError

from reports.pdf_pool import pdf_pool, render_pdf

LOADED = "import sys, {module}; print(*{{'monitor', 'weasyprint'}} & sys.modules.keys())"


@pytest.mark.parametrize(
    ("module", "loaded"),
    [("reports.pdf", "weasyprint"), ("reports.pdf_pool", "monitor"), ("reports.command", "monitor")],
)
def test_who_typesets_loads_nothing_else_and_who_does_not_never_loads_that(module: str, loaded: str) -> None:
    command = [sys.executable, "-c", LOADED.format(module=module)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == loaded


def test_a_page_that_cannot_be_typeset_is_an_error_here() -> None:
    page = '<html lang="en"><link rel="stylesheet" href="http://127.0.0.1:9/x.css">'
    with pdf_pool(1) as pool, pytest.raises(FatalURLFetchingError):
        pool.submit(render_pdf, page, bytes(16)).result()
