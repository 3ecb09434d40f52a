"""`monitor token`: who may push notices through the API."""

from __future__ import annotations

from typing import Any

import click
from sqlalchemy import select

from monitor.access.tokens import SCOPES, issue, revoke
from monitor.cli.runtime import json_option, runtime, show
from monitor.db import transaction
from monitor.errors import MonitorError
from monitor.instants import iso, to_datetime, to_instant
from monitor.models.account import AccessToken

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
