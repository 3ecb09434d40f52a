"""What was known when: facts stored on both databases, read back as of an instant, against the words of the method."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given

from monitor.db import connect
from monitor.instants import HOUR, to_datetime
from monitor.models import facts as stored
from monitor.score import engine as engines
from monitor.score import episodes as expression
from monitor.score.facts import load_facts
from monitor.score.methods import method
from monitor.vocabulary import Basis
from tests.conftest import Database, NewDatabase
from tests.score import oracle
from tests.score import world as database_world
from tests.score.oracle import FOREVER, Attribution, Content, Episode, Notice, Sighting, Suspension, World
from tests.score.strategies import differences, read, search, worlds
from tests.score.world import ZERO

DAY = 24 * HOUR
AS_OF = 300 * HOUR


def at(seconds: int) -> datetime:
    return to_datetime(ZERO + seconds)


def end(seconds: int | None) -> datetime | None:
    return None if seconds is None else at(seconds)


def store(database: Database, world: World) -> None:
    """Put a world into a database; its second 0 is the zero point, its companies have the ids 1, 2, 3."""
    with database_world.world(database) as w:
        for name in "abc":
            w.company(name)
        _store_items(w, world)
        w.session.flush()
        for s in world.suspensions:
            row = stored.Suspension(content_id=s.content, starts_at=at(s.a), ends_at=end(s.b), pause="outage")
            row.reason, row.recorded_at = "test", at(s.recorded_at)
            w.session.add(row)
        for c in world.corrections:
            times = {"starts_at": at(c.a), "ends_at": end(c.b), "recorded_at": at(c.recorded_at)}
            w.corrected(c.decision, c.content, notice_id=c.notice, **times)


def _store_items(w: database_world.World, world: World) -> None:
    for c in world.contents:
        w.session.add(
            stored.Content(
                id=c.id, delivery_id=1, site_id=w.site(), key_version=1, url_digest=c.id.to_bytes(32), url_sealed=b"",
                truncated=c.truncated, stem_digest=None if c.stem is None else c.stem.encode().ljust(32),
                recorded_at=at(c.recorded_at),
            )
        )  # fmt: skip
    w.session.flush()
    for n in world.notices:
        given: dict[str, Any] = {"kind": n.kind, "recipient_role": n.recipient, "delivery": n.delivery}
        given["deadline_hours"] = n.deadline_hours
        w.notice(n.content, n.t / HOUR, id=n.id, recorded_at=at(n.recorded_at), **given)
    for number, s in enumerate(world.sightings):
        w.seen(s.content, s.t / HOUR, s.state, pause=s.pause, observer=f"{number}", recorded_at=at(s.recorded_at))
    for a in world.attributions:
        w.session.add(
            stored.Attribution(
                id=a.id, content_id=a.content, company_id=a.company or None, valid_from=at(a.valid_from),
                basis=Basis.HOTLINE, recorded_at=at(a.recorded_at),
            )
        )  # fmt: skip


def found(database: Database, known_at: int) -> list[Episode]:
    engine = engines.connect("duckdb://")
    facts = load_facts(engine, database.url, ZERO + known_at)
    return read(engine, expression.episodes(facts, method(), ZERO + AS_OF), ZERO)


@search(2)
@given(world=worlds(least=20, most=30))
def test_from_the_database_comes_what_the_words_say(new_database: NewDatabase, world: World) -> None:
    """And what was recorded after `known_at` changes nothing."""
    recorded = {f.name: tuple(x for x in getattr(world, f.name) if x.recorded_at <= DAY) for f in fields(World)}
    with ExitStack() as stack:
        full, early = _new(new_database, stack), _new(new_database, stack)
        store(full, world)
        store(early, World(**recorded))
        for known_at in (DAY, FOREVER):
            expected = oracle.episodes(world, AS_OF, method(), known_at)
            episodes = found(full, known_at)
            assert episodes == expected, differences(world, episodes, expected)
        assert found(full, DAY) == found(early, FOREVER)


def _new(new_database: NewDatabase, stack: ExitStack) -> Database:
    url = new_database()
    engine = connect(url)
    stack.callback(engine.dispose)
    return Database(url, engine)


def test_a_suspension_of_an_item_not_recorded_yet_holds_for_no_other(database: Database) -> None:
    contents = (Content(1), Content(2, recorded_at=50 * HOUR))
    suspended = (Suspension(2, 10 * HOUR, 20 * HOUR),)
    store(database, World(contents, (Notice(1, 1, 0),), (), (Attribution(1, 1, 1, 0),), suspended))
    assert [episode.followed_h for episode in found(database, 40 * HOUR)] == [300]


@pytest.mark.parametrize("decided", [1, 2])
def test_withdrawn_from_a_url_is_withdrawn_from_its_cut_form_and_the_other_way_round(
    database: Database, decided: int
) -> None:
    contents = (Content(1, stem="stem"), Content(2, truncated=True, stem="stem"))
    world = World(contents, (Notice(1, 1, 0), Notice(2, 2, 5 * HOUR)), (), (Attribution(1, 1, 1, 0),))
    store(database, replace(world, corrections=(oracle.Correction("withdraw_notice", decided),)))
    assert found(database, FOREVER) == []


def test_a_cut_url_is_the_whole_one_from_when_that_was_recorded(database: Database) -> None:
    """Before, it stands by itself; seen offline is then only the whole one."""
    contents = (Content(1, truncated=True, stem="stem"), Content(2, stem="stem", recorded_at=50 * HOUR))
    seen = (Sighting(2, 8 * HOUR, "offline", recorded_at=50 * HOUR),)
    store(database, World(contents, (Notice(1, 1, 0),), seen, (Attribution(1, 1, 1, 0),)))
    ends = [[(e.content, e.first_offline_h) for e in found(database, hours * HOUR)] for hours in (49, 50)]
    assert ends == [[(1, None)], [(2, 8)]]
