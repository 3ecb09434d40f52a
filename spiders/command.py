"""`monitor collect`: fetch the deliveries of a source, ingest them, and judge the run by what was stored."""

from __future__ import annotations

import json
import logging
import secrets
import sys
from dataclasses import asdict, dataclass

import click

from monitor import logs
from monitor.cli.runtime import Runtime, json_option, runtime, show
from monitor.db import transaction
from monitor.errors import MonitorError
from monitor.incoming import private_folder, remove_leftovers
from monitor.instants import iso
from monitor.models.run import CollectorRun
from monitor.schedule.leadership import Superseded, fence
from monitor.schedule.lock import exclusive, lock_for
from monitor.schedule.runs import (
    FAILED,
    HELD,
    STOPPED,
    SUPERSEDED,
    RunId,
    Verdict,
    asked_to_wait,
    record,
    remembered,
    wait_for_deliveries,
)
from monitor.settings import Settings, Source
from spiders.catalogue import find
from spiders.collection_run import CollectionRun, key_of
from spiders.collector import Collector
from spiders.crawl import crawl
from spiders.describe import on_schedule, timing
from spiders.judge import judge
from spiders.observer import Observer

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Call:
    """How this run was asked for."""

    source: str
    retry_wait: float
    settle: float
    run_id: RunId


@click.command()
@click.argument("source", required=False)
@click.option("--retry-wait", default=5.0, show_default=True, help="Seconds before a retry; doubled each time.")
@click.option("--settle", default=60.0, show_default=True, help="Seconds a file in a directory must have rested.")
@click.option("--describe", is_flag=True, help="Say how the sources on schedule are timed, and leave.")
@click.option("--run", "name", hidden=True, help="The schedule's name for this run.")
@click.option("--term", type=int, hidden=True, help="The term of the leader: this run ends with it.")
@json_option
def collect(
    source: str | None,
    retry_wait: float,
    settle: float,
    describe: bool,
    name: str | None,
    term: int | None,
    as_json: bool,
) -> None:
    """Fetch the deliveries of SOURCE that are new and ingest them; exit 1 where anything of it failed."""
    run = runtime()
    if describe:
        _describe(run.settings)
        return
    if source is None:
        raise click.UsageError("name a source; `monitor sources` lists those on schedule")
    answer = _collect(run, Call(source, retry_wait, settle, RunId(name or secrets.token_hex(8), term)))
    show(answer, as_json, _in_words(answer))
    if answer["verdict"] in (FAILED, HELD, STOPPED, SUPERSEDED):
        if name is not None:  # the schedule says it, in the form of the log
            sys.exit(1)
        raise MonitorError(f"{source}: {answer['reason']}")


def _describe(settings: Settings) -> None:
    click.echo(json.dumps([asdict(timing(source)) for source in on_schedule(settings)], indent=1))


def _collect(run: Runtime, call: Call) -> dict[str, object]:
    spider, described = find(run.settings, call.source)
    _log_as(run.settings, call, described)
    remove_leftovers(run.settings)
    if call.run_id.term is not None:
        fence(run.engine, call.run_id.term)
    try:
        return _alone(run, call, spider, described)
    except Superseded as error:
        _log.warning("superseded: nothing more was kept", extra={"event": "superseded"})
        return _answer(CollectorRun(source=call.source, verdict=SUPERSEDED, reason=str(error), deliveries=[], rows=0))


def _log_as(settings: Settings, call: Call, described: Source) -> None:
    """Every log line of this process names its run; none holds the location of the source."""
    fields = {"run": call.run_id.run, "source": call.source}
    logs.configure(settings, fields, hide={described.location: f"<{call.source}>"})


def _alone(run: Runtime, call: Call, spider: type[Collector] | Observer, described: Source) -> dict[str, object]:
    """Collect, while no other process collects this source."""
    lock = lock_for(run.settings, f"collect-{key_of(call.source)[:12]}")
    with (
        exclusive(lock, f"{call.source} is being collected by another process; let it finish"),
        private_folder(run.settings) as folder,
    ):
        with transaction(wait_for_deliveries(run.engine)) as session:
            known = remembered(session, call.source)
            until = asked_to_wait(session, call.source, run.now())
        if until is not None:
            return _waits(run, call, until)
        collection = CollectionRun(described, folder, run.engine, run.vault, run.now, call.settle, known)
        return _run(run, call, spider, collection)


def _waits(run: Runtime, call: Call, until: int) -> dict[str, object]:
    """Write down that nothing was asked for, as the server does not want to be asked yet."""
    now = run.now()
    reason = f"nothing was asked for: the server wants to be left alone until {iso(until)}"
    with transaction(run.engine) as session:
        return _answer(record(session, call.source, now, now, Verdict(FAILED, reason, not_before=until), call.run_id))


def _run(run: Runtime, call: Call, spider: type[Collector] | Observer, collection: CollectionRun) -> dict[str, object]:
    """Run the spider, judge the collection run and record the verdict."""
    started_at = run.now()
    finished = _send(spider, collection, call.retry_wait)
    with transaction(run.engine) as session:
        verdict = judge(session, collection.outcome, finished=finished)
        answer = _answer(record(session, collection.source.name, started_at, run.now(), verdict, call.run_id))
    said = {name: answer[name] for name in ("verdict", "rows")} | {"deliveries": len(verdict.deliveries)}
    _log.info("judged", extra={"event": "run_judged"} | said)
    return answer


def _send(spider: type[Collector] | Observer, collection: CollectionRun, retry_wait: float) -> bool:
    """Run the spider; False where it was told to stop early."""
    if isinstance(spider, Observer):
        spider.check(collection)
        return True
    return crawl(spider, collection, retry_wait)


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
