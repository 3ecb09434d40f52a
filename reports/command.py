"""`monitor report`: a published release as report and as open data, in Dutch and English."""

from __future__ import annotations

from pathlib import Path

import click

from monitor.cli.runtime import json_option, runtime, show
from monitor.db import transaction
from monitor.release.publications import write_files
from monitor.release.signing import load_signing_key
from reports.publication import publication, write
from reports.read_release import read_report


@click.command()
@click.argument("period")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to write to.")
@click.option("--only-report", is_flag=True, help="The report without the open data.")
@json_option
def report(period: str, out: Path, only_report: bool, as_json: bool) -> None:
    """Write the report of PERIOD (its newest published version) and its open data, in Dutch and English.

    The same files as the site has, for a folder of your own: PDF, HTML, CSV, the method, and a manifest that is signed.
    """
    run = runtime()
    if only_report:
        with transaction(run.engine) as session:
            made = read_report(session, run.settings, period)
        paths = write(made, out)
    else:
        key = load_signing_key(run.settings.signing_key_file)  # before the long work
        made, package = publication(run.engine, run.settings, period, key)
        paths = write_files(package.files, out)
    about = {"period": made.period, "version": made.version, "manifest_sha256": made.manifest_sha256}
    files = [str(path) for path in paths]
    show({**about, "folder": str(paths[0].parent), "files": files}, as_json, "\n".join(files))
