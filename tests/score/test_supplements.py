"""What a release holds beside its figures: flows, other norms and announced addresses, from a world of few facts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitor.attribute.netblocks import Announced
from monitor.db import transaction
from monitor.instants import Period
from monitor.models.company import CompanyDetail
from monitor.score import pipeline
from monitor.score.explain import Explanation, explain_period
from monitor.score.methods import method
from monitor.score.pipeline import Request, score, score_for_release
from monitor.score.table import DEADLINES_HOURS, Flow, Table
from tests.conftest import Database
from tests.score.world import ADDED, ZERO, at, world

REQUEST = Request(Period("2026Q1", ZERO, ZERO + 90 * 86400), ZERO + 400 * 3600, 2**35, method())


def whole(database: Database, request: Request = REQUEST) -> Table:
    with transaction(database.engine) as session:
        return score_for_release(session, request)


def relocations(database: Database) -> None:
    """Of `a`: three to `b`, one to `e` abroad, one seen moved to Germany, one to nobody knows where."""
    with world(database) as w:
        abroad = CompanyDetail(company_id=w.company("e"), name="E", country="BE", registration=None)
        abroad.proxy, abroad.review, abroad.recorded_at = False, False, ADDED
        w.session.add(abroad)
        for host in ("b", "b", "b", "e", None):
            item = w.content("a")
            w.notice(item, 1)
            w.hosted(item, host, 30)
        for host, country in (("a", "DE"), ("a", None), ("b", "DE"), (None, "FR")):
            item = w.content(host)
            w.notice(item, 1)
            w.seen(item, 30, "moved", country=country)
        early = w.content("a", since=-10)
        w.notice(early, -5)
        w.hosted(early, "b", 30)  # begun before the period


def test_who_to_whom_adds_up_to_what_is_relocated(database: Database) -> None:
    """To no known company is no relocation; what was unattributed is no company's."""
    relocations(database)
    table = whole(database)
    assert table.flows == (
        Flow("a", "b", "NL", 3),
        Flow("a", "e", "BE", 1),
        Flow("a", None, "", 1),
        Flow("a", None, "DE", 1),
        Flow("b", None, "DE", 1),
    )
    assert {company.company: company.relocated for company in table.companies} == {"a": 6, "b": 1}
    by_country = {item.country: item.episodes for item in table.companies[0].relocation}
    assert by_country == {None: 6, "": 1, "BE": 1, "DE": 1, "NL": 3}


def ranked_world(database: Database) -> None:
    """`a` takes 6 to 14 h, `b` 30 to 38 h, each with 36 items on 6 sites; `c` has too few; one item is young."""
    with world(database) as w:
        for host, hours, items in (("a", 6, 36), ("b", 30, 36), ("c", 2, 4)):
            sites = [w.site() for _ in range(6)]
            for number in range(items):
                item = w.content(host, site=sites[number % 6])
                w.notice(item, 1, deadline_hours=(12.0 if number % 3 else None))
                w.seen(item, hours + number / 6, "online")
                w.seen(item, 1 + hours + number / 4, "offline")
        young = w.content("a")
        w.notice(young, 390)
        w.seen(young, 395, "online")


def test_each_norm_is_the_table_that_would_be_published_if_it_were_the_deadline(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same facts scored with every deadline set to that of the norm: nothing is told apart."""
    ranked_world(database)
    norms = {norm.deadline_hours: norm.companies for norm in whole(database).norms or ()}
    assert tuple(norms) == DEADLINES_HOURS
    for hours, lines in norms.items():
        monkeypatch.setattr(pipeline, "episodes_of", _with_deadline(hours))
        with transaction(database.engine) as session:
            scored = score(session, REQUEST)
        monkeypatch.undo()
        expected = [_line(company, hours) for company in scored.companies]
        assert [_line(line, hours) for line in lines] == expected


def _with_deadline(hours: float) -> Any:
    original = pipeline.episodes_of
    return lambda facts, request: original(facts, request).mutate(deadline_h=hours)


def _line(item: Any, hours: float) -> tuple[object, ...]:
    on_time = replace(item.on_time, deadline_hours=hours)
    return item.company, on_time, item.score, item.rank, item.rank_low, item.rank_high, item.band, item.standing


def test_the_norms_say_what_an_explanation_says(database: Database) -> None:
    ranked_world(database)
    table = whole(database)
    with transaction(database.engine) as session:
        explanation = explain_period(session, REQUEST, "b")
    assert isinstance(explanation, Explanation)
    explained = explanation.scenarios
    told = {
        item.deadline_hours: (item.mature, item.on_time, item.late, item.share, item.standing) for item in explained
    }
    for norm in table.norms or ():
        line = next(line for line in norm.companies if line.company == "b")
        counts = line.on_time
        found = (counts.mature, counts.on_time, counts.late, counts.lenient, line.standing)
        assert found == told[norm.deadline_hours]


def test_a_plain_score_has_none_of_it(database: Database) -> None:
    ranked_world(database)
    with transaction(database.engine) as session:
        table = score(session, REQUEST)
    assert (table.flows, table.norms, table.quality) == (None, None, None)


def test_addresses_are_none_where_no_table_tells_and_0_for_a_company_without(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranked_world(database)
    assert [company.announced_ipv4 for company in whole(database).companies] == [None] * 3
    asked = []

    def announced(session: object, known_at: object, day: object) -> dict[int, Announced]:
        asked.append((known_at, day))
        return {1: Announced(512, None)}

    monkeypatch.setattr("monitor.score.supplements.announced", announced)
    table = whole(database, replace(REQUEST, known_at=ZERO + 500 * 3600))
    assert {company.company: company.announced_ipv4 for company in table.companies} == {"a": 512, "b": 0, "c": 0}
    assert asked == [(at(500), at(400).date())]
