"""Episodes: every sentence of section 2 of the method, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.vocabulary import DeliveryState, Kind, Role
from tests.conftest import Database
from tests.score.world import at, episodes_of, world

DAY = 24.0


def brief(row: dict[str, Any]) -> tuple[float, float, float | None, float | None]:
    """(start, last online, first offline, relocated) in hours; the last three since the start."""
    return row["start_h"], row["last_online_h"], row["first_offline_h"], row["relocated_h"]


def test_from_the_first_notice_to_the_first_confirmed_offline_sighting(database: Database) -> None:
    with world(database) as w:
        c = w.content()
        w.notice(c, 10)
        w.seen(c, 9, "online")  # before the notice: says nothing of the time after it
        w.seen(c, 12, "online")
        w.seen(c, 15, "online")
        w.seen(c, 17, "offline")
        w.seen(c, 19, "offline")
    [row] = episodes_of(database, 100)
    assert brief(row) == (10, 5, 7, None)
    assert (row["followed_h"], row["notices"], row["reappeared"], row["unverified"]) == (90, 1, 0, False)


def test_without_a_sighting_the_start_is_all_that_is_known(database: Database) -> None:
    with world(database) as w:
        w.notice(w.content(), 10)
    [row] = episodes_of(database, 100)
    assert brief(row) == (10, 0, None, None)


def test_a_reminder_belongs_to_the_same_episode(database: Database) -> None:
    with world(database) as w:
        c = w.content()
        for hours in (10, 34, 58):
            w.notice(c, hours)
        w.seen(c, 60, "offline")
    [row] = episodes_of(database, 100)
    assert (row["start_h"], row["first_offline_h"], row["notices"]) == (10, 50, 3)


def test_a_notice_after_a_confirmed_removal_starts_a_new_episode(database: Database) -> None:
    with world(database) as w:
        c = w.content()
        w.notice(c, 0)
        w.seen(c, 5, "offline")
        w.seen(c, 5 + 8 * DAY, "online")
        w.notice(c, 6 + 8 * DAY)
        w.seen(c, 9 + 8 * DAY, "offline")
    assert [brief(row) for row in episodes_of(database, 1000)] == [(0, 0, 5, None), (198, 0, 3, None)]


def test_seen_online_again_within_seven_days_it_was_not_removed(database: Database) -> None:
    with world(database) as w:
        c = w.content()
        w.notice(c, 0)
        w.seen(c, 5, "offline")
        w.seen(c, 5 + 7 * DAY, "online")
        w.notice(c, 6 + 7 * DAY)
        w.seen(c, 8 + 7 * DAY, "offline")
    [row] = episodes_of(database, 1000)
    assert brief(row) == (0, 173, 176, None)
    assert (row["notices"], row["reappeared"]) == (2, 1)


def test_what_happens_after_the_reference_date_is_not_known_yet(database: Database) -> None:
    with world(database) as w:
        c = w.content()
        w.notice(c, 0)
        w.seen(c, 5, "online")
        w.seen(c, 8, "offline")
        w.notice(w.content(), 50)
    [row] = episodes_of(database, 7)
    assert brief(row) == (0, 5, None, None)


@pytest.mark.parametrize("delivery", [DeliveryState.FAILED, DeliveryState.REFUSED])
def test_a_notice_that_did_not_arrive_starts_no_clock(database: Database, delivery: DeliveryState) -> None:
    with world(database) as w:
        c = w.content()
        w.notice(c, 0, delivery=delivery)
        w.notice(c, 10)
    [row] = episodes_of(database, 100)
    assert (row["start_h"], row["notices"]) == (10, 1)


def test_only_a_notice_to_the_hoster_starts_a_clock(database: Database) -> None:
    with world(database) as w:
        c = w.content()
        w.notice(c, 0, recipient_role=Role.SITE_OWNER)
        w.notice(c, 1, recipient_role=Role.POLICE)
    assert episodes_of(database, 100) == []


def test_a_hit_of_the_hash_service_is_no_notice_of_a_hotline(database: Database) -> None:
    with world(database) as w:
        w.notice(w.content(), 0, kind=Kind.HASH_HIT)
    assert episodes_of(database, 100) == []


@pytest.mark.parametrize(
    ("kind", "own", "deadline"),
    [
        (Kind.HOTLINE_NOTICE, None, 24),
        (Kind.BINDING_INSTRUCTION, None, 12),
        (Kind.REMOVAL_ORDER, None, 1),
        (Kind.HOTLINE_NOTICE, 6.5, 6.5),
    ],
)
def test_the_deadline_is_that_of_the_notice_that_began_it(
    database: Database, kind: Kind, own: float | None, deadline: float
) -> None:
    with world(database) as w:
        c = w.content()
        w.notice(c, 0, kind=kind, deadline_hours=own)
        w.notice(c, 10)
    [row] = episodes_of(database, 100)
    assert row["deadline_h"] == deadline


def test_another_company_hosts_it_from_the_second_notice_on(database: Database) -> None:
    with world(database) as w:
        c = w.content("a")
        w.notice(c, 0)
        w.seen(c, 5, "online")
        w.hosted(c, "b", 20)
        w.notice(c, 20)
        w.seen(c, 22, "online")
        w.seen(c, 30, "offline")
    first, second = episodes_of(database, 100)
    assert brief(first) == (0, 5, None, 20)  # what was seen later was not seen there
    assert (first["destination"], first["destination_company"]) == ("NL", second["company"])
    assert brief(second) == (20, 2, 10, None)


def test_moved_abroad_is_relocated_never_removed(database: Database) -> None:
    with world(database) as w:
        c = w.content()
        w.notice(c, 0)
        w.seen(c, 30, "online")
        w.seen(c, 40, "moved", country="DE")
    [row] = episodes_of(database, 100)
    assert brief(row) == (0, 30, None, 40)
    assert (row["destination"], row["destination_company"]) == ("DE", None)


def test_named_only_later_is_no_relocation(database: Database) -> None:
    with world(database) as w:
        c = w.content(None)
        w.notice(c, 0)
        w.hosted(c, "a", 20)
        w.notice(c, 20)
    assert [row["relocated_h"] for row in episodes_of(database, 100)] == [None, None]


def test_the_attribution_recorded_last_is_in_force(database: Database) -> None:
    with world(database) as w:
        c = w.content("a")
        w.hosted(c, "b", 0)
        w.notice(c, 0)
        b = w.company("b")
    [row] = episodes_of(database, 100)
    assert row["company"] == b


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (10, 14, (16, 26, 96)),  # between start and all else
        (-5, 4, (16, 26, 96)),  # begun before the notice: only what lies after it counts
        (25, 40, (20, 25, 95)),  # over the removal: the clock had stopped there
        (200, 300, (20, 30, 100)),  # after the reference date
        (50, None, (20, 30, 100)),  # after the removal
    ],
)
def test_time_in_which_the_clock_stood_still_does_not_count(
    database: Database, start: float, end: float | None, expected: tuple[float, float, float]
) -> None:
    with world(database) as w:
        c = w.content()
        w.notice(c, 0)
        w.seen(c, 20, "online")
        w.seen(c, 30, "offline")
        w.suspended(start, end, c)
    [row] = episodes_of(database, 100)
    assert (row["last_online_h"], row["first_offline_h"], row["followed_h"]) == expected


def test_pauses_that_overlap_count_once_and_general_ones_for_all(database: Database) -> None:
    with world(database) as w:
        paused, other = w.content(), w.content()
        for c in (paused, other):
            w.notice(c, 0)
        w.suspended(10, 20, paused)
        w.suspended(15, 30)
        w.suspended(18, 22, paused)
    rows = {row["content"]: row["followed_h"] for row in episodes_of(database, 100)}
    assert rows == {paused: 80, other: 85}


def test_while_the_hotline_could_not_look_the_clock_stands_still(database: Database) -> None:
    with world(database) as w:
        c = w.content()
        w.notice(c, 0)
        w.seen(c, 10, "online")
        w.seen(c, 30, "unknown", pause="host_changed")
        w.seen(c, 50, "offline")
    [row] = episodes_of(database, 100)
    assert (row["last_online_h"], row["first_offline_h"], row["followed_h"]) == (10, 10, 60)


def test_a_state_that_is_just_unknown_stops_no_clock(database: Database) -> None:
    with world(database) as w:
        c = w.content()
        w.notice(c, 0)
        w.seen(c, 30, "unknown")
    [row] = episodes_of(database, 100)
    assert brief(row) == (0, 0, None, None)
    assert row["followed_h"] == 100


@pytest.mark.parametrize(("last", "unverified"), [(100, False), (99.99, True)])
def test_not_seen_online_for_too_long_it_is_unverified(database: Database, last: float, unverified: bool) -> None:
    with world(database) as w:
        c = w.content()
        w.notice(c, 0)
        w.seen(c, last, "online")
    [row] = episodes_of(database, 100 + 7 * DAY)
    assert row["unverified"] is unverified


def test_a_withdrawn_notice_never_was(database: Database) -> None:
    with world(database) as w:
        c, other = w.content(), w.content()
        first = w.notice(c, 0)
        w.notice(c, 10)
        w.notice(other, 0)
        w.session.flush()
        w.corrected("withdraw_notice", c, notice_id=first)
        w.corrected("withdraw_notice", other)
    [row] = episodes_of(database, 100)
    assert (row["content"], row["start_h"], row["notices"]) == (c, 10, 1)


def test_a_decided_removal_and_an_excluded_interval(database: Database) -> None:
    with world(database) as w:
        c = w.content()
        w.notice(c, 0)
        w.seen(c, 30, "online")
        w.corrected("exclude_interval", c, starts_at=at(5), ends_at=at(15))
        w.corrected("set_removal", c, starts_at=at(35))
    [row] = episodes_of(database, 100)
    assert brief(row) == (0, 20, 25, None)


def test_a_cut_url_is_the_one_whole_url_that_begins_with_it(database: Database) -> None:
    stem = b"s" * 32
    with world(database) as w:
        site = w.site()
        cut = w.content(site=site, truncated=True, stem_digest=stem)
        whole = w.content(site=site, stem_digest=stem, since=50)
        w.notice(cut, 0)
        w.seen(whole, 8, "offline")
    [row] = episodes_of(database, 100)
    assert (row["content"], brief(row)) == (whole, (0, 0, 8, None))


def test_a_cut_url_that_two_whole_ones_begin_with_stays_by_itself(database: Database) -> None:
    stem = b"s" * 32
    with world(database) as w:
        site = w.site()
        cut = w.content(site=site, truncated=True, stem_digest=stem)
        for _ in range(2):
            w.seen(w.content(site=site, stem_digest=stem), 8, "offline")
        w.notice(cut, 0)
    [row] = episodes_of(database, 100)
    assert (row["content"], row["first_offline_h"]) == (cut, None)


def test_what_was_recorded_later_is_not_known_yet(database: Database) -> None:
    with world(database) as w:
        c = w.content()
        w.notice(c, 0)
        w.seen(c, 8, "offline", recorded_at=at(50))
    from monitor.score import engine as engines
    from monitor.score.episodes import episodes
    from monitor.score.facts import load_facts
    from monitor.score.methods import method
    from tests.score.world import ZERO

    found = []
    for known_at in (49, 50):
        engine = engines.connect("duckdb://")
        facts = load_facts(engine, database.url, ZERO + known_at * 3600)
        found.append(engine.to_pyarrow(episodes(facts, method(), ZERO + 100 * 3600)).to_pylist()[0]["first_offline_h"])
    assert found == [None, 8.0]
