"""Episodes: each sentence of section 2 of the method, on random worlds of facts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from random import Random

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.instants import HOUR
from monitor.score import engine as engines
from monitor.score.engine import Engine
from monitor.score.methods import METHODS, method
from tests.score import oracle
from tests.score.oracle import Attribution, Content, Episode, Notice, Sighting, World, host, known
from tests.score.strategies import AS_OF, NOTICES, differences, found_in, running, search, settled, tables, worlds

WEEK = 168 * HOUR


@pytest.fixture(scope="module")
def engine() -> Engine:
    return engines.connect("duckdb://")


def found(engine: Engine, world: World, as_of: int) -> list[Episode]:
    return found_in(engine, tables(world), as_of)


def by_start(episodes: Iterable[Episode]) -> dict[tuple[int, int, int], Episode]:
    return {(e.content, e.company, e.start): e for e in episodes}


def moment(episode: Episode, hours: float | None) -> int | None:
    """When that was, in a world where no clock stands still."""
    return None if hours is None else episode.start + round(hours * HOUR)


def end_of(episode: Episode, as_of: int) -> int:
    ends = [moment(episode, hours) for hours in (episode.first_offline_h, episode.relocated_h)]
    return min((end for end in ends if end is not None), default=as_of)


def first_removed(episodes: Iterable[Episode]) -> list[tuple[Episode, int]]:
    """The first removed episode of each item and company, and when it was removed."""
    first: dict[tuple[int, int], tuple[Episode, int]] = {}
    for episode in episodes:
        removed = moment(episode, episode.first_offline_h)
        if removed is not None:
            first.setdefault((episode.content, episode.company), (episode, removed))
    return list(first.values())


def with_notices(world: World, sent: Iterable[tuple[int, int]]) -> World:
    """The world with a notice more at each (content, instant)."""
    more = (Notice(len(world.notices) + index, *at) for index, at in enumerate(sent, 1))
    return replace(world, notices=(*world.notices, *more))


def with_online(world: World, seen: Iterable[tuple[int, int]]) -> World:
    more = (Sighting(content, t, "online") for content, t in seen)
    return replace(world, sightings=(*world.sightings, *more))


def shuffled(table: pa.Table, random: Random) -> pa.Table:
    return table.take(pa.array(random.sample(range(len(table)), len(table)), pa.int64()))


@pytest.mark.parametrize("version", METHODS)
@search(25)
@given(world=worlds(), as_of=AS_OF)
def test_the_expression_finds_what_the_words_say(engine: Engine, version: str, world: World, as_of: int) -> None:
    expected = oracle.episodes(world, as_of, method(version))
    episodes = found_in(engine, tables(world), as_of, method(version))
    assert episodes == expected, differences(world, episodes, expected)


@search(5)
@given(world=worlds(), as_of=AS_OF, random=st.randoms(use_true_random=False))
def test_the_facts_order_of_arrival_changes_nothing(engine: Engine, world: World, as_of: int, random: Random) -> None:
    given_tables = tables(world)
    other = {name: shuffled(table, random) for name, table in given_tables.items()}
    episodes, again = found_in(engine, given_tables, as_of), found_in(engine, other, as_of)
    assert again == episodes, differences(world, again, episodes)


@search(5)
@given(world=worlds(), as_of=AS_OF)
def test_nothing_is_later_than_the_reference_date(engine: Engine, world: World, as_of: int) -> None:
    """What happened after `as_of` is as if it had never been told."""
    past = World(
        world.contents,
        tuple(n for n in world.notices if n.t <= as_of),
        tuple(s for s in world.sightings if s.t <= as_of),
        tuple(a for a in world.attributions if a.valid_from <= as_of),
        tuple(replace(s, b=None if s.b is None or s.b > as_of else s.b) for s in world.suspensions if s.a <= as_of),
        tuple(c for c in world.corrections if c.decision == "withdraw_notice" or c.a <= as_of),
    )
    episodes, again = found(engine, world, as_of), found(engine, past, as_of)
    assert again == episodes, differences(world, again, episodes)


@search(5)
@given(world=worlds(), as_of=AS_OF)
def test_it_starts_then_is_last_seen_online_then_ends_once(engine: Engine, world: World, as_of: int) -> None:
    """0 <= L <= R <= the time followed, so that the time to removal lies in (L, R]; relocated is never removed."""
    for episode in found(engine, world, as_of):
        assert episode.start <= as_of
        assert None in (episode.first_offline_h, episode.relocated_h)
        ends = [hours for hours in (episode.first_offline_h, episode.relocated_h) if hours is not None]
        in_order = [0.0, episode.last_online_h, *ends, episode.followed_h]
        assert in_order == sorted(in_order)


@search(5)
@given(world=worlds().map(running), as_of=AS_OF)
def test_it_starts_with_an_accepted_notice_to_the_company_that_hosts_it(
    engine: Engine, world: World, as_of: int
) -> None:
    facts = known(world)
    for episode in found(engine, world, as_of):
        at_start = [n for n in facts.notices if (n.content, n.t) == (episode.content, episode.start)]
        assert {n.delivery for n in at_start} & {"assumed", "delivered"}
        assert host(oracle.about(facts, episode.content), episode.start) == episode.company


@search(5)
@given(world=worlds().map(running), as_of=AS_OF)
def test_renotices_belong_to_the_same_episode_and_are_counted_in_it(engine: Engine, world: World, as_of: int) -> None:
    episodes = found(engine, world, as_of)
    reminded = {(e.content, e.company, e.start) for e in episodes if end_of(e, as_of) > e.start}
    again = found(engine, with_notices(known(world), [(c, start + 1) for c, _, start in reminded]), as_of)
    expected = [
        replace(e, notices=e.notices + 1) if (e.content, e.company, e.start) in reminded else e for e in episodes
    ]
    assert again == expected, differences(world, again, expected)


@search(5)
@given(world=worlds().map(running), as_of=AS_OF)
def test_a_notice_after_a_confirmed_removal_starts_a_new_episode(engine: Engine, world: World, as_of: int) -> None:
    removed = [(e, end) for e, end in first_removed(found(engine, world, as_of)) if end < as_of]
    again = by_start(found(engine, with_notices(known(world), [(e.content, end + 1) for e, end in removed]), as_of))
    for episode, end in removed:
        assert again[episode.content, episode.company, episode.start] == episode
        assert again[episode.content, episode.company, end + 1].notices >= 1


@search(5)
@given(world=worlds().map(running), as_of=AS_OF)
def test_last_online_is_the_latest_online_sighting_and_first_offline_the_first_one_after(
    engine: Engine, world: World, as_of: int
) -> None:
    world = replace(world, corrections=())
    facts = known(world)
    for episode in found(engine, world, as_of):
        item = oracle.about(facts, episode.content)
        end = moment(episode, episode.first_offline_h)
        if end is not None:
            here = [s for s in item.sightings if host(item, s.t) == episode.company and episode.start <= s.t <= end]
            last = max([s.t for s in here if s.state == "online"], default=episode.start)
            assert moment(episode, episode.last_online_h) == last
            assert min(s.t for s in here if s.state == "offline" and s.t >= last) == end


@search(5)
@given(world=worlds().map(running).map(settled))
def test_seen_online_again_within_seven_days_it_was_not_removed(engine: Engine, world: World) -> None:
    as_of = 1000 * HOUR
    removed = first_removed(found(engine, world, as_of))
    again = by_start(found(engine, with_online(known(world), [(e.content, end + WEEK) for e, end in removed]), as_of))
    for episode, end in removed:
        now = again[episode.content, episode.company, episode.start]
        assert now.reappeared
        assert now.last_online_h * HOUR >= end + WEEK - now.start


@search(5)
@given(world=worlds().map(running).map(settled))
def test_seen_online_again_after_more_than_seven_days_it_was_removed(engine: Engine, world: World) -> None:
    as_of = 1000 * HOUR
    removed = first_removed(found(engine, world, as_of))
    seen = with_online(known(world), [(e.content, end + WEEK + 1) for e, end in removed])
    again = by_start(found(engine, seen, as_of))
    for episode, _ in removed:
        assert again[episode.content, episode.company, episode.start] == episode


@search(5)
@given(world=worlds(), as_of=AS_OF, more=st.lists(NOTICES, min_size=10, max_size=40))
def test_a_failed_or_refused_delivery_starts_no_clock(
    engine: Engine, world: World, as_of: int, more: list[Notice]
) -> None:
    facts = known(world)
    contents = [content.id for content in facts.contents]
    refused = tuple(
        replace(n, id=10_000 + index, content=contents[index % len(contents)], recipient="hoster", delivery=delivery)
        for index, n in enumerate(more)
        for delivery in ("failed", "refused")
    )
    episodes = found(engine, facts, as_of)
    again = found(engine, replace(facts, notices=facts.notices + refused), as_of)
    assert again == episodes, differences(world, again, episodes)


def one_item(notices: Iterable[int], **sightings: Iterable[int]) -> World:
    """An item of company 1: notices and sightings by state, in hours."""
    return World(
        (Content(1),),
        tuple(Notice(index, 1, hours * HOUR) for index, hours in enumerate(notices, 1)),
        tuple(Sighting(1, hours * HOUR, state) for state, seen in sightings.items() for hours in seen),
        (Attribution(1, 1, 1, 0),),
    )


def brief(episodes: Iterable[Episode]) -> list[tuple[float, float, float | None, bool]]:
    return [(e.start / HOUR, e.last_online_h, e.first_offline_h, e.reappeared) for e in episodes]


def test_offline_before_the_first_notice_hides_no_removal_after_it(engine: Engine) -> None:
    """R is the first confirmed offline sighting after L, and L is the start."""
    assert brief(found(engine, one_item([10], offline=[5, 15]), 100 * HOUR)) == [(10, 0, 5, False)]


def test_an_episode_begun_while_it_was_offline_ends_with_the_next_offline_sighting(engine: Engine) -> None:
    world = one_item([0, 10], offline=[5, 15])
    assert brief(found(engine, world, 100 * HOUR)) == [(0, 0, 5, False), (10, 0, 5, False)]


def test_offline_after_the_notice_and_online_again_is_flagged_whatever_was_seen_before(engine: Engine) -> None:
    assert brief(found(engine, one_item([10], offline=[5, 15], online=[20]), 100 * HOUR)) == [(10, 10, None, True)]


def in_2026_2(engine: Engine, world: World, as_of: int) -> list[tuple[float, float, float | None, bool]]:
    """Start, last online, first offline and whether it was gone before the notice, under method 2026.2."""
    episodes = found_in(engine, tables(world), as_of * HOUR, method("2026.2"))
    return [(e.start / HOUR, e.last_online_h, e.first_offline_h, e.gone_before_notice) for e in episodes]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ({"offline": [5]}, (10, 0, 0, True)),  # nobody saw it online again
        ({"offline": [5, 15]}, (10, 0, 0, True)),
        ({"online": [3], "offline": [5]}, (10, 0, 0, True)),
        ({"online": [8], "offline": [5]}, (10, 0, None, False)),  # undone by an online check
        ({"offline": [5], "online": [20]}, (10, 10, None, False)),  # online after the notice: it was not gone
        ({"offline": [10]}, (10, 0, 0, False)),  # in the second of the notice: an ordinary removal
        ({"online": [11], "offline": [12]}, (10, 1, 2, False)),
        ({}, (10, 0, None, False)),
    ],
)
def test_what_was_gone_before_the_notice_is_removed_at_the_notice(
    engine: Engine, seen: dict[str, list[int]], expected: tuple[float, float, float | None, bool]
) -> None:
    assert in_2026_2(engine, one_item([10], **seen), 100) == [expected]


def test_an_item_seen_online_more_than_a_week_after_it_was_gone_needs_a_notice_of_its_own(engine: Engine) -> None:
    assert in_2026_2(engine, one_item([10], offline=[5], online=[179]), 400) == [(10, 0, 0, True)]


def test_a_check_that_the_company_defeats_stops_nothing_and_proves_nothing(engine: Engine) -> None:
    """`unknown` without a cause on the hotline's side: the clock runs, and when it went is not known."""
    world = one_item([10], online=[12], unknown=[20, 40, 60])
    [episode] = found_in(engine, tables(world), 200 * HOUR, method("2026.2"))
    assert (episode.last_online_h, episode.first_offline_h) == (2, None)
    assert (episode.followed_h, episode.wall_h, episode.since_online_h, episode.unverified) == (190, 190, 188, True)


def test_two_notices_of_one_day_in_utc_are_one_of_its_days(engine: Engine) -> None:
    [episode] = found_in(engine, tables(one_item([1, 23, 24, 50])), 200 * HOUR, method("2026.2"))
    assert (episode.notices, episode.notice_days) == (4, 3)
