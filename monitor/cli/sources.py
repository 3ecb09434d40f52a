"""`monitor sources`: how fresh what we know of each source is, how its last run ended, and when the next is due."""

from __future__ import annotations

import click

from monitor.cli.runtime import Runtime, json_option, runtime, show
from monitor.db import transaction
from monitor.errors import MonitorError
from monitor.instants import iso
from monitor.schedule.health import STALE, SourceHealth
from monitor.schedule.health import sources as health_of_sources

_NOTHING = "no source was ever on schedule here; `monitor schedule` puts them there"


@click.command()
@click.option("--check", is_flag=True, help="Exit 1 where a source is stale.")
@json_option
def sources(check: bool, as_json: bool) -> None:
    """List the sources on schedule and how they are."""
    found = known_sources(runtime())
    show([source.as_json() for source in found], as_json, in_words(found) or _NOTHING)
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
