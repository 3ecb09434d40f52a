"""Keys belong to their database: any other is refused, with the fingerprint that is asked for."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from monitor.db import transaction
from monitor.errors import ConfigurationError
from monitor.ingest.delivery import DeliveryFile, load
from monitor.key_checks import open_vault, refuse_new_keys
from monitor.migrate import downgrade, upgrade
from monitor.models import KeyCheck, Notice
from monitor.models.guards import lifted
from monitor.settings import Source
from monitor.vault import Vault, create_keys, fingerprint_of
from tests.conftest import Database

NOW = 1_775_865_600  # 2026-04-11T00:00:00Z
ROWS = (
    "report_id,url,host_ip,recipient,recipient_country,recipient_email,notice_sent_at,checked_at,status,"
    "destination_country\n"
    "R-1,https://s1.example/a,192.0.2.7,Delta Datacenters,NL,,2026-04-10T12:00:00Z,,,\n"
)


def keys(path: Path) -> Path:
    create_keys(path)
    return path


def filled(database: Database, vault: Vault, folder: Path) -> None:
    file = folder / "delivery.csv"
    file.write_text(ROWS, "utf-8")
    with transaction(database.engine) as session:
        load(session, vault, DeliveryFile(Source("test"), "inhope-csv", file, NOW), NOW)


def forget(database: Database) -> None:
    """The database as it was before it knew its keys."""
    with database.engine.begin() as connection, lifted(connection, "key_checks"):
        connection.execute(delete(KeyCheck))


def test_a_database_knows_the_first_keys_that_open_it(database: Database, tmp_path: Path) -> None:
    path = keys(tmp_path / "one.json")
    first = open_vault(database.engine, path, NOW)
    assert open_vault(database.engine, path, NOW).check_values == first.check_values
    with transaction(database.engine) as session:
        [row] = session.scalars(select(KeyCheck))
        assert (row.version, row.check_value) == (1, first.check_values[1])
        assert len(row.check_value) == 32


def test_another_key_under_the_same_version_is_refused_by_its_fingerprint(database: Database, tmp_path: Path) -> None:
    first = open_vault(database.engine, keys(tmp_path / "one.json"), NOW)
    asked = fingerprint_of(first.check_values[1])
    other = keys(tmp_path / "two.json")
    has = fingerprint_of(Vault(other).check_values[1])
    with pytest.raises(ConfigurationError, match=rf"with key {asked} \(version 1\); the key file's is {has}: rest"):
        open_vault(database.engine, other, NOW)


def test_a_second_version_that_the_database_does_not_know_is_refused(database: Database, tmp_path: Path) -> None:
    path = keys(tmp_path / "one.json")
    open_vault(database.engine, path, NOW)
    content = json.loads(path.read_text())
    content["keys"]["2"] = {"digest": "ab" * 32, "seal": "cd" * 32}
    path.write_text(json.dumps(content | {"current": 2}))
    with pytest.raises(ConfigurationError, match=r"has a version 2 \(fingerprint [0-9a-f]{16}\) that this"):
        open_vault(database.engine, path, NOW)


def test_a_version_that_the_key_file_lost_is_asked_for(database: Database, tmp_path: Path) -> None:
    first = open_vault(database.engine, keys(tmp_path / "one.json"), NOW)
    other = json.loads(keys(tmp_path / "two.json").read_text())
    (tmp_path / "two.json").write_text(json.dumps({"current": 2, "keys": {"2": other["keys"]["1"]}}))
    asked = fingerprint_of(first.check_values[1])
    with pytest.raises(ConfigurationError, match=rf"key {asked} \(version 1\), which the key file lacks"):
        open_vault(database.engine, tmp_path / "two.json", NOW)


def test_a_key_file_that_is_gone_is_never_replaced_over_sealed_data(database: Database, tmp_path: Path) -> None:
    refuse_new_keys(database.engine)  # nothing is stored: new keys do no harm
    first = open_vault(database.engine, keys(tmp_path / "one.json"), NOW)
    asked = fingerprint_of(first.check_values[1])
    with pytest.raises(ConfigurationError, match=rf"key {asked} \(version 1\), and there is no such key file"):
        open_vault(database.engine, tmp_path / "gone.json", NOW)


def test_a_database_of_before_takes_only_the_key_that_opens_what_it_holds(database: Database, tmp_path: Path) -> None:
    path = keys(tmp_path / "one.json")
    filled(database, Vault(path), tmp_path)
    forget(database)
    with pytest.raises(ConfigurationError, match="there is no such key file: restore the key file from your backup"):
        refuse_new_keys(database.engine)
    with pytest.raises(ConfigurationError, match="this database was sealed with another key than the key file's"):
        open_vault(database.engine, keys(tmp_path / "two.json"), NOW)
    open_vault(database.engine, path, NOW)
    with transaction(database.engine) as session:
        assert len(session.scalars(select(KeyCheck)).all()) == 1


def test_what_lay_in_clear_before_is_sealed_and_keyed_by_the_migration(database: Database, tmp_path: Path) -> None:
    vault = Vault(keys(tmp_path / "one.json"))
    filled(database, vault, tmp_path)
    with pytest.raises(ConfigurationError, match="digests that an earlier version cannot find"):
        downgrade(database.engine, "0008", vault)
    with database.engine.begin() as connection:  # as the version of 0008 had digested them
        connection.exec_driver_sql("UPDATE digest_schemes SET url_rules = 1")
    with pytest.raises(ConfigurationError, match="this step needs the key file"):
        downgrade(database.engine, "0008")
    downgrade(database.engine, "0008", vault)
    with database.engine.connect() as connection:
        digest, reference = connection.exec_driver_sql("SELECT sha256, reference FROM deliveries, notices").one()
    assert reference == "R-1"
    with pytest.raises(ConfigurationError, match="this step needs the key file"):
        upgrade(database.engine)
    upgrade(database.engine, vault=vault)
    with transaction(database.engine) as session:
        [notice] = session.scalars(select(Notice))
        assert notice.reference_sealed is not None
        assert vault.open_equal(notice.reference_sealed, 1, "notices.reference") == "R-1"
    with database.engine.connect() as connection:
        again = connection.exec_driver_sql("SELECT file_digest FROM deliveries").scalar_one()
    assert again == vault.digest_file(digest)
    assert re.fullmatch(r"[0-9a-f]{64}", again)
