"""Scoring: facts or an episodes file in, a ranked table out. A pure function of its arguments and the facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import ibis
import pyarrow as pa
from ibis import _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monitor.errors import MonitorError
from monitor.instants import iso, to_datetime
from monitor.models.company import Company, CompanyDetail
from monitor.models.facts import Delivery
from monitor.period import Period
from monitor.score import engine as engines
from monitor.score.announced import announced_ipv4, with_announced
from monitor.score.assemble import assemble
from monitor.score.counts import NETWORK, refusal_counts
from monitor.score.engine import Engine, Expr
from monitor.score.episode_file import MOVED_TO, read_episodes
from monitor.score.episodes import episodes, hosting
from monitor.score.export import read_export
from monitor.score.facts import NOBODY, Facts, load_facts
from monitor.score.flows import flows
from monitor.score.gather import gather
from monitor.score.label import Label
from monitor.score.methods import HASH_HITS, Method
from monitor.score.norms import norms
from monitor.score.quality import quality
from monitor.score.rank import ranked
from monitor.score.table import Estimate, Table, Unattributed
from monitor.vocabulary import Verdict

_NETWORK_LABEL = Label("network", "network")


@dataclass(frozen=True)
class Request:
    """What to score: episodes begun in `period`, seen at `as_of`, from the facts recorded by `known_at`.

    `kinds` of notice begin an episode; None: those of the method.
    """

    period: Period
    as_of: int
    known_at: int
    method: Method
    engine_url: str = "duckdb://"
    facts: Path | None = None  # an export to read instead of the database
    kinds: tuple[str, ...] | None = None

    @property
    def rules(self) -> Method:
        """The method for the kinds that are asked for."""
        return self.method.of_kinds(self.kinds)


def last_delivery(session: Session, known_at: int) -> int:
    """When the last delivery known at `known_at` was received: the default for `as_of`. One that waits is not known."""
    known = (Delivery.verdict == Verdict.OK, Delivery.recorded_at <= to_datetime(known_at))
    newest = session.scalar(select(func.max(Delivery.received_at)).where(*known))
    if newest is None:
        raise MonitorError("there is no delivery yet: take one in with `monitor ingest`")
    return int(newest.timestamp())


def score(session: Session, request: Request) -> Table:
    """The ranked table of a period. Raises MonitorError where the reference date lies before the period."""
    labels = _labels(session, request.known_at)
    with engines.opened(request.engine_url, database_url(session)) as engine:
        return _scored(engine, facts_of(engine, session, request), request, labels)


def score_for_release(session: Session, request: Request) -> Table:
    """As `score`, with all that a release holds beside its figures.

    These are the flows, other norms, quality, announced addresses, and the table of the hash hits where there was a
    hit in the period.
    """
    labels = _labels(session, request.known_at)
    with engines.opened(request.engine_url, database_url(session)) as engine:
        facts = facts_of(engine, session, request)
        table = _scored(engine, facts, request, labels, whole=True)
        if _any_hash_hit(engine, facts, request):
            hits = _scored(engine, facts, replace(request, kinds=HASH_HITS), labels, whole=True)
            table = replace(table, hash_hits=hits)
    sizes = announced_ipv4(session, request.known_at, request.as_of, labels)
    return replace(with_announced(table, sizes), quality=quality(session, _bounds(request), request.known_at))


def scored_episodes(session: Session, request: Request) -> pa.Table:
    """The episodes behind `score`: the columns of `episodes`, and `scored` (begun in the period).

    Companies are told by key, null at nobody's door; `site` is a number of the database. Not for publication as they
    are.
    """
    with engines.opened(request.engine_url, database_url(session)) as engine:
        rows: pa.Table = engine.to_pyarrow(episodes_of(facts_of(engine, session, request), request))
    keys = {number: label.key for number, label in _labels(session, request.known_at).items()}
    for name in ("company", MOVED_TO):
        named = pa.array([keys.get(number) for number in rows[name].to_pylist()], pa.string())
        rows = rows.set_column(rows.column_names.index(name), name, named)
    return rows


def estimate_file(path: Path, method: Method, engine_url: str = "duckdb://") -> Table:
    """The same table from an episodes file; nothing but its rows goes in."""
    rows, labels = read_episodes(path, method)
    with engines.opened(engine_url) as engine:
        return _table(engine, engines.put(engine, "episodes", rows), {}, labels, method, ("", "", ""))


def database_url(session: Session) -> str:
    """The address of the system of record that a session works on, with its password."""
    return session.get_bind().engine.url.render_as_string(hide_password=False)


def facts_of(engine: Engine, session: Session, request: Request) -> Facts:
    """The facts that a request asks for; raises MonitorError where the reference date lies before the period."""
    if request.as_of < request.period.start:
        raise MonitorError(f"the reference date {iso(request.as_of)} lies before period {request.period.label}")
    if request.facts is not None:
        return read_export(engine, request.facts)
    return load_facts(engine, database_url(session), request.known_at)


def episodes_of(facts: Facts, request: Request) -> Expr:
    """All episodes up to the reference date, and which of them are `scored`: begun in the period."""
    start, end = _bounds(request)
    every = episodes(facts, request.rules, request.as_of)
    return every.mutate(scored=(every.start >= start) & (every.start < end))


def _scored(
    engine: Engine, facts: Facts, request: Request, labels: Mapping[int, Label], *, whole: bool = False
) -> Table:
    """The table of the kinds that are asked for; a `whole` one with its flows and other norms."""
    head = (request.period.label, iso(request.as_of), iso(request.known_at))
    every, refused = episodes_of(facts, request), _refused(engine, facts, request)
    return replace(_table(engine, every, refused, labels, request.rules, head, whole=whole), kinds=request.kinds)


def _any_hash_hit(engine: Engine, facts: Facts, request: Request) -> bool:
    start, end = _bounds(request)
    hits = facts.notices.filter((_.t >= start) & (_.t < end) & _.kind.isin([str(kind) for kind in HASH_HITS]))
    return bool(engine.to_pyarrow(hits.aggregate(hits=_.count()))["hits"][0].as_py())


def _bounds(request: Request) -> tuple[int, int]:
    return request.period.start, min(request.period.end, request.as_of + 1)


def _refused(engine: Engine, facts: Facts, request: Request) -> dict[int, int]:
    refusals = engine.to_pyarrow(refusal_counts(facts, hosting(facts), *_bounds(request), request.rules))
    return {row["company"]: row["refused"] + row["undeliverable"] for row in refusals.to_pylist()}


def _table(
    engine: Engine,
    every: Expr,
    refused: Mapping[int, int],
    labels: Mapping[int, Label],
    method: Method,
    head: tuple[str, str, str],
    *,
    whole: bool = False,
) -> Table:
    period, as_of, known_at = head
    estimates = estimated(engine, every, labels, refused, method)
    companies = {i: e for i, e in estimates.items() if i not in (NETWORK, NOBODY)}
    companies = {i: e for i, e in companies.items() if e.episodes or e.outstanding or e.refused}
    small = [i for i, e in companies.items() if e.episodes < method.publish_below]
    nobody, scored = estimates.get(NOBODY), every.filter(every.scored)
    return Table(
        method.version,
        as_of,
        known_at,
        period,
        ranked(list(companies.values()), method),
        estimates[NETWORK],
        Unattributed(nobody.episodes, nobody.notices) if nobody else Unattributed(0, 0),
        _rest(engine, every, small, refused, method) if small else None,
        flows=flows(engine, scored, labels) if whole else None,
        norms=norms(engine, scored, every, companies, method) if whole else None,
    )


def estimated(
    engine: Engine, every: Expr, labels: Mapping[int, Label], refused: Mapping[int, int], method: Method
) -> dict[int, Estimate]:
    """One estimate a company, and under NETWORK that of all, from episodes with `scored`."""
    gathered = gather(engine, every.filter(every.scored), every, method, also=sorted(refused))
    return assemble(gathered, {**labels, NETWORK: _NETWORK_LABEL}, refused, method)


def _rest(engine: Engine, every: Expr, small: list[int], refused: Mapping[int, int], method: Method) -> Estimate:
    """The network without some companies: all others are taken as one, which is all that is asked."""
    others = every.filter(every.company.notin(small)).mutate(company=ibis.literal(NOBODY, "int64"))
    left = sum(count for company, count in refused.items() if company not in (NETWORK, *small))
    return estimated(engine, others, {}, {NETWORK: left}, method)[NETWORK]


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
