"""Scoring: facts or an episodes file in, a ranked table out. A pure function of its arguments and the facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monitor.errors import MonitorError
from monitor.instants import iso, to_datetime
from monitor.models.company import Company, CompanyDetail
from monitor.models.facts import Delivery
from monitor.period import Period
from monitor.score import engine as engines
from monitor.score.assemble import Label, assemble
from monitor.score.counts import NETWORK, refusal_counts
from monitor.score.engine import Engine, Expr
from monitor.score.episode_file import read_episodes
from monitor.score.episodes import episodes, hosting
from monitor.score.facts import NOBODY, load_facts
from monitor.score.gather import gather
from monitor.score.methods import Method
from monitor.score.rank import ranked
from monitor.score.table import Estimate, Table, Unattributed

_NETWORK_LABEL = Label("network", "network")


@dataclass(frozen=True)
class Request:
    """What to score: episodes begun in `period`, seen at `as_of`, from the facts recorded by `known_at`."""

    period: Period
    as_of: int
    known_at: int
    method: Method
    engine_url: str = "duckdb://"


def last_delivery(session: Session, known_at: int) -> int:
    """When the last delivery known at `known_at` was received: the default for `as_of`."""
    newest = session.scalar(select(func.max(Delivery.received_at)).where(Delivery.recorded_at <= to_datetime(known_at)))
    if newest is None:
        raise MonitorError("there is no delivery yet: take one in with `monitor ingest`")
    return int(newest.timestamp())


def score(session: Session, request: Request) -> Table:
    """The ranked table of a period. Raises MonitorError where the reference date lies before the period."""
    if request.as_of < request.period.start:
        raise MonitorError(f"the reference date {iso(request.as_of)} lies before period {request.period.label}")
    url = session.get_bind().engine.url.render_as_string(hide_password=False)
    engine = engines.connect(request.engine_url, url)
    facts = load_facts(engine, url, request.known_at)
    every = episodes(facts, request.method, request.as_of).cache()
    start, end = request.period.start, min(request.period.end, request.as_of + 1)
    scored = every.filter((every.start >= start) & (every.start < end))
    refusals = refusal_counts(facts, hosting(facts), start, end, request.method)
    refused = {row["company"]: row["refused"] + row["undeliverable"] for row in engine.to_pyarrow(refusals).to_pylist()}
    labels = _labels(session, request.known_at)
    estimates = _estimates(engine, scored, every, labels, refused, request.method)
    return _table(estimates, request.method, request.period.label, iso(request.as_of), iso(request.known_at))


def estimate_file(path: Path, method: Method, engine_url: str = "duckdb://") -> Table:
    """The same table from an episodes file; nothing but its rows goes in."""
    engine = engines.connect(engine_url)
    rows, labels = read_episodes(path, method)
    every = engines.put(engine, "episodes", rows)
    return _table(_estimates(engine, every, every, labels, {}, method), method, "", "", "")


def _estimates(
    engine: Engine,
    scored: Expr,
    every: Expr,
    labels: Mapping[int, Label],
    refused: Mapping[int, int],
    method: Method,
) -> dict[int, Estimate]:
    gathered = gather(engine, scored, every, method, also=sorted(refused))
    return assemble(gathered, {**labels, NETWORK: _NETWORK_LABEL}, refused, method)


def _table(estimates: dict[int, Estimate], method: Method, period: str, as_of: str, known_at: str) -> Table:
    companies = [e for identifier, e in estimates.items() if identifier not in (NETWORK, NOBODY)]
    nobody = estimates.get(NOBODY)
    return Table(
        method.version,
        as_of,
        known_at,
        period,
        ranked([e for e in companies if e.episodes or e.outstanding or e.refused], method),
        estimates[NETWORK],
        Unattributed(nobody.episodes, nobody.notices) if nobody else Unattributed(0, 0),
    )


def _labels(session: Session, known_at: int) -> dict[int, Label]:
    """How each company was named at `known_at`."""
    newest = (
        select(func.max(CompanyDetail.id))
        .where(CompanyDetail.recorded_at <= to_datetime(known_at))
        .group_by(CompanyDetail.company_id)
    )
    query = (
        select(Company.id, Company.key, CompanyDetail.name, CompanyDetail.country, CompanyDetail.proxy)
        .join(CompanyDetail, CompanyDetail.company_id == Company.id)
        .where(CompanyDetail.id.in_(newest))
    )
    return {row.id: Label(row.key, row.name, row.country, row.proxy) for row in session.execute(query)}
