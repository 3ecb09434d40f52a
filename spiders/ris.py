"""The RIS whois dump of the RIPE NCC: two files, one a family of addresses, made daily."""

from __future__ import annotations

from collections.abc import AsyncIterator

from scrapy import Request

from monitor.settings import Source
from spiders.collector import Collector, Wanted

SOURCE = Source(
    "ris",
    publisher="RIPE NCC Routing Information Service",
    format="ris",
    location="https://www.ris.ripe.net/dumps/",
    cadence_minutes=24 * 60,
    minimum_rows=100_000,  # IPv6, the shorter of the two, has had more since 2020
    maximum_rows=10_000_000,
)
FILES = ("riswhoisdump.IPv4.gz", "riswhoisdump.IPv6.gz")


class RisSpider(Collector):
    """Fetches both files, each where it has changed; its day is the one its server says it was made on."""

    name = SOURCE.name
    SOURCE = SOURCE

    async def start(self) -> AsyncIterator[Request]:
        """Two requests."""
        folder = self.location.address.rstrip("/")
        for position, name in enumerate(FILES):
            address = f"{folder}/{name}"
            yield self.ask(Wanted(name, address, "ris", self.run.key_of(address)), -position)
        self.run.outcome.complete = True
