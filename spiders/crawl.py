"""Running one spider in this process."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scrapy import signals
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import Settings

from spiders.collector import Collector
from spiders.trip import Trip, key_of

_TALKATIVE = ("scrapy.addons", "scrapy.crawler", "scrapy.middleware", "scrapy.utils.log")  # say what Scrapy is made of


def crawl(spider: type[Collector], trip: Trip, retry_wait: float) -> bool:
    """Run the spider to its end; False where a signal ended it early. How it went is in the trip's outcome.

    A process can do this once.
    """
    settings = Settings()
    settings.setmodule("spiders.settings", priority="project")
    settings.set("RETRY_WAIT", retry_wait, priority="cmdline")
    process = AsyncCrawlerProcess(settings)
    for name in _TALKATIVE:  # not before: Scrapy sets them back
        logging.getLogger(name).setLevel(logging.WARNING)
    crawler = process.create_crawler(spider)
    reasons: list[str] = []

    def closed(reason: str) -> None:
        reasons.append(reason)

    crawler.signals.connect(closed, signals.spider_closed)
    process.crawl(crawler, trip=trip)
    process.start()
    # A signal while the spider opens closes it without a reason.
    return reasons != ["shutdown"] and (bool(reasons) or process.bootstrap_failed)


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
