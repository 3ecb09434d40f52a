"""`monitor schedule`: collect every source in its cadence, or list what is due and how the last runs ended."""

from __future__ import annotations

import logging
import signal
import time
from threading import Event

import click

from monitor.cli.runtime import Runtime, json_option, runtime, show
from monitor.db import transaction
from monitor.errors import MonitorError
from monitor.instants import iso, to_instant
from monitor.schedule.jobs import next_runs, scheduled
from monitor.schedule.leader import serve
from monitor.schedule.runs import last_run


@click.command()
@click.option("--list", "listing", is_flag=True, help="List sources, cadence, next run and last verdict, and leave.")
@json_option
def schedule(listing: bool, as_json: bool) -> None:
    """Collect each source that has a location, in its cadence. Of several instances one works, the others wait."""
    run = runtime()
    if listing:
        rows = _rows(run)
        run.engine.dispose()
        show(rows, as_json, "\n".join(map(_line, rows)) or _NOTHING)
        return
    if not scheduled(run.settings):
        raise MonitorError(_NOTHING)
    run.engine.dispose()  # reachable and with its schema; that is all we wanted to know here
    _log_to_stderr()
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    serve(run.settings, stop)


_NOTHING = "no source has a location: set one under [sources.NAME] in monitor.toml"


def _log_to_stderr() -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)sZ %(levelname)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S"
    )
    logging.Formatter.converter = time.gmtime
    logging.getLogger("apscheduler").setLevel(logging.WARNING)  # says what we say, without the run


def _rows(run: Runtime) -> list[dict[str, object]]:
    sources = scheduled(run.settings)
    due = next_runs(run.engine, [source.name for source in sources])
    rows: list[dict[str, object]] = []
    with transaction(run.engine) as session:
        for source in sources:
            last = last_run(session, source.name)
            when = due.get(source.name)
            rows.append(
                {
                    "source": source.name,
                    "cadence_minutes": source.cadence_minutes,
                    "next_run": iso(to_instant(when)) if when else None,
                    "last_run": iso(to_instant(last.finished_at)) if last else None,
                    "verdict": last.verdict if last else None,
                    "reason": last.reason if last else None,
                }
            )
    return rows


def _line(row: dict[str, object]) -> str:
    ended = f"{row['verdict']} at {row['last_run']}" if row["verdict"] else "never ran"
    reason = f": {row['reason']}" if row["reason"] else ""
    return f"{row['source']:12} every {row['cadence_minutes']} min, next {row['next_run'] or '-'}, last {ended}{reason}"
