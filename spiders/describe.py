"""Which sources are on schedule, and the timing of each, for the scheduler."""

from __future__ import annotations

from monitor.errors import ConfigurationError
from monitor.schedule.plan import Timing
from monitor.settings import Settings, Source
from spiders.catalogue import find


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
