"""What all spiders share: conditional requests, and the handling of responses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from twisted.python.failure import Failure

from monitor.clear_text import holds_address
from monitor.disk import DiskFullError, writing
from monitor.ingest.sealed_files import seal
from monitor.instants import to_datetime
from monitor.settings import Source
from spiders.collection_run import CollectionRun, Fetched, Validators
from spiders.location import Location, on_the_web, read_location

_REQUEST_HEADERS = {"etag": "If-None-Match", "last_modified": "If-Modified-Since"}
_RESPONSE_HEADERS = {"etag": "ETag", "last_modified": "Last-Modified"}
_LONGEST_VALIDATOR = 200


@dataclass(frozen=True)
class Wanted:
    """A file to fetch; `received_at` is None where that is the moment it arrives, `dated` where the server says."""

    label: str
    address: str
    format: str
    key: str
    received_at: int | None = None
    dated: date | None = None


class Collector(Spider):
    """A spider that fetches the deliveries of one collection run."""

    SOURCE: ClassVar[Source]

    def __init__(self, run: CollectionRun, **kwargs: Any) -> None:
        """Collect the source of the run."""
        super().__init__(run.source.name, **kwargs)
        self.run = run
        web = run.source.location if on_the_web(run.source.location) else "http://directory.invalid"
        self.location: Location = read_location(run.source.name, web)

    def ask(self, wanted: Wanted, priority: int = 0) -> Request:
        """A conditional request: the server answers 304 where the file is unchanged."""
        self.run.outcome.expected += 1
        known = self.run.remembered.get(wanted.key, {})
        conditions = {_REQUEST_HEADERS[name]: value for name, value in known.items() if name in _REQUEST_HEADERS}
        return Request(
            wanted.address,
            callback=self.receive,
            errback=self.give_up,
            headers=self.location.headers | conditions,
            cb_kwargs={"wanted": wanted},
            dont_filter=True,
            priority=priority,
        )

    async def receive(self, response: Response, wanted: Wanted) -> AsyncIterator[Fetched]:
        """Yield the file where it is new; note in the outcome where it is unchanged or failed."""
        if response.status == 304 and wanted.key in self.run.remembered:
            self.run.keep(wanted.key)
            return
        if response.status != 200:
            self.run.outcome.fail(wanted.label, refusal(response))
            return
        arrived = self.run.now()
        await self.run.slot.acquire()
        try:
            with writing(self.run.folder):
                file = seal((response.body,), self.run.new_path(), self.run.vault)
        except (OSError, DiskFullError) as error:
            self.run.slot.release()
            why = error.strerror if isinstance(error, OSError) else error
            self.run.outcome.fail(wanted.label, f"could not be written to disk ({why})")
            return
        received = arrived if wanted.received_at is None else wanted.received_at
        dated = wanted.dated or day_of(response, arrived)
        yield Fetched(wanted.label, file, wanted.format, received, wanted.key, _validators(response), dated)

    def give_up(self, failure: Failure) -> None:
        """Note why there is no response; the message holds no address."""
        request = failure.request  # type: ignore[attr-defined]  # Scrapy puts it there
        wanted: Wanted | None = request.cb_kwargs.get("wanted")
        self.run.outcome.fail(wanted.label if wanted else "the folder", _reason(failure.value))


def refusal(response: Response) -> str:
    """The message for a response that is no delivery."""
    request = response.request
    retries = request.meta.get("retry_times", 0) if request else 0
    again = f" after {retries} retries" if retries else ""
    return f"the server answered {response.status}{again}"


def day_of(response: Response, arrived: int) -> date:
    """The day a file was made, by what its server says and no later than the day it arrived."""
    made = http_date((response.headers.get("Last-Modified") or b"").decode("latin-1"))
    return min(made.date() if made else date.max, to_datetime(arrived).date())


def http_date(text: str) -> datetime | None:
    """The time in a header of HTTP, None where it is none: a number in it may be too large for any date."""
    try:
        return parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None


def collector_of(crawler: Crawler) -> Collector:
    """The crawler's spider, which is always one of ours."""
    spider = crawler.spider
    assert isinstance(spider, Collector)
    return spider


def _reason(error: BaseException | None) -> str:
    if isinstance(error, IgnoreRequest) and str(error):
        return str(error)
    return f"the server could not be reached, or broke off ({type(error).__name__})"


def _validators(response: Response) -> Validators:
    """The validators for the next request; kept in clear, so nothing that looks like an address."""
    found = {
        name: (response.headers.get(header) or b"").decode("latin-1") for name, header in _RESPONSE_HEADERS.items()
    }
    return {
        name: value
        for name, value in found.items()
        if 0 < len(value) <= _LONGEST_VALIDATOR and not holds_address(value.removeprefix("W/").strip('"'))
    }
