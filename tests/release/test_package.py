"""The open data of a release: what a stranger does with it, by the tools a stranger has."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from monitor.db import transaction
from monitor.disclosure.rows import public_table
from monitor.errors import MonitorError
from monitor.release.draft import draft
from monitor.release.package import build
from monitor.release.publications import Package
from monitor.release.publish import publish
from monitor.release.signing import create_signing_key, load_signing_key
from monitor.release.store import find, load_table
from monitor.score.methods import METHODS, method
from monitor.score.pipeline import score
from monitor.settings import Settings
from monitor.tables import data_package
from monitor.tables.data_package import About
from monitor.wording.language import EN, LANGUAGES
from monitor.wording.parameters import method_text
from tests.release.conftest import Published
from tests.release.history import DRAFTED, MOVES_FIGURES, learn, request
from tests.release.test_release import change

DOCUMENTS = {"report-2026Q1-en.html": b"<!doctype html>", "report-2026Q1-nl.pdf": b"%PDF-1.7"}


@dataclass(frozen=True)
class Made:
    """A package, laid out in a folder."""

    package: Package
    folder: Path

    def json(self, name: str) -> Any:
        return json.loads(self.package.files[name])

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """As the README says, in the folder, with our own programs first."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return subprocess.run(
            ["sh", "-c", command], cwd=self.folder, env=os.environ | {"PATH": path}, capture_output=True, text=True
        )


def made(published: Published, folder: Path, documents: Mapping[str, bytes] = DOCUMENTS, **given: Any) -> Made:
    settings = Settings(home=folder, **given)
    if not settings.signing_key_file.exists():
        create_signing_key(settings.signing_key_file, settings.public_keys)
    with transaction(published.database.engine) as session:
        key = load_signing_key(settings.signing_key_file)
        package = build(session, find(session, "1"), settings, key, lambda: documents)
    out = folder / "out"
    out.mkdir(exist_ok=True)
    for name, content in package.files.items():
        (out / name).write_bytes(content)
    return Made(package, out)


def needs(program: str) -> None:
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")


def test_openssl_knows_the_signature_and_no_other(published: Published, tmp_path: Path) -> None:
    needs("openssl")
    found = made(published, tmp_path)
    assert found.run(data_package.VERIFY).stdout.strip() == "Signature Verified Successfully"
    assert found.run(data_package.FINGERPRINT).stdout.split()[0] == found.package.fingerprint
    assert found.json("manifest.json")["signature"] == {
        "algorithm": "Ed25519",
        "public_key_sha256": found.package.fingerprint,
    }
    assert len(found.package.files["manifest.json.sig"]) == 64
    (found.folder / "manifest.json").write_bytes(found.package.files["manifest.json"].replace(b"a", b"b", 1))
    assert found.run(data_package.VERIFY).returncode != 0


def test_sha256sum_knows_every_file_and_the_manifest_the_sums(published: Published, tmp_path: Path) -> None:
    needs("sha256sum")
    found = made(published, tmp_path)
    assert found.run(data_package.SUMS).returncode == 0
    assert found.run(data_package.LISTED).returncode == 0
    (found.folder / "ranking.csv").write_bytes(b"changed")
    assert "ranking.csv: FAILED" in found.run(data_package.SUMS).stdout


def test_the_signed_manifest_lists_every_file_but_itself(published: Published, tmp_path: Path) -> None:
    found = made(published, tmp_path)
    listed = found.json("manifest.json")["files"]
    beside = {"manifest.json", "manifest.json.sig", "manifest.json.sig.base64", "hosting-monitor-2026q1-v1.zip"}
    assert set(found.package.files) == set(listed) | beside
    for name, about in listed.items():
        content = found.package.files[name]
        assert about == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}, name


def test_frictionless_finds_every_value_what_its_column_says(published: Published, tmp_path: Path) -> None:
    found = made(published, tmp_path)
    said = found.run("frictionless validate datapackage.json --json")
    report = json.loads(said.stdout)
    assert report["valid"], said.stdout
    assert report["stats"]["tasks"] == len(found.json("datapackage.json")["resources"])
    (found.folder / "ranking.csv").write_bytes(found.package.files["ranking.csv"].replace(b"false", b"perhaps"))
    assert found.run(data_package.VALIDATE).returncode == 1


def test_anyone_gets_the_ranking_from_the_package(published: Published, tmp_path: Path) -> None:
    found = made(published, tmp_path)
    answer = found.run(f"{data_package.RECOMPUTE} --curves --json")
    companies = {item["company"]: item for item in json.loads(answer.stdout)["companies"]}
    with transaction(published.database.engine) as session:
        table = load_table(session, find(session, "1"))
    listed = [row for row in json.loads(json.dumps(table.as_json()))["companies"] if row["company"] in "ab"]
    assert all(row.pop("legal", None) for row in listed)  # of the registry, not of the episodes
    assert companies == {row["company"]: row for row in listed}


def test_every_column_is_described_in_both_languages(published: Published, tmp_path: Path) -> None:
    data = made(published, tmp_path).json("datapackage.json")
    assert (data["name"], data["version"], data["created"]) == (
        "hosting-monitor-2026q1-v1", "1.0.0", DRAFTED.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )  # fmt: skip
    assert data["licenses"][0]["name"] == "CC0-1.0"
    for resource in data["resources"]:
        assert resource["title"], resource
        assert resource["title@nl"], resource
        for field in resource["schema"]["fields"]:
            assert all(field[part] for part in ("title", "title@nl", "description", "description@nl")), field


def test_the_same_release_gives_the_same_bytes_whatever_is_learnt_later(published: Published, tmp_path: Path) -> None:
    first = made(published, tmp_path)
    learn(published.database, MOVES_FIGURES["a notice withdrawn"], published.items)
    assert made(published, tmp_path).package == first.package


def test_the_archive_holds_the_rest_dated_as_it_was_published(published: Published, tmp_path: Path) -> None:
    found = made(published, tmp_path).package
    name = list(found.files)[-1]
    with zipfile.ZipFile(io.BytesIO(found.files[name])) as archive:
        assert archive.namelist() == [f"{name[:-4]}/{other}" for other in sorted(set(found.files) - {name})]
        assert {entry.date_time for entry in archive.infolist()} == {DRAFTED.timetuple()[:6]}
        for entry in archive.infolist():
            assert archive.read(entry) == found.files[entry.filename.partition("/")[2]]


def test_the_manifest_tells_no_hash_from_which_a_withheld_figure_could_be_guessed(
    published: Published, tmp_path: Path
) -> None:
    """`c` and `d` have too few episodes: with the hash of their rows, one could try every figure until it fits."""
    found = made(published, tmp_path)
    with transaction(published.database.engine) as session:
        release = find(session, "1")
        whole, table = release.manifest, public_table(load_table(session, release))
    assert {row.company for row in table.rows if row.figures is None} == {"c", "d"}
    secret = [*whole["rows_sha256"].values(), whole["table_sha256"], whole["inputs_sha256"]]
    secret += [delivery["file_digest"] for delivery in whole["inputs"]["deliveries"]]
    text = b"".join(content for name, content in found.package.files.items()).decode("latin-1")
    assert [value for value in secret if value in text] == []
    assert found.json("manifest.json")["release"]["inputs"]["deliveries"] == len(whole["inputs"]["deliveries"])
    assert found.json("manifest.json")["release"]["manifest_sha256"] in text


def test_a_release_that_was_changed_is_not_packed(published: Published, tmp_path: Path) -> None:
    with transaction(published.database.engine) as session:
        change(session, "release_rows", "UPDATE release_rows SET row_json = '{}' WHERE company_key = 'a'")
    with pytest.raises(MonitorError, match="the release is not what was frozen: the row of a was changed"):
        made(published, tmp_path)


def test_a_draft_is_not_packed(published: Published, tmp_path: Path) -> None:
    key = create_signing_key(tmp_path / "signing.pem", tmp_path)
    with transaction(published.database.engine) as session:
        release = draft(session, score(session, request()), method(), DRAFTED, "test")
        with pytest.raises(MonitorError, match="is not published"):
            build(session, release, Settings(home=tmp_path), key, dict)
        with pytest.raises(MonitorError, match="is a correction"):
            publish(session, release, "invented companies", DRAFTED, "test")
        session.rollback()


def test_the_licence_is_a_setting(published: Published, tmp_path: Path) -> None:
    found = made(published, tmp_path, licence="CC-BY-4.0")
    assert found.json("datapackage.json")["licenses"][0]["path"] == "https://creativecommons.org/licenses/by/4.0/"
    assert b"CC-BY-4.0" in found.package.files["README.nl.md"]


def test_a_period_between_two_dates_has_a_name_that_every_tool_takes() -> None:
    said = About("2026-03-11..2026-04-11", 2, DRAFTED, "2026.1", "the Authority", "CC0-1.0")
    assert said.name == "hosting-monitor-2026-03-11-to-2026-04-11-v2"


def test_the_text_of_another_method_is_made_from_its_parameters(tmp_path: Path) -> None:
    """docs/method.md is about one version; for another, and where it is not installed, the values speak."""
    (tmp_path / "method.md").write_text("# The method, version 2026.10\n\nAnother one.\n")
    text = method_text(METHODS["2026.1"], EN, tmp_path)
    assert text.startswith("# The method, version 2026.1\n")
    assert "## Removal deadline (`deadlines_hours`)" in text
    assert "- hotline notice: 24" in text
    other = replace(METHODS["2026.1"], version="2026.10")
    assert method_text(other, EN, tmp_path) == "# The method, version 2026.10\n\nAnother one.\n"
    for language in LANGUAGES:
        assert len(method_text(METHODS["2026.1"], language)) > 10_000  # the whole document


def test_the_document_gives_the_commands_that_were_tried_here() -> None:
    said = (Path(__file__).parents[2] / "docs" / "open-data.md").read_text("utf-8")
    commands = (
        data_package.VERIFY,
        data_package.FINGERPRINT,
        data_package.LISTED,
        data_package.SUMS,
        data_package.VALIDATE,
        data_package.RECOMPUTE,
    )
    assert [command for command in commands if " ".join(command.replace("\\\n", " ").split()) not in said] == []
