"""`monitor audit`: the audit trail, its signed heads outside the database, and whether both are whole."""

from __future__ import annotations

from pathlib import Path

import click

from monitor import audit as trail
from monitor.cli.runtime import Runtime, json_option, runtime, show
from monitor.db import transaction
from monitor.errors import MonitorError
from monitor.models.guards import guard_problems
from monitor.release.checkpoints import compare_with_checkpoints, load_key, write_checkpoint
from monitor.release.signing import load_signing_key

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def audit() -> None:
    """Verify the audit trail, and sign it."""


@audit.command()
@click.option("--checkpoint", type=_FILE, help="One more signed head to compare with, kept elsewhere.")
@click.option("--public-key", type=_FILE, help="Trust the signatures of this key alone, kept elsewhere too.")
@json_option
def verify(checkpoint: Path | None, public_key: Path | None, as_json: bool) -> None:
    """Check that no entry was changed, removed or replaced, by every signed head there is; exit 1 where one was."""
    run = runtime()
    with transaction(run.engine) as session:
        compared = compare_with_checkpoints(session, run.settings, checkpoint, public_key)
        problems = trail.verify(session) + guard_problems(session.connection())
    problems += [*compared.problems, *compared.missing]
    say_notes(compared.notes)
    answer = {"problems": problems, "notes": compared.notes}
    show(answer, as_json, "\n".join(problems) or "the audit trail is whole")
    if problems:
        raise MonitorError(f"{len(problems)} problems in the audit trail")


@audit.command()
@json_option
def checkpoint(as_json: bool) -> None:
    """Sign the trail as it is now, and write that outside the database."""
    run = runtime()
    key = load_signing_key(run.settings.signing_key_file)
    with transaction(run.engine) as session:
        written = write_checkpoint(session, run.settings, key, run.now())
    if not written:
        raise MonitorError("the audit trail has no entry yet: there is nothing to sign")
    files = [str(path) for path in written]
    show({"files": files}, as_json, "\n".join(files))


def attest(run: Runtime, done: str) -> None:
    """Write a checkpoint after something that it should attest, which `done` names; say so where nobody made a key.

    Raises MonitorError where it cannot be written: what was done stays done.
    """
    key = load_key(run.settings)
    if key is None:
        say_notes([f"{done}, but no checkpoint attests it: make a key with `monitor keys signing`"])
        return
    try:
        with transaction(run.engine) as session:
            write_checkpoint(session, run.settings, key, run.now())
    except MonitorError as error:
        raise MonitorError(f"{done}, but no checkpoint attests it: {error}") from error


def say_notes(notes: list[str] | tuple[str, ...]) -> None:
    """On standard error: the answer is for programs too."""
    for note in notes:
        click.echo(f"note: {note}", err=True)
