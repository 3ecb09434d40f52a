"""Which items are open, also where the source cut a URL."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from monitor.db import transaction
from monitor.models.facts import Content, Correction, Notice
from monitor.observe.items import FOLLOWED, open_items
from monitor.vocabulary import Decision
from tests.conftest import Database
from tests.score.world import ADDED, World, at, world

DAYS = FOLLOWED // timedelta(days=1)


def opened(database: Database, hours: float = 100) -> list[int]:
    with transaction(database.engine) as session:
        return [item.content_id for item in open_items(session, at(hours))]


@pytest.mark.parametrize(
    ("seen", "is_open"),
    [
        pytest.param([], True, id="never seen"),
        pytest.param([(2, "online")], True, id="online"),
        pytest.param([(2, "offline")], False, id="offline"),
        pytest.param([(2, "moved")], False, id="moved"),
        pytest.param([(2, "offline"), (3, "online")], True, id="online again"),
        pytest.param([(2, "moved"), (3, "unknown")], False, id="moved, then nobody could look"),
        pytest.param([(0, "offline")], True, id="offline before the notice"),
    ],
)
def test_sightings(database: Database, seen: list[tuple[float, str]], is_open: bool) -> None:
    with world(database) as w:
        content = w.content()
        w.notice(content, 1)
        for hours, state in seen:
            w.seen(content, hours, state)
    assert opened(database) == ([content] if is_open else [])


@pytest.mark.parametrize(
    ("given", "is_open"),
    [
        ({}, True),
        ({"delivery": "delivered"}, True),
        ({"delivery": "failed"}, False),
        ({"delivery": "refused"}, False),
        ({"recipient_role": "registrar"}, False),
    ],
)
def test_notices(database: Database, given: dict[str, str], is_open: bool) -> None:
    with world(database) as w:
        content = w.content()
        w.notice(content, 1, **given)
    assert opened(database) == ([content] if is_open else [])


def test_an_item_is_followed_for_a_time_after_its_last_notice(database: Database) -> None:
    with world(database) as w:
        content = w.content()
        w.notice(content, 1)
        w.notice(content, 25)
    assert opened(database, 24 * DAYS + 24) == [content]
    assert opened(database, 24 * DAYS + 25) == []


def test_police_hold_while_nothing_newer_is_known(database: Database) -> None:
    with world(database) as w:
        held, freed = w.content(), w.content()
        for content in (held, freed):
            w.notice(content, 1)
            w.seen(content, 2, "unknown", pause="police_hold")
        w.seen(freed, 3, "online")
    assert opened(database) == [freed]


def correct(w: World, decision: Decision, content: int, **given: object) -> None:
    w.session.flush()
    row = Correction(
        decision=decision, content_id=content, reason="test", decided_by="test", recorded_at=ADDED, **given
    )
    w.session.add(row)


def test_decisions(database: Database) -> None:
    with world(database) as w:
        withdrawn, one_of_two, removed = w.content(), w.content(), w.content()
        for content in (withdrawn, one_of_two, removed):
            w.notice(content, 1)
        second = w.notice(one_of_two, 2)
        correct(w, Decision.WITHDRAW_NOTICE, withdrawn)
        correct(w, Decision.WITHDRAW_NOTICE, one_of_two, notice_id=second)
        correct(w, Decision.SET_REMOVAL, removed, starts_at=at(5))
    assert opened(database) == [one_of_two]


def test_a_cut_url_is_the_whole_one(database: Database) -> None:
    stem = b"s" * 32
    with world(database) as w:
        whole = w.content(stem_digest=stem)
        cut = w.content(truncated=True, stem_digest=stem)
        alone = w.content(truncated=True, stem_digest=b"t" * 32)
        for content in (cut, alone):
            w.notice(content, 1)
    with transaction(database.engine) as session:
        assert [(item.content_id, item.truncated) for item in open_items(session, at(100))] == [
            (whole, False),
            (alone, True),
        ]
        assert len(session.scalars(select(Content.id).join(Notice, Notice.content_id == Content.id)).all()) == 2
