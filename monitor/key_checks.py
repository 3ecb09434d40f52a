"""Keys are tied to their database: whoever opens the vault over a database compares check values first (S2).

Under another key every item would be new: it would be stored twice, its removal never found, and what was sealed
before could not be opened. So a key that the database does not know is refused wherever a vault is opened.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, inspect, select
from sqlalchemy.orm import Session

from monitor.db import lock_writers, transaction
from monitor.errors import ConfigurationError, MonitorError
from monitor.instants import to_datetime
from monitor.models.account import PushedRequest
from monitor.models.audit import KeyCheck
from monitor.models.columns import ItemReference, WaitingStatement
from monitor.models.facts import Content, Notice, PendingPiece, Quarantined, Site
from monitor.vault import Vault, fingerprint_of

# Every table with something under a key, and where it is sealed rather than digested.
_UNDER_KEY: tuple[tuple[type[Any], str | None], ...] = (
    (Content, "url_sealed"),
    (Quarantined, "row_sealed"),
    (PendingPiece, "sealed"),
    (WaitingStatement, "statement_sealed"),
    (Notice, "address_sealed"),
    (Site, None),
    (ItemReference, None),
    (PushedRequest, None),
)
_RESTORE = "restore the key file from your backup; a new key cannot open or match anything that is stored"


def open_vault(engine: Engine, key_file: Path, now: int) -> Vault:
    """The vault of the key file, once it is known to be that of the database; raises ConfigurationError otherwise."""
    if not key_file.exists():
        refuse_new_keys(engine)
    vault = Vault(key_file)
    tie(engine, vault, now)
    return vault


def require_keys(engine: Engine, key_file: Path) -> None:
    """Raise ConfigurationError where the key file is missing or another than the one that sealed what is stored.

    Every command asks, also those that open nothing: what is found out late was done in vain. A database from before
    check values names no fingerprint; it is asked for its key where that is used.
    """
    with transaction(engine) as session:
        known = _known(session)
    if known and not key_file.exists():
        raise ConfigurationError(f"{_sealed_with(known)}, and there is no such key file: {_RESTORE}")
    if known:
        compare(known, Vault(key_file))


def tie(engine: Engine, vault: Vault, now: int) -> None:
    """Compare the vault's keys with those of the database; a database without any gets these, as of `now`.

    Raises ConfigurationError, naming fingerprints, where the database was sealed with other keys, or where the key
    file has a version that the database does not know.
    """
    with transaction(engine) as session:
        if known := _known(session):
            compare(known, vault)
            return
    with transaction(engine) as session:
        lock_writers(session)
        if known := _known(session):
            compare(known, vault)
            return
        _require_opens(session, vault)
        at = to_datetime(now)
        session.add_all(KeyCheck(version=v, check_value=c, recorded_at=at) for v, c in vault.check_values.items())


def refuse_new_keys(engine: Engine) -> None:
    """Raise ConfigurationError where anything is stored that only the present keys open or match."""
    with transaction(engine) as session:
        if known := _known(session):
            raise ConfigurationError(f"{_sealed_with(known)}, and there is no such key file: {_RESTORE}")
        if any(session.scalar(select(model.key_version).limit(1)) is not None for model, _ in _under_key(session)):
            raise ConfigurationError(f"this database was sealed with a key, and there is no such key file: {_RESTORE}")


def require_opens(engine: Engine, vault: Vault) -> None:
    """Raise ConfigurationError where the vault is not the one of the database, whatever the schema's revision."""
    with transaction(engine) as session:
        if known := _known(session):
            compare(known, vault)
        else:
            _require_opens(session, vault)


def compare(known: dict[int, bytes], vault: Vault) -> None:
    """Raise ConfigurationError where the vault's check values are not the known ones."""
    found = vault.check_values
    for version, value in known.items():
        if version not in found:
            raise ConfigurationError(f"{_sealed_with({version: value})}, which the key file lacks: {_RESTORE}")
        if found[version] != value:
            has = fingerprint_of(found[version])
            raise ConfigurationError(f"{_sealed_with({version: value})}; the key file's is {has}: {_RESTORE}")
    for version in found.keys() - known.keys():
        raise ConfigurationError(
            f"the key file has a version {version} (fingerprint {fingerprint_of(found[version])}) that this database "
            f"does not know: {_RESTORE}"
        )


def _known(session: Session) -> dict[int, bytes]:
    if not inspect(session.connection()).has_table(KeyCheck.__tablename__):
        return {}  # the schema is older
    return {row.version: row.check_value for row in session.scalars(select(KeyCheck).order_by(KeyCheck.version))}


def _sealed_with(known: dict[int, bytes]) -> str:
    keys = ", ".join(f"{fingerprint_of(value)} (version {version})" for version, value in known.items())
    return f"this database was sealed with key {keys}"


def _require_opens(session: Session, vault: Vault) -> None:
    """Of a database that is older than check values: each key version in use must be there, and open what it sealed."""
    for model, column in _under_key(session):
        for version in session.scalars(select(model.key_version).distinct()).all():
            _require_version(session, vault, model, column, version)


def _under_key(session: Session) -> list[tuple[type[Any], str | None]]:
    """Of the tables with something under a key those that the schema has, which may be an older one."""
    there = set(inspect(session.connection()).get_table_names())
    return [(model, column) for model, column in _UNDER_KEY if model.__tablename__ in there]


def _require_version(session: Session, vault: Vault, model: type[Any], column: str | None, version: int) -> None:
    if version not in vault.check_values:
        raise ConfigurationError(
            f"this database was sealed with a key version {version} that the key file lacks: {_RESTORE}"
        )
    if column is None:
        return
    query = select(getattr(model, column)).where(model.key_version == version, getattr(model, column).is_not(None))
    sealed = session.scalar(query.limit(1))
    try:
        if sealed is not None:
            vault.open(sealed, version)
    except MonitorError as error:
        has = fingerprint_of(vault.check_values[version])
        raise ConfigurationError(
            f"this database was sealed with another key than the key file's {has}: {_RESTORE}"
        ) from error
