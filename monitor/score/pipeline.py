"""Scoring: facts or an episodes file in, a ranked table out. A pure function of its arguments and the facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import ibis
import pyarrow as pa
from ibis import _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monitor.errors import MonitorError
from monitor.instants import Period, iso, to_datetime
from monitor.models.company import Company, CompanyClaim, CompanyDetail
from monitor.models.facts import Delivery
from monitor.score import engine as engines
from monitor.score.aggregate import NETWORK, aggregate, refused_notices
from monitor.score.competing import estimate_competing
from monitor.score.engine import Engine, Expr
from monitor.score.episode_file import MOVED_TO, read_episodes, refused_in_file
from monitor.score.episodes import episodes
from monitor.score.estimate import estimate
from monitor.score.facts import UNATTRIBUTED, Facts, load_facts, read_export
from monitor.score.methods import HASH_HITS, Method
from monitor.score.quality import quality
from monitor.score.ranking import rank_companies
from monitor.score.refusals import with_refusals
from monitor.score.standing import judged_groups, rank_competing
from monitor.score.supplements import announced_ipv4, flows, norms
from monitor.score.table import (
    EarlierMethod,
    Estimate,
    Judgement,
    Label,
    LegalEntity,
    Table,
    Unattributed,
    with_field,
)
from monitor.vocabulary import Claim, Verdict


@dataclass(frozen=True)
class Request:
    """What to score: episodes begun in `period`, seen at `as_of`, from the facts recorded by `known_at`.

    `kinds` of notice begin an episode; None: those of the method. `compared`: the method in force before, of which a
    release shows the standings beside its own.
    """

    period: Period
    as_of: int
    known_at: int
    method: Method
    engine_url: str = "duckdb://"
    facts: Path | None = None  # an export to read instead of the database
    kinds: tuple[str, ...] | None = None
    compared: Method | None = None

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
        raise MonitorError("there is no delivery yet: ingest one with `monitor ingest`")
    return int(newest.timestamp())


def score(session: Session, request: Request, adjust: Callable[[Engine, Facts], Facts] | None = None) -> Table:
    """The ranked table of a period. Raises MonitorError where the reference date lies before the period.

    `adjust` may put other facts in the place of those that are recorded: how the table would be with them.
    """
    with engines.opened(request.engine_url, database_url(session)) as engine:
        facts, labels = load(engine, session, request)
        facts = adjust(engine, facts) if adjust else facts
        table, _rows, _companies = _period_table(engine, facts, labels, request)
        return table


def score_for_release(session: Session, request: Request) -> Table:
    """As `score`, with all that a release holds beside its figures.

    These are the flows, other norms, quality, announced addresses, legal entities, the table of the hash hits where
    there was a hit in the period, and what the method that it is compared with says.
    """
    with engines.opened(request.engine_url, database_url(session)) as engine:
        facts, labels = load(engine, session, request)
        table = _with_supplements(engine, facts, labels, request)
        if _any_hash_hit(engine, facts, request):
            hits = _with_supplements(engine, facts, labels, replace(request, kinds=HASH_HITS))
            table = replace(table, hash_hits=hits)
        if request.compared is not None:
            before, _rows, _companies = _period_table(engine, facts, labels, replace(request, method=request.compared))
            table = replace(table, earlier=EarlierMethod(before.method, tuple(map(_judgement, before.companies))))
    sizes = announced_ipv4(session, request.known_at, request.as_of, labels)
    table = with_field(with_field(table, "announced_ipv4", sizes), "legal", legal_entities(session, request.known_at))
    return replace(table, quality=quality(session, request.bounds, request.known_at))


def _judgement(item: Estimate) -> Judgement:
    """What a table says of that company."""
    return Judgement(item.company, item.standing, item.rank, item.rank_low, item.rank_high)


def scored_episodes(session: Session, request: Request) -> pa.Table:
    """The episodes behind `score`: the columns of `episodes`, and `scored` (begun in the period).

    Companies are named by key, null where it is unattributed; `site` is a number of the database. Under method 2026.2
    with the undelivered items, and `group` and `no_contact` of each company. Not for publication as they are.
    """
    with engines.opened(request.engine_url, database_url(session)) as engine:
        facts, labels = load(engine, session, request)
        rows = engines.fetch(engine, episodes_of(facts, request))
    keys = {number: label.key for number, label in labels.items()}
    for name in ("company", MOVED_TO):
        named = pa.array([keys.get(number) for number in rows[name].to_pylist()], pa.string())
        rows = rows.set_column(rows.column_names.index(name), name, named)
    if not request.rules.competing_risks:
        return rows
    of_key = {label.key: label for label in labels.values()}
    known = [of_key.get(key) for key in rows["company"].to_pylist()]
    rows = rows.append_column("group", pa.array([label.group if label else None for label in known], pa.string()))
    return rows.append_column("no_contact", pa.array([int(bool(label and label.no_contact)) for label in known]))


def estimate_file(path: Path, method: Method, engine_url: str = "duckdb://") -> Table:
    """The same table from an episodes file; nothing but its rows goes in."""
    rows, labels = read_episodes(path, method)
    with engines.opened(engine_url) as engine:
        every = engines.put(engine, "episodes", rows)
        refused = refused_in_file(rows) if method.competing_risks else {}
        return make_table(engine, every, labels, refused, method)[0]


def database_url(session: Session) -> str:
    """The address of the system of record that a session works on, with its password."""
    return session.get_bind().engine.url.render_as_string(hide_password=False)


def load(engine: Engine, session: Session, request: Request) -> tuple[Facts, dict[int, Label]]:
    """The facts that a request asks for, and how each company was named then.

    Raises MonitorError where the reference date lies before the period.
    """
    if request.as_of < request.period.start:
        raise MonitorError(f"the reference date {iso(request.as_of)} lies before period {request.period.label}")
    labels = labels_at(session, request.known_at, request.as_of)
    if request.facts is not None:
        return read_export(engine, request.facts), labels
    return load_facts(engine, database_url(session), request.known_at), labels


def episodes_of(facts: Facts, request: Request) -> Expr:
    """All episodes up to the reference date, and which of them are `scored`: begun in the period."""
    start, end = request.bounds
    every = episodes(facts, request.rules, request.as_of)
    every = every.mutate(scored=(every.start >= start) & (every.start < end))
    if not request.rules.competing_risks:
        return every
    return with_refusals(every, facts, request.bounds, request.rules, request.as_of)


def _period_table(
    engine: Engine, facts: Facts, labels: Mapping[int, Label], request: Request
) -> tuple[Table, Expr, dict[int, Estimate]]:
    """The table of the kinds that are asked for, the episodes behind it, and its companies by number."""
    every = episodes_of(facts, request)
    found, companies = make_table(engine, every, labels, count_refused(engine, facts, request), request.rules)
    return dated(found, request), every, companies


def dated(table: Table, request: Request) -> Table:
    """A table with the period and dates that were asked for."""
    return replace(
        table,
        period=request.period.label,
        as_of=iso(request.as_of),
        known_at=iso(request.known_at),
        kinds=request.kinds,
    )


def count_refused(engine: Engine, facts: Facts, request: Request) -> dict[int, int]:
    """By company, and of the network, the notices of the period that were refused or could not be delivered."""
    return refused_by_company(engines.fetch(engine, refused_notices(facts, *request.bounds, request.rules)))


def refused_by_company(refused: pa.Table) -> dict[int, int]:
    """The sums of `refused_notices` by company, and of the network."""
    found: dict[int, int] = {NETWORK: 0}
    for company, notices in zip(refused["company"].to_pylist(), refused["notices"].to_pylist(), strict=True):
        found[company] = found.get(company, 0) + notices
        found[NETWORK] += notices
    return found


def _with_supplements(engine: Engine, facts: Facts, labels: Mapping[int, Label], request: Request) -> Table:
    """The table of the kinds that are asked for, with its flows and other norms."""
    table, every, companies = _period_table(engine, facts, labels, request)
    scored = every.filter(every.scored)
    other_norms = norms(engine, scored, every, companies, request.rules)
    return replace(table, flows=flows(engine, scored, labels), norms=other_norms)


def _any_hash_hit(engine: Engine, facts: Facts, request: Request) -> bool:
    start, end = request.bounds
    hits = facts.notices.filter((_.t >= start) & (_.t < end) & _.kind.isin([str(kind) for kind in HASH_HITS]))
    return bool(engines.fetch(engine, hits.aggregate(hits=_.count()))["hits"][0].as_py())


def make_table(
    engine: Engine, every: Expr, labels: Mapping[int, Label], refused: Mapping[int, int], method: Method
) -> tuple[Table, dict[int, Estimate]]:
    """The companies ranked, the network, and what is in no company; without a period and its dates.

    `every` has `scored`. Also the companies by number, as they are before they are ranked.
    """
    scored = every.filter(every.scored)
    if method.competing_risks:
        found = estimate_competing(engine, scored, every, labels, refused, method)
        companies: dict[int, Estimate] = {number: found.by_company[number] for number in found.listed}
        ranked = rank_competing(companies.values(), method)
        groups = judged_groups(found.groups, method)
        table = _table(method, ranked, found.by_company, found.rest)
        return replace(table, groups=groups), companies
    aggregates = aggregate(engine, scored, every, method, refused)
    estimates = estimate(aggregates, labels, method)
    companies = _listed(estimates)
    small = [number for number, each in companies.items() if each.episodes < method.publish_below]
    rest = _rest(engine, every, small, aggregates.refused, method) if small else None
    return _table(method, rank_companies(list(companies.values()), method), estimates, rest), companies


def _table(
    method: Method, ranked: Sequence[Estimate], estimates: Mapping[int, Estimate], rest: Estimate | None
) -> Table:
    unattributed = estimates.get(UNATTRIBUTED)
    nobody = Unattributed(unattributed.episodes, unattributed.notices) if unattributed else Unattributed(0, 0)
    return Table(method.version, "", "", "", tuple(ranked), estimates[NETWORK], nobody, rest)


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


def labels_at(session: Session, known_at: int, as_of: int) -> dict[int, Label]:
    """How each company was named at `known_at`, its group, and whether no contact was known on the day of `as_of`."""
    found, day = company_details(session, known_at), to_datetime(as_of).date()
    keys = {company.id: company.key for company, _detail in found}
    parents = {company.id: detail.parent_id for company, detail in found}
    controlling = set(parents.values())
    unreached = _without_contact(session, known_at, day)
    return {
        company.id: Label(
            company.key,
            detail.name,
            detail.country,
            detail.proxy,
            keys.get(_root(company.id, parents)) if company.id in controlling or detail.parent_id else None,
            company.id in unreached,
        )
        for company, detail in found
    }


def _root(company: int, parents: Mapping[int, int | None]) -> int:
    """The company that controls it in the end; the registry refuses circles."""
    seen = {company}
    while (parent := parents.get(company)) is not None and parent not in seen:
        company = parent
        seen.add(company)
    return company


def _without_contact(session: Session, known_at: int, day: date) -> set[int]:
    """The companies that had an abuse address by the registry, and have none that is valid on that day."""
    query = select(CompanyClaim.company_id, CompanyClaim.valid_from, CompanyClaim.valid_to).where(
        CompanyClaim.claim == Claim.ABUSE_ADDRESS, CompanyClaim.recorded_at <= to_datetime(known_at)
    )
    claims = session.execute(query).all()
    valid = {c for c, begin, end in claims if (begin is None or begin <= day) and (end is None or day < end)}
    return {company for company, _begin, _end in claims} - valid


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
        for company, detail in company_details(session, known_at)
    }


def company_details(session: Session, known_at: int) -> Sequence[tuple[Company, CompanyDetail]]:
    """Each company with what was known of it at `known_at`."""
    newest = (
        select(func.max(CompanyDetail.id))
        .where(CompanyDetail.recorded_at <= to_datetime(known_at))
        .group_by(CompanyDetail.company_id)
    )
    query = select(Company, CompanyDetail).join(CompanyDetail, CompanyDetail.company_id == Company.id)
    return [(company, detail) for company, detail in session.execute(query.where(CompanyDetail.id.in_(newest)))]
