"""Whose turn it is: those never asked about first, then the longest ago, nobody within the interval."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from monitor.db import transaction
from monitor.observe.facts import claim, due, forget, recall
from tests.conftest import Database

NOW = datetime(2026, 4, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_whose_turn_it_is() -> None:
    asked = {b"a": NOW - HOUR, b"b": NOW - 3 * HOUR, b"c": NOW - HOUR + timedelta(seconds=1)}
    assert due([b"a", b"b", b"c", b"d"], asked, NOW, HOUR) == [b"d", b"b", b"a"]


def test_each_observer_remembers_its_own_and_forgets_what_is_long_ago(database: Database) -> None:
    with transaction(database.engine) as session:
        claim(session, "probe", [b"a", b"b"], NOW - 91 * 24 * HOUR)
        claim(session, "watch", [b"a"], NOW - 91 * 24 * HOUR)
        claim(session, "probe", [b"a"], NOW)
    with transaction(database.engine) as session:
        forget(session, "probe", NOW)
        assert recall(session, "probe") == {b"a": NOW}
        assert recall(session, "watch") == {b"a": NOW - 91 * 24 * HOUR}
