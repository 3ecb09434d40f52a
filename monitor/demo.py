"""The whole way on simulated data: simulate, take in, score, release. Running it again changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from monitor.attribute.registry import load_registry
from monitor.db import lock_writers, transaction
from monitor.errors import MonitorError
from monitor.formats.registry import read_registry
from monitor.ingest.take import Parcel
from monitor.instants import parse_instant, to_datetime
from monitor.intake import take_in
from monitor.models.release import Release, Stage
from monitor.models.words import Verdict
from monitor.period import parse_period
from monitor.release.draft import draft
from monitor.release.publish import publish
from monitor.score.methods import method
from monitor.score.run import Request, score
from monitor.settings import Settings
from monitor.simulate import simulate
from monitor.vault import Vault

SCENARIOS = ("tudelft-2020", "tudelft-2022")
WAIVED = "demonstration with invented companies: there is nobody to hear"

Clock = Callable[[], int]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Step:
    """One scenario in its folder: the deliveries in the order they arrived, and its reference date."""

    folder: Path
    facts: dict[str, Any]

    @property
    def deliveries(self) -> list[Path]:
        """All exports, oldest first."""
        return sorted((self.folder / "deliveries").iterdir())


def prepare(home: Path, name: str, scale: float) -> Step:
    """Simulate a scenario under `home`, unless it was before."""
    folder = home / "simulated" / name
    if not (folder / "scenario.json").exists():
        simulate(name, folder, scale=scale)
    return Step(folder, json.loads((folder / "scenario.json").read_text("utf-8")))


def take_in_all(engine: Engine, settings: Settings, step: Step, clock: Clock, progress: Progress) -> None:
    """Load the registry and take in every delivery at the time its name says it arrived.

    Raises MonitorError where the gate stops one: invented deliveries are as expected.
    """
    vault = Vault(settings.key_file)
    with transaction(engine) as session:
        lock_writers(session)  # the clock is asked when nobody else writes
        load_registry(session, read_registry(step.folder / "registry.yaml"), to_datetime(clock()))
    files = step.deliveries
    for number, parcel in enumerate(_parcels(step, settings), 1):
        with transaction(engine) as session:
            lock_writers(session)
            answer = take_in(session, vault, parcel, clock())
        if answer.verdict is not Verdict.OK:
            raise MonitorError(f"{parcel.path.name}: {answer.verdict}: {'; '.join(r.text for r in answer.reasons)}")
        progress(number, len(files))


def _parcels(step: Step, settings: Settings) -> Iterator[Parcel]:
    """Each scenario is a source of its own: years lie between them."""
    source = replace(settings.source("scart"), name=step.folder.name, zone=step.facts["zone"])
    for path in step.deliveries:
        stamp, _, rest = path.name.partition("-")
        received_at = int(to_datetime(parse_instant(_iso(stamp))).timestamp())
        yield Parcel(source, rest.split(".")[0], path, received_at)


def _iso(stamp: str) -> str:
    """`20220408T060000Z` as `2022-04-08T06:00:00Z`."""
    return f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}T{stamp[9:11]}:{stamp[11:13]}:{stamp[13:15]}Z"


def release(engine: Engine, settings: Settings, step: Step, clock: Clock) -> str:
    """Score and publish the scenario's period, unless that was done before; returns the period."""
    period = str(step.facts["period"])
    with transaction(engine) as session:
        lock_writers(session)  # what is being recorded is there before its time is chosen
        now = clock()
        query = select(Release).where(Release.period == period, Release.stage == Stage.PUBLISHED)
        if session.scalars(query).first() is None:
            record = method()
            as_of = parse_instant(step.facts["as_of"])
            table = score(session, Request(parse_period(period), as_of, now, record, settings.engine))
            drafted = draft(session, table, record, to_datetime(now), "demo")
            publish(session, drafted, WAIVED, to_datetime(now), "demo")
    return period
