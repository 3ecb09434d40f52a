"""Downloader middlewares: requests to one host only, and retries with growing pauses."""

from __future__ import annotations

import asyncio
import math
import re
from datetime import UTC
from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.utils.misc import load_object
from scrapy.utils.python import global_object_name

from monitor.instants import iso, to_instant
from monitor.schedule.runs import LONGEST_WAIT
from spiders.collector import Collector, collector_of, http_date
from spiders.location import Location

_LONGEST_WAIT = 120.0  # seconds within one run
_SECONDS = re.compile(r"\d+(?:\.\d+)?", re.ASCII)


def retry_after(text: str, now: int) -> int:
    """Seconds that a server asks to wait (RFC 9110, 10.2.3): a number of them, or a date; a day at most, 0 for none.

    A fraction, which no server should send and some do, is rounded up.
    """
    value = text.strip()
    if _SECONDS.fullmatch(value):
        return math.ceil(min(float(value), LONGEST_WAIT))
    moment = http_date(value)
    if moment is None:
        return 0
    at = to_instant(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return min(max(at - now, 0), LONGEST_WAIT)


class RefusedError(IgnoreRequest):
    """A request that would leave the configured place; its message never says where it would have gone."""


class OneHost:
    """Refuses every request to another host than the configured one, and any step from https down to http."""

    def __init__(self, location: Location) -> None:
        """Requests go to the host of that location."""
        self.location = location

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Take the location from the spider."""
        return cls(collector_of(crawler).location)

    def process_request(self, request: Request) -> None:
        """Raise RefusedError where the request, or a redirect, leads elsewhere."""
        if not self.location.covers(request.url):
            raise RefusedError("the server sends us on to another host, or from https to http; that is refused")


class Backoff:
    """Retries server errors and broken connections after a pause that doubles, or as long as the server asks.

    Where it asks for more than two minutes, the run asks for nothing more, nor does any until then; a day at most.
    """

    def __init__(self, spider: Collector) -> None:
        """Read how often, how long and what for."""
        settings = spider.crawler.settings
        self.spider = spider
        self.wait = settings.getfloat("RETRY_WAIT")
        self.statuses = {int(code) for code in settings.getlist("RETRY_HTTP_CODES")}
        self.exceptions = tuple(load_object(name) for name in settings.getlist("RETRY_EXCEPTIONS"))

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Take the settings from the spider's crawler."""
        return cls(collector_of(crawler))

    def process_request(self, request: Request) -> None:  # noqa: ARG002 -- Scrapy calls it so
        """Raise RefusedError for what would be asked before its time."""
        until = self.spider.run.outcome.not_before
        if until is not None and self.spider.run.now() < until:
            raise RefusedError(f"the server wants to be left alone until {iso(until)}")

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        """The answer, or the request once more after a pause."""
        if response.status not in self.statuses:
            return response
        run = self.spider.run
        asked = retry_after((response.headers.get("Retry-After") or b"").decode("latin-1"), run.now())
        if asked > _LONGEST_WAIT:
            run.outcome.not_before = max(run.outcome.not_before or 0, run.now() + asked)
            return response
        return await self._again(request, str(response.status), asked) or response

    async def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """The request once more after a pause, or None where a retry cannot help or there were enough."""
        if not isinstance(exception, self.exceptions):
            return None
        return await self._again(request, global_object_name(type(exception)), 0)

    async def _again(self, request: Request, reason: str, asked: float) -> Request | None:
        retry = get_retry_request(request, spider=self.spider, reason=reason)
        if retry is not None:
            pause = self.wait * 2 ** request.meta.get("retry_times", 0)
            await asyncio.sleep(min(max(pause, asked), _LONGEST_WAIT))
        return retry
