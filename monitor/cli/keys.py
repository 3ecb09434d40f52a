"""`monitor keys`: the key that signs what is published."""

from __future__ import annotations

import click
from sqlalchemy.orm import Session

from monitor import audit
from monitor.cli.runtime import Runtime, json_option, runtime, show
from monitor.db import transaction
from monitor.instants import to_datetime
from monitor.release.signing import SigningKey, create_signing_key, replace_signing_key


@click.group()
def keys() -> None:
    """Keys outside the database."""


@keys.command()
@click.option("--replace", is_flag=True, help="Lay the present key aside and make a new one.")
@json_option
def signing(replace: bool, as_json: bool) -> None:
    """Make the key that signs the open data of releases. What an earlier key signed stays valid."""
    run = runtime()
    make = replace_signing_key if replace else create_signing_key
    with transaction(run.engine) as session:
        key = make(run.settings.signing_key_file, run.settings.public_keys)
        record_signing_key(session, run, key)
    path = run.settings.signing_key_file
    text = f"signing key made: {path} (back it up apart from the database)\nfingerprint: {key.fingerprint}"
    show({"signing_key_file": str(path), "fingerprint": key.fingerprint}, as_json, text)


def record_signing_key(session: Session, run: Runtime, key: SigningKey) -> None:
    """Say in the audit trail that releases are signed with this key from now on."""
    subject, details = f"key {key.fingerprint[:16]}", {"fingerprint": key.fingerprint}
    audit.record(session, to_datetime(run.now()), "operator", "keys.signing", subject, details)
