"""The report and the open data of a release: for the site (`monitor release publish`), and for a folder elsewhere."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli import cli
from monitor.cli.release import make_package
from monitor.db import connect
from monitor.instants import iso
from monitor.release.publications import Publication, read
from monitor.release.published import read_index
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
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("monitor.cli.release.make_package", make_package)  # with the report in it
        answer = made.run("release", "publish", PERIOD, "--waive-hearing", "invented companies")
    assert answer.exit_code == 0, answer.exception
    return replace(made, said=answer.stdout)


@pytest.fixture(scope="module")
def published(home: Home) -> Publication:
    """What the site serves after the command."""
    found = read(home.folder / "publications", PERIOD, 1)
    assert found is not None
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


def test_again_it_gives_the_same_bytes_and_leaves_the_folder_as_it_is(
    home: Home, published: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.cli.release.make_package", make_package)
    answer = home.run("release", "export", PERIOD, "--json")
    assert answer.exit_code == 0, answer.exception
    assert json.loads(answer.stdout) == {
        "releases": 1,
        "packages": [f"{home.folder}/publications/{PERIOD}-v1"],
    }
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
    assert home.run("report", PERIOD).exit_code == 2


def test_publishing_says_where_the_files_are_and_that_the_site_shows_them(home: Home) -> None:
    assert f"its files are in {home.folder}/publications/{PERIOD}-v1, and the site shows it" in home.said
    index = read_index(home.folder / "publications")
    assert index is not None
    assert [edition.name for edition in index.editions] == [f"{PERIOD}-v1"]


def test_what_is_there_is_not_made_again_and_what_is_not_published_cannot_be(home: Home) -> None:
    def stop(*_: object) -> None:
        raise AssertionError("made again")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("monitor.cli.release.make_package", stop)
        answer = home.run("release", "export", "--json")
        assert json.loads(answer.stdout) == {"releases": 1, "packages": []}
        refused = home.run("release", "export", "1999Q1")
    assert str(refused.exception) == "nothing is published of 1999Q1; `monitor release list` shows what is"


def test_files_that_cannot_be_written_are_written_later(
    tmp_path: Path, new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The release is published then, and the command says how to go on."""
    url = new_database()
    made = Home(tmp_path, {"MONITOR_HOME": str(tmp_path), "MONITOR_DATABASE_URL": url}, "")
    made.run("init", "--create-keys")
    engine = connect(url)
    first_facts(Database(url, engine))
    engine.dispose()
    made.run(
        "release", "draft", "--period", PERIOD, "--as-of", iso(request().as_of), "--known-at", iso(request().known_at)
    )

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("monitor.release.publications._fill", full)
        refused = made.run("release", "publish", PERIOD, "--waive-hearing", "invented companies")
    assert str(refused.exception).startswith(f"published: {PERIOD} version 1, but the site does not show it yet:")
    assert str(refused.exception).endswith("Then run: monitor release export")
    assert read_index(tmp_path / "publications") is None
    assert made.run("release", "export").exit_code == 0
    index = read_index(tmp_path / "publications")
    assert index is not None
    assert [edition.name for edition in index.editions] == [f"{PERIOD}-v1"]
    assert made.run("release", "verify", "--json").exit_code == 0
