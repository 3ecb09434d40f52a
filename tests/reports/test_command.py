"""`monitor report`: the report and the open data of a release, for the site or for a folder of one's own."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli import cli
from monitor.db import connect
from monitor.instants import iso
from monitor.release.publications import Publication, read
from tests.conftest import Database, NewDatabase
from tests.release.history import PERIOD, first_facts, request
from tests.release.signatures import is_signed

REPORTS = {f"report-{PERIOD}-{language}.{form}" for language in ("nl", "en") for form in ("html", "pdf")}


@dataclass(frozen=True)
class Home:
    """An installation with one published release, and what was said when it was published."""

    folder: Path
    environment: dict[str, str]
    said: str

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli, arguments, env=self.environment)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, new_database: NewDatabase) -> Home:
    """Made by the commands an operator gives."""
    url, folder = new_database(), tmp_path_factory.mktemp("home")
    made = Home(folder, {"MONITOR_HOME": str(folder), "MONITOR_DATABASE_URL": url}, "")
    made.run("init", "--create-keys")
    engine = connect(url)
    first_facts(Database(url, engine))
    engine.dispose()
    asked = request()
    times = ("--as-of", iso(asked.as_of), "--known-at", iso(asked.known_at))
    made.run("release", "draft", "--period", PERIOD, *times)
    answer = made.run("release", "publish", PERIOD, "--waive-hearing", "invented companies")
    assert answer.exit_code == 0, answer.exception
    return replace(made, said=answer.stdout)


@pytest.fixture(scope="module")
def published(home: Home) -> Publication:
    """What the site serves after the command."""
    answer = home.run("report", PERIOD, "--json")
    assert answer.exit_code == 0, answer.exception
    data = json.loads(answer.stdout)
    found = read(home.folder / "publications", PERIOD, 1)
    assert found is not None
    assert data["folder"] == f"{home.folder}/publications/{PERIOD}-v1"
    assert data["files"] == [f"{data['folder']}/{file.name}" for file in found.files]
    return found


def test_report_and_data_are_made_whole_and_signed(published: Publication) -> None:
    manifest = (published.folder / "manifest.json").read_bytes()
    listed = json.loads(manifest)["files"]
    assert REPORTS | {"ranking.csv", "episodes.csv", "datapackage.json", "README.nl.md"} <= set(listed)
    for name, about in listed.items():
        assert hashlib.sha256((published.folder / name).read_bytes()).hexdigest() == about["sha256"]
    signature, key = ((published.folder / name).read_bytes() for name in ("manifest.json.sig", "public-key.pem"))
    assert is_signed(manifest, signature, key)
    assert (published.folder.parent / "keys" / f"{published.fingerprint}.pem").read_bytes() == key


def test_again_it_gives_the_same_bytes_and_leaves_the_folder_as_it_is(home: Home, published: Publication) -> None:
    assert home.run("report", PERIOD).exit_code == 0
    again = read(published.folder.parent, PERIOD, 1)
    assert again is not None
    assert again == published, [new.name for new, old in zip(again.files, published.files, strict=True) if new != old]


def test_another_folder_gets_the_same_files_and_no_index(home: Home, published: Publication, tmp_path: Path) -> None:
    assert home.run("report", PERIOD, "--out", str(tmp_path / "out")).exit_code == 0
    written = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert written == {file.name: (published.folder / file.name).read_bytes() for file in published.files}


def test_the_report_alone_needs_no_key(home: Home, tmp_path: Path) -> None:
    without = replace(home, environment=home.environment | {"MONITOR_HOME": str(tmp_path / "new")})
    assert without.run("report", PERIOD, "--only-report", "--out", str(tmp_path / "out")).exit_code == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == REPORTS
    refused = without.run("report", PERIOD, "--out", str(tmp_path / "more"))
    assert "make one with `monitor keys signing`" in str(refused.exception)
    assert not (tmp_path / "more").exists()
    assert home.run("report", PERIOD, "--only-report").exit_code == 2


def test_publishing_says_what_to_run_next(home: Home) -> None:
    assert f"now make its report and open data: monitor report {PERIOD}" in home.said
