"""The rate: so many requests in a window, whoever counts them; over it nothing is written."""

from __future__ import annotations

import threading
from datetime import timedelta

from monitor.access.rate import Allowance, Limit, is_spent, spend
from monitor.access.tokens import PUSH, issue
from monitor.db import transaction
from monitor.instants import parse_instant, to_datetime
from monitor.models.account import AccessToken
from tests.conftest import Database

NOW = to_datetime(parse_instant("2026-04-10T12:00:00Z"))
LIMIT = Limit(requests=3, seconds=60)


def make(database: Database) -> int:
    with transaction(database.engine) as session:
        return issue(session, "hotline", [PUSH], NOW, 30, "operator")[0].id


def ask(database: Database, number: int, seconds: int) -> Allowance:
    with transaction(database.engine) as session:
        return spend(session, number, LIMIT, NOW + timedelta(seconds=seconds))


def test_a_window_lets_so_many_in_and_the_next_begins_anew(database: Database) -> None:
    number = make(database)
    told = [ask(database, number, seconds) for seconds in (0, 10, 20, 30, 59, 60, 61)]
    assert told == [
        Allowance(True, 2, 60),
        Allowance(True, 1, 50),
        Allowance(True, 0, 40),
        Allowance(False, 0, 30),
        Allowance(False, 0, 1),
        Allowance(True, 2, 60),
        Allowance(True, 1, 59),
    ]


def test_a_full_window_is_known_without_writing(database: Database) -> None:
    number = make(database)
    for _ in range(3):
        ask(database, number, 0)
    with transaction(database.engine) as session:
        token = session.get_one(AccessToken, number)
        assert is_spent(token, LIMIT, NOW + timedelta(seconds=30)) == Allowance(False, 0, 30)
        assert is_spent(token, LIMIT, NOW + timedelta(seconds=60)) is None


def test_the_last_use_is_kept_and_the_tokens_count_apart(database: Database) -> None:
    one, other = make(database), make(database)
    for _ in range(4):
        ask(database, one, 5)
    assert ask(database, other, 7) == Allowance(True, 2, 53)
    with transaction(database.engine) as session:
        assert session.get_one(AccessToken, one).last_used_at == NOW + timedelta(seconds=5)
        assert session.get_one(AccessToken, other).last_used_at == NOW + timedelta(seconds=7)


def test_many_at_the_same_moment_are_all_counted(database: Database) -> None:
    number = make(database)
    told: list[bool] = []
    threads = [threading.Thread(target=lambda: told.append(ask(database, number, 1).granted)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [False] * 5 + [True] * 3
