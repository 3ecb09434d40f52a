"""The pool of processes that make PDFs: work for one core, so each language has a process of its own."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import get_context

_WEASYPRINT = "reports.pdf"


@contextmanager
def pdf_pool(number: int) -> Iterator[Executor]:
    """So many processes for `render_pdf`, begun at once: they load WeasyPrint while the release is still being read.

    It is loaded once, in the process that they are forked from. They never search for cycles of garbage: that takes
    a third of the time of a long report (docs/adr/0016).
    """
    context = get_context("forkserver")
    context.set_forkserver_preload(["monitor.hardened", _WEASYPRINT])
    with ProcessPoolExecutor(number, context, initializer=gc.disable) as pool:
        for _ in range(number):
            pool.submit(_load)
        yield pool


def _load() -> None:
    import_module(_WEASYPRINT)  # where that process was begun by others, and has something else loaded


def render_pdf(html: str, identifier: bytes) -> bytes:
    """The page as PDF (`reports.pdf.write_pdf`), made by a process of `pdf_pool`."""
    from reports.pdf import write_pdf  # loads WeasyPrint: only there

    return write_pdf(html, identifier)
