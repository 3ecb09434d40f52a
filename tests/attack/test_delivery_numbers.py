"""A gap in the numbers of deliveries would look like a lost delivery: one that fails uses no number up."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from sqlalchemy import select

from monitor.db import lock_writers, transaction
from monitor.errors import DeliveryError
from monitor.ingest.delivery import DeliveryFile, ingest, read_ahead
from monitor.instants import parse_instant
from monitor.models.facts import Content, Delivery
from monitor.observe.facts import Observation, deliver
from monitor.vault import Vault
from monitor.vocabulary import State
from tests.conftest import Database
from tests.samples import Ntd, delivery_file, on_disk

NOW = parse_instant("2026-04-11T00:00:00Z")


def _take(database: Database, vault: Vault, what: DeliveryFile, *, ahead_of_time: bool) -> int:
    if not ahead_of_time:
        with transaction(database.engine) as session:
            return ingest(session, vault, what, NOW).delivery
    with read_ahead(database.engine, vault, what) as ahead:

        def attempt() -> int:
            with transaction(database.engine) as session:
                return ingest(session, vault, what, NOW, reader=ahead).delivery

        return ahead.store(attempt)


def _parcel(folder: Path, number: int) -> DeliveryFile:
    return delivery_file(folder, "2026-04-10T18:00:00Z", Ntd(f"https://a.example/{number}", "2026-04-10 12:00:00"))


@pytest.mark.parametrize("ahead_of_time", [False, True])
def test_failed_deliveries_use_no_number_up(
    database: Database, vault: Vault, tmp_path: Path, *, ahead_of_time: bool
) -> None:
    numbers = []
    for number in range(3):
        for fault in (b"", b"no header at all\n", gzip.compress(bytes(99))[:-9]):
            broken = _parcel(tmp_path, 100 + number)
            on_disk(broken).write_bytes(fault)
            with pytest.raises(DeliveryError):
                _take(database, vault, broken, ahead_of_time=ahead_of_time)
        numbers.append(_take(database, vault, _parcel(tmp_path, number), ahead_of_time=ahead_of_time))
    assert numbers == [1, 2, 3]


def test_neither_do_those_that_are_undone_after_they_were_stored(
    database: Database, vault: Vault, tmp_path: Path
) -> None:
    assert _take(database, vault, _parcel(tmp_path, 1), ahead_of_time=False) == 1
    with transaction(database.engine) as session:
        assert ingest(session, vault, _parcel(tmp_path, 2), NOW).delivery == 2
        session.rollback()
    assert _take(database, vault, _parcel(tmp_path, 3), ahead_of_time=False) == 2


def test_what_an_observer_saw_is_numbered_with_them(database: Database, vault: Vault, tmp_path: Path) -> None:
    assert _take(database, vault, _parcel(tmp_path, 1), ahead_of_time=False) == 1
    with transaction(database.engine) as session:
        lock_writers(session)
        content = session.scalars(select(Content.id)).one()
        assert deliver(session, "probe", [Observation(content, NOW, State.ONLINE)], NOW).id == 2
    assert _take(database, vault, _parcel(tmp_path, 3), ahead_of_time=False) == 3
    with transaction(database.engine) as session:
        assert list(session.scalars(select(Delivery.id).order_by(Delivery.id))) == [1, 2, 3]
