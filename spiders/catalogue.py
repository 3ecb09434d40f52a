"""Which spider collects a source, and the source as the spider describes it and the operator overrides it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType

from monitor.errors import ConfigurationError
from monitor.settings import Settings, Source
from spiders.collector import Collector
from spiders.scart_drop import ScartDropSpider
from spiders.urlhaus import UrlhausSpider

_BY_NAME: Mapping[str, type[Collector]] = MappingProxyType(
    {"urlhaus": UrlhausSpider, "scart_drop": ScartDropSpider, "scart": ScartDropSpider}
)


def find(settings: Settings, name: str) -> tuple[type[Collector], Source]:
    """The spider of that name, or for the configured format, and its source.

    Raises ConfigurationError where there is no spider, or nobody said where to fetch.
    """
    configured = settings.source(name)
    spider = _BY_NAME.get(name) or _BY_NAME.get(configured.format)
    if spider is None:
        known = ", ".join(sorted(_BY_NAME))
        raise ConfigurationError(
            f"no collector for {name!r}: take one of {known}, or set format to one of them under [sources.{name}]"
        )
    source = merge(spider.SOURCE, configured)
    if not source.location:
        raise ConfigurationError(f"nobody said where {name} is: set location under [sources.{name}] in monitor.toml")
    return spider, source


def merge(described: Source, configured: Source) -> Source:
    """The spider's own description, with what the operator set to something else than the default."""
    unset = Source(configured.name)
    names = [item.name for item in fields(Source)]
    chosen = {name: getattr(configured, name) for name in names if getattr(configured, name) != getattr(unset, name)}
    return replace(described, **{"name": configured.name} | chosen)
