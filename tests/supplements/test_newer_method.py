"""The measures under method 2026.2, whose episodes come with the items that no notice reached."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from monitor.db import connect, transaction
from monitor.instants import Period
from monitor.score.methods import method
from monitor.score.pipeline import Request, score
from monitor.score.table import CompetingEstimate
from monitor.supplements.case_mix import case_mix
from monitor.supplements.clocks import clocks
from monitor.supplements.cusum import cusum
from monitor.supplements.inputs import opened
from monitor.supplements.panel import quarter_figures
from monitor.supplements.recurrence import recurrence
from monitor.supplements.returned import drawn_contents, returned
from monitor.supplements.trend import trend_step
from monitor.vocabulary import DeliveryState
from tests.conftest import Database, NewDatabase
from tests.score.world import ZERO, World, world

REQUEST = Request(
    Period("2026-03-31..2026-06-29", ZERO, ZERO + 90 * 86_400), ZERO + 120 * 86_400, 2**35, method("2026.2")
)


def some_of_each(w: World) -> None:
    """Removed between two checks, in time, late or either; moved in time; there still; gone before its notice."""
    for last, gone, state in ((1, 5, "offline"), (20, 30, "offline"), (30, 40, "offline"), (2, 9, "moved")):
        item = w.content("a")
        w.notice(item, 0)
        w.seen(item, last, "online")
        w.seen(item, gone, state)
    there = w.content("a")
    w.notice(there, 0)
    w.seen(there, 119 * 24, "online")
    gone = w.content("a")
    w.seen(gone, 1, "offline")
    w.notice(gone, 2)


def undelivered(w: World) -> None:
    for company in ("a", "b"):
        w.notice(w.content(company), 3, delivery=DeliveryState.REFUSED)


@pytest.fixture(scope="module")
def session(new_database: NewDatabase) -> Iterable[Session]:
    url = new_database()
    engine = connect(url)
    with world(Database(url, engine)) as w:
        some_of_each(w)
        undelivered(w)
    with transaction(engine) as session:
        yield session
    engine.dispose()


def test_an_item_that_no_notice_reached_is_no_episode(session: Session) -> None:
    found: dict[str, Any] = {}
    with opened(session, REQUEST) as inputs:
        assert inputs.engine.to_pyarrow(inputs.every.count()).as_py() == 6
        found |= {each.__name__: each(inputs) for each in (recurrence, case_mix, cusum, trend_step, clocks)}
        found["returned"] = returned(inputs, drawn_contents(session))
        panel = quarter_figures(inputs)
    (figures,) = panel.values()
    assert figures.sites == 6
    assert figures.overdue == pytest.approx(1 / 6)
    assert [row.company for row in found["returned"].companies] == ["a"]
    assert next(clock for clock in found["clocks"].clocks if clock.name == "company").items == 6


def test_the_share_on_time_of_the_panel_is_the_estimate_of_the_table(session: Session) -> None:
    company = next(each for each in score(session, REQUEST).companies if each.company == "a")
    assert isinstance(company, CompetingEstimate)
    with opened(session, REQUEST) as inputs:
        (figures,) = quarter_figures(inputs).values()
    assert company.items_undelivered == 1
    assert figures.on_time == pytest.approx(company.on_time.estimate, abs=1e-9)
