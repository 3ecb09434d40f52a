"""`monitor attribute` and `monitor confirm`: attribute what is open again, and say who the new companies are."""

from __future__ import annotations

from dataclasses import asdict

import click

from monitor.attribute.assign import attribute_notices
from monitor.attribute.review import Review, review
from monitor.attribute.review import confirm as confirm_companies
from monitor.cli.runtime import json_option, runtime, show
from monitor.db import lock_writers, transaction
from monitor.instants import to_datetime
from monitor.release.publish import unconfirmed_in
from monitor.release.store import find


@click.command()
@json_option
def attribute(as_json: bool) -> None:
    """(Re)attribute all notices with today's registry and networks; nothing earlier is overwritten."""
    run = runtime()
    with transaction(run.engine) as session:
        lock_writers(session)  # the clock is asked when nobody else writes
        changed = attribute_notices(session, run.vault, to_datetime(run.now()))
        found = review(session)
    show({"changed": changed, **asdict(found)}, as_json, _describe(changed, found))


@click.command()
@click.argument("companies", nargs=-1, metavar="COMPANY...")
@click.option("--draft", metavar="RELEASE", help="Confirm all companies of a draft that nobody has confirmed.")
@click.option("--by", required=True, metavar="NAME", help="Who knows that they are who they are said to be.")
@json_option
def confirm(companies: tuple[str, ...], draft: str | None, by: str, as_json: bool) -> None:
    """Confirm that a recipient or network is the company it is named as: none is published before.

    `monitor attribute` lists those to confirm. One that is misnamed belongs into the registry instead.
    """
    if bool(companies) == bool(draft):
        raise click.UsageError("name companies by their keys, or a draft with --draft")
    run = runtime()
    with transaction(run.engine) as session:
        lock_writers(session)
        named = companies or [row["company"] for row in unconfirmed_in(session, find(session, draft or ""))]
        done = confirm_companies(session, named, to_datetime(run.now()), by)
    show(
        done, as_json, "\n".join(f"confirmed: {row['company']} ({row['name']})" for row in done) or "nothing to confirm"
    )


def _describe(changed: int, found: Review) -> str:
    lines = [f"{changed} attributions changed"]
    lines += [f"  by {basis}: {count} contents" for basis, count in sorted(found.by_basis.items()) if basis != "none"]
    lines.append(f"unattributed: {len(found.unattributed)} contents (they count in the totals)")
    if found.unattributed:
        shown = ", ".join(map(str, found.unattributed[:10]))
        lines.append(f"  content numbers: {shown}{', ...' if len(found.unattributed) > 10 else ''} (all with --json)")
    lines += [
        f"contradiction: {row['contents']} contents of {row['company']} ({row['basis']}) lie at {row['other']}"
        for row in found.contradictions
    ]
    lines += [f"to confirm: {row['company']} ({row['name']})" for row in found.to_confirm]
    return "\n".join(lines)
