"""Episodes: one (content, company) exposure each, from its first delivered notice to its end.

One expression for every engine (docs/method.md, section 2). Instants are epoch seconds, results hours.
"""

from __future__ import annotations

from typing import Any

import ibis
from ibis import _

from monitor.instants import DAY, HOUR
from monitor.score.engine import Expr, as_integer, bool_to_int, drop, keep
from monitor.score.facts import EVERYTHING, OPEN, UNATTRIBUTED, Facts
from monitor.score.methods import Method
from monitor.vocabulary import CLOCK_STARTING, State

# Order of things that happen in one second: what an end brackets comes before the end. _GONE: the item of a notice was
# gone already when it was sent.
_NOTICE, _ONLINE, _GONE, _REMOVAL, _RELOCATION = range(5)
_STEP = 8  # more than there are of these


def hosting_in_force(facts: Facts) -> Expr:
    """(content, company, a, b): who hosted it from a (included) to b (not included; null: still).

    The order of precedence is that of `monitor.models.facts.Attribution.precedence`.
    """
    newest = ibis.row_number().over(ibis.window(group_by=["content", "valid_from"], order_by=ibis.desc("attribution")))
    rows = facts.attributions.mutate(newest=newest).filter(_.newest == 0)
    order = ibis.window(group_by="content", order_by="valid_from")
    rows = rows.mutate(before=_.company.lag().over(order)).filter(_.before.isnull() | (_.before != _.company))
    return rows.select("content", "company", a=_.valid_from, b=_.valid_from.lead().over(order))


def episodes(facts: Facts, method: Method, as_of: int) -> Expr:
    """One row an episode begun by `as_of`, kept in the engine.

    Columns: company, content, site; start (epoch s); last_online_h, first_offline_h (null), relocated_h (null),
    followed_h on the company's own clock; deadline_h; last_online, removed, relocated (epoch s; the last two null where
    it was not); notices; reappeared; unverified;
    destination: the country it was relocated to, destination_company: the company (null: not known, or not relocated).
    Where removal and relocation compete also: ended (epoch s, null); day: that of the notice, since 1970; notice_days:
    on how many days it was noticed; gone_before_notice; wall_h: hours since the start by the wall clock;
    since_online_h: since it was last seen online.
    """
    hosts = keep(hosting_in_force(facts))
    events = keep(_events(facts, hosts, method, as_of))  # in steps: SQLite reads no statement that is nested deeper
    gone = [keep(_gone(events, method))] if method.competing_risks else []
    spells = keep(_spells(ibis.union(events, *gone) if gone else events, method))
    pauses = keep(_pauses(facts, spells, method, as_of))
    timed = _on_own_clock(spells, pauses, method, as_of)
    stale = (_.first_offline_h.isnull() & _.relocated_h.isnull()) & (as_of - _.last_online > method.stale_after)
    every = keep(timed.mutate(unverified=stale).join(facts.contents, "content"))
    drop(hosts, events, spells, pauses, *gone)
    return every


def with_host(rows: Expr, hosts: Expr) -> Expr:
    """Rows (content, t, ...) with the company that hosted the content at t."""
    joined = rows.join(hosts, "content").filter((_.t >= _.a) & (_.b.isnull() | (_.t < _.b)))
    return joined.drop("a", "b")


def _events(facts: Facts, hosts: Expr, method: Method, as_of: int) -> Expr:
    """Everything that bears on a (content, company) up to `as_of`, in one shape."""
    notices = with_host(_clock_starting(facts, method), hosts).filter(_.t <= as_of)
    seen = facts.sightings.filter((_.t <= as_of) & _.state.isin([str(State.ONLINE), str(State.OFFLINE)]))
    hosts_then = _since_ever(hosts) if method.competing_risks else hosts
    sightings = _confirmed(with_host(seen, hosts_then), method)
    online = sightings.filter(_.state == str(State.ONLINE))
    removals = sightings.filter(_.confirmed)
    undone = sightings.filter(_.undone)
    moved = facts.sightings.filter((_.state == str(State.MOVED)) & (_.t <= as_of))
    decided = with_host(facts.decided_removals, hosts_then).filter(_.t <= as_of)
    following = ibis.window(group_by="content", order_by="a")
    left = hosts.mutate(next_company=_.company.lead().over(following)).filter(
        (_.b <= as_of) & (_.company != UNATTRIBUTED) & (_.next_company != UNATTRIBUTED)
    )
    return ibis.union(
        _event(notices, _NOTICE, deadline_s=_.deadline_s),
        _event(online, _ONLINE),
        _event(undone, _ONLINE, online=False, undone=True),
        _event(removals, _REMOVAL),
        _event(decided, _REMOVAL),
        _event(with_host(moved, hosts), _RELOCATION, country=_.country),
        _event(_with_country(left.mutate(t=_.b), facts), _RELOCATION, country=_.country, to=_.next_company),
    )


def _with_country(left: Expr, facts: Facts) -> Expr:
    """The country of the company that hosts it next."""
    countries = facts.countries.select("country", next_company="company")
    joined = left.left_join(countries, "next_company")
    return joined.mutate(country=joined.country.coalesce(""))


def _since_ever(hosts: Expr) -> Expr:
    """The same, each content hosted by its first company since ever: what was seen before the first notice is of it."""
    order = ibis.window(group_by="content", order_by="a")
    rows = hosts.mutate(first=ibis.row_number().over(order))
    return rows.mutate(a=(_.first == 0).ifelse(ibis.literal(0, "int64"), _.a)).drop("first")


def _gone(events: Expr, method: Method) -> Expr:
    """An event _GONE for each notice whose item was offline when it was sent, as an event of `_events`.

    Offline is what was last seen offline, confirmed, and is not seen online within `reappear_within` of the notice.
    """
    keys = ["content", "company"]
    before = ibis.window(group_by=keys, order_by=["t", "order", "country"], preceding=(None, 1))
    after = ibis.window(group_by=keys, order_by=["t", "order", "country"], following=(1, None))
    is_state = (_.order >= _REMOVAL) | _.online
    rows = events.mutate(
        latest=_value_if(is_state, _.t * _STEP + _.order).max().over(before),
        online_next=_value_if(_.online, _.t).min().over(after),
    )
    stays = _.online_next.isnull() | (_.online_next - _.t > method.reappear_within)
    rows = rows.filter((_.order == _NOTICE) & (_.latest % _STEP == _REMOVAL) & stays)
    return _event(rows.select(*keys, "t").distinct(), _GONE)


def _clock_starting(facts: Facts, method: Method) -> Expr:
    """Delivered or assumed notices of the scored kinds, with their deadline in seconds."""
    return with_deadline(
        scored_notices(facts, method).filter(_.delivery.isin([str(s) for s in CLOCK_STARTING])), method
    )


def scored_notices(facts: Facts, method: Method) -> Expr:
    """Notices of the scored kinds, whatever became of them."""
    return facts.notices.filter(_.kind.isin([str(kind) for kind in method.scored_kinds]))


def with_deadline(notices: Expr, method: Method) -> Expr:
    """The notices with their deadline in seconds: their own, or that of their kind."""
    by_kind = ibis.cases(
        *[(_.kind == str(kind), round(hours * HOUR)) for kind, hours in method.deadlines_hours.items()],
        else_=round(method.deadlines_hours["hotline_notice"] * HOUR),
    )
    own = as_integer(_.deadline_hours * HOUR)
    return notices.mutate(deadline_s=(_.deadline_hours > 0).ifelse(own, by_kind.cast("int64")))


def _event(
    rows: Expr,
    order: int,
    online: bool | None = None,
    undone: bool = False,
    deadline_s: Any = None,
    country: Any = None,
    to: Any = None,
) -> Expr:
    return rows.select(
        "content",
        "company",
        "t",
        order=ibis.literal(order, "int64"),
        deadline_s=ibis.null("int64") if deadline_s is None else deadline_s,
        online=ibis.literal(order == _ONLINE if online is None else online),
        undone=ibis.literal(undone),
        country=ibis.literal("") if country is None else country,
        to=ibis.null("int64") if to is None else to,
    )


def _confirmed(sightings: Expr, method: Method) -> Expr:
    """Mark offline sightings: `confirmed`, or `undone` by one online within the limit."""
    is_online = _.state == str(State.ONLINE)
    order = [_.t, is_online.ifelse(0, 1)]
    after = ibis.window(group_by=["content", "company"], order_by=order, following=(1, None))
    rows = sightings.mutate(online_again=_value_if(is_online, _.t).min().over(after))
    offline = _.state == str(State.OFFLINE)
    stays = _.online_again.isnull() | (_.online_again - _.t > method.reappear_within)
    return rows.mutate(confirmed=offline & stays, undone=offline & ~stays)


def day_of(seconds: Any) -> Any:
    """The day in UTC, since 1970."""
    return (seconds / DAY).floor().cast("int64")


def _spells(events: Expr, method: Method) -> Expr:
    """Cut the events of each (content, company) at its ends, and keep the spells that a notice began."""
    before = ibis.window(group_by=["content", "company"], order_by=["t", "order", "country"], preceding=(None, 1))
    ends = bool_to_int(_.order >= _GONE)
    events = events.mutate(spell=ends.sum().over(before).coalesce(0))
    group = ibis.window(group_by=["content", "company", "spell"])
    events = events.mutate(start=_value_if(_.order == _NOTICE, _.t).min().over(group))
    events = events.filter(_.start.notnull() & (_.t >= _.start))
    return events.group_by(["content", "company", "spell", "start"]).aggregate(
        last_online=_value_if(_.online, _.t).max().coalesce(_.start.max()),
        removed=_value_if((_.order == _GONE) | (_.order == _REMOVAL), _.t).min(),
        relocated=_value_if(_.order == _RELOCATION, _.t).min(),
        notices=bool_to_int(_.order == _NOTICE).sum(),
        deadline_s=_value_if(_.t == _.start, _.deadline_s).min(),
        reappeared=bool_to_int(_.undone).max(),
        destination=_.country.max().nullif(""),
        destination_company=_.to.max(),
        **(_SPELL_MORE if method.competing_risks else {}),
    )


def _value_if(condition: Any, value: Any) -> Any:
    return condition.ifelse(value, ibis.null("int64"))


_SPELL_MORE = {
    "notice_days": _value_if(_.order == _NOTICE, day_of(_.t)).nunique(),
    "gone_before_notice": bool_to_int(_.order == _GONE).max(),
}


def _pauses(facts: Facts, spells: Expr, method: Method, as_of: int) -> Expr:
    """Disjoint (content, a, b) in which the clock of a content item stood still.

    A source that says it could not look casts doubt on the time from the sighting before to the one after.
    """
    order = ibis.window(group_by="content", order_by="t")
    sightings = facts.sightings.filter(_.t <= as_of)
    if method.pausing is not None:
        sightings = sightings.mutate(pause=_.pause.isin(method.pausing).ifelse(_.pause, ""))
    looked = sightings.group_by(["content", "t"]).aggregate(pause=_.pause.max())
    seen = looked.mutate(a=_.t.lag().over(order).coalesce(_.t), b=_.t.lead().over(order).coalesce(as_of))
    own = facts.suspensions.filter(_.content != EVERYTHING)
    general = facts.suspensions.filter(_.content == EVERYTHING).drop("content")
    everywhere = spells.select("content").distinct().cross_join(general)
    every = ibis.union(
        seen.filter(_.pause != "").select("content", "a", "b"),
        own.select("content", "a", "b"),
        everywhere.select("content", "a", "b"),
    )
    closed = every.mutate(b=(_.b == OPEN).ifelse(as_of, ibis.least(_.b, as_of))).filter(_.b > _.a)
    earlier = ibis.window(group_by="content", order_by=["a", "b"], preceding=(None, 1))
    reach = closed.mutate(reach=_.b.max().over(earlier))
    island = bool_to_int(_.reach.isnull() | (_.a > _.reach))
    so_far = ibis.window(group_by="content", order_by=["a", "b"], preceding=(None, 0))
    numbered = reach.mutate(island=island.sum().over(so_far))
    return numbered.group_by(["content", "island"]).aggregate(a=_.a.min(), b=_.b.max()).drop("island")


def _on_own_clock(spells: Expr, pauses: Expr, method: Method, as_of: int) -> Expr:
    """Hours since the start on the company's own clock: paused time does not count.

    A pause after the end of an episode takes nothing off the time it was followed: its clock had stopped.
    """
    spells = spells.mutate(as_of=ibis.literal(as_of, "int64"))
    spells = spells.mutate(judged=_.removed.coalesce(_.relocated, _.as_of))
    moments = ("last_online", "removed", "relocated", "judged")
    keys = ["content", "company", "spell"]
    paused = _paused(spells.join(pauses, "content"), keys, moments)
    both = spells.left_join(paused, keys).drop(*[f"{key}_right" for key in keys])

    def clock(until: str, paused_until: str) -> Any:
        return (both[until] - both.start - both[f"{paused_until}_paused"].coalesce(0)) / float(HOUR)

    more = (
        {
            "ended": both.removed.coalesce(both.relocated),
            "day": day_of(both.start),
            "notice_days": both.notice_days,
            "gone_before_notice": both.gone_before_notice,
            "wall_h": (both.as_of - both.start) / float(HOUR),
            "since_online_h": (both.as_of - both.last_online) / float(HOUR),
        }
        if method.competing_risks
        else {}
    )
    return both.select(
        *keys,
        "start",
        "last_online",
        "removed",
        "relocated",
        "notices",
        "reappeared",
        "destination",
        "destination_company",
        last_online_h=clock("last_online", "last_online"),
        first_offline_h=clock("removed", "removed"),
        relocated_h=clock("relocated", "relocated"),
        followed_h=clock("as_of", "judged"),
        deadline_h=both.deadline_s / float(HOUR),
        **more,
    )


def _paused(joined: Expr, keys: list[str], moments: tuple[str, ...]) -> Expr:
    """Seconds paused between the start of a spell and each moment, where that is known."""

    def overlap(moment: str) -> Any:
        inside = ibis.least(joined.b, joined[moment].coalesce(joined.start)) - ibis.greatest(joined.a, joined.start)
        return ibis.greatest(0, inside).sum()

    return joined.group_by(keys).aggregate(**{f"{moment}_paused": overlap(moment) for moment in moments})
