"""Counts and the sums behind clustered shares, by company and for the network, as expressions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import ibis
from ibis import _

from monitor.score.engine import Expr
from monitor.score.episodes import hosted
from monitor.score.facts import Facts
from monitor.score.methods import Method
from monitor.score.whole import TICKS, flag, ticks
from monitor.vocabulary import DeliveryState

NETWORK = -1  # "company" of the network as a whole; real ids are positive, 0 is nobody

TIMING = ("mature", "on_time", "late")
_SECOND = TICKS // 3600  # ticks; time online is added in whole seconds and the rest, as whole numbers
_SUMS = ("episodes", *TIMING, "notices", "relocated", "reappeared", "exposure_s", "exposure_rest")


def site_counts(scored: Expr) -> Expr:
    """Per (company, site), and per site for the network: how many episodes, mature, on time, late.

    Uncertain timing is neither on time nor late: on time means certainly offline by the deadline, late
    certainly online after it.
    """
    online = ticks(_.last_online_h)
    seconds = (online / _SECOND).floor().cast("int64")
    rows = scored.group_by(["company", "site"]).aggregate(
        episodes=_.count(),
        **_timing(_.deadline_h),
        notices=_.notices.sum(),
        relocated=_count(_.relocated_h.notnull()),
        reappeared=_.reappeared.sum(),
        exposure_s=seconds.sum(),
        exposure_rest=(online - seconds * _SECOND).sum(),
    )
    whole = rows.group_by("site").aggregate(**{name: rows[name].sum() for name in _SUMS})
    return ibis.union(
        rows.select("company", "site", *_SUMS),
        whole.mutate(company=ibis.literal(NETWORK, "int64")).select("company", "site", *_SUMS),
    )


def company_counts(sites: Expr) -> Expr:
    """Per company the totals, and over its sites the sums of squares that the clustered variance needs."""
    sums = {name: sites[name].sum() for name in _SUMS}
    return sites.group_by("company").aggregate(sites=_.count(), **_squares(sites), **sums)


def _timing(deadline: Any) -> dict[str, Any]:
    """The episodes that are mature, on time and late under a deadline in hours."""
    mature = _.followed_h >= deadline
    return {
        "mature": _count(mature),
        "on_time": _count(mature & (_.first_offline_h <= deadline)),
        "late": _count(mature & (_.last_online_h > deadline)),
    }


def _squares(sites: Expr, suffix: str = "") -> dict[str, Any]:
    """Over the sites of a company, what its shares and their clustered variances need beside the three counts."""
    mature, on_time, late = (sites[f"{name}{suffix}"] for name in TIMING)
    return {
        "mature_sites": flag(mature > 0).sum(),
        "nn": (mature * mature).sum(),
        "on_time_2": (on_time * on_time).sum(),
        "on_time_n": (on_time * mature).sum(),
        "late_2": (late * late).sum(),
        "late_n": (late * mature).sum(),
    }


def timing_under(scored: Expr, deadlines_hours: Sequence[float]) -> Expr:
    """Per company what its shares need if every episode had each of these deadlines: `late_at0`, `late_at1`, ..."""
    sites = scored.group_by(["company", "site"]).aggregate(**_placed(map(_timing, deadlines_hours)))
    suffixes = [f"_at{place}" for place in range(len(deadlines_hours))]
    sums = [{name: sites[name + suffix].sum() for name in TIMING} | _squares(sites, suffix) for suffix in suffixes]
    return sites.group_by("company").aggregate(**_placed(sums))


def overdue_under(every: Expr, deadlines_hours: Sequence[float]) -> Expr:
    """Per company, over all periods, what would be overdue under each of these deadlines: `overdue_at0`, ..."""
    open_ones = every.filter(_.first_offline_h.isnull() & _.relocated_h.isnull() & ~_.unverified)
    overdue = [{"overdue": _count(_.followed_h > hours)} for hours in deadlines_hours]
    return open_ones.group_by("company").aggregate(**_placed(overdue))


def _placed(parts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {f"{name}_at{place}": value for place, part in enumerate(parts) for name, value in part.items()}


def outstanding_counts(every: Expr, method: Method) -> Expr:
    """Per company and for the network, over all periods: what is still online, for how long, and what is unknown."""
    open_ones = every.filter(_.first_offline_h.isnull() & _.relocated_h.isnull())
    known = ~_.unverified
    bounds = method.age_bounds_hours
    ages = {
        f"age_{index}": _count(known & (_.followed_h >= start) & (_.followed_h < stop))
        for index, (start, stop) in enumerate(zip(bounds, (*bounds[1:], 1e12), strict=True))
    }
    rows = open_ones.group_by("company").aggregate(
        outstanding=_count(known),
        overdue=_count(known & (_.followed_h > _.deadline_h)),
        unverified=_count(_.unverified),
        oldest_hours=known.ifelse(_.followed_h, ibis.null("float64")).max(),
        **ages,
    )
    added = [name for name in rows.columns if name not in ("company", "oldest_hours")]
    whole = rows.aggregate(oldest_hours=_.oldest_hours.max(), **{name: rows[name].sum().coalesce(0) for name in added})
    network = whole.mutate(company=ibis.literal(NETWORK, "int64")).select(rows.columns)
    return ibis.union(rows, network)


def refusal_counts(facts: Facts, hosts: Expr, start: int, end: int, method: Method) -> Expr:
    """Per company and for the network: notices of the period, and those the company's side did not accept."""
    scored = facts.notices.filter((_.t >= start) & (_.t < end) & _.kind.isin([str(k) for k in method.scored_kinds]))
    rows = hosted(scored, hosts)
    both = ibis.union(rows, rows.mutate(company=ibis.literal(NETWORK, "int64")))
    return both.group_by("company").aggregate(
        sent=_.count(),
        refused=_count(_.delivery == str(DeliveryState.REFUSED)),
        undeliverable=_count(_.delivery == str(DeliveryState.FAILED)),
    )


def _count(condition: Any) -> Any:
    return flag(condition).sum()
