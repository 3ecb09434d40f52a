"""Kaplan-Meier curves per company with clustered variance, in one pass over sorted event times.

The variance is the infinitesimal jackknife summed by site (R: `survfit(..., cluster=, robust=TRUE)`). A site's
influence at t is -S(t) * (A(t) - H(t) * Y(t)): A sums d/(Y-d) - m*H over its own times up to t, Y counts its
episodes still at risk. A and Y of a site change only at the site's own times, so the sums over sites of A^2, A*Y
and Y^2 are running sums of those changes, and the whole curve costs one sort.
"""

from __future__ import annotations

from typing import Any

import ibis
from ibis import _
from scipy import stats

from monitor.score.counts import NETWORK
from monitor.score.engine import Expr
from monitor.score.methods import Method

TIE = 1e-10  # shares meant to be equal to a level differ by rounding


def lenient(scored: Expr) -> Expr:
    """(company, site, t, event): removal at the last time seen online."""
    return scored.select("company", "site", t=_.last_online_h, event=_.first_offline_h.notnull().cast("int64"))


def strict(scored: Expr) -> Expr:
    """(company, site, t, event): removal at the first time seen offline; else censored when last seen online."""
    removed = _.first_offline_h.notnull()
    return scored.select("company", "site", t=_.first_offline_h.coalesce(_.last_online_h), event=removed.cast("int64"))


def kaplan_meier(spans: Expr) -> Expr:
    """(company, t, survival, variance) at every time of each company and, as NETWORK, of all together."""
    sites = _site_times(spans)
    times = _survival(sites)
    changes = _site_changes(sites, times)
    joined = times.join(changes, ["company", "t"])
    upto = ibis.window(group_by="company", order_by="t", preceding=(None, 0))
    sums = joined.mutate(aa=_.daa.sum().over(upto), ay=_.day.sum().over(upto), yy=_.base + _.dyy.sum().over(upto))
    spread = sums.aa - 2 * sums.hazard * sums.ay + sums.hazard * sums.hazard * sums.yy
    return sums.select("company", "t", "survival", variance=sums.survival * sums.survival * ibis.greatest(spread, 0.0))


def _site_times(spans: Expr) -> Expr:
    """Events d and all ends m by (company, site, t), and by (site, t) for the network."""
    rows = spans.group_by(["company", "site", "t"]).aggregate(d=_.event.sum(), m=_.count())
    whole = rows.group_by(["site", "t"]).aggregate(d=_.d.sum(), m=_.m.sum())
    columns = ("company", "site", "t", "d", "m")
    network = whole.mutate(company=ibis.literal(NETWORK, "int64"))
    return ibis.union(rows.select(*columns), network.select(*columns))


def _survival(sites: Expr) -> Expr:
    """Survival, hazard sum d/(Y(Y-d)) and 1/(Y-d) at each time of a company, Y counting those at risk."""
    times = sites.group_by(["company", "t"]).aggregate(d=_.d.sum(), m=_.m.sum())
    upto = ibis.window(group_by="company", order_by="t", preceding=(None, 0))
    times = times.mutate(at_risk=_.m.sum().over(ibis.window(group_by="company")) - _.m.sum().over(upto) + _.m)
    times = times.mutate(left=_.at_risk - _.d)
    some = times.left > 0
    left = ibis.greatest(times.left, 1).cast("float64")
    times = times.mutate(
        step=some.ifelse((left / times.at_risk).ln(), 0.0),
        jump=some.ifelse(times.d / (left * times.at_risk), 0.0),
        inverse=some.ifelse(1.0 / left, 0.0),
        gone=some.ifelse(0, 1),
    )
    times = times.mutate(hazard=_.jump.sum().over(upto), gone=_.gone.max().over(upto), log=_.step.sum().over(upto))
    return times.mutate(survival=(_.gone == 1).ifelse(0.0, ibis.greatest(_.log, -700.0).exp()))


def _site_changes(sites: Expr, times: Expr) -> Expr:
    """Per (company, t): by how much the sums over sites of A^2, A*Y and Y^2 change; `base` is the first Y^2."""
    rows = sites.join(times.select("company", "t", "hazard", "inverse"), ["company", "t"])
    rows = rows.mutate(step=_.d * _.inverse - _.m * _.hazard)
    own = ibis.window(group_by=["company", "site"])
    upto = ibis.window(group_by=["company", "site"], order_by="t", preceding=(None, 0))
    rows = rows.mutate(a=_.step.sum().over(upto), y=(_.m.sum().over(own) - _.m.sum().over(upto)).cast("float64"))
    rows = rows.mutate(a_before=_.a - _.step, y_before=_.y + _.m)
    changes = rows.group_by(["company", "t"]).aggregate(
        daa=(_.a * _.a - _.a_before * _.a_before).sum(),
        day=(_.a * _.y - _.a_before * _.y_before).sum(),
        dyy=(_.y * _.y - _.y_before * _.y_before).sum(),
    )
    total = -_.dyy.sum().over(ibis.window(group_by="company"))  # in the end every Y is 0
    return changes.mutate(base=total)


def hourly(curve: Expr, hours: int) -> Expr:
    """(company, hour, survival, variance): the curve's last value up to each whole hour at which it changed."""
    early = curve.filter(_.t <= hours).mutate(hour=_.t.ceil().cast("int64"))
    latest = ibis.row_number().over(ibis.window(group_by=["company", "hour"], order_by=ibis.desc("t")))
    return early.mutate(latest=latest).filter(_.latest == 0).select("company", "hour", "survival", "variance")


def readings(curve: Expr, method: Method) -> Expr:
    """Per company: first times at which the curve's confidence limits reach 1/2 and 1/10, and its area."""
    limits = _limits(curve, float(stats.norm.ppf(0.5 + method.confidence / 2)))
    until = float(method.restricted_mean_hours)
    order = ibis.window(group_by="company", order_by="t")
    limits = limits.mutate(following=_.t.lead().over(order).coalesce(until))
    area = _.survival * ibis.greatest(ibis.least(_.following, until) - _.t, 0.0)
    return limits.group_by("company").aggregate(
        low_half=_first(_.low, 0.5, _.t),
        high_half=_first(_.high, 0.5, _.t),
        low_tenth=_first(_.low, 0.1, _.t),
        high_tenth=_first(_.high, 0.1, _.t),
        restricted_mean=area.sum() + ibis.least(_.t.min(), until),
    )


def _limits(curve: Expr, z: float) -> Expr:
    """log(-log) limits of the curve; where it is 0 or 1 they are not defined: low is the curve, high is 1."""
    inside = (curve.survival > 0.0) & (curve.survival < 1.0)
    s = inside.ifelse(curve.survival, 0.5)
    width = z * curve.variance.sqrt() / (s * -(s.ln()))
    width = ibis.least(width, 50.0)
    low = (-((-(s.ln())).ln() + width).exp()).exp()
    high = (-((-(s.ln())).ln() - width).exp()).exp()
    return curve.mutate(low=inside.ifelse(low, curve.survival), high=inside.ifelse(high, 1.0))


def _first(level: Any, share: float, t: Any) -> Any:
    return (level <= share + TIE).ifelse(t, ibis.null("float64")).min()
