"""Tokens: only a hash is kept, only the very text opens, and each end of a token is the end."""

from __future__ import annotations

import hmac
import itertools
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from monitor import audit
from monitor.db import transaction
from monitor.errors import MonitorError
from monitor.instants import parse_instant, to_datetime
from monitor.models.account import AccessToken
from monitor.models.audit import AuditEntry
from monitor.tokens import PUSH, READ, SCOPES, issue, revoke, verify
from tests.conftest import Database

NOW = to_datetime(parse_instant("2026-04-10T12:00:00Z"))


def make(database: Database, days: int = 30) -> tuple[int, str]:
    with transaction(database.engine) as session:
        token, secret = issue(session, "hotline", SCOPES, NOW, days, "operator")
        return token.id, secret


def opens(database: Database, secret: str, at: timedelta = timedelta()) -> int | None:
    with transaction(database.engine) as session:
        token = verify(session, secret, NOW + at)
        return None if token is None else token.id


def test_a_token_opens_and_says_whose_it_is(database: Database) -> None:
    number, secret = make(database)
    with transaction(database.engine) as session:
        token = verify(session, secret, NOW)
        assert token is not None
        assert (token.id, token.source, token.scopes) == (number, "hotline", sorted((PUSH, READ)))


def test_only_the_very_text_opens(database: Database) -> None:
    _, secret = make(database)
    prefix, selector, proof = secret.split("_", 2)
    other = make(database)[1].split("_", 2)
    wrong = [
        "", " ", secret[:-1], secret + "=", f" {secret}", f"{secret}\n", secret.upper(), secret.replace("ham_", "HAM_"),
        f"{prefix}_{selector}_{other[2]}", f"{prefix}_{other[1]}_{proof}", f"{prefix}_{'0' * 16}_{proof}",
        f"{prefix}_{selector}_{'A' * 43}", secret[:-1] + chr(0xFF41), f"{prefix}_{selector}_", "ham__",
    ]  # fmt: skip
    assert [opens(database, text) for text in wrong] == [None] * len(wrong)
    assert opens(database, secret) is not None


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_a_changed_letter_does_not_open(database: Database, data: st.DataObject) -> None:
    _, secret = make(database)
    at = data.draw(st.integers(0, len(secret) - 1))
    first, second = data.draw(st.sampled_from(list(itertools.permutations("0aZ_-é", 2))))
    letter = first if first != secret[at] else second  # what is drawn must not depend on the secret
    assert opens(database, secret[:at] + letter + secret[at + 1 :]) is None


def test_the_secret_is_compared_in_constant_time_even_for_nobody(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, secret = make(database)
    lengths: list[tuple[int, int]] = []
    compare = hmac.compare_digest

    def watched(left: bytes, right: bytes) -> bool:
        lengths.append((len(left), len(right)))
        return compare(left, right)

    monkeypatch.setattr("hmac.compare_digest", watched)
    opens(database, secret)
    opens(database, f"ham_{'0' * 16}_{'A' * 43}")
    assert lengths == [(32, 32), (32, 32)]


def test_the_database_holds_nothing_that_opens(database: Database) -> None:
    _, secret = make(database)
    with database.engine.connect() as connection:
        rows = str(connection.execute(text("SELECT * FROM access_tokens")).all())
        trail = str(connection.execute(text("SELECT * FROM audit_entries")).all())
    assert secret.split("_", 2)[2] not in rows + trail
    assert secret.split("_", 2)[1] not in trail


def test_two_tokens_share_nothing(database: Database) -> None:
    first, second = make(database)[1], make(database)[1]
    assert not set(first.split("_", 2)[1:]) & set(second.split("_", 2)[1:])


def test_a_token_ends_with_its_last_second(database: Database) -> None:
    _, secret = make(database, days=30)
    assert opens(database, secret, timedelta(days=30, seconds=-1)) is not None
    assert opens(database, secret, timedelta(days=30)) is None


def test_a_revoked_token_is_ended_once_and_in_the_trail(database: Database) -> None:
    number, secret = make(database)
    with transaction(database.engine) as session:
        revoke(session, number, NOW, "officer")
    assert opens(database, secret) is None
    with transaction(database.engine) as session:
        entries = [(e.actor, e.action, e.subject) for e in session.scalars(select(AuditEntry).order_by(AuditEntry.id))]
        assert entries == [
            ("operator", "token.issue", f"token {number}"),
            ("officer", "token.revoke", f"token {number}"),
        ]
        assert audit.verify(session) == []
        with pytest.raises(MonitorError, match="was revoked before"):
            revoke(session, number, NOW, "officer")
        with pytest.raises(MonitorError, match="no token 999"):
            revoke(session, 999, NOW, "officer")
        assert session.scalars(select(AccessToken)).one().revoked_at == NOW
