"""Downloader middlewares: requests to one host only, and retries with growing pauses."""

from __future__ import annotations

import asyncio
from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.utils.misc import load_object
from scrapy.utils.python import global_object_name

from spiders.collector import Collector, collector_of
from spiders.location import Location

_LONGEST_WAIT = 120.0


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
    """Retries server errors and broken connections after a pause that doubles, or as long as the server asks."""

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

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        """The answer, or the request once more after a pause."""
        if response.status not in self.statuses:
            return response
        asked = (response.headers.get("Retry-After") or b"").decode("latin-1")
        return await self._again(request, str(response.status), float(asked) if asked.isdecimal() else 0) or response

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
