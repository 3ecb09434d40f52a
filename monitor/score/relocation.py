"""Cumulative incidence of relocation (Aalen-Johansen), removal competing, with clustered infinitesimal jackknife.

R: `survfit(Surv(t, factor) ~ 1, cluster=)`, its state for relocation. With S(t-) the share that neither went nor moved,
F(t) = sum over u <= t of S(u-) dk(u) / Y(u), dk the relocations. An episode's influence on F(tau), up to T and tau, is

    S(T-) 1[moved] / Y(T) - 1[ended] (F(tau) - F(T)) / (Y - d)(T) - G1 + F(tau) G2 - G3,

G1, G2, G3 the sums of S(u-) dk / Y^2, d / (Y (Y - d)) and d F / (Y (Y - d)).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis
from ibis import _

from monitor.score.counts import NETWORK
from monitor.score.engine import Expr, drop, keep
from monitor.score.whole import TICKS, flag, ticks, whole

UNIT = 2.0**56  # incidences by country are added in units of 1/UNIT


def exits(scored: Expr) -> Expr:
    """(company, site, t, event, moved, country): the first of removal and relocation; else censored at L."""
    removed, relocated = _.first_offline_h.notnull(), _.relocated_h.notnull()
    end = _.first_offline_h.coalesce(_.relocated_h, _.last_online_h)
    return scored.select(
        "company",
        "site",
        t=ticks(end),
        event=flag(removed | relocated),
        moved=flag(relocated & ~removed),
        country=_.destination.coalesce(""),
    )


def moves(ends: Expr) -> Expr:
    """(company, t, country, k): relocations at each time, of each company and of NETWORK."""
    moved = ends.filter(_.moved == 1)
    rows = moved.group_by(["company", "t", "country"]).aggregate(k=_.moved.sum())
    whole = rows.group_by(["t", "country"]).aggregate(k=_.k.sum()).mutate(company=ibis.literal(NETWORK, "int64"))
    columns = ("company", "t", "country", "k")
    return ibis.union(rows.select(*columns), whole.select(*columns))


def incidence(curve: Expr, moved: Expr) -> Expr:
    """The all-cause curve with `moving` = S(t-) / Y, and F, G1, G2, G3 after each time."""
    here = moved.group_by(["company", "t"]).aggregate(k=_.k.sum())
    rows = curve.left_join(here, ["company", "t"]).drop("company_right", "t_right")
    rows = rows.mutate(k=_.k.coalesce(0).cast("float64"), moving=_.before / _.at_risk)
    upto = ibis.window(group_by="company", order_by="t", preceding=(None, 0))
    rows = rows.mutate(f=(_.moving * _.k).sum().over(upto), g1=(_.moving * _.k / _.at_risk).sum().over(upto))
    bend = _.d * _.inverse / _.at_risk
    rows = rows.mutate(g2=_.hazard, g3=(bend * _.f).sum().over(upto))
    return rows.select("company", "t", "moving", "inverse", "f", "g1", "g2", "g3")


def by_country(curve: Expr, moved: Expr, hours: Sequence[float]) -> Expr:
    """(company, country, k, i0, i1, ...): relocations in all, and the incidence at each of `hours` in 1/UNIT."""
    rows = moved.join(curve.select("company", "t", "before", "at_risk"), ["company", "t"])
    mass = whole(rows.before * rows.k / rows.at_risk * UNIT)
    rows = rows.mutate(mass=mass)
    early = {f"i{n}": (_.t <= round(hour * TICKS)).ifelse(_.mass, 0).sum() for n, hour in enumerate(hours)}
    return rows.group_by(["company", "country"]).aggregate(k=_.k.sum(), **early)


def variance(ends: Expr, curve: Expr, sizes: Expr, hours: float) -> Expr:
    """(company, f, v): F at `hours` and its variance; `curve` from `incidence`, `sizes` with company and scale."""
    until = round(hours * TICKS)
    steps = keep(_steps(curve, sizes, until))
    sites = _site_sums(ends, steps)
    order = ibis.window(group_by="company", order_by="site", preceding=(None, 0))
    rows = sites.join(sizes.select("company", "scale"), "company")
    rows = rows.mutate(part=_.psi.cast("float64") / _.scale)
    rows = rows.mutate(v=(_.part * _.part).sum().over(order))
    value = curve.filter(_.t <= until).group_by("company").aggregate(f=_.f.max())
    found = keep(rows.group_by("company").aggregate(v=_.v.max()).join(value, "company"))
    drop(steps)
    return found


def _steps(curve: Expr, sizes: Expr, until: int) -> Expr:
    """At each time of a company what an episode that ends there adds to its site's influence, in 1/scale."""
    reached = curve.filter(_.t <= until)
    last = reached.group_by("company").aggregate(fl=_.f.max(), h1=_.g1.max(), h2=_.g2.max(), h3=_.g3.max())
    rows = curve.join(last, "company").join(sizes.select("company", "scale"), "company")
    early = rows.t <= until

    def steps(inside: Any, beyond: Any) -> Any:
        return whole(early.ifelse(inside, beyond) * rows.scale)

    zero = ibis.literal(0.0)
    return rows.select(
        "company",
        "t",
        moving=steps(rows.moving, zero),
        ending=steps(-rows.inverse * (rows.fl - rows.f), zero),
        staying=steps(
            -rows.g1 + rows.fl * rows.g2 - rows.g3,
            -rows.h1 + rows.fl * rows.h2 - rows.h3,
        ),
    )


def _site_sums(ends: Expr, steps: Expr) -> Expr:
    """(company, site, psi), of each company and of NETWORK."""
    names = ("moving", "ending", "staying")
    own = steps.filter(_.company != NETWORK)
    network = steps.filter(_.company == NETWORK).select("t", **{f"net_{name}": _[name] for name in names})
    rows = ends.join(own.join(network, "t"), ["company", "t"])
    sums = rows.group_by(["company", "site"]).aggregate(
        psi=(rows.moved * rows.moving + rows.event * rows.ending + rows.staying).sum(),
        net=(rows.moved * rows.net_moving + rows.event * rows.net_ending + rows.net_staying).sum(),
    )
    whole = sums.group_by("site").aggregate(psi=_.net.sum()).mutate(company=ibis.literal(NETWORK, "int64"))
    return ibis.union(sums.select("company", "site", "psi"), whole.select("company", "site", "psi"))
