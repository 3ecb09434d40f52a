"""`monitor init`, `monitor config` and `monitor keys`: set up, see settings, keep keys elsewhere."""

from __future__ import annotations

from dataclasses import asdict

import click
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from monitor import audit
from monitor import audit as trail
from monitor.cli.runtime import Runtime, json_option, runtime, show
from monitor.db import connect, database_reachable, transaction
from monitor.instants import to_datetime
from monitor.key_checks import refuse_new_keys, require_opens, tie
from monitor.migrate import upgrade
from monitor.release.signing import SigningKey, create_signing_key, replace_signing_key
from monitor.suffixes import suffixes_version
from monitor.urls import RULES
from monitor.vault import Vault
from monitor.vault import create_keys as create_key_file


@click.command()
@click.option("--create-keys", is_flag=True, help="Make a new key file, and a key that signs, where there is none.")
@json_option
def init(create_keys: bool, as_json: bool) -> None:
    """Create the database, or migrate it to the newest schema."""
    run = runtime()
    keys, signing = run.settings.key_file, run.settings.signing_key_file
    engine = connect(run.settings.database_url)
    click.get_current_context().call_on_close(engine.dispose)
    database_reachable(engine)
    made, made_signing = (create_keys and not path.exists() for path in (keys, signing))
    if not keys.exists():
        refuse_new_keys(engine)
    if made:
        create_key_file(keys)
    vault = Vault(keys)
    require_opens(engine, vault)
    upgrade(engine, vault=vault)
    tie(engine, vault, run.now())
    version = vault.version
    with transaction(engine) as session:
        if made:
            trail.record(session, to_datetime(run.now()), "operator", "keys.create", f"key {version}", {})
        if made_signing:
            record_signing_key(session, run, create_signing_key(signing, run.settings.public_keys))
    where = engine.url.render_as_string(hide_password=True)
    data = {"database": where, "key_file": str(keys), "keys_created": made}
    data |= {"signing_key_file": str(signing), "signing_key_created": made_signing}
    text = f"database ready: {where}\nkey file{' made' if made else ''}: {keys} (back it up apart from the database)"
    show(data, as_json, f"{text}\nsigning key made: {signing} (back it up too)" if made_signing else text)


@click.command()
@json_option
def config(as_json: bool) -> None:
    """Show what is configured and where each value comes from; secrets are hidden."""
    settings = runtime().settings
    values = {
        "home": str(settings.home),
        "database_url": make_url(settings.database_url).render_as_string(hide_password=True),
        "key_file": str(settings.key_file),
        "signing_key_file": str(settings.signing_key_file),
        "checkpoints": ", ".join(map(str, settings.checkpoint_folders)),
        "engine": settings.engine,
        "site_name": settings.site_name,
        "site_address": settings.site_address,
        "desk_address": settings.desk_address,
        "licence": settings.licence,
        "demonstration": settings.demonstration,
        "url_rules": RULES,
        "suffix_list": suffixes_version(),
    } | {f"limits.{name}": value for name, value in asdict(settings.limits).items()}
    rows = {name: {"value": value, "origin": settings.origins.get(name, "default")} for name, value in values.items()}
    lines = [f"{name:29} {row['value']}   ({row['origin']})" for name, row in rows.items()]
    lines += [
        f"source {source.name}: format {source.format or '-'}, zone {source.zone or '-'}"
        for source in settings.sources.values()
    ]
    show(rows, as_json, "\n".join(lines))


@click.group()
def keys() -> None:
    """Make the key that signs open data, and bring stored digests up to the rules and key in force."""


@keys.command()
@click.option("--digest", "digests", is_flag=True, help="The digests by which items and sites are found.")
@json_option
def rotate(digests: bool, as_json: bool) -> None:
    """Bring what is stored up to the rules and key in force, in batches, while all else goes on.

    It may be stopped at any point: run it again, and it goes on from there.
    """
    if not digests:
        raise click.UsageError("say what: --digest")
    run = runtime()
    from monitor.ingest.rekey import rekey_all  # all that reads deliveries: only where it is needed

    scheme, done = rekey_all(run.engine, run.vault, run.now, "operator")
    data = {"scheme": scheme.id, "url_rules": scheme.url_rules, "suffix_list": scheme.suffix_list}
    data |= {"key_version": scheme.key_version} | done.as_json()
    under = f"URL rules {scheme.url_rules}, public suffix list {scheme.suffix_list}, key {scheme.key_version}"
    text = (
        "all items have digests of scheme {scheme}: {under}\n"
        "brought up: {items:,} items; became one with another: {merged:,}; on another site: {other_site:,}; "
        "no URL of the web any more: {not_a_url:,}"
    )
    text = text.format(scheme=scheme.id, under=under, **done.as_json())
    show(data, as_json, text)


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
