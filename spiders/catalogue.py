"""Which spider collects a source, as it describes itself and the operator overrides it; its timing for the schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType

from monitor.errors import ConfigurationError
from monitor.schedule.plan import Timing
from monitor.settings import Settings, Source
from spiders import availability_probe, relocation_watch
from spiders.collector import Collector
from spiders.observer import Observer
from spiders.pfx2as import Pfx2asSpider
from spiders.ris import RisSpider
from spiders.scart_drop import ScartDropSpider
from spiders.urlhaus import UrlhausSpider

# Which spider collects a source, and the source as the spider describes it and the operator overrides it.

_BY_NAME: Mapping[str, type[Collector] | Observer] = MappingProxyType(
    {
        "urlhaus": UrlhausSpider,
        "scart_drop": ScartDropSpider,
        "scart": ScartDropSpider,
        "ris": RisSpider,
        "pfx2as": Pfx2asSpider,
        "relocation_watch": relocation_watch.OBSERVER,
        "availability_probe": availability_probe.OBSERVER,
    }
)


def find(settings: Settings, name: str) -> tuple[type[Collector] | Observer, Source]:
    """The spider or observer of that name, or for the configured format, and its source.

    Raises ConfigurationError where there is none, where nobody said where to fetch, or where an observer is off.
    """
    configured = settings.source(name)
    spider = _BY_NAME.get(name) or _BY_NAME.get(configured.format)
    if spider is None:
        known = ", ".join(sorted(_BY_NAME))
        raise ConfigurationError(
            f"no collector for {name!r}: take one of {known}, or set format to one of them under [sources.{name}]"
        )
    source = merge(spider.SOURCE, configured)
    if isinstance(spider, Observer):
        if not getattr(source, spider.needs).strip():
            raise ConfigurationError(f"{name} is off: it needs {spider.needs} under [sources.{name}] in monitor.toml")
    elif not source.location:
        raise ConfigurationError(f"nobody said where {name} is: set location under [sources.{name}] in monitor.toml")
    return spider, source


def merge(described: Source, configured: Source) -> Source:
    """The spider's own description, with what the operator chose, and what else differs from the default."""
    unset, asked = Source(configured.name), configured.chosen
    names = [item.name for item in fields(Source)]
    differs = [name for name in names if name in asked or getattr(configured, name) != getattr(unset, name)]
    chosen = {name: getattr(configured, name) for name in differs}
    return replace(described, **{"name": configured.name} | chosen)


# Which sources are on schedule, and the timing of each, for the scheduler.


def on_schedule(settings: Settings) -> list[Source]:
    """The sources to collect, by name: those the operator gave a location, or put on schedule in so many words.

    A source whose spider knows its address is not asked before somebody wants it. Raises ConfigurationError where one
    has no spider, no location, or times that cannot be.
    """
    wanted = [source for source in settings.sources.values() if _is_wanted(source)]
    return [_checked(find(settings, source.name)[1]) for source in sorted(wanted, key=lambda source: source.name)]


def timing(source: Source) -> Timing:
    """When to collect a source, in seconds."""
    cadence, limit = round(source.cadence_minutes * 60), max(1, round(source.timeout_minutes * 60))
    return Timing(source.name, cadence, source.jitter_seconds, limit, max(1, round(source.retry_minutes * 60)))


def _is_wanted(source: Source) -> bool:
    return bool(source.location) if source.scheduled is None else source.scheduled


def _checked(source: Source) -> Source:
    times = (source.cadence_minutes, source.timeout_minutes, source.retry_minutes)
    if any(time <= 0 for time in times) or source.jitter_seconds < 0 or source.cadence_minutes * 60 < 1:
        raise ConfigurationError(f"[sources.{source.name}]: cadence, timeout and retry must be longer than nothing")
    return source
