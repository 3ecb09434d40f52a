"""`monitor collect`: fetch what a source has to say, take it in, and judge the run by what was stored."""

from __future__ import annotations

import click

from monitor.cli.runtime import Runtime, json_option, runtime, show
from monitor.db import transaction
from monitor.errors import MonitorError
from monitor.models.run import CollectorRun
from monitor.schedule.lock import exclusive, lock_for
from monitor.schedule.runs import FAILED, record, remembered, wait_for_deliveries
from spiders.catalogue import find
from spiders.collector import Collector
from spiders.crawl import crawl, private_folder
from spiders.judge import judge
from spiders.trip import Trip, key_of


@click.command()
@click.argument("source")
@click.option("--retry-wait", default=5.0, show_default=True, help="Seconds before a retry; doubled each time.")
@click.option("--settle", default=60.0, show_default=True, help="Seconds a file in a directory must have rested.")
@json_option
def collect(source: str, retry_wait: float, settle: float, as_json: bool) -> None:
    """Fetch the deliveries of SOURCE that are new and take them in; exit 1 where anything of it failed."""
    run = runtime()
    spider, described = find(run.settings, source)
    lock = lock_for(run.settings, f"collect-{key_of(source)[:12]}")
    with (
        exclusive(lock, f"{source} is being collected by another process; let it finish"),
        private_folder(run.settings.home, source) as folder,
    ):
        with transaction(wait_for_deliveries(run.engine)) as session:
            known = remembered(session, source)
        trip = Trip(described, folder, run.engine, run.vault, run.now, settle, known)
        answer = _run(run, spider, trip, retry_wait)
    show(answer, as_json, _in_words(answer))
    if answer["verdict"] == FAILED:
        raise MonitorError(f"{source}: {answer['reason']}")


def _run(run: Runtime, spider: type[Collector], trip: Trip, retry_wait: float) -> dict[str, object]:
    """Send the spider out, judge the trip and write the verdict down."""
    started_at = run.now()
    crawl(spider, trip, retry_wait)
    with transaction(run.engine) as session:
        verdict = judge(session, trip.outcome)
        return _answer(record(session, trip.source.name, started_at, run.now(), verdict))


def _answer(run: CollectorRun) -> dict[str, object]:
    return {
        "run": run.id,
        "source": run.source,
        "verdict": run.verdict,
        "reason": run.reason,
        "deliveries": run.deliveries,
        "rows": run.rows,
    }


def _in_words(answer: dict[str, object]) -> str:
    deliveries = answer["deliveries"]
    assert isinstance(deliveries, list)
    remark = f" ({answer['reason']})" if answer["reason"] else ""
    numbers = f", deliveries {', '.join(map(str, deliveries))}" if deliveries else ""
    return f"{answer['source']}: {answer['verdict']}{remark}{numbers}, {answer['rows']} new rows"
