"""`monitor init`, `config`, `keys` and `token`: set up, see settings, keep keys elsewhere, and who may push."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from monitor import audit
from monitor import audit as trail
from monitor.cli.runtime import Runtime, json_option, runtime, show
from monitor.db import connect, database_reachable, transaction
from monitor.errors import MonitorError
from monitor.instants import iso, to_datetime, to_instant
from monitor.key_checks import refuse_new_keys, require_opens, tie
from monitor.migrate import upgrade
from monitor.models.account import AccessToken
from monitor.release.signing import SigningKey, create_signing_key, replace_signing_key
from monitor.tokens import SCOPES, issue, revoke
from monitor.urls import RULES, suffixes_version
from monitor.vault import Vault
from monitor.vault import create_keys as create_key_file

# `monitor init`, `monitor config` and `monitor keys`: set up, see settings, keep keys elsewhere.


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
        **{name: getattr(settings, name) for name in _READERS},
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
    for warning in settings.warnings:
        click.echo(f"warning: {warning}", err=True)
    show(rows, as_json, "\n".join(lines))


# What readers are told in the frame of every page.
_READERS = ("publisher", "contact", "objections", "privacy_address", "report_address", "help_address", "material")


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
        "all items have digests of scheme {scheme}: {under}\nbrought up: {items:,} items; became one with another:"
        " {merged:,}; on another site: {other_site:,}; no URL of the web any more: {not_a_url:,}"
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


# `monitor token`: who may push notices through the API.

ACTOR = click.option("--by", "actor", default="operator", show_default=True, help="Who does it, for the audit trail.")


@click.group()
def token() -> None:
    """Issue, list and revoke the tokens with which hotlines push notices."""


@token.command("issue")
@click.argument("source")
@click.option("--days", default=365, show_default=True, type=click.IntRange(1, 730), help="How long it is valid.")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(SCOPES), help="What it may do (default: all).")
@ACTOR
@json_option
def issue_token(source: str, days: int, scopes: tuple[str, ...], actor: str, as_json: bool) -> None:
    """Issue a token to a configured SOURCE and show it, this once."""
    run = runtime()
    if source not in run.settings.sources:
        known = ", ".join(sorted(run.settings.sources))
        raise MonitorError(f"no source {source!r} is configured; there are: {known}. Add [sources.{source}] first")
    with transaction(run.engine) as session:
        made, text = issue(session, source, scopes or SCOPES, to_datetime(run.now()), days, actor)
        told = _row(made, run.now()) | {"token": text}
    lines = (
        f"token {told['id']} of {source}, valid until {told['expires_at']}, for {', '.join(told['scopes'])}",
        text,
        "It is shown this once. Hand it over where only the hotline can read it.",
    )
    show(told, as_json, "\n".join(lines))


@token.command("list")
@json_option
def list_tokens(as_json: bool) -> None:
    """List tokens: whose, until when, last used when. Their secrets are not kept."""
    run = runtime()
    with transaction(run.engine) as session:
        rows = [_row(found, run.now()) for found in session.scalars(select(AccessToken).order_by(AccessToken.id))]
    lines = [
        f"{row['id']:>4}  {row['source']:16} {row['state']:8} until {row['expires_at']}  "
        f"used {row['last_used_at'] or 'never':20}  {' '.join(row['scopes'])}"
        for row in rows
    ]
    show(rows, as_json, "\n".join(lines) or "no tokens yet; `monitor token issue SOURCE` makes one")


@token.command("revoke")
@click.argument("number", metavar="ID", type=click.IntRange(1, 2**63 - 1))
@ACTOR
@json_option
def revoke_token(number: int, actor: str, as_json: bool) -> None:
    """Revoke a token, from now on and for good."""
    run = runtime()
    with transaction(run.engine) as session:
        told = _row(revoke(session, number, to_datetime(run.now()), actor), run.now())
    show(told, as_json, f"token {number} of {told['source']} is revoked")


def _row(found: AccessToken, now: int) -> dict[str, Any]:
    state = "revoked" if found.revoked_at else "expired" if to_instant(found.expires_at) <= now else "valid"
    return {
        "id": found.id,
        "source": found.source,
        "state": state,
        "scopes": found.scopes,
        "issued_at": iso(to_instant(found.issued_at)),
        "expires_at": iso(to_instant(found.expires_at)),
        "revoked_at": None if found.revoked_at is None else iso(to_instant(found.revoked_at)),
        "last_used_at": None if found.last_used_at is None else iso(to_instant(found.last_used_at)),
    }
