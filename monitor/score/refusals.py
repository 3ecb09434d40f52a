"""Notices that were refused or could not be delivered: counted with their episode, or as an item of their own.

An undelivered item is one at a company of which every notice in the period was refused or failed. It has no episode: it
is a row with `undelivered` 1 and without times of its own.
"""

from __future__ import annotations

import ibis
from ibis import _

from monitor.instants import HOUR
from monitor.score.engine import Expr, bool_to_int, drop, fetch, keep
from monitor.score.episodes import day_of, hosting_in_force, scored_notices, with_deadline, with_host
from monitor.score.facts import Facts
from monitor.score.methods import Method
from monitor.vocabulary import CLOCK_STARTING

_KEYS = ("content", "company")


def with_refusals(every: Expr, facts: Facts, bounds: tuple[int, int], method: Method, as_of: int) -> Expr:
    """The episodes with `refused` (days on which every notice about the item came back) and `undelivered`; then the
    undelivered items of the period. An item is counted once a day in UTC, reminders too.

    A notice that came back belongs to the episode that ran then; else, if it was sent in the period, to the first
    episode of the item at the company in the period; else it is of an undelivered item. `every` has `scored`.
    """
    hosts = keep(hosting_in_force(facts))  # in steps: SQLite reads no statement that is nested deeper
    days = keep(_refused_days(facts, hosts, method, as_of))
    drop(hosts)
    if not fetch(days.get_backend(), days.aggregate(rows=_.count()))["rows"][0].as_py():
        drop(days)
        return every.mutate(refused=ibis.literal(0, "int64"), undelivered=ibis.literal(0, "int64"))
    placed = keep(_placed(days, every, bounds))
    of_episodes = placed.filter(_.episode.notnull()).group_by([*_KEYS, "episode"]).aggregate(refused=_.count())
    own = of_episodes.rename(its_content="content", its_company="company")
    same = [every.content == own.its_content, every.company == own.its_company, every.start == own.episode]
    joined = every.left_join(own, same).drop("its_content", "its_company", "episode")
    episodes = joined.mutate(refused=_.refused.coalesce(0), undelivered=ibis.literal(0, "int64"))
    items = _undelivered(placed.filter(_.episode.isnull()), facts, as_of)
    whole = keep(ibis.union(episodes, items.select(**{name: _as(items, name, episodes) for name in episodes.columns})))
    drop(days, placed)
    return whole


def _as(items: Expr, name: str, episodes: Expr) -> object:
    """A column of the episodes of undelivered items: null, or nothing counted, where they have none."""
    kind = episodes.schema()[name]
    if name in items.columns:
        return items[name].cast(kind)
    if name in ("notices", "notice_days", "reappeared", "gone_before_notice"):
        return ibis.literal(0).cast(kind)
    return ibis.literal(name == "scored") if kind.is_boolean() else ibis.null(kind)


def _refused_days(facts: Facts, hosts: Expr, method: Method, as_of: int) -> Expr:
    """(content, company, day, t, deadline_s): the days on which no notice about an item arrived, and the first one."""
    notices = with_deadline(scored_notices(facts, method).filter(_.t <= as_of), method)
    rows = with_host(notices, hosts).mutate(
        day=day_of(_.t), arrived=bool_to_int(_.delivery.isin([str(state) for state in CLOCK_STARTING]))
    )
    days = ibis.window(group_by=[*_KEYS, "day"])
    rows = rows.mutate(any_arrived=_.arrived.max().over(days), first=_.t.min().over(days)).filter(_.any_arrived == 0)
    return rows.filter(_.t == _.first).group_by([*_KEYS, "day", "t"]).aggregate(deadline_s=_.deadline_s.min())


def _placed(days: Expr, every: Expr, bounds: tuple[int, int]) -> Expr:
    """The same with the start of the `episode` it belongs to, null for an undelivered item; others are left out."""
    start, end = bounds
    episodes = every.select(its_content="content", its_company="company", begun="start", ended="ended", scored="scored")
    joined = days.left_join(episodes, [days.content == episodes.its_content, days.company == episodes.its_company])
    runs = (joined.begun <= joined.t) & (joined.ended.isnull() | (joined.ended >= joined.t))
    nothing = ibis.null("int64")
    rows = joined.group_by([*_KEYS, "day", "t", "deadline_s"]).aggregate(
        running=runs.ifelse(joined.begun, nothing).max(),
        first=joined.scored.ifelse(joined.begun, nothing).min(),
    )
    in_period = (rows.t >= start) & (rows.t < end)
    rows = rows.mutate(episode=rows.running.coalesce(rows.first))
    return rows.filter(rows.running.notnull() | in_period).drop("running", "first")


def _undelivered(days: Expr, facts: Facts, as_of: int) -> Expr:
    """One row an item and company, dated by its first notice that came back."""
    items = ibis.window(group_by=list(_KEYS))
    rows = days.mutate(start=_.t.min().over(items))
    first = rows.filter(_.t == _.start).group_by([*_KEYS, "start"]).aggregate(deadline_s=_.deadline_s.min())
    counts = rows.group_by(list(_KEYS)).aggregate(refused=_.count())
    joined = first.join(counts, list(_KEYS)).join(facts.contents, "content")
    return joined.select(
        *_KEYS,
        "start",
        "site",
        "refused",
        day=day_of(joined.start),
        deadline_h=joined.deadline_s / float(HOUR),
        wall_h=(as_of - joined.start) / float(HOUR),
        undelivered=ibis.literal(1, "int64"),
        scored=ibis.literal(True),
    )
