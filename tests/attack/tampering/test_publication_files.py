"""Files in the publications folder are edited, added, removed or replaced: verifying names it, the site serves none."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from monitor.release.intact import SHARED, Inspector, Memory, NotIntactError
from monitor.release.publications import INDEX
from monitor.release.signing import create_signing_key, kept_public_keys
from tests.attack.tampering.conftest import Installation
from tests.release.history import PERIOD
from web.desk.app import create_app as create_desk
from web.public.app import create_app

VERIFY = ("release", "verify")
ARCHIVE = "hosting-monitor-2026q1-v2.zip"


def edit(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b",", b";", 1))


def edit_and_keep_size_and_time(path: Path) -> None:
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def edit_with_its_index(path: Path) -> None:
    """As the index is not signed, its hash can be made to fit."""
    edit(path)
    index = json.loads((path.parent / INDEX).read_text())
    for file in index["files"]:
        if file["name"] == path.name:
            file |= {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}
    (path.parent / INDEX).write_text(json.dumps(index, indent=1))


def edit_with_its_manifest(path: Path) -> None:
    edit(path)
    manifest = path.parent / "manifest.json"
    said = json.loads(manifest.read_text())
    said["files"][path.name] = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}
    manifest.write_text(json.dumps(said, indent=1, sort_keys=True))


EDITS: dict[str, Callable[[Path], None]] = {
    "edited": edit,
    "edited, with size and time as before": edit_and_keep_size_and_time,
    "edited with the index": edit_with_its_index,
    "edited with the manifest": edit_with_its_manifest,
    "removed": Path.unlink,
}


@pytest.fixture
def client(installation: Installation) -> FlaskClient:
    return create_app(installation.settings.site).test_client()


@pytest.fixture
def desk(installation: Installation) -> Iterator[FlaskClient]:
    app = create_desk(installation.settings)
    yield app.test_client()
    for engine in ("monitor_engine", "monitor_health_engine"):
        app.extensions[engine].dispose()


def get(client: FlaskClient, name: str, version: int = 2) -> TestResponse:
    return client.get(f"/data/{PERIOD}/v{version}/{name}", buffered=True)


def health(client: FlaskClient) -> tuple[int, str]:
    answer = client.get("/health")
    assert answer.json is not None
    return answer.status_code, answer.json["parts"]["publications"]


@pytest.mark.parametrize("name", EDITS)
def test_a_file_that_is_not_what_was_signed_is_named_and_not_served(
    installation: Installation, client: FlaskClient, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = get(client, "ranking.csv")
    assert before.status_code == 200
    assert health(client) == (200, "ok")
    EDITS[name](installation.files / "ranking.csv")
    assert any("ranking.csv" in problem or "manifest.json" in problem for problem in installation.problems(*VERIFY))
    caplog.set_level(logging.ERROR)
    for _ in range(3):
        answer = get(client, "ranking.csv")
        assert (answer.status_code, answer.headers.get("ETag")) == (503, None)
        assert client.head(f"/data/{PERIOD}/v2/ranking.csv").status_code == 503
    assert len([r for r in caplog.records if "it is not served" in r.getMessage()]) == 1
    assert health(client) == (503, "not what was signed")
    if name != "edited with the manifest":
        assert get(client, "episodes.csv").status_code == 200  # what is as it was is served
    assert get(client, "ranking.csv", version=1).status_code == 200


@pytest.mark.parametrize("name", ["ranking.csv", "manifest.json", "manifest.json.sig", INDEX, ARCHIVE])
@pytest.mark.parametrize("what", ["a pipe", "a device without end", "a folder"])
def test_what_is_no_file_holds_nobody_up(installation: Installation, client: FlaskClient, name: str, what: str) -> None:
    path = installation.files / name
    path.unlink()
    if what == "a pipe":
        os.mkfifo(path)
    elif what == "a folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    assert installation.problems(*VERIFY) != []
    assert get(client, name).status_code in (404, 503)
    assert health(client) == (503, "not what was signed")


@pytest.mark.parametrize("name", ["manifest.json.sig", "manifest.json.sig.base64", "public-key.pem", ARCHIVE, INDEX])
def test_what_is_beside_the_signed_list_is_held_against_it_too(
    installation: Installation, client: FlaskClient, name: str
) -> None:
    path = installation.files / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert any(name in problem or "manifest.json" in problem for problem in installation.problems(*VERIFY))
    assert get(client, name).status_code in (404, 503)
    assert health(client) == (503, "not what was signed")


def test_a_zip_file_with_other_bytes_between_its_files_is_not_served(
    installation: Installation, client: FlaskClient
) -> None:
    path = installation.files / ARCHIVE
    assert get(client, ARCHIVE).status_code == 200
    with zipfile.ZipFile(path) as archive:
        members = {entry: archive.read(entry) for entry in archive.infolist()}
    for prefix, comment, extra in ((b"#!/bin/sh\n", b"", b""), (b"", b"comment", b""), (b"", b"", b"\x99\x99\x00\x00")):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for entry, content in members.items():
                entry.extra = extra
                archive.writestr(entry, content, zipfile.ZIP_DEFLATED, 9)
            archive.comment = comment
        path.write_bytes(prefix + packed.getvalue())
        assert get(client, ARCHIVE).status_code == 503
        assert f"{PERIOD} version 2: {ARCHIVE} does not hold just the signed files" in installation.problems(*VERIFY)


def test_a_file_that_was_added_is_named_and_not_served(installation: Installation, client: FlaskClient) -> None:
    (installation.files / "more.csv").write_text("company,rank\n")
    assert f"{PERIOD} version 2: more.csv was added" in installation.problems(*VERIFY)
    assert get(client, "more.csv").status_code == 404
    assert health(client) == (503, "not what was signed")


def test_everything_signed_anew_with_a_planted_key_is_not_believed(
    installation: Installation, client: FlaskClient, tmp_path: Path
) -> None:
    """The audit trail says which keys are ours."""
    key = create_signing_key(tmp_path / "attacker.pem", installation.settings.public_keys)
    edit_with_its_manifest(installation.files / "ranking.csv")
    manifest = installation.files / "manifest.json"
    said = json.loads(manifest.read_text())
    said["signature"]["public_key_sha256"] = key.fingerprint
    manifest.write_text(json.dumps(said, indent=1, sort_keys=True))
    (installation.files / "manifest.json.sig").write_bytes(key.sign(manifest.read_bytes()))
    problem = f"{PERIOD} version 2: manifest.json is signed with a key that is not known here"
    assert problem in installation.problems(*VERIFY)
    assert get(client, "ranking.csv").status_code == 503
    assert client.get(f"/data/keys/{key.fingerprint}.pem").status_code == 404
    assert key.fingerprint not in client.get("/en/open-data").text


def test_the_files_of_another_version_in_its_place_are_not_served(
    installation: Installation, client: FlaskClient
) -> None:
    link = installation.home / "publications" / f"{PERIOD}-v2"
    target = (installation.home / "publications" / f"{PERIOD}-v1").readlink()
    link.unlink()
    link.symlink_to(target)
    assert f"{PERIOD} version 2: manifest.json is that of another release" in installation.problems(*VERIFY)
    assert get(client, "ranking.csv").status_code == 503


def test_older_files_of_the_same_version_are_named(installation: Installation) -> None:
    """Signed, but not what was made last: the audit trail knows the last one."""
    installation.change("audit_entries", "UPDATE audit_entries SET details = '{}' WHERE action = 'release.package'")
    assert any("is not the one that was made last" in problem for problem in installation.problems(*VERIFY))


def test_a_folder_that_is_gone_or_of_nothing_is_named(installation: Installation, desk: FlaskClient) -> None:
    folder = installation.home / "publications"
    (folder / f"{PERIOD}-v1").rename(folder / "2026Q3-v1")
    found = installation.problems(*VERIFY)
    assert f"{PERIOD} version 1: its files are gone from the publications folder" in found
    assert "publications has files of 2026Q3 version 1, which is not published" in found
    assert health(desk) == (503, "files are missing")
    shutil.rmtree(folder)
    assert len([problem for problem in installation.problems(*VERIFY) if "its files are gone" in problem]) == 2


def test_a_public_key_that_is_not_what_its_name_says_is_named(installation: Installation) -> None:
    (installation.settings.public_keys / f"{'0' * 64}.pem").write_text("no key")
    assert f"{'0' * 64}.pem among the public keys is not what its name says" in installation.problems(*VERIFY)


def inspector(installation: Installation, memory: Memory) -> Inspector:
    keys = kept_public_keys(installation.settings.public_keys)
    return Inspector(installation.settings.publications, lambda: keys, memory)


def test_a_file_is_read_once_and_again_after_the_stated_time(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit below the file system, which leaves every time as it was, is found after ten minutes."""
    now, read = [0.0], list[str]()
    found = inspector(installation, Memory(clock=lambda: now[0]))

    def counted(path: Path) -> str:
        read.append(path.name)
        return digest(path)

    monkeypatch.setattr("monitor.release.intact.sha256_of", counted)
    made = found.find(PERIOD, 2)
    assert made is not None
    file = made.publication.find("ranking.csv")
    assert file is not None
    for _ in range(50):
        found.require(made, file)
    assert read.count("ranking.csv") == 1
    monkeypatch.setattr("monitor.release.intact._identity", lambda path: (0, 0, 0, 0, 0))
    found.memory.of(
        made.publication.folder / "ranking.csv", "sha256", lambda: digest(made.publication.folder / "ranking.csv")
    )
    edit_and_keep_size_and_time(made.publication.folder / "ranking.csv")
    found.require(made, file)
    now[0] = 600.0
    with pytest.raises(NotIntactError, match=r"ranking.csv is not what was signed"):
        found.require(made, file)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_was_put_back_is_served_again(installation: Installation, client: FlaskClient) -> None:
    path = installation.files / "ranking.csv"
    content = path.read_bytes()
    edit(path)
    assert get(client, "ranking.csv").status_code == 503
    path.write_bytes(content)
    assert get(client, "ranking.csv").data == content
    assert health(client) == (200, "ok")
    assert SHARED.again == 600  # as docs/operations.md says


def test_no_release_means_no_part_in_health(installation: Installation, desk: FlaskClient) -> None:
    shutil.rmtree(installation.home / "publications")
    installation.change("audit_entries", "DELETE FROM audit_entries WHERE action = 'release.package'")
    answer = desk.get("/health")
    assert answer.json is not None
    assert "publications" not in answer.json["parts"]
