"""`monitor attribute`: attribute what is open again, and list what a person should look at."""

from __future__ import annotations

from dataclasses import asdict

import click

from monitor.attribute.assign import attribute_notices
from monitor.attribute.review import Review, review
from monitor.cli.runtime import json_option, runtime, show
from monitor.db import lock_writers, transaction
from monitor.instants import to_datetime


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


def _describe(changed: int, found: Review) -> str:
    lines = [f"{changed} attributions changed"]
    lines += [f"  by {basis}: {count} contents" for basis, count in sorted(found.by_basis.items()) if basis != "none"]
    lines.append(f"at nobody's door: {len(found.unattributed)} contents (they count in the totals)")
    if found.unattributed:
        shown = ", ".join(map(str, found.unattributed[:10]))
        lines.append(f"  content numbers: {shown}{', ...' if len(found.unattributed) > 10 else ''} (all with --json)")
    lines += [
        f"contradiction: {row['contents']} contents of {row['company']} ({row['basis']}) lie at {row['other']}"
        for row in found.contradictions
    ]
    lines += [f"to confirm: {row['company']} ({row['name']})" for row in found.to_confirm]
    return "\n".join(lines)
