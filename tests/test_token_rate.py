"""The rate: so many requests in a window, whoever counts them; over it nothing is written."""

from __future__ import annotations

import threading
from datetime import timedelta

from monitor.db import transaction
from monitor.instants import parse_instant, to_datetime
from monitor.models.account import AccessToken
from monitor.tokens import PUSH, Allowance, Limit, charge, is_spent, issue, spend
from tests.conftest import Database

NOW = to_datetime(parse_instant("2026-04-10T12:00:00Z"))
LIMIT = Limit(requests=3, seconds=60, sent=1000, work=500)


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
        Allowance(True, 2, 60, 1000, 500),
        Allowance(True, 1, 50, 1000, 500),
        Allowance(True, 0, 40, 1000, 500),
        Allowance(False, 0, 30, 1000, 500),
        Allowance(False, 0, 1, 1000, 500),
        Allowance(True, 2, 60, 1000, 500),
        Allowance(True, 1, 59, 1000, 500),
    ]


def test_a_full_window_is_known_without_writing(database: Database) -> None:
    number = make(database)
    for _ in range(3):
        ask(database, number, 0)
    with transaction(database.engine) as session:
        token = session.get_one(AccessToken, number)
        assert is_spent(token, LIMIT, NOW + timedelta(seconds=30)) == Allowance(False, 0, 30, 1000, 500)
        assert is_spent(token, LIMIT, NOW + timedelta(seconds=60)) is None


def pay(database: Database, number: int, sent: int, work: int, seconds: int) -> Allowance:
    with transaction(database.engine) as session:
        return charge(session, number, LIMIT, sent, work, NOW + timedelta(seconds=seconds))


def test_bytes_and_work_are_a_budget_of_their_own(database: Database) -> None:
    one, other = make(database), make(database)
    assert ask(database, one, 0) == Allowance(True, 2, 60, 1000, 500)
    assert pay(database, one, 600, 100, 5) == Allowance(True, 2, 55, 400, 400)
    assert ask(database, one, 6).granted
    assert pay(database, one, 600, 100, 7) == Allowance(True, 1, 53, 0, 300)  # the last may go beyond
    assert ask(database, one, 8) == Allowance(False, 1, 52, 0, 300)
    assert ask(database, other, 8).granted
    assert pay(database, other, 0, 500, 9) == Allowance(True, 2, 51, 1000, 0)
    assert not ask(database, other, 10).granted
    with transaction(database.engine) as session:
        for number in (one, other):
            assert is_spent(session.get_one(AccessToken, number), LIMIT, NOW + timedelta(seconds=20)) is not None
    assert ask(database, one, 60) == Allowance(True, 2, 60, 1000, 500)  # the next window


def test_what_ends_in_the_next_window_is_counted_there(database: Database) -> None:
    number = make(database)
    ask(database, number, 0)
    assert pay(database, number, 700, 200, 61) == Allowance(True, 3, 60, 300, 300)
    assert ask(database, number, 62) == Allowance(True, 2, 59, 300, 300)


def test_the_last_use_is_kept_and_the_tokens_count_apart(database: Database) -> None:
    one, other = make(database), make(database)
    for _ in range(4):
        ask(database, one, 5)
    assert ask(database, other, 7) == Allowance(True, 2, 53, 1000, 500)
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
