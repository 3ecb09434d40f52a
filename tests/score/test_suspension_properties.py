"""S13: time in which a clock stood still, or in which nobody could look, never counts against a company."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.instants import HOUR
from monitor.score import engine as engines
from monitor.score.aggregate import NETWORK, company_counts, outstanding_counts, site_counts
from monitor.score.engine import Engine, drop, fetch
from monitor.score.methods import method
from tests.score.oracle import (
    Attribution,
    Content,
    Episode,
    Notice,
    Sighting,
    Suspension,
    World,
    clock,
    episodes,
    known,
    verdict,
)
from tests.score.strategies import (
    AS_OF,
    GENERAL,
    INSTANTS,
    PAUSED_SIGHTINGS,
    SUSPENSIONS,
    expressed,
    found_in,
    running,
    search,
    tables,
    worlds,
)

COUNTED = ("episodes", "mature", "on_time", "late", "outstanding", "overdue", "unverified")
Counts = dict[int, dict[str, int]]


@pytest.fixture(scope="module")
def engine() -> Engine:
    return engines.connect("duckdb://")


def counted(engine: Engine, world: World, as_of: int) -> Counts:
    """What the published table counts, by company."""
    every = expressed(engine, tables(world), as_of)
    by_company: Counts = {}
    for rows in (company_counts(site_counts(every)), outstanding_counts(every, method())):
        for row in fetch(engine, rows).to_pylist():
            by_company.setdefault(row["company"], dict.fromkeys(COUNTED, 0)).update(row)
    drop(every)
    return by_company


@dataclass(frozen=True)
class Extra:
    """Suspensions and paused sightings to add, of items by turns."""

    suspensions: list[Suspension]
    general: list[Suspension]
    sightings: list[Sighting]

    def added(self, world: World) -> World:
        facts = known(world)
        ids = [content.id for content in facts.contents]
        own = [replace(s, content=ids[index % len(ids)]) for index, s in enumerate(self.suspensions)]
        paused = [replace(s, content=ids[index % len(ids)]) for index, s in enumerate(self.sightings)]
        return replace(
            facts,
            suspensions=(*facts.suspensions, *own, *self.general),
            sightings=(*facts.sightings, *paused),
        )


EXTRA = st.builds(
    Extra,
    st.lists(SUSPENSIONS, max_size=20),
    st.lists(GENERAL, max_size=1),
    st.lists(PAUSED_SIGHTINGS, min_size=5, max_size=40),
)


@search(15)
@given(world=worlds(), as_of=AS_OF, extra=EXTRA)
def test_a_pause_more_makes_nothing_late_and_no_exposure_longer(
    engine: Engine, world: World, as_of: int, extra: Extra
) -> None:
    before = found_in(engine, tables(world), as_of)
    after = found_in(engine, tables(extra.added(world)), as_of)
    for old, new in zip(before, after, strict=True):
        assert (new.content, new.company, new.start) == (old.content, old.company, old.start)
        for then, now in zip(_hours(old), _hours(new), strict=True):
            assert (now is None) == (then is None)
            assert now is None or then is None or now <= then
        assert verdict(new) != "late" or verdict(old) == "late"
        assert verdict(old) != "on time" or verdict(new) in ("on time", None)


def _hours(episode: Episode) -> Sequence[float | None]:
    return episode.last_online_h, episode.first_offline_h, episode.relocated_h, episode.followed_h


@search(5)
@given(world=worlds(), as_of=AS_OF, extra=EXTRA)
def test_a_pause_more_worsens_no_published_count(engine: Engine, world: World, as_of: int, extra: Extra) -> None:
    """Not the share: an episode that is not judged yet leaves both counts (docs/adr/0009)."""
    before, after = counted(engine, world, as_of), counted(engine, extra.added(world), as_of)
    assert before.keys() == after.keys()
    for company, old in before.items():
        for name in ("late", "overdue"):
            assert after[company][name] <= old[name]


@search(5)
@given(world=worlds(), as_of=AS_OF)
def test_the_counts_are_what_anyone_can_recount(engine: Engine, world: World, as_of: int) -> None:
    recounted: dict[tuple[int, str], int] = {}
    for episode in episodes(world, as_of, method()):
        what = verdict(episode)
        for company in (episode.company, NETWORK):
            for name in ("episodes", *(("mature", what) if what else ())):
                recounted[company, name] = recounted.get((company, name), 0) + 1
    names = {"episodes": "episodes", "mature": "mature", "on_time": "on time", "late": "late"}
    for company, row in counted(engine, world, as_of).items():
        assert {name: row[name] for name in names} == {n: recounted.get((company, w), 0) for n, w in names.items()}


@search(6)
@given(world=worlds().map(running), as_of=AS_OF, a=INSTANTS, length=INSTANTS)
def test_suspended_time_is_subtracted(engine: Engine, world: World, as_of: int, a: int, length: int) -> None:
    """Exactly the hours that one suspension shares with the time from the start to each moment or the end."""
    before = found_in(engine, tables(world), as_of)
    suspended = replace(world, suspensions=(Suspension(None, a, a + length),))
    after = found_in(engine, tables(suspended), as_of)
    for old, new in zip(before, after, strict=True):
        for then, now in zip(_hours(old), _hours(new), strict=True):
            if then is None:
                assert now is None
            else:
                ended = [h for h in (old.first_offline_h, old.relocated_h) if h is not None]
                shared = max(0, min(a + length, old.start + min([then, *ended]) * HOUR) - max(a, old.start))
                assert now == pytest.approx(then - shared / HOUR, abs=1e-9)


@dataclass(frozen=True)
class Removal:
    """What really happened to an item noticed at 0: removed at `truth` (None: never), looked at in `checks`."""

    truth: int | None
    checks: list[int]
    pauses: list[Suspension]


REMOVALS = st.builds(
    Removal, st.one_of(st.none(), INSTANTS), st.lists(INSTANTS, max_size=6), st.lists(SUSPENSIONS, max_size=2)
)


def observed(removals: Sequence[Removal]) -> World:
    """What can be known of them: one item each, of a company of its own number."""
    return World(
        tuple(Content(number) for number in range(1, len(removals) + 1)),
        tuple(Notice(number, number, 0) for number in range(1, len(removals) + 1)),
        tuple(
            Sighting(number, t, "online" if removal.truth is None or t < removal.truth else "offline")
            for number, removal in enumerate(removals, 1)
            for t in removal.checks
        ),
        tuple(Attribution(number, number, number, 0) for number in range(1, len(removals) + 1)),
        tuple(replace(s, content=n) for n, removal in enumerate(removals, 1) for s in removal.pauses),
    )


@search(6)
@given(removals=st.lists(REMOVALS, min_size=20, max_size=60), as_of=AS_OF)
def test_uncertain_timing_never_counts_as_late(engine: Engine, removals: list[Removal], as_of: int) -> None:
    """Counted late is what was removed late, or never; on time, what was removed in time; T lies in (L, R]."""
    world = observed(removals)
    rows = counted(engine, world, as_of)
    for episode in found_in(engine, tables(world), as_of):
        removal, row = removals[episode.content - 1], rows[episode.company]
        pauses = [(s.a, as_of if s.b is None else s.b) for s in removal.pauses]
        truth = float("inf") if removal.truth is None else clock(0, removal.truth, pauses)
        assert row["late"] == 0 or truth > episode.deadline_h
        assert row["on_time"] == 0 or truth <= episode.deadline_h
        assert episode.last_online_h <= truth
        assert episode.first_offline_h is None or truth <= episode.first_offline_h


def two_items() -> World:
    """Of one company: item 1 late, item 2 removed after 10 hours."""
    return World(
        (Content(1), Content(2)),
        (Notice(1, 1, 0), Notice(2, 2, 0)),
        (Sighting(1, 30 * HOUR, "online"), Sighting(2, 10 * HOUR, "offline")),
        (Attribution(1, 1, 1, 0), Attribution(2, 2, 1, 0)),
    )


def test_an_outage_after_a_removal_in_time_does_not_lower_the_lenient_share(engine: Engine) -> None:
    """One of two is late, whether or not checks of the other stopped once it had been removed."""
    world = two_items()
    suspended = replace(world, suspensions=(Suspension(2, 20 * HOUR, None),))
    for facts in (world, suspended):
        row = counted(engine, facts, 100 * HOUR)[1]
        assert 1 - row["late"] / row["mature"] == 0.5


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 1, 3), (3, 2, 1, 0), (3, 1, 2, 0)])
def test_of_two_checks_in_one_second_the_one_that_could_not_look_stops_the_clock(
    engine: Engine, order: Sequence[int]
) -> None:
    """From the check before, at 10, to the check after, at 50, whichever was told first."""
    seen = (
        Sighting(1, 10 * HOUR, "online"),
        Sighting(1, 30 * HOUR, "unknown", "host_changed"),
        Sighting(1, 30 * HOUR, "unknown"),
        Sighting(1, 50 * HOUR, "online"),
    )
    world = World((Content(1),), (Notice(1, 1, 0),), seen, (Attribution(1, 1, 1, 0),))
    given_tables = tables(world)
    given_tables["sightings"] = given_tables["sightings"].take(pa.array(order))
    [episode] = found_in(engine, given_tables, 100 * HOUR)
    assert (episode.last_online_h, episode.followed_h) == (10, 60)
