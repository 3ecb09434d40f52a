"""URLhaus: one file at one address, asked for with the validators of the last good run."""

from __future__ import annotations

from collections.abc import AsyncIterator

from scrapy import Request

from monitor.settings import Source
from spiders.collector import Collector, Wanted

SOURCE = Source(
    "urlhaus",
    publisher="abuse.ch",
    format="urlhaus",
    location="https://urlhaus.abuse.ch/downloads/csv_recent/",  # with an access key, the operator sets another
    zone="UTC",
    recheck_gap_hours=6,
    cadence_minutes=60,
    minimum_rows=1000,
    maximum_rows=5_000_000,
)


class UrlhausSpider(Collector):
    """Fetches the feed."""

    name = SOURCE.name
    SOURCE = SOURCE

    async def start(self) -> AsyncIterator[Request]:
        """One request."""
        address = self.location.address
        yield self.ask(Wanted("the feed", address, "urlhaus", self.run.key_of(address)))
        self.run.outcome.complete = True
