"""Each measure on facts that can be counted by hand, from both databases: one small world for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy.orm import Session

from monitor.db import connect, transaction
from monitor.instants import Period
from monitor.models.facts import Classification, Report
from monitor.score.methods import method
from monitor.score.pipeline import Request
from monitor.supplements.case_mix import _patterns, case_mix
from monitor.supplements.clocks import Clock, clocks
from monitor.supplements.cusum import cusum
from monitor.supplements.inputs import opened
from monitor.supplements.panel import quarter_figures
from monitor.supplements.recurrence import recurrence
from monitor.supplements.returned import drawn_contents, returned
from monitor.supplements.trend import trend_step
from tests.conftest import Database, NewDatabase
from tests.score.world import ADDED, ZERO, World, at, world

DAY = 24.0
PERIOD = Period("2026-03-31..2026-06-29", ZERO, ZERO + 90 * 86_400)
AS_OF = ZERO + 120 * 86_400


def removed(w: World, content: int, noticed: float, last: float, gone: float) -> None:
    """Noticed, last seen online, first seen gone."""
    w.notice(content, noticed)
    w.seen(content, last, "online")
    w.seen(content, gone, "offline")


def sites_that_recur(w: World) -> None:
    """`r`: six sites. After the first removal at 5 h, another item at 10 and 60 days, before it, the same item again;
    one removed on day 80; and one noticed again to the second 30 days later."""
    again = {1: 10 * DAY, 2: 60 * DAY, 3: 3.0, 6: 30 * DAY + 5}
    for number in range(1, 7):
        site, t1 = w.site(), 80 * DAY if number == 5 else 5.0
        first = w.content("r", site)
        removed(w, first, t1 - 4, t1 - 1, t1)
        if number == 4:
            removed(w, first, 10 * DAY, 10 * DAY + 1, 10 * DAY + 2)
        elif number == 5:
            w.notice(w.content("r", site), 85 * DAY)
        else:
            removed(w, w.content("r", site), again[number], again[number] + 30, again[number] + 40)


def items_that_return(w: World) -> None:
    """`t`: six items gone at 10 h. Later: online after a day (a), gone still (b), nobody could look (c), online after
    three days (d), online after a day but not drawn (e), gone still after seven days (f)."""
    later = {
        "a": (24, "online"), "b": (24, "offline"), "c": (24, "unknown"), "d": (72, "online"), "e": (24, "online"),
        "f": (168 + 11, "offline"),
    }  # fmt: skip
    for name, (hours, state) in later.items():
        item = w.content("t", url_digest=b"\xff" * 32) if name == "e" else w.content("t")
        removed(w, item, 0, 9, 10)
        w.seen(item, 10 + hours, state)
        if name == "f":
            w.seen(item, 10 + 168 + 13, "online")  # after the 7 days, and after the rule of 168 h


def equal_cases(w: World) -> None:
    """`p` has 15 late of 20 and `q` 20 of 40, each item on its own site, all noticed at one hour of one day."""
    for host, items, late in (("p", 20, 15), ("q", 40, 20)):
        for number in range(items):
            gone = 28 if number < late else 4
            removed(w, w.content(host), 48, 48 + gone - 2, 48 + gone)


def received(w: World) -> None:
    """Four items of `c` that a hotline received at 100 h and classified at 102 h; one came from abroad at 95 h.

    Two are noticed at 106 h and one at 110 h; the fourth, last seen online at 101 h, was gone at 103 h.
    """
    for number, noticed in enumerate((106, 106, 110, None)):
        item = w.content("c")
        stated(w, Report, item, "test", 100)
        stated(w, Report, item, "test", 150)  # an import anew, as systems do
        stated(w, Classification, item, "test", 102)
        if number == 0:
            stated(w, Report, item, "abroad", 95)
        if noticed is None:
            w.seen(item, 101, "online")
            w.seen(item, 103, "offline")
        elif number == 2:
            w.notice(item, noticed)
            w.seen(item, 115, "online")
        else:
            removed(w, item, noticed, 107, 109)
    w.notice(w.content("c"), 106)  # nobody knows when this one was received


def stated(w: World, model: type[Report] | type[Classification], content: int, source: str, hours: float) -> None:
    row = model(id=next(w.ids), delivery_id=1, content_id=content, source=source)
    row.at, row.recorded_at = at(hours), ADDED
    w.session.add(row)


@dataclass(frozen=True)
class Answers:
    """What each measure says of the world."""

    by_name: Mapping[str, Any]
    numbers: Mapping[str, int]
    in_place: Mapping[str, Any]  # from the engine that is the database

    def company(self, measure: str, key: str) -> Any:
        return next(row for row in self.by_name[measure].companies if row.company == key)


@pytest.fixture(scope="module")
def answers(new_database: NewDatabase) -> Answers:
    url = new_database()
    engine = connect(url)
    with world(Database(url, engine)) as w:
        for part in (sites_that_recur, items_that_return, equal_cases, received):
            part(w)
        numbers = dict(w.companies)
    with transaction(engine) as session:
        found = _measured(session)
        in_place = _measured(session, "sqlite://") if url.startswith("sqlite") else found
    engine.dispose()
    return Answers(found, numbers, in_place)


def _measured(session: Session, engine: str = "duckdb://") -> dict[str, Any]:
    request = Request(PERIOD, AS_OF, 2**35, method(), engine)
    with opened(session, request) as inputs:
        return {
            "recurrence": recurrence(inputs),
            "returned": returned(inputs, drawn_contents(session)),
            "case-mix": case_mix(inputs),
            "patterns": inputs.engine.to_pyarrow(_patterns(inputs, {})).to_pylist(),
            "cusum": cusum(inputs),
            "trend": trend_step(inputs),
            "clocks": clocks(inputs),
            "panel": quarter_figures(inputs),
        }


def test_sites_recur_with_another_item_after_the_first_removal(answers: Answers) -> None:
    """In 30 days sites 1, 5 and 6 of six; in 90 days, which have not passed for site 5, 1, 2 and 6 of five."""
    month, quarter = answers.company("recurrence", "r").windows
    assert (month.days, month.sites.ones, month.sites.items) == (30, 3, 6)
    assert (quarter.days, quarter.sites.ones, quarter.sites.items) == (90, 3, 5)
    assert month.sites.p == 0.5
    assert month.sites.low < 0.2 < 0.8 < month.sites.high  # six sites say little


def test_no_site_has_had_the_time(answers: Answers) -> None:
    """`c` removed two items on sites of their own: nothing came back in either window."""
    month, _quarter = answers.company("recurrence", "c").windows
    assert (month.sites.ones, month.sites.items) == (0, 2)


def test_what_is_online_again_among_what_was_drawn_and_could_be_looked_at(answers: Answers) -> None:
    looked = {each.days: each.returned for each in answers.company("returned", "t").looked}
    assert {days: (share.ones, share.items) for days, share in looked.items()} == {1: (1, 2), 3: (1, 1), 7: (0, 1)}
    assert looked[1].p == 0.5


def test_on_time_by_first_removal_has_no_cliff_at_168_hours(answers: Answers) -> None:
    """All six were gone in time at first; three were online again within 168 h and are late in the table."""
    row = answers.company("returned", "t")
    assert (row.on_time.ones, row.on_time.items) == (3, 6)
    assert (row.on_time_at_first_removal.ones, row.on_time_at_first_removal.items) == (6, 6)


def test_the_determined_episodes_are_counted(answers: Answers) -> None:
    """The determined episodes: of `t` three were late after all, the one of `c` that is online was certainly late."""
    counted = {row.company: (row.determined, row.observed) for row in answers.by_name["case-mix"].companies}
    assert counted == {"c": (2, 0), "p": (20, 15), "q": (40, 20), "r": (11, 4), "t": (6, 3)}


def test_what_is_known_of_a_case(answers: Answers) -> None:
    """`p` was noticed on a Thursday between 0 and 4 h, on sites that were new; found gone 2 h after the last check.

    `r`: new sites on a Tuesday, one on a Thursday; four items were on sites that had been noticed on an earlier day.
    """
    rows = answers.by_name["patterns"]
    keys = ("weekday", "block", "kind", "site_type", "repeated", "gap_minutes", "items", "ones")
    of_p, of_r = ([row for row in rows if row["company"] == answers.numbers[key]] for key in "pr")
    assert [tuple(row[key] for key in keys) for row in of_p] == [(3, 0, "hotline_notice", "unknown", 0, 120, 20, 15)]
    assert sum(row["items"] for row in of_r if row["repeated"]) == 4
    assert {row["weekday"] for row in of_r if not row["repeated"]} == {1, 3}


def test_weeks_are_those_of_the_deadline(answers: Answers) -> None:
    """`p` was noticed at 48 h, so that its deadline is in the ISO week of 72 h; 20 sites, 15 of them late."""
    row = answers.company("cusum", "p")
    assert (row.weeks, row.sites_a_week) == (1, 20.0)
    assert row.w == pytest.approx(15 * 0.5978370008 - 5 * 0.0953101798)


def test_nothing_is_told_of_behaviour_where_the_period_before_is_empty(answers: Answers) -> None:
    step = answers.by_name["trend"]
    assert (step.before, step.after) == ("2025-12-31..2026-03-31", PERIOD.label)
    assert (step.parts, step.behaviour, step.gap.changed) == (None, None, True)


def clock(answers: Answers, name: str) -> Clock:
    found: Clock = next(each for each in answers.by_name["clocks"].clocks if each.name == name)
    return found


def test_the_hotlines_clock(answers: Answers) -> None:
    """6, 6 and 10 hours to the notice; the fourth item was gone between 1 and 3 hours, which competes."""
    found = clock(answers, "hotline")
    assert (found.items, found.ended, found.competing, found.median_hours) == (4, 3, 1, 6.0)
    within = {point.hours: (point.ended, point.competing, point.still_open) for point in found.points}
    assert within[4.0] == (0.0, 0.25, 0.75)
    assert within[12.0] == (0.75, 0.25, 0.0)


def test_the_first_hotline_received_one_of_them_earlier(answers: Answers) -> None:
    """11, 6 and 10 hours: the smallest with half of all four items is 10."""
    assert clock(answers, "hotline, from the first").median_hours == 10.0


def test_the_whole_chain_includes_what_was_gone_before_a_notice(answers: Answers) -> None:
    """Gone between 1 and 3, 7 and 9, 7 and 9 hours after receipt; one was last seen online after 15."""
    found = clock(answers, "total")
    assert (found.items, found.ended, found.competing, found.median_hours) == (4, 3, 0, 8.0)
    assert {point.hours: point.ended for point in found.points}[4.0] == 0.25


def test_the_parts_of_the_hotlines_clock(answers: Answers) -> None:
    """An import anew at 150 h moves nothing: the earliest time counts."""
    first, second = clock(answers, "receipt to classification"), clock(answers, "classification to notice")
    assert (first.items, first.ended, first.median_hours) == (4, 4, 2.0)
    assert (second.items, second.ended, second.median_hours) == (4, 3, 4.0)


def test_public_definitions_of_items_that_were_received(answers: Answers) -> None:
    """Received at 100 h, the fifth day; gone at 103 h and 109 h: on that day. One is online still."""
    public = answers.by_name["clocks"].definitions
    assert [(each.days, each.items, each.share) for each in public.inhope] == [
        ("less than 1", 3, 1.0), ("1 to 3", 0, 0.0), ("4 to 6", 0, 0.0), ("7 and more", 0, 0.0),
    ]  # fmt: skip
    assert public.inhope_not_removed == 1


def test_public_definitions_of_all_that_was_noticed(answers: Answers) -> None:
    """All episodes of the world but those of the parts above that are online still, counted by hand.

    `r` has 12 episodes: 7 gone 4 h after the notice or sooner, 4 after 40 h, one online. `t` has 6: three gone after
    10 h, three reappeared. `p` and `q` have 35 gone after 28 h and 25 after 4 h; `c` two gone after 3 h, two online.
    """
    public = answers.by_name["clocks"].definitions
    hours = [4.0] * 6 + [2.0] + [40.0] * 4 + [10.0] * 3 + [28.0] * 35 + [4.0] * 25 + [3.0] * 2
    assert public.eco_removed == len(hours)
    assert public.eco_mean_days == pytest.approx(sum(hours) / len(hours) / 24, rel=1e-9)
    assert [(each.hours, each.removed) for each in public.iwf] == [(1, 0), (2, 1), (24, 37)]
    assert (public.tu_delft.hours, public.tu_delft.removed, public.tu_delft.items) == (24, 37, len(hours) + 6)


def test_the_figures_of_a_quarter(answers: Answers) -> None:
    """`q`: half gone after 4 h, half after 28 h: half on time, 2 and 26 hours online, all gone within a week."""
    found = answers.by_name["panel"][answers.numbers["q"]]
    assert found.sites == 40
    assert found.on_time == pytest.approx(0.5)
    assert found.exposure_hours == pytest.approx(14)
    assert (found.overdue, found.relocated_7d) == (0, 0)
    assert found.removed_7d == pytest.approx(1)


def test_another_engine_gives_the_same(answers: Answers) -> None:
    assert answers.in_place == answers.by_name
