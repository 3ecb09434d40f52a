"""Running one spider in this process, with a log that shows no address and no message of an exception."""

from __future__ import annotations

import logging
import shutil
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import Settings

from spiders.collector import Collector
from spiders.trip import Trip, key_of

_PARTS = ("scrapy.addons", "scrapy.crawler", "scrapy.middleware", "scrapy.utils.log")  # list what Scrapy is made of


class _Discretion(logging.Filter):
    """Shortens what is logged: a location may hold an access key, an exception may quote a row."""

    def __init__(self, location: str, name: str) -> None:
        super().__init__()
        self.location, self.shown = location, f"<{name}>"

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name in _PARTS and record.levelno < logging.WARNING:
            return False
        message = record.getMessage()
        if record.exc_info and record.exc_info[1]:
            error = record.exc_info[1]
            message = f"{type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}"
        record.msg, record.args = message.replace(self.location, self.shown), ()
        record.exc_info = record.exc_text = None
        return True


def crawl(spider: type[Collector], trip: Trip, retry_wait: float) -> None:
    """Run the spider to its end. How it went is in the trip's outcome; a process can do this once."""
    settings = Settings()
    settings.setmodule("spiders.settings", priority="project")
    settings.set("RETRY_WAIT", retry_wait, priority="cmdline")
    _log_discreetly(trip, settings)
    process = AsyncCrawlerProcess(settings)
    process.crawl(spider, trip=trip)
    process.start()


def _log_discreetly(trip: Trip, settings: Settings) -> None:
    """Log to standard error; Scrapy's own handler, which it renews as it likes, would lose the filter."""
    handler = logging.StreamHandler()
    handler.setLevel(settings["LOG_LEVEL"])
    handler.setFormatter(logging.Formatter(settings["LOG_FORMAT"]))
    handler.addFilter(_Discretion(trip.source.location, trip.source.name))
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(settings["LOG_LEVEL"])


@contextmanager
def private_folder(home: Path, source: str) -> Iterator[Path]:
    """A folder only we can open, with a name that says nothing, gone afterwards.

    What a killed run of this source left is removed first: the caller holds the source's lock.
    """
    incoming = home / "incoming"
    incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
    incoming.chmod(0o700)
    prefix = f"{key_of(source)[:12]}-"
    for left in incoming.glob(f"{prefix}*"):
        shutil.rmtree(left)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=incoming))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
