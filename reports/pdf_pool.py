"""The pool of processes that make PDFs: work for one core, so each language has a process of its own."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from monitor.workers import pool

_WEASYPRINT = "reports.pdf"


@contextmanager
def pdf_pool(number: int) -> Iterator[Executor]:
    """So many processes for `render_pdf`, begun at once: they load WeasyPrint while the release is still being read.

    They never search for cycles of garbage: that takes a third of the time of a long report (docs/adr/0016).
    """
    with pool(number, [_WEASYPRINT], gc.disable) as processes:
        for _ in range(number):
            processes.submit(_begin)
        yield processes


def _begin() -> None:
    """A pool starts a process when it has a call to make."""


def render_pdf(html: str, identifier: bytes) -> bytes:
    """The page as PDF (`reports.pdf.write_pdf`), made by a process of `pdf_pool`."""
    from reports.pdf import write_pdf  # loads WeasyPrint: only there

    return write_pdf(html, identifier)
