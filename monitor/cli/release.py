"""`monitor release`: freeze a scored table, publish it, prove it unchanged, rebuild it, correct it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from monitor.cli.runtime import ENGINE, INSTANT, METHOD, Runtime, json_option, runtime, show
from monitor.db import lock_writers, table_of, transaction
from monitor.errors import MonitorError
from monitor.instants import iso, parse_instant, parse_period, to_datetime, to_instant
from monitor.models.release import Release
from monitor.score.methods import method

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from monitor.comparison.changes import Change, ReleaseChanges
    from monitor.release.publications import Package
    from monitor.release.published import ReleaseIndex
    from monitor.release.signing import SigningKey
    from monitor.settings import Settings

_PAGE = 40  # lines
_JUDGING = ("rank", "standing", "on_time_on_time", "on_time_late", "on_time_undetermined")
NAME = click.argument("release")
ACTOR = click.option("--by", "actor", default="operator", show_default=True, help="Who does it, for the audit trail.")


@click.group()
def release() -> None:
    """Draft, publish, export, verify, rebuild, compare and correct releases.

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
        _refuse_published(session, parse_period(period).label)
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


def _refuse_published(session: Session, period: str) -> None:
    """A draft over what is published could never be published: said before the long work."""
    from monitor.release.store import newest_published

    if published := newest_published(session, period):
        raise MonitorError(
            f"{period} version {published.version} is published, on {_day_of(published)}: what differs from it is a "
            f"correction; draft that with `monitor release correct {period} --reason TEXT`"
        )


def _day_of(release: Release) -> str:
    assert release.published_at is not None
    return iso(to_instant(release.published_at))


@release.command()
@NAME
@ACTOR
@json_option
def discard(release: str, actor: str, as_json: bool) -> None:
    """Throw a draft away; the audit trail says so. What is published stays."""
    from monitor.release.draft import discard as discard_draft
    from monitor.release.store import find, find_draft

    run = runtime()
    with transaction(run.engine) as session:
        lock_writers(session)
        found = find(session, release) if release.isdecimal() else find_draft(session, release)
        if found is None:
            raise MonitorError(f"there is no draft of {release!r}; `monitor release list` shows what there is")
        data = _row(found)
        discard_draft(session, found, to_datetime(run.now()), actor)
    show(
        data | {"discarded": True},
        as_json,
        f"draft {data['release']} is gone: {data['period']} version {data['version']}",
    )


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
    """Make a draft public; it can never be changed after. It must come out of the facts once more.

    Then its report, open data, tables and pictures are written for the site, signed, and shown all at once.
    """
    from monitor.cli.audit import attest
    from monitor.release.publish import publish as publish_release
    from monitor.release.signing import load_signing_key
    from monitor.release.store import find
    from monitor.release.verify import require_rebuildable

    run = runtime()
    if lacking := run.settings.lacking:
        raise MonitorError(
            "nothing is published without saying who publishes and where that is reached:"
            f" set {' and '.join(lacking)} in monitor.toml (docs/operations.md)"
        )
    with transaction(run.engine) as session:
        lock_writers(session)
        found = find(session, release)
        _wait_for_end_of_second(run, parse_instant(found.manifest["known_at"]))
        publish_release(session, found, waive_hearing, to_datetime(run.now()), actor)
        key = load_signing_key(run.settings.signing_key_file)  # without one nothing is published
        require_rebuildable(session, found, run.settings.engine)
        data = _row(found)
    done = f"published: {data['period']} version {data['version']}"
    try:
        folder = write_package(run, key, str(data["period"]))
        _write_site(run, key)
    except (MonitorError, OSError) as error:
        raise MonitorError(
            f"{done}, but the site does not show it yet: {error}. Then run: monitor release export"
        ) from error
    finally:
        attest(run, done)
    show(data | {"folder": str(folder)}, as_json, f"{done}\nits files are in {folder}, and the site shows it")


@release.command("export")
@click.argument("periods", nargs=-1, metavar="[PERIOD]...")
@json_option
def export_releases(periods: tuple[str, ...], as_json: bool) -> None:
    """Write what the site reads anew from the database: the same bytes, where nothing changed.

    For releases published by an earlier version of this program, after a restore, and where publishing was cut off.
    With PERIOD the report and open data of these are made again too; without, those that are missing or not what was
    signed.
    """
    from monitor.cli.audit import attest
    from monitor.release.attest import trusted_keys
    from monitor.release.intact import Inspector
    from monitor.release.signing import load_signing_key
    from monitor.release.store import published

    run = runtime()
    key = load_signing_key(run.settings.signing_key_file)
    with transaction(run.engine) as session:
        newest = {found.period: found.version for found in published(session)}
        keys = trusted_keys(session, run.settings.public_keys)
    if unknown := set(periods) - newest.keys():
        raise MonitorError(
            f"nothing is published of {', '.join(sorted(unknown))}; `monitor release list` shows what is"
        )
    inspector = Inspector(run.settings.publications, lambda: keys)
    wanted = periods or [name for name, version in newest.items() if not inspector.is_whole(name, version)]
    folders = [str(write_package(run, key, period)) for period in sorted(wanted)]
    count = len(_write_site(run, key, anew=True).editions)
    attest(run, "the publications folder is written")
    text = "\n".join([*folders, f"{run.settings.publications} has what the site reads of {count} releases"])
    show({"releases": count, "packages": folders}, as_json, text)


def write_package(run: Runtime, key: SigningKey, period: str) -> Path:
    """Make the report and open data of the newest version of a period, for the site to serve: attested and stored."""
    from monitor.release.attest import record_package
    from monitor.release.publications import store
    from monitor.release.signing import keep_public_key

    keep_public_key(key, run.settings.public_keys)
    package = make_package(run.engine, run.settings, period, key)
    with transaction(run.engine) as session:  # attested and stored, or neither
        record_package(session, package, to_datetime(run.now()), "operator")
        return store(package, run.settings.publications)


def make_package(engine: Engine, settings: Settings, period: str, key: SigningKey) -> Package:
    """What the program that is plugged in makes of a release; MonitorError where none is installed."""
    found = list(entry_points(group="monitor.packages"))
    if not found:
        raise MonitorError("nothing here makes reports: install this program anew, with all of its parts")
    made: Package = found[0].load()(engine, settings, period, key)
    return made


def _write_site(run: Runtime, key: SigningKey, *, anew: bool = False) -> ReleaseIndex:
    from monitor.release.export import export

    with transaction(run.engine) as session:
        return export(session, run.settings, key, anew=anew)


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
        rows = [_row(one) | {"published_at": one.published_at and _day_of(one)} for one in found.releases]
    say_notes(found.notes)
    newest = rows[-1] if rows and release else {}
    lines = [_verified(row) for row in rows] or ["no release of it is left" if release else "no releases yet"]
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
    from monitor.release.store import find
    from monitor.release.verify import rebuild as rebuild_release

    run = runtime()
    with transaction(run.engine) as session:
        found = find(session, release)
        made = rebuild_release(session, found, engine_url or "duckdb://", lambda sha256: run.vault.digest_file(sha256))
        data = _row(found)
    title = f"{data['period']} version {data['version']}"
    same = f"{title} comes out again, byte for byte" if made.identical else ""
    lines = [same, *made.problems, *difference_lines(made.differences), *(f"note: {note}" for note in made.notes)]
    answer = {"identical": made.identical, "problems": made.problems, "notes": made.notes}
    show(data | answer | changes_of_tables(made.differences), as_json, "\n".join(filter(None, lines)))
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
    from monitor.comparison.changes import release_changes
    from monitor.release.publish import correct as correct_release
    from monitor.release.publish import unconfirmed_in
    from monitor.release.store import find_published, load_table
    from monitor.release.verify import request_of

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
        found = release_changes(load_table(session, old), load_table(session, new))
        unknown = unconfirmed_in(session, new)
    title = f"draft {data['release']}: {data['period']} version {data['version']} corrects {corrected['version']}"
    answer = data | {"corrects": corrected, "unconfirmed": unknown} | changes_of_tables(found)
    show(answer, as_json, "\n".join([title, *difference_lines(found), *_to_confirm(unknown)]))


@release.command()
@click.argument("old")
@click.argument("new")
@click.option("--all", "everything", is_flag=True, help=f"Every difference, not the first {_PAGE} lines.")
@json_option
def compare(old: str, new: str, everything: bool, as_json: bool) -> None:
    """What differs from release OLD to release NEW, ranks and standings first."""
    from monitor.comparison.changes import release_changes
    from monitor.release.store import find, load_table

    with transaction(runtime().engine) as session:
        one, other = find(session, old), find(session, new)
        found = release_changes(load_table(session, one), load_table(session, other))
        data = {"old": _row(one), "new": _row(other)}
    lines = difference_lines(found) or ["no figure differs"]
    if not everything and len(lines) > _PAGE:
        lines = [*lines[:_PAGE], f"and {len(lines) - _PAGE} more lines; --all prints them"]
    show(data | changes_of_tables(found), as_json, "\n".join(lines))


def _to_confirm(unknown: Sequence[Mapping[str, str]]) -> list[str]:
    return [f"to confirm before it can be published: {row['company']} ({row['name']})" for row in unknown]


def _wait_for_end_of_second(run: Runtime, instant: int) -> None:
    """What others record later in the second that a draft knows of would be among what it knew: let none begin."""
    while run.now() == instant:
        time.sleep(0.05)


def changes_of_tables(found: ReleaseChanges) -> dict[str, Any]:
    """What differs, as JSON: by the name of the table."""
    from monitor.comparison.changes import changes_json

    return {name: changes_json(changes) for name, changes in found.tables.items()}


def _verified(row: Mapping[str, object]) -> str:
    """What was verified: which version, and since when it is public."""
    when = f"published {row['published_at']}" if row["published_at"] else "a draft"
    return f"{row['period']} version {row['version']}, {when}, is unchanged"


def difference_lines(found: ReleaseChanges) -> list[str]:
    """Companies that came or went, what judges them, then the rest; companies of the hash hits with `#`."""
    from monitor.release.store import HASH_HIT

    listed, first, rest = list[str](), list[str](), list[str]()
    for name, changes in found.tables.items():
        begin = "" if name == "notices" else HASH_HIT
        listed += [f"{begin}{row.company}: new in the table" for row in changes.came]
        listed += [f"{begin}{row.company}: no longer in the table" for row in changes.gone]
        rest += [_line(f"{begin}the table", change) for change in changes.whole]
        for company in changes.companies:
            for change in company.changes:
                (first if change.figure in _JUDGING else rest).append(_line(f"{begin}{company.after.company}", change))
    return [*listed, *first, *rest]


def _line(whose: str, change: Change) -> str:
    before, after = ("-" if value is None else str(value) for value in (change.before, change.after))
    return f"{whose}: {change.figure} {before} -> {after}"


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
