"""The availability probe: checks whether open items are still online, under a recorded legal mandate only.

HEAD and nothing else, one request an item and interval, never for a URL that was cut. No redirect is followed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sqlalchemy.orm import Session

from monitor.errors import ConfigurationError
from monitor.instants import to_datetime
from monitor.observe.availability import conclude
from monitor.observe.deliver import Observation
from monitor.observe.items import OpenItem
from monitor.observe.memory import state_of
from monitor.settings import Source
from monitor.vocabulary import State
from spiders.collection_run import CollectionRun
from spiders.head import head, is_public
from spiders.observer import Observer, batches, conclude_and_deliver, paced, reported, start

SOURCE = Source(
    "availability_probe",
    publisher="the monitor's own check",
    mandate="",  # the operator's: the law, decision or contract that allows it
    recheck_gap_hours=4,  # between two requests for one item
    cadence_minutes=60,
)
PAUSE = 1.0  # seconds between two requests, to whomever

Status = tuple[OpenItem, int, int | None]  # the item, when it was asked for, the status of the answer


def probe(run: CollectionRun, pause: float = PAUSE, may_connect: Callable[[str], bool] = is_public) -> bool:
    """Ask for each item that is due, and deliver which are online and which are confirmed to be offline."""
    with reported(run):
        mandate = run.source.mandate.strip()
        if not mandate:
            raise ConfigurationError(f"[sources.{run.source.name}]: without a mandate nothing is probed")
        items = {item.url_digest: item for item in start(run, {"mandate": mandate}) if not item.truncated}
        wait = paced(pause)
        for batch in batches(run, items):
            statuses: list[Status] = []
            for subject in batch:
                wait()
                item = items[subject]
                status = head(run.vault.open_text(item.url_sealed, item.key_version), may_connect)
                statuses.append((item, run.now(), status))
            conclude_and_deliver(run, partial(_conclude, run.source.name, statuses))
    return True


OBSERVER = Observer(SOURCE, "mandate", probe)


def _conclude(observer: str, statuses: list[Status], session: Session) -> list[Observation]:
    """The observations that follow from the answers and those before; an unknown state is no observation."""
    states = [
        (item, at, conclude(state_of(session, observer, item.url_digest), status, to_datetime(at)))
        for item, at, status in statuses
    ]
    return [Observation(item.content_id, at, state) for item, at, state in states if state is not State.UNKNOWN]
