"""From episodes in an engine to arrays with one entry a company: counts, sums, and what the curves are made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from ibis import _

from monitor.estimators.arrays import Floats, Integers
from monitor.estimators.risk_set import CurveInputs
from monitor.score.curve_inputs import curve_rows, read_curve_inputs
from monitor.score.engine import (
    MICROSECONDS_PER_HOUR,
    Engine,
    Expr,
    bool_to_int,
    fetch,
    integer_table,
    put,
    round_up,
    to_microseconds,
    to_numpy,
)
from monitor.score.episodes import hosting_in_force, scored_notices, with_host
from monitor.score.facts import Facts
from monitor.score.methods import Method, is_late, is_mature, is_on_time, is_overdue
from monitor.vocabulary import DeliveryState

NETWORK = -1  # "company" of the network as a whole; real ids are positive, 0 is UNATTRIBUTED

_NONE_REFUSED: Mapping[int, int] = MappingProxyType({})
TIMING = ("mature", "on_time", "late")
MICROSECONDS_PER_SECOND = MICROSECONDS_PER_HOUR // 3600
# Time online is added in whole seconds and the rest, in microseconds, as whole numbers.
_SUMS = ("episodes", *TIMING, "notices", "relocated", "reappeared", "exposure_s", "exposure_rest")


@dataclass(frozen=True)
class Aggregates:
    """What there is of all companies, in the order of `companies` (the first is NETWORK).

    `counts` by name; `refused`: notices refused, by company; `grid`: the width of the grid of times in microseconds (0:
    exact); `inputs` has an index for each company but NETWORK; `relocations`: the rows of `relocation_counts`, None
    where there are none.
    """

    companies: Integers
    counts: dict[str, Floats]
    refused: Mapping[int, int]
    grid: Integers
    inputs: CurveInputs
    relocations: pa.Table | None


def aggregate(
    engine: Engine, scored: Expr, every: Expr, method: Method, refused: Mapping[int, int] = _NONE_REFUSED
) -> Aggregates:
    """Aggregate `scored` episodes (of the period) and `every` episode (for what is outstanding).

    Both have company and site as integers (0: UNATTRIBUTED) and the columns of `monitor.score.episodes.episodes`.
    `refused`: notices refused by company; a company in it is listed though it has no episode.
    """
    companies, counts = _count_all(engine, scored, every, method, refused)
    grid = method.grid_seconds(counts["episodes"]) * MICROSECONDS_PER_SECOND
    index = np.arange(-1, len(companies) - 1, dtype=np.int32)  # that of NETWORK, which comes first, is not used
    grids = put(engine, "grids", integer_table({"company": companies, "grid": grid, "index": index}))
    any_relocated = counts["relocated"].any()
    relocations = fetch(engine, relocation_counts(scored, grids, int(grid[0]))) if any_relocated else None
    inputs = read_curve_inputs(engine, curve_rows(scored, grids), grid)
    return Aggregates(companies, counts, refused, grid, inputs, relocations)


def _count_all(
    engine: Engine, scored: Expr, every: Expr, method: Method, also: Iterable[int]
) -> tuple[Integers, dict[str, Floats]]:
    """The companies there are, and what is counted of each."""
    totals = to_arrays(engine, company_counts(site_counts(scored)))
    outstanding = to_arrays(engine, outstanding_counts(every, method))
    companies = np.union1d(np.union1d(totals["company"], outstanding["company"]), [NETWORK, *also]).astype(np.int64)
    merged = align(companies, totals, 0.0) | align(companies, outstanding, 0.0)
    merged["oldest_hours"] = align(companies, outstanding, np.nan)["oldest_hours"]
    merged["exposure_hours"] = (merged["exposure_s"] + merged["exposure_rest"] / MICROSECONDS_PER_SECOND) / 3600
    return companies, merged


def to_arrays(engine: Engine, expression: Expr) -> dict[str, npt.NDArray[Any]]:
    """The columns of an expression."""
    table = fetch(engine, expression)
    return {name: to_numpy(table[name]) for name in table.column_names}


def align(companies: Integers, columns: dict[str, npt.NDArray[Any]], missing: float) -> dict[str, Floats]:
    """Each column in the order of `companies` (sorted), `missing` where one has no row; rows of others are left out."""
    known = np.isin(columns["company"], companies)
    at = np.searchsorted(companies, columns["company"][known])
    result = {}
    for name, values in columns.items():
        if name != "company":
            result[name] = np.full(len(companies), missing, dtype=np.float64)
            result[name][at] = values[known]
    return result


def site_counts(scored: Expr) -> Expr:
    """Per (company, site), and per site for the network: how many episodes, mature, on time, late.

    Uncertain timing is neither on time nor late: on time means certainly offline by the deadline, late
    certainly online after it.
    """
    online = to_microseconds(_.last_online_h)
    seconds = (online / MICROSECONDS_PER_SECOND).floor().cast("int64")
    rows = scored.group_by(["company", "site"]).aggregate(
        episodes=_.count(),
        **_timing(_.deadline_h),
        notices=_.notices.sum(),
        relocated=_count(_.relocated_h.notnull()),
        reappeared=_.reappeared.sum(),
        exposure_s=seconds.sum(),
        exposure_rest=(online - seconds * MICROSECONDS_PER_SECOND).sum(),
    )
    network = rows.group_by("site").aggregate(**{name: rows[name].sum() for name in _SUMS})
    return ibis.union(
        rows.select("company", "site", *_SUMS),
        network.mutate(company=ibis.literal(NETWORK, "int64")).select("company", "site", *_SUMS),
    )


def company_counts(sites: Expr) -> Expr:
    """Per company the totals, and over its sites the sums of squares that the clustered variance needs."""
    sums = {name: sites[name].sum() for name in _SUMS}
    return sites.group_by("company").aggregate(sites=_.count(), **_squares(sites), **sums)


def _timing(deadline: Any) -> dict[str, Any]:
    """The episodes that are mature, on time and late under a deadline in hours."""
    mature = is_mature(_.followed_h, deadline)
    return {
        "mature": _count(mature),
        "on_time": _count(mature & is_on_time(_.first_offline_h, deadline)),
        "late": _count(mature & is_late(_.last_online_h, deadline)),
    }


def _squares(sites: Expr, suffix: str = "") -> dict[str, Any]:
    """Over the sites of a company, what its shares and their clustered variances need beside the three counts."""
    mature, on_time, late = (sites[f"{name}{suffix}"] for name in TIMING)
    return {
        "mature_sites": bool_to_int(mature > 0).sum(),
        "nn": (mature * mature).sum(),
        "on_time_2": (on_time * on_time).sum(),
        "on_time_n": (on_time * mature).sum(),
        "late_2": (late * late).sum(),
        "late_n": (late * mature).sum(),
    }


def timing_under(scored: Expr, deadlines_hours: Sequence[float]) -> Expr:
    """Per company what its shares need if every episode had each of these deadlines: `late_at0`, `late_at1`, ..."""
    sites = scored.group_by(["company", "site"]).aggregate(**_numbered(map(_timing, deadlines_hours)))
    suffixes = [f"_at{place}" for place in range(len(deadlines_hours))]
    sums = [{name: sites[name + suffix].sum() for name in TIMING} | _squares(sites, suffix) for suffix in suffixes]
    return sites.group_by("company").aggregate(**_numbered(sums))


def overdue_under(every: Expr, deadlines_hours: Sequence[float]) -> Expr:
    """Per company, over all periods, what would be overdue under each of these deadlines: `overdue_at0`, ..."""
    open_episodes = _open_episodes(every).filter(~_.unverified)
    overdue = [{"overdue": _count(is_overdue(_.followed_h, hours))} for hours in deadlines_hours]
    return open_episodes.group_by("company").aggregate(**_numbered(overdue))


def _numbered(parts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {f"{name}_at{place}": value for place, part in enumerate(parts) for name, value in part.items()}


def outstanding_counts(every: Expr, method: Method) -> Expr:
    """Per company and for the network, over all periods: what is still online, for how long, and what is unknown."""
    open_episodes = _open_episodes(every)
    known = ~_.unverified
    bounds = method.age_bounds_hours
    ages = {
        f"age_{index}": _count(known & (_.followed_h >= start) & (_.followed_h < stop))
        for index, (start, stop) in enumerate(zip(bounds, (*bounds[1:], 1e12), strict=True))
    }
    rows = open_episodes.group_by("company").aggregate(
        outstanding=_count(known),
        overdue=_count(known & is_overdue(_.followed_h, _.deadline_h)),
        unverified=_count(_.unverified),
        oldest_hours=known.ifelse(_.followed_h, ibis.null("float64")).max(),
        **ages,
    )
    added = [name for name in rows.columns if name not in ("company", "oldest_hours")]
    sums = {name: rows[name].sum().coalesce(0) for name in added}
    network = rows.aggregate(oldest_hours=_.oldest_hours.max(), **sums)
    return ibis.union(rows, network.mutate(company=ibis.literal(NETWORK, "int64")).select(rows.columns))


def refused_notices(facts: Facts, start: int, end: int, method: Method) -> Expr:
    """(content, company, notices): those of the period that were refused or could not be delivered."""
    refused = [str(state) for state in (DeliveryState.REFUSED, DeliveryState.FAILED)]
    sent = scored_notices(facts, method).filter((_.t >= start) & (_.t < end) & _.delivery.isin(refused))
    return with_host(sent, hosting_in_force(facts)).group_by(["content", "company"]).aggregate(notices=_.count())


def relocation_counts(scored: Expr, grids: Expr, network_grid: int) -> Expr:
    """(company, t, country, episodes): how many moved at each time (microseconds), by company and for NETWORK.

    Times are rounded as those of the curve inputs.
    """
    moved = scored.filter(_.relocated_h.notnull() & _.first_offline_h.isnull())
    moved = moved.select("company", t=to_microseconds(_.relocated_h), country=_.destination.coalesce(""))
    network = moved.mutate(company=ibis.literal(NETWORK, "int64"), grid=ibis.literal(network_grid, "int64"))
    rows = ibis.union(moved.join(grids.select("company", "grid"), "company").select(network.columns), network)
    rows = rows.mutate(t=(_.grid == 0).ifelse(_.t, round_up(_.t, ibis.greatest(_.grid, 1))))
    return rows.group_by(["company", "t", "country"]).aggregate(episodes=_.count())


def _open_episodes(every: Expr) -> Expr:
    """The episodes that neither removal nor relocation has ended."""
    return every.filter(_.first_offline_h.isnull() & _.relocated_h.isnull())


def _count(condition: Any) -> Any:
    return bool_to_int(condition).sum()
