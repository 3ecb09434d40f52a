"""CAIDA's prefix-to-AS table: the log of what was made names the newest file, and that is fetched."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime
from urllib.parse import urljoin

from scrapy import Request
from scrapy.http import Response

from monitor.settings import Source
from spiders.collector import Collector, Wanted, refusal

SOURCE = Source(
    "pfx2as",
    publisher="CAIDA, from RouteViews",
    format="pfx2as",
    location="https://publicdata.caida.org/datasets/routing/routeviews-prefix2as/",  # IPv6 lies in routeviews6-...
    cadence_minutes=24 * 60,
    minimum_rows=100_000,
    maximum_rows=10_000_000,
)
LOG = "pfx2as-creation.log"
# sequence number, time of making, path: `7012 1783000000 2026/06/routeviews-rv2-20260601-1200.pfx2as.gz`
_MADE = re.compile(r"\d+\s+\d+\s+(\d{4}/\d{2}/[\w-]+-(\d{8})-\d{4}\.pfx2as\.gz)")
_LONGEST_LOG = 1024 * 1024


class Pfx2asSpider(Collector):
    """Fetches the newest file that the log names, or the one file the location is."""

    name = SOURCE.name
    SOURCE = SOURCE

    async def start(self) -> AsyncIterator[Request]:
        """The log of a folder, or a dated file."""
        address = self.location.address
        if address.endswith(".gz"):
            yield self.ask(self._wanted(address))
            self.run.outcome.complete = True
            return
        folder = address.rstrip("/") + "/"
        yield Request(folder + LOG, self.read_log, errback=self.give_up, headers=self.location.headers)

    def read_log(self, response: Response) -> Iterator[Request]:
        """Ask for the file of the latest day; the log holds a month and is not always in order."""
        outcome = self.run.outcome
        if response.status != 200:
            outcome.fail("the log", refusal(response))
            return
        made = [_MADE.fullmatch(line.strip()) for line in response.body[:_LONGEST_LOG].decode("latin-1").splitlines()]
        newest = max((found for found in made if found), key=lambda found: found[2], default=None)
        if newest is None:
            outcome.fail("the log", "it names no file ending in .pfx2as.gz")
            return
        yield self.ask(self._wanted(urljoin(response.url, newest[1])))
        outcome.complete = True

    def _wanted(self, address: str) -> Wanted:
        """The table at an address; what its server calls it is in no message."""
        day = _day(address.rpartition("/")[2])
        return Wanted("the table", address, "pfx2as", self.run.key_of(address), dated=day)


def _day(name: str) -> date | None:
    """The day in the name of a file; None where it has none, so that its server says."""
    found = re.search(r"-(\d{8})-", name)
    try:
        return datetime.strptime(found[1], "%Y%m%d").replace(tzinfo=UTC).date() if found else None
    except ValueError:
        return None
