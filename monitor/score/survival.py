"""Kaplan-Meier curves of every company and of the network, as expressions that one sort of the times can serve."""

from __future__ import annotations

from typing import Any

import ibis
from ibis import _

from monitor.score.counts import NETWORK
from monitor.score.engine import Expr
from monitor.score.whole import flag, ticks, whole

_AREA = 2.0**20  # areas are added in units of 2**-20 ticks: whole numbers, whatever the order


def lenient(scored: Expr) -> Expr:
    """(company, site, t, event): removal at the last time seen online."""
    return scored.select("company", "site", t=ticks(_.last_online_h), event=flag(_.first_offline_h.notnull()))


def strict(scored: Expr) -> Expr:
    """(company, site, t, event): removal at the first time seen offline; else censored when last seen online."""
    end = _.first_offline_h.coalesce(_.last_online_h)
    return scored.select("company", "site", t=ticks(end), event=flag(_.first_offline_h.notnull()))


def times(spans: Expr) -> Expr:
    """(company, t, d, m): events and all ends at each time, of each company and of NETWORK."""
    rows = spans.group_by(["company", "t"]).aggregate(d=_.event.sum(), m=_.count())
    whole = rows.group_by("t").aggregate(d=_.d.sum(), m=_.m.sum()).mutate(company=ibis.literal(NETWORK, "int64"))
    columns = ("company", "t", "d", "m")
    return ibis.union(rows.select(*columns), whole.select(*columns))


def survival(ends: Expr, sizes: Expr, until: int) -> Expr:
    """The curve at each time of `ends`: (company, t, d, at_risk, survival, before, hazard, inverse, following).

    `before`: survival just before t; `hazard`: the sum of d / (Y (Y - d)) up to t, Y at risk; `inverse`: 1 / (Y - d),
    both 0 where nobody is left; `following`: the next time, or `until`. `sizes` has company and episodes.
    """
    upto = ibis.window(group_by="company", order_by="t", preceding=(None, 0))
    rows = ends.join(sizes.select("company", "episodes"), "company")
    rows = rows.mutate(at_risk=_.episodes.cast("float64") - _.m.sum().over(upto).cast("float64") + _.m)
    rows = rows.mutate(left=_.at_risk - _.d)
    some = rows.left > 0.5
    left = ibis.greatest(rows.left, 1.0)
    rows = rows.mutate(
        step=some.ifelse((left / rows.at_risk).ln(), 0.0),
        jump=some.ifelse(rows.d / (left * rows.at_risk), 0.0),
        inverse=some.ifelse(1.0 / left, 0.0),
    )
    rows = rows.mutate(
        log=ibis.greatest(_.step.sum().over(upto), -700.0),
        hazard=_.jump.sum().over(upto),
        following=_.t.lead().over(ibis.window(group_by="company", order_by="t")).coalesce(until),
    )
    gone = rows.left <= 0.5  # nobody is left: only ever at a company's last time
    return rows.select(
        "company",
        "t",
        "d",
        "at_risk",
        "hazard",
        "inverse",
        "following",
        survival=gone.ifelse(0.0, rows.log.exp()),
        before=(rows.log - rows.step).exp(),
    )


def area(curve: Expr, until: int) -> Expr:
    """Per company `area`: the restricted mean up to `until`, in units of 2**-20 ticks."""
    width = ibis.greatest(ibis.least(_.following, until) - _.t, 0).cast("float64")
    inside = whole(_.survival * width * _AREA)
    first = ibis.least(_.t.min(), until)
    return curve.group_by("company").aggregate(area=inside.sum(), first=first)


def area_ticks(area: Any, first: Any) -> Any:
    """The restricted mean in ticks, from the arrays of `area`."""
    return area / _AREA + first
