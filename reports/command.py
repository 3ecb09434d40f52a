"""`monitor report`: a published release as report and as open data, in Dutch and English."""

from __future__ import annotations

from pathlib import Path

import click

from monitor.cli.audit import attest
from monitor.cli.runtime import Runtime, json_option, runtime, show
from monitor.db import transaction
from monitor.instants import to_datetime
from monitor.release.attest import record_package
from monitor.release.publications import Package, store, write_files
from monitor.release.signing import keep_public_key, load_signing_key
from reports.document import Report
from reports.publication import publication, write
from reports.read_release import read_report


@click.command()
@click.argument("period")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder to write to, not the site's own.")
@click.option("--only-report", is_flag=True, help="The report without the open data; with --out.")
@json_option
def report(period: str, out: Path | None, only_report: bool, as_json: bool) -> None:
    """Write the report of PERIOD (its newest published version) and its open data, in Dutch and English.

    Without --out the site serves them from then on: PDF, HTML, CSV, the method, and a manifest that is signed.
    """
    if only_report and out is None:
        raise click.UsageError("--only-report needs --out: the site serves a report together with its data")
    run = runtime()
    if only_report and out is not None:
        with transaction(run.engine) as session:
            made = read_report(session, run.settings, period)
        paths = write(made, out)
    else:
        made, package = _packed(run, period)
        paths = _written(package, run, out)
    about = {"period": made.period, "version": made.version, "manifest_sha256": made.manifest_sha256}
    files = [str(path) for path in paths]
    show({**about, "folder": str(paths[0].parent), "files": files}, as_json, "\n".join(files))


def _packed(run: Runtime, period: str) -> tuple[Report, Package]:
    """The report and the signed package it is part of; the key is asked for before the long work."""
    key = load_signing_key(run.settings.signing_key_file)
    made, package = publication(run.engine, run.settings, period, key)
    keep_public_key(key, run.settings.public_keys)
    return made, package


def _written(package: Package, run: Runtime, out: Path | None) -> list[Path]:
    if out is not None:
        return write_files(package.files, out)
    with transaction(run.engine) as session:  # attested and stored, or neither
        is_new = record_package(session, package, to_datetime(run.now()), "operator")
        folder = store(package, run.settings.publications)
    if is_new:
        attest(run, f"the files of {package.about.period} version {package.about.version} are made")
    return [folder / name for name in package.files]
