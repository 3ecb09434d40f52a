"""`monitor release`: freeze a scored table, publish it, prove it unchanged, rebuild it, correct it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy import Row, select

from monitor.cli.runtime import ENGINE, INSTANT, METHOD, Runtime, json_option, runtime, show
from monitor.db import lock_writers, table_of, transaction
from monitor.errors import MonitorError
from monitor.instants import parse_instant, to_datetime
from monitor.models.release import Release
from monitor.score.methods import method

if TYPE_CHECKING:
    from monitor.release.compare import Change, Differences

NAME = click.argument("release")
ACTOR = click.option("--by", "actor", default="operator", show_default=True, help="Who does it, for the audit trail.")


@click.group()
def release() -> None:
    """Draft, publish, verify, rebuild, compare and correct releases.

    RELEASE is a number, or a period (its newest version).
    """


@release.command()
@click.option("--period", required=True, help="2026Q2, or 2026-03-11..2026-04-11 (last day not included).")
@click.option("--as-of", type=INSTANT, help="Reference date (default: when the last delivery was received).")
@click.option("--known-at", type=INSTANT, help="Use only what was recorded by then (default: now).")
@METHOD
@ENGINE
@ACTOR
@json_option
def draft(
    period: str,
    as_of: int | None,
    known_at: int | None,
    version: str | None,
    engine_url: str | None,
    actor: str,
    as_json: bool,
) -> None:
    """Score a period and freeze the table as a draft."""
    from monitor.cli.score import scored
    from monitor.release.draft import draft as draft_release
    from monitor.release.publish import unconfirmed_in
    from monitor.release.store import find_draft

    run = runtime()
    with transaction(run.engine) as session:
        lock_writers(session)  # what is being recorded is there before its time is chosen, and nothing is added
        table = scored(session, run, period, as_of, known_at, version, engine_url)
        before = find_draft(session, table.period)
        replaced = None if before is None else before.id
        made = draft_release(session, table, method(version), to_datetime(run.now()), actor)
        _wait_for_end_of_second(run, parse_instant(made.manifest["known_at"]))
        unknown = unconfirmed_in(session, made)
        data = _row(made)
    lines = [f"draft {data['release']}: {period} version {data['version']}, {len(table.companies)} companies"]
    lines += [f"it replaces draft {replaced}, which is gone"] if replaced else []
    answer = data | {"replaces": replaced, "unconfirmed": unknown}
    show(answer, as_json, "\n".join([*lines, *_to_confirm(unknown)]))


@release.command()
@NAME
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the two files.")
@json_option
def episodes(release: str, out: Path, as_json: bool) -> None:
    """Write the anonymised episodes of a release, and check that its table comes out of them again.

    Anyone can: `monitor estimate OUT/episodes.csv --companies OUT/companies.csv`.
    """
    from monitor.release.package import files_of, write_open_data
    from monitor.release.store import find, load_table

    run = runtime()
    with transaction(run.engine) as session:
        found = find(session, release)
        write_open_data(session, found, out)
        files = files_of(load_table(session, found))
        data = _row(found) | {"files": files}
    show(data, as_json, f"{data['period']} version {data['version']}: {', '.join(files)} give its figures again")


@release.command("list")
@json_option
def list_releases(as_json: bool) -> None:
    """All releases and where they stand."""
    with transaction(
        runtime().engine
    ) as session:  # rows, not objects: their mappers take a tenth of a second to set up
        query = select(table_of(Release)).order_by(Release.period, Release.version)
        rows = [_row(found) for found in session.execute(query)]
    text = [f"{r['release']:>4}  {r['period']:24} version {r['version']}  {r['stage']}" for r in rows]
    show(rows, as_json, "\n".join(text) or "no releases yet")


@release.command()
@NAME
@click.option("--waive-hearing", metavar="REASON", help="Publish without a hearing; the reason is kept.")
@ACTOR
@json_option
def publish(release: str, waive_hearing: str | None, actor: str, as_json: bool) -> None:
    """Make a draft public; it can never be changed after. It must come out of the facts once more."""
    from monitor.cli.audit import attest
    from monitor.release.publish import publish as publish_release
    from monitor.release.rebuild import require_rebuildable
    from monitor.release.store import find

    run = runtime()
    with transaction(run.engine) as session:
        lock_writers(session)
        found = find(session, release)
        _wait_for_end_of_second(run, parse_instant(found.manifest["known_at"]))
        publish_release(session, found, waive_hearing, to_datetime(run.now()), actor)
        require_rebuildable(session, found, run.settings.engine)
        data = _row(found)
    done = f"published: {data['period']} version {data['version']}"
    next_command = f"monitor report {data['period']}"
    show(data | {"next": next_command}, as_json, f"{done}\nnow make its report and open data: {next_command}")
    attest(run, done)


@release.command()
@click.argument("release", required=False)
@click.option(
    "--facts", is_flag=True, help="Read all facts too, and hold them against those each release was made from."
)
@json_option
def verify(release: str | None, facts: bool, as_json: bool) -> None:
    """Prove that releases are what was frozen and published, and their files what was signed; exit 1 where not.

    All of them, all versions of a period, or the one of a number.
    """
    from monitor.cli.audit import say_notes
    from monitor.release.verify import verify as verify_releases

    run = runtime()
    with transaction(run.engine) as session:
        found = verify_releases(session, run.settings, release, facts=facts)
        rows = [_row(one) for one in found.releases]
    say_notes(found.notes)
    newest = rows[-1] if rows and release else {}
    lines = [f"{row['period']} version {row['version']} is unchanged" for row in rows] or ["no releases yet"]
    answer = newest | {"releases": rows, "problems": found.problems, "notes": found.notes}
    show(answer, as_json, "\n".join(found.problems or lines))
    if found.problems:
        raise MonitorError(f"{len(found.problems)} problems: the releases are not all what was frozen and published")


@release.command()
@NAME
@ENGINE
@json_option
def rebuild(release: str, engine_url: str | None, as_json: bool) -> None:
    """Score a release again from what was known then, by its own method; exit 1 where a byte differs."""
    from monitor.release.rebuild import rebuild as rebuild_release
    from monitor.release.store import find

    run = runtime()
    with transaction(run.engine) as session:
        found = find(session, release)
        made = rebuild_release(session, found, engine_url or "duckdb://", lambda sha256: run.vault.digest_file(sha256))
        data = _row(found)
    title = f"{data['period']} version {data['version']}"
    same = f"{title} comes out again, byte for byte" if made.identical else ""
    lines = [same, *made.problems, *_lines(made.differences), *(f"note: {note}" for note in made.notes)]
    answer = {"identical": made.identical, "problems": made.problems, "notes": made.notes}
    show(data | answer | asdict(made.differences), as_json, "\n".join(filter(None, lines)))
    if not made.identical:
        raise MonitorError(f"release {title} does not come out again")


@release.command()
@NAME
@click.option("--reason", required=True, help="Why; published with the correction. No address of any item.")
@click.option("--known-at", type=INSTANT, help="Use only what was recorded by then (default: now).")
@click.option("--as-of", type=INSTANT, help="Another reference date, where that was wrong.")
@click.option("--method", "version", help="Another version of the method (default: that of the release).")
@ENGINE
@ACTOR
@json_option
def correct(
    release: str,
    reason: str,
    known_at: int | None,
    as_of: int | None,
    version: str | None,
    engine_url: str | None,
    actor: str,
    as_json: bool,
) -> None:
    """Draft the next version of a published period from what is known now; what was published stays."""
    from monitor.release.compare import differences
    from monitor.release.publish import correct as correct_release
    from monitor.release.publish import unconfirmed_in
    from monitor.release.rebuild import request_of
    from monitor.release.store import find_published, load_table

    run = runtime()
    with transaction(run.engine) as session:
        lock_writers(session)
        old = find_published(session, release)
        known = run.now() if known_at is None else known_at
        record = method(version) if version else None
        request = request_of(old, engine_url or run.settings.engine, known_at=known, as_of=as_of, record=record)
        new = correct_release(session, old, request, reason, to_datetime(run.now()), actor)
        _wait_for_end_of_second(run, known)
        data, corrected = _row(new), _row(old)
        found = differences(load_table(session, old), load_table(session, new))
        unknown = unconfirmed_in(session, new)
    title = f"draft {data['release']}: {data['period']} version {data['version']} corrects {corrected['version']}"
    answer = data | {"corrects": corrected, "unconfirmed": unknown} | asdict(found)
    show(answer, as_json, "\n".join([title, *_lines(found), *_to_confirm(unknown)]))


@release.command()
@click.argument("old")
@click.argument("new")
@json_option
def compare(old: str, new: str, as_json: bool) -> None:
    """What differs from release OLD to release NEW, ranks and standings first."""
    from monitor.release.compare import differences
    from monitor.release.store import find, load_table

    with transaction(runtime().engine) as session:
        one, other = find(session, old), find(session, new)
        found = differences(load_table(session, one), load_table(session, other))
        data = {"old": _row(one), "new": _row(other)}
    show(data | asdict(found), as_json, "\n".join(_lines(found)) or "no figure differs")


def _to_confirm(unknown: Sequence[Mapping[str, str]]) -> list[str]:
    return [f"to confirm before it can be published: {row['company']} ({row['name']})" for row in unknown]


def _wait_for_end_of_second(run: Runtime, instant: int) -> None:
    """What others record later in the second that a draft knows of would be among what it knew: let none begin."""
    while run.now() == instant:
        time.sleep(0.05)


def _lines(found: Differences) -> list[str]:
    return [
        *(f"{key}: new in the table" for key in found.added),
        *(f"{key}: no longer in the table" for key in found.gone),
        *(_line(change) for change in found.changes),
    ]


def _line(change: Change) -> str:
    old, new = ("-" if value is None else str(value) for value in (change.old, change.new))
    return f"{change.company or 'the table'}: {change.field} {old} -> {new}"


def _row(found: Release | Row[Any]) -> dict[str, object]:
    return {
        "release": found.id,
        "period": found.period,
        "version": found.version,
        "stage": str(found.stage),
        "method": found.manifest["method"],
        "as_of": found.manifest["as_of"],
        "known_at": found.manifest["known_at"],
        "manifest_sha256": found.manifest_sha256,
        "hearing_waived": found.hearing_waived,
    }
