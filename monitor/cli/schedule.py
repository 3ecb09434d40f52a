"""`monitor schedule` and `monitor sources`: collect on schedule, and say how the sources are."""

from __future__ import annotations

import logging
import signal
import time
from threading import Event

import click

from monitor import logs
from monitor.cli.runtime import Runtime, json_option, runtime, show
from monitor.db import transaction
from monitor.errors import MonitorError
from monitor.incoming import remove_leftovers
from monitor.instants import iso
from monitor.schedule.alerts import SCHEDULE_STOPPED, raise_alert
from monitor.schedule.health import STALE, SourceHealth
from monitor.schedule.health import sources as health_of_sources
from monitor.schedule.leader import serve
from monitor.schedule.plan import Timing
from monitor.schedule.runs import described_timings
from monitor.settings import Settings

_log = logging.getLogger(__name__)
_NOTHING = "no source is on schedule: set location under [sources.NAME] in monitor.toml, or scheduled = true"


@click.command()
@click.option("--list", "listing", is_flag=True, help="List the sources as `monitor sources` does, and leave.")
@json_option
def schedule(listing: bool, as_json: bool) -> None:
    """Collect each source on schedule, in its cadence. Of several instances one works, the others wait."""
    run = runtime()
    if listing:
        found = known_sources(run)
        show([source.as_json() for source in found], as_json, in_words(found) or _NOTHING)
        return
    timings = described_timings()
    if not timings:
        raise MonitorError(_NOTHING)
    remove_leftovers(run.settings)
    run.engine.dispose()  # reachable and with its schema; that is all we wanted to know here
    logs.configure(run.settings)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    _serve(run.settings, timings, stop)


def _serve(settings: Settings, timings: list[Timing], stop: Event) -> None:
    try:
        serve(settings, timings, stop)
    except Exception as error:
        where = " < ".join(reversed(logs.frames(error.__traceback__)))
        _log.error("unexpected %s at %s", type(error).__name__, where, extra={"event": "schedule_stopped"})
        raise_alert(settings, SCHEDULE_STOPPED, f"at {iso(int(time.time()))}", {"reason": type(error).__name__})
        raise


_NO_SOURCES = "no source was ever on schedule here; `monitor schedule` puts them there"


@click.command()
@click.option("--check", is_flag=True, help="Exit 1 where a source is stale.")
@json_option
def sources(check: bool, as_json: bool) -> None:
    """List the sources on schedule and how they are."""
    found = known_sources(runtime())
    show([source.as_json() for source in found], as_json, in_words(found) or _NO_SOURCES)
    stale = [source.source for source in found if source.freshness == STALE]
    if check and stale:
        raise MonitorError(f"stale: {', '.join(stale)}")


def known_sources(run: Runtime) -> list[SourceHealth]:
    """The sources as they are now."""
    with transaction(run.engine) as session:
        return health_of_sources(session, run.now())


def in_words(found: list[SourceHealth]) -> str:
    """A line a source."""
    return "\n".join(map(_line, found))


def _line(source: SourceHealth) -> str:
    cadence = f"every {source.cadence / 60:g} min"
    last = f"{source.verdict} at {iso(source.last_run)}" if source.last_run is not None else "never ran"
    failed = f", failed {source.failures} times in a row" if source.failures > 1 else ""
    reason = f": {source.reason}" if source.reason else ""
    due = f"next {iso(source.next_run)}"
    return f"{source.source:12} {source.freshness:6} {cadence}, {due}, last {last}{failed}{reason}"
