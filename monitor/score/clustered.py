"""The variance of a Kaplan-Meier curve, clustered by site: the infinitesimal jackknife summed over sites.

R: `survfit(..., cluster=, robust=TRUE)`. A site's influence at t is -S(t) (A(t) - H(t) Y(t)): A sums d/(Y-d) - H over
the ends of its own episodes up to t, Y counts its episodes still at risk. Both change only at the site's own times, so
the sums over sites of A^2, A Y and Y^2 are running sums of those changes. They are taken at marks: every time of a
small company, steps of a grid for a large one (`Method.time_grid`); at a mark the variance is exact.

What an engine adds in no fixed order it adds as whole numbers, A in units of 1/scale: the same bytes on every run.
"""

from __future__ import annotations

from typing import Any

import ibis
from ibis import _
from scipy import stats

from monitor.score.counts import NETWORK
from monitor.score.engine import Expr, drop, keep
from monitor.score.methods import Method
from monitor.score.whole import TICKS, rounded_up, whole

TIE = 1e-10  # shares meant to be equal to a level differ by rounding


def bound(curve: Expr) -> Expr:
    """Per company `most`: no sum of a site's steps is larger."""
    return curve.group_by("company").aggregate(most=2.0 + 2.0 * (_.d * _.inverse).sum())


def variance(spans: Expr, curve: Expr, sizes: Expr) -> Expr:
    """(company, mark, grid, survival, variance) at the marks, kept. `sizes`: company, grid (ticks, 0: none), scale."""
    marked = _marked(curve, sizes)
    sites = keep(_site_marks(spans, marked))
    sums = _running_sums(_with_network(sites, sizes), sizes)
    at_marks = marked.group_by(["company", "mark", "grid"]).aggregate(survival=_.survival.min(), hazard=_.hazard.max())
    rows = at_marks.join(sums, ["company", "mark"])
    spread = rows.aa - 2.0 * rows.hazard * rows.ay + rows.hazard * rows.hazard * rows.yy
    variance = rows.survival * rows.survival * ibis.greatest(spread, 0.0)
    points = keep(rows.select("company", "mark", "grid", "survival", variance=variance))
    drop(sites)
    return points


def _marked(curve: Expr, sizes: Expr) -> Expr:
    """The curve with the mark that each time belongs to, and its steps as whole numbers."""
    rows = curve.join(sizes.select("company", "grid", "scale"), "company")
    return rows.mutate(
        mark=rounded_up(rows.t, ibis.greatest(rows.grid, 1)),
        up=whole(rows.inverse * rows.scale),
        down=whole(rows.hazard * rows.scale),
    )


def _site_marks(spans: Expr, marked: Expr) -> Expr:
    """By company, site and mark: ends `m` and the sum of steps, on the company's curve and on the network's."""
    own = marked.filter(_.company != NETWORK).select("company", "t", "mark", "up", "down")
    network = marked.filter(_.company == NETWORK).select("t", net_up=_.up, net_down=_.down)
    both = own.join(network, "t")
    rows = spans.join(both, ["company", "t"])
    return rows.group_by(["company", "site", "mark"]).aggregate(
        m=_.count(),
        step=(_.event * _.up - _.down).sum(),
        net_step=(_.event * _.net_up - _.net_down).sum(),
    )


def _with_network(sites: Expr, sizes: Expr) -> Expr:
    """The network's grid is a multiple of every company's: its marks follow from theirs."""
    columns = ("company", "site", "mark", "m", "step")
    network = sites.cross_join(sizes.filter(_.company == NETWORK).select("grid"))
    network = network.group_by(["site", rounded_up(_.mark, ibis.greatest(_.grid, 1)).name("mark")]).aggregate(
        m=_.m.sum(), step=_.net_step.sum()
    )
    network = network.mutate(company=ibis.literal(NETWORK, "int64"))
    return ibis.union(sites.select(*columns), network.select(*columns))


def _running_sums(sites: Expr, sizes: Expr) -> Expr:
    """(company, mark, aa, ay, yy): the sums over sites of A^2, A Y and Y^2 after each mark."""
    own = ibis.window(group_by=["company", "site"])
    upto = ibis.window(group_by=["company", "site"], order_by="mark", preceding=(None, 0))
    rows = sites.join(sizes.select("company", "scale"), "company")
    rows = rows.mutate(
        a=_.step.sum().over(upto).cast("float64") / _.scale,
        y=_.m.sum().over(own).cast("float64") - _.m.sum().over(upto).cast("float64"),
        change=_.step.cast("float64") / _.scale,
    )
    rows = rows.mutate(a_before=_.a - _.change, y_before=_.y + _.m)
    rows = rows.select(
        "company",
        "site",
        "mark",
        daa=_.a * _.a - _.a_before * _.a_before,
        day=_.a * _.y - _.a_before * _.y_before,
        dyy=(_.y * _.y - _.y_before * _.y_before).cast("int64"),
    )
    return _accumulated(rows)


def _accumulated(rows: Expr) -> Expr:
    """Running sums in the order of mark and site, read after the last site of each mark."""
    order = ["mark", "site"]
    upto = ibis.window(group_by="company", order_by=order, preceding=(None, 0))
    following = ibis.window(group_by="company", order_by=order)
    rows = rows.mutate(
        aa=_.daa.sum().over(upto),
        ay=_.day.sum().over(upto),
        yy=_.dyy.sum().over(upto).cast("float64") - _.dyy.sum().over(ibis.window(group_by="company")).cast("float64"),
        next_mark=_.mark.lead().over(following).coalesce(-1),
    )
    return rows.filter(_.next_mark != _.mark).select("company", "mark", "aa", "ay", "yy")


def hourly(points: Expr, hours: int) -> Expr:
    """(company, hour, survival, variance): the curve's last value up to each whole hour at which it changed."""
    early = points.filter(_.mark <= hours * TICKS)
    early = early.mutate(hour=(rounded_up(early.mark, TICKS) / TICKS).floor().cast("int64"))
    latest = ibis.row_number().over(ibis.window(group_by=["company", "hour"], order_by=ibis.desc("mark")))
    return early.mutate(latest=latest).filter(_.latest == 0).select("company", "hour", "survival", "variance")


def limits(points: Expr, method: Method) -> Expr:
    """Per company in ticks: where the curve's confidence limits reach 1/2 and 1/10; on a grid rounded outwards."""
    rows = _limits(points, float(stats.norm.ppf(0.5 + method.confidence / 2)))
    return rows.group_by("company").aggregate(
        low_half=_first(_.low, 0.5, _.mark - _.grid),
        high_half=_first(_.high, 0.5, _.mark),
        low_tenth=_first(_.low, 0.1, _.mark - _.grid),
        high_tenth=_first(_.high, 0.1, _.mark),
    )


def _limits(points: Expr, z: float) -> Expr:
    """log(-log) limits of the curve; where it is 0 or 1 they are not defined: low is the curve, high is 1."""
    inside = (points.survival > 0.0) & (points.survival < 1.0)
    s = inside.ifelse(points.survival, 0.5)
    width = ibis.least(z * points.variance.sqrt() / (s * -(s.ln())), 50.0)
    bend = (-(s.ln())).ln()
    low = (-ibis.least((bend + width).exp(), 700.0)).exp()
    high = (-((bend - width).exp())).exp()
    return points.mutate(low=inside.ifelse(low, points.survival), high=inside.ifelse(high, 1.0))


def _first(level: Any, share: float, t: Any) -> Any:
    return (level <= share + TIE).ifelse(t, ibis.null("int64")).min()
