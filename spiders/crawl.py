"""Runs one spider in this process."""

from __future__ import annotations

import logging

from scrapy import signals
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import Settings

from spiders.collection_run import CollectionRun
from spiders.collector import Collector

_TALKATIVE = ("scrapy.addons", "scrapy.crawler", "scrapy.middleware", "scrapy.utils.log")  # say what Scrapy is made of


def crawl(spider: type[Collector], run: CollectionRun, retry_wait: float) -> bool:
    """Run the spider to its end; False where a signal ended it early. How it went is in the run's outcome.

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
    process.crawl(crawler, run=run)
    process.start()
    # A signal while the spider opens closes it without a reason.
    return reasons != ["shutdown"] and (bool(reasons) or process.bootstrap_failed)
