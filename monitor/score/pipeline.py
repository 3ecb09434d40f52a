"""Scoring: facts or an episodes file in, a ranked table out. A pure function of its arguments and the facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
from monitor.score.aggregate import NETWORK, Aggregates, aggregate, refusal_counts
from monitor.score.engine import Engine, Expr
from monitor.score.episode_file import MOVED_TO, read_episodes
from monitor.score.episodes import episodes
from monitor.score.estimate import estimate
from monitor.score.facts import UNATTRIBUTED, Facts, load_facts, read_export
from monitor.score.methods import HASH_HITS, Method
from monitor.score.quality import quality
from monitor.score.ranking import rank_companies
from monitor.score.supplements import announced_ipv4, flows, norms
from monitor.score.table import Estimate, Label, LegalEntity, Table, Unattributed, with_field
from monitor.vocabulary import Verdict


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

    @property
    def bounds(self) -> tuple[int, int]:
        """The first second of the period, and the one after its last that had begun at the reference date."""
        return self.period.start, min(self.period.end, self.as_of + 1)


def last_delivery(session: Session, known_at: int) -> int:
    """When the last delivery known at `known_at` was received: the default for `as_of`. One that waits is not known."""
    known = (Delivery.verdict == Verdict.OK, Delivery.recorded_at <= to_datetime(known_at))
    newest = session.scalar(select(func.max(Delivery.received_at)).where(*known))
    if newest is None:
        raise MonitorError("there is no delivery yet: take one in with `monitor ingest`")
    return int(newest.timestamp())


def score(session: Session, request: Request, adjust: Callable[[Engine, Facts], Facts] | None = None) -> Table:
    """The ranked table of a period. Raises MonitorError where the reference date lies before the period.

    `adjust` may put other facts in the place of those that are recorded: how the table would be with them.
    """
    with engines.opened(request.engine_url, database_url(session)) as engine:
        facts, labels = load(engine, session, request)
        facts = adjust(engine, facts) if adjust else facts
        every = episodes_of(facts, request)
        aggregates = _aggregate(engine, facts, every, request)
        estimates = estimate(aggregates, labels, request.rules)
        return _period_table(engine, every, aggregates, estimates, request)


def score_for_release(session: Session, request: Request) -> Table:
    """As `score`, with all that a release holds beside its figures.

    These are the flows, other norms, quality, announced addresses, legal entities, and the table of the hash hits where
    there was a hit in the period.
    """
    with engines.opened(request.engine_url, database_url(session)) as engine:
        facts, labels = load(engine, session, request)
        table = _with_supplements(engine, facts, labels, request)
        if _any_hash_hit(engine, facts, request):
            hits = _with_supplements(engine, facts, labels, replace(request, kinds=HASH_HITS))
            table = replace(table, hash_hits=hits)
    sizes = announced_ipv4(session, request.known_at, request.as_of, labels)
    table = with_field(with_field(table, "announced_ipv4", sizes), "legal", legal_entities(session, request.known_at))
    return replace(table, quality=quality(session, request.bounds, request.known_at))


def scored_episodes(session: Session, request: Request) -> pa.Table:
    """The episodes behind `score`: the columns of `episodes`, and `scored` (begun in the period).

    Companies are named by key, null where it is unattributed; `site` is a number of the database. Not for publication
    as they are.
    """
    with engines.opened(request.engine_url, database_url(session)) as engine:
        facts, labels = load(engine, session, request)
        rows = engines.fetch(engine, episodes_of(facts, request))
    keys = {number: label.key for number, label in labels.items()}
    for name in ("company", MOVED_TO):
        named = pa.array([keys.get(number) for number in rows[name].to_pylist()], pa.string())
        rows = rows.set_column(rows.column_names.index(name), name, named)
    return rows


def estimate_file(path: Path, method: Method, engine_url: str = "duckdb://") -> Table:
    """The same table from an episodes file; nothing but its rows goes in."""
    rows, labels = read_episodes(path, method)
    with engines.opened(engine_url) as engine:
        every = engines.put(engine, "episodes", rows)
        aggregates = aggregate(engine, every.filter(every.scored), every, method)
        estimates = estimate(aggregates, labels, method)
        return _table(engine, every, aggregates, estimates, method)


def database_url(session: Session) -> str:
    """The address of the system of record that a session works on, with its password."""
    return session.get_bind().engine.url.render_as_string(hide_password=False)


def load(engine: Engine, session: Session, request: Request) -> tuple[Facts, dict[int, Label]]:
    """The facts that a request asks for, and how each company was named then.

    Raises MonitorError where the reference date lies before the period.
    """
    if request.as_of < request.period.start:
        raise MonitorError(f"the reference date {iso(request.as_of)} lies before period {request.period.label}")
    labels = _labels(session, request.known_at)
    if request.facts is not None:
        return read_export(engine, request.facts), labels
    return load_facts(engine, database_url(session), request.known_at), labels


def episodes_of(facts: Facts, request: Request) -> Expr:
    """All episodes up to the reference date, and which of them are `scored`: begun in the period."""
    start, end = request.bounds
    every = episodes(facts, request.rules, request.as_of)
    return every.mutate(scored=(every.start >= start) & (every.start < end))


def _aggregate(engine: Engine, facts: Facts, every: Expr, request: Request) -> Aggregates:
    refusals = engines.fetch(engine, refusal_counts(facts, *request.bounds, request.rules))
    refused = {row["company"]: row["refused"] + row["undeliverable"] for row in refusals.to_pylist()}
    return aggregate(engine, every.filter(every.scored), every, request.rules, refused)


def _period_table(
    engine: Engine, every: Expr, aggregates: Aggregates, estimates: Mapping[int, Estimate], request: Request
) -> Table:
    """The table of the kinds that are asked for."""
    found = _table(engine, every, aggregates, estimates, request.rules)
    return replace(
        found,
        period=request.period.label,
        as_of=iso(request.as_of),
        known_at=iso(request.known_at),
        kinds=request.kinds,
    )


def _with_supplements(engine: Engine, facts: Facts, labels: Mapping[int, Label], request: Request) -> Table:
    """The table of the kinds that are asked for, with its flows and other norms."""
    every = episodes_of(facts, request)
    aggregates = _aggregate(engine, facts, every, request)
    estimates = estimate(aggregates, labels, request.rules)
    table, scored = _period_table(engine, every, aggregates, estimates, request), every.filter(every.scored)
    other_norms = norms(engine, scored, every, _listed(estimates), request.rules)
    return replace(table, flows=flows(engine, scored, labels), norms=other_norms)


def _any_hash_hit(engine: Engine, facts: Facts, request: Request) -> bool:
    start, end = request.bounds
    hits = facts.notices.filter((_.t >= start) & (_.t < end) & _.kind.isin([str(kind) for kind in HASH_HITS]))
    return bool(engines.fetch(engine, hits.aggregate(hits=_.count()))["hits"][0].as_py())


def _table(
    engine: Engine, every: Expr, aggregates: Aggregates, estimates: Mapping[int, Estimate], method: Method
) -> Table:
    """The companies ranked, the network, and what is in no company; without a period and its dates."""
    companies = _listed(estimates)
    small = [number for number, each in companies.items() if each.episodes < method.publish_below]
    unattributed = estimates.get(UNATTRIBUTED)
    return Table(
        method.version,
        "",
        "",
        "",
        rank_companies(list(companies.values()), method),
        estimates[NETWORK],
        Unattributed(unattributed.episodes, unattributed.notices) if unattributed else Unattributed(0, 0),
        _rest(engine, every, small, aggregates.refused, method) if small else None,
    )


def _listed(estimates: Mapping[int, Estimate]) -> dict[int, Estimate]:
    """The companies that have an episode, one outstanding, or a notice refused."""
    companies = {number: each for number, each in estimates.items() if number not in (NETWORK, UNATTRIBUTED)}
    return {number: each for number, each in companies.items() if each.episodes or each.outstanding or each.refused}


def _rest(engine: Engine, every: Expr, small: list[int], refused: Mapping[int, int], method: Method) -> Estimate:
    """The network without some companies: all others are taken as one, which is all that is asked."""
    others = every.filter(every.company.notin(small)).mutate(company=ibis.literal(UNATTRIBUTED, "int64"))
    left = sum(count for company, count in refused.items() if company not in (NETWORK, *small))
    aggregates = aggregate(engine, others.filter(others.scored), others, method, {NETWORK: left})
    return estimate(aggregates, {}, method)[NETWORK]


def _labels(session: Session, known_at: int) -> dict[int, Label]:
    """How each company was named at `known_at`."""
    found = _details(session, known_at)
    return {company.id: Label(company.key, detail.name, detail.country, detail.proxy) for company, detail in found}


def legal_entities(session: Session, known_at: int) -> dict[str, LegalEntity]:
    """By key the legal entity behind each company, as known at `known_at`.

    Its name and number are told only where the registry says that it is no natural person: those of a sole trader are
    personal data.
    """
    not_published = LegalEntity(None, None)
    return {
        company.key: LegalEntity(detail.legal_name, detail.registration)
        if detail.natural_person is False
        else not_published
        for company, detail in _details(session, known_at)
    }


def _details(session: Session, known_at: int) -> Sequence[tuple[Company, CompanyDetail]]:
    """Each company with what was known of it at `known_at`."""
    newest = (
        select(func.max(CompanyDetail.id))
        .where(CompanyDetail.recorded_at <= to_datetime(known_at))
        .group_by(CompanyDetail.company_id)
    )
    query = select(Company, CompanyDetail).join(CompanyDetail, CompanyDetail.company_id == Company.id)
    return [(company, detail) for company, detail in session.execute(query.where(CompanyDetail.id.in_(newest)))]
