"""`monitor report`: a published release as HTML and PDF, in Dutch and English."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
from sqlalchemy.orm import Session

from monitor.cli.runtime import json_option, runtime, show
from monitor.db import transaction
from monitor.errors import MonitorError
from monitor.models.release import Release
from monitor.publish.rows import public_table
from monitor.publish.words import LANGUAGES
from monitor.release.store import load_table, published
from monitor.settings import Settings
from reports.document import Report, page


@click.command()
@click.argument("period")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write to.")
@json_option
def report(period: str, out: Path, as_json: bool) -> None:
    """Write the report of PERIOD (its newest published version) as HTML and PDF, in Dutch and English."""
    run = runtime()
    with transaction(run.engine) as session:
        made = read_report(session, run.settings, period)
    files = write(made, out)
    data = {
        "period": made.period,
        "version": made.version,
        "manifest_sha256": made.manifest_sha256,
        "files": [str(path) for path in files],
    }
    show(data, as_json, "\n".join(str(path) for path in files))


def read_report(session: Session, settings: Settings, period: str) -> Report:
    """The newest published release of a period; raises MonitorError where there is none."""
    releases = {release.period: release for release in published(session)}
    if period not in releases:
        there = ", ".join(releases) or "none yet"
        raise MonitorError(f"no published release of {period!r}; published: {there}. `monitor release list` shows all")
    return _report(session, settings, releases[period])


def _report(session: Session, settings: Settings, release: Release) -> Report:
    assert release.published_at is not None
    return Report(
        period=release.period,
        version=release.version,
        published_at=release.published_at,
        manifest_sha256=release.manifest_sha256,
        code_version=str(release.manifest.get("code_version", "")),
        table=public_table(load_table(session, release)),
        publisher=settings.site_name,
        demonstration=settings.demonstration,
    )


def write(made: Report, folder: Path) -> list[Path]:
    """Write all files, each whole or not at all; returns their paths."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in _files(made):
            _replace(folder / name, content)
            written.append(folder / name)
    except OSError as error:
        raise MonitorError(f"{folder}: cannot write the report: {error.strerror}") from error
    return written


def _files(made: Report) -> Iterator[tuple[str, bytes]]:
    from reports.printing import pdf  # takes half a second to import: only where a PDF is made

    for language in LANGUAGES:
        stem = f"report-{made.period}-{language}"
        yield f"{stem}.html", page(made, language, "screen").encode()
        yield f"{stem}.pdf", pdf(made, language)


def _replace(path: Path, content: bytes) -> None:
    """Through a temporary file beside it, so that a reader never meets half a file."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
