"""What one company's standing rests on, and what would have to be true for another: for our own use, not published."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

import ibis
import numpy as np
from ibis import _
from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.errors import MonitorError
from monitor.estimators.arrays import Floats, Integers
from monitor.estimators.rounding import SIGNIFICANT_DIGITS
from monitor.instants import HOUR
from monitor.models.company import Company
from monitor.score import engine as engines
from monitor.score.aggregate import aggregate, site_counts
from monitor.score.engine import Engine, Expr, as_integer, bool_to_int, fetch, keep, to_numpy
from monitor.score.episode_file import read_episodes, refused_in_file
from monitor.score.estimate import clustered_shares, estimate
from monitor.score.methods import Method, is_late, is_mature, is_on_time
from monitor.score.pipeline import Request, count_refused, database_url, episodes_of, load, make_table
from monitor.score.ranking import is_below_target, meets_target, rank_companies
from monitor.score.table import (
    DEADLINES_HOURS,
    CompetingEstimate,
    CompetingOnTime,
    Direction,
    Estimate,
    Label,
    Proof,
    Reason,
    Share,
    Standing,
    Table,
    Unreachable,
)

_ORDER: tuple[Standing, ...] = ("below", "not_proven", "meets")

Variant = Literal["published", "strict", "deadline", "without_largest_site"]


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The episodes by what they say. Undetermined are those bracketed, stopped and relocated in time.

    `bracketed`: last seen online by the deadline, gone or moved after it. `stopped`: not looked at after the deadline.
    Of all episodes, mature or not: `unverified`, `reappeared`, and `suspended`, whose clock stood still for some time
    (None: an episodes file does not say).
    """

    episodes: int
    sites: int
    mature: int
    on_time: int
    late: int
    undetermined: int
    bracketed: int
    stopped: int
    relocated_in_time: int
    unverified: int
    reappeared: int
    suspended: int | None
    largest_site_mature: int
    largest_site_late: int


@dataclass(frozen=True, slots=True)
class Scenario:
    """The same episodes read in another way, under the same rule; `deadline_hours` None: each episode's own.

    `share` is the lenient share on time, but for the strict reading.
    """

    reading: Variant
    deadline_hours: float | None
    episodes: int
    sites: int
    mature: int
    on_time: int
    late: int
    share: Share
    standing: Standing


@dataclass(frozen=True, slots=True)
class Change:
    """How many more episodes (less than 0: fewer) would have to be late for this standing, and the share then.

    They change one by one, on the site that has most of them until it has none, then on the next: the number is the
    least in that order, not over all ways to choose episodes. None: no number does.
    """

    standing: Standing
    late_episodes: int | None
    share: Share


@dataclass(frozen=True, slots=True)
class Explanation:
    """One company's standing in full. `publishable`: it has enough episodes for its figures to be published."""

    company: str
    method: str
    target: float
    publishable: bool
    makeup: Breakdown
    scenarios: tuple[Scenario, ...]
    changes: tuple[Change, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain data for `json.dumps`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class CompetingExplanation:
    """One company's standing since method 2026.2: its row of the table of all companies, and its episodes by outcome.

    The limits rest on all companies together (the correlations are pooled), so there is no reading of this one alone.
    """

    company: str
    method: str
    target: float
    publishable: bool
    makeup: Breakdown
    standing: Standing | None
    proof: Proof | None
    direction: Direction | None
    reasons: tuple[Reason, ...]
    bh: bool
    on_time: CompetingOnTime
    n_eff: float | None
    score: float | None
    rank: int | None
    rank_low: int | None
    rank_high: int | None
    outstanding: int
    overdue: int
    possibly_overdue: int
    gone_before_notice: int
    relocated: int
    items_undelivered: int
    unreachable: Unreachable

    def as_json(self) -> dict[str, Any]:
        """Plain data for `json.dumps`."""
        return asdict(self)


_OF_THE_ROW = (
    "standing", "proof", "direction", "reasons", "bh", "on_time", "n_eff", "score", "rank", "rank_low", "rank_high",
    "outstanding", "overdue", "possibly_overdue", "gone_before_notice", "relocated", "items_undelivered", "unreachable",
)  # fmt: skip


@dataclass(frozen=True)
class _Sites:
    """Per site of the company, the one with most mature episodes first: its number, mature and late episodes."""

    site: Integers
    mature: Integers
    late: Integers


def explain_period(session: Session, request: Request, key: str) -> Explanation | CompetingExplanation:
    """The company under `key` in the table that `score` makes of the same request.

    Raises MonitorError for a company there is not, or that the table does not list, and where the reference date lies
    before the period.
    """
    company = session.scalar(select(Company.id).where(Company.key == key))
    if company is None:
        raise MonitorError(f"no company {key!r}; give its key as `monitor score --json` has it under `company`")
    with engines.opened(request.engine_url, database_url(session)) as engine:
        facts, labels = load(engine, session, request)
        every = episodes_of(facts, request)
        if request.rules.competing_risks:
            refused = count_refused(engine, facts, request)
            table = make_table(engine, every, labels, refused, request.rules)[0]
            return _explain_competing(
                engine, _own(every, company), table, labels[company], request.rules, request.as_of
            )
        return explain(engine, _own(every, company), key, request.rules, request.as_of)


def explain_file(
    path: Path, company: str, method: Method, engine_url: str = "duckdb://"
) -> Explanation | CompetingExplanation:
    """A company in an episodes file; rows whose `scored` is false do not count, as in a release's table.

    Raises MonitorError for a company that is not in it, DeliveryError as `read_episodes` does.
    """
    rows, labels = read_episodes(path, method)
    number = next((number for number, label in labels.items() if label.key == company), None)
    if number is None:
        raise MonitorError(f"{path.name}: no company {company!r}; name one that its column 'company' has")
    with engines.opened(engine_url) as engine:
        every = engines.put(engine, "episodes", rows)
        if method.competing_risks:
            table = make_table(engine, every, labels, refused_in_file(rows), method)[0]
            return _explain_competing(engine, _own(every, number), table, labels[number], method, None)
        return explain(engine, _own(every, number), company, method)


def _explain_competing(
    engine: Engine, own: Expr, table: Table, label: Label, method: Method, as_of: int | None
) -> CompetingExplanation:
    """From the company's row of the whole table: nothing is judged here a second time."""
    row = next((each for each in table.companies if each.company == label.key), None)
    if not isinstance(row, CompetingEstimate):
        raise MonitorError(f"{label.key!r} has no episode, item or refused notice here: there is nothing to explain")
    episodes = keep(own.filter(own.undelivered == 0))
    return CompetingExplanation(
        label.key,
        method.version,
        method.target,
        row.episodes >= method.publish_below,
        _breakdown(engine, episodes, as_of, row, _sites(engine, episodes)),
        **{name: getattr(row, name) for name in _OF_THE_ROW},
    )


def _own(every: Expr, company: int) -> Expr:
    return every.filter((every.company == company) & every.scored)


def explain(engine: Engine, own: Expr, company: str, method: Method, as_of: int | None = None) -> Explanation:
    """Explain the company that has the scored episodes `own`, with the columns of `episodes` or of a file.

    `as_of` is in epoch seconds; without it nothing is known of suspensions.
    """
    own = keep(own)
    sites = _sites(engine, own)
    estimates = _estimates(engine, own, sites, method)
    published = estimates[0]
    scenarios = _scenarios(estimates, method)
    return Explanation(
        company,
        method.version,
        method.target,
        published.episodes >= method.publish_below,
        _breakdown(engine, own, as_of, published, sites),
        scenarios,
        _changes(sites, scenarios[0].standing, method),
    )


def _sites(engine: Engine, own: Expr) -> _Sites:
    mine = own.mutate(company=ibis.literal(1, "int64"))
    table = fetch(engine, site_counts(mine).filter(_.company == 1).select("site", "mature", "late"))
    site, mature, late = (to_numpy(table[name]) for name in ("site", "mature", "late"))
    order = np.lexsort((site, -mature))
    return _Sites(site[order], mature[order], late[order])


def _estimates(engine: Engine, own: Expr, sites: _Sites, method: Method) -> list[Estimate]:
    """As published, with each of DEADLINES_HOURS, and without the largest site: each as a company of one table."""
    largest = sites.site[:1].tolist()
    cases = [own, *(own.mutate(deadline_h=ibis.literal(hours, "float64")) for hours in DEADLINES_HOURS)]
    cases.append(own.filter(own.site != largest[0]) if largest else own)
    numbers = range(1, len(cases) + 1)
    numbered = [case.mutate(company=ibis.literal(n, "int64")) for n, case in zip(numbers, cases, strict=True)]
    together = keep(_without_curves(ibis.union(*(case.select(*own.columns) for case in numbered))))
    found = estimate(aggregate(engine, together, together, method, dict.fromkeys(numbers, 0)), {}, method)
    return [found[n] for n in numbers]


def _without_curves(rows: Expr) -> Expr:
    """Hours as far as a share needs them, by or after the deadline: no curve is used here, and they take longest."""
    late = is_late(rows.last_online_h, rows.deadline_h)
    gone = is_on_time(rows.first_offline_h, rows.deadline_h).ifelse(rows.deadline_h, ibis.null("float64"))
    online = late.ifelse(rows.deadline_h + 1, 0.0)
    return rows.mutate(last_online_h=online, first_offline_h=gone, relocated_h=ibis.null("float64"))


def _scenarios(estimates: list[Estimate], method: Method) -> tuple[Scenario, ...]:
    published, *others, without = estimates
    strict = replace(published, on_time=replace(published.on_time, lenient=published.on_time.strict))
    deadlines = zip(DEADLINES_HOURS, others, strict=True)
    return (
        _scenario("published", None, published, method),
        _scenario("strict", None, strict, method),
        *(_scenario("deadline", hours, estimate, method) for hours, estimate in deadlines),
        _scenario("without_largest_site", None, without, method),
    )


def _scenario(reading: Variant, hours: float | None, estimate: Estimate, method: Method) -> Scenario:
    """The standing comes from a ranking of this company alone: it does not depend on the others."""
    e, counts = estimate, estimate.on_time
    sizes = (e.episodes, e.sites, counts.mature, counts.on_time, counts.late)
    return Scenario(reading, hours, *sizes, counts.lenient, cast(Standing, rank_companies((e,), method)[0].standing))


def _breakdown(engine: Engine, own: Expr, as_of: int | None, estimate: Estimate, sites: _Sites) -> Breakdown:
    row = fetch(engine, _reasons(own, as_of)).to_pylist()[0]
    e, counts = estimate, estimate.on_time
    return Breakdown(
        *(e.episodes, e.sites, counts.mature, counts.on_time, counts.late, counts.undetermined),
        reappeared=e.reappeared,
        largest_site_mature=int(sites.mature[:1].sum()),
        largest_site_late=int(sites.late[:1].sum()),
        **{"suspended": None} | row,
    )


def _reasons(own: Expr, as_of: int | None) -> Expr:
    """One row: why episodes are undetermined, and how many are unverified or, where that can be known, suspended."""
    on_time = is_on_time(_.first_offline_h, _.deadline_h).fill_null(False)
    late = is_late(_.last_online_h, _.deadline_h)
    undetermined = is_mature(_.followed_h, _.deadline_h) & ~on_time & ~late
    moved = (_.relocated_h <= _.deadline_h).fill_null(False)
    ended = _.first_offline_h.notnull() | _.relocated_h.notnull()
    conditions = {
        "bracketed": undetermined & ended & ~moved,
        "stopped": undetermined & ~ended,
        "relocated_in_time": undetermined & moved,
        "unverified": _.unverified,
    }
    if as_of is not None:
        conditions["suspended"] = as_integer(_.followed_h * float(HOUR)) < as_of - _.start
    return own.aggregate(**{name: bool_to_int(condition).sum().coalesce(0) for name, condition in conditions.items()})


def _changes(sites: _Sites, standing: Standing, method: Method) -> tuple[Change, ...]:
    """To each other standing; nothing for a company with too few episodes or sites: more late ones change nothing."""
    if standing == "too_few":
        return ()
    now = _ORDER.index(standing)
    return tuple(
        _change(sites, other, 1 if place < now else -1, method) for place, other in enumerate(_ORDER) if place != now
    )


def _change(sites: _Sites, standing: Standing, step: int, method: Method) -> Change:
    """The first of all trials with that standing; each trial's share is estimated like that of a company."""
    found = clustered_shares(_trials(sites, step), method, "late")
    meets = meets_target(np.round(found.low, SIGNIFICANT_DIGITS), method.target)
    below = is_below_target(np.round(found.high, SIGNIFICANT_DIGITS), method.target)
    reached = {"meets": meets, "below": below & ~meets, "not_proven": ~meets & ~below}[standing]
    if not reached.any():
        return Change(standing, None, Share(None, None, None, None))
    first = int(reached.argmax())
    return Change(standing, step * first, found.at(first))


def _trials(sites: _Sites, step: int) -> dict[str, Floats]:
    """The sums behind the share of late episodes after 0, 1, 2, ... of them more (step 1) or fewer (step -1)."""
    room = sites.late if step < 0 else sites.mature - sites.late
    order = np.argsort(-room, kind="stable")
    at = np.repeat(order, room[order])
    before = np.arange(at.size) - np.repeat(np.cumsum(room[order]) - room[order], room[order])
    late, mature = sites.late[at] + step * before, sites.mature[at]
    starts_and_steps = {
        "late": (sites.late, np.full(at.size, step)),
        "late_2": (sites.late**2, 2 * step * late + 1),
        "late_n": (sites.late * sites.mature, step * mature),
        "mature": (sites.mature, np.zeros_like(at)),
        "nn": (sites.mature**2, np.zeros_like(at)),
        "mature_sites": (sites.mature > 0, np.zeros_like(at)),
    }
    return {
        name: np.cumsum(np.concatenate([[start.sum()], steps])).astype(np.float64)
        for name, (start, steps) in starts_and_steps.items()
    }
