"""Publications: a folder each, whole or not at all, replaced at one stroke."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import pytest

from monitor.errors import MonitorError
from monitor.release import publications
from monitor.release.publications import INDEX, Package, Publication, PublishedFile, link_of, read, store, write_files
from monitor.tables.data_package import About

WHEN = datetime(2026, 7, 20, 8, tzinfo=UTC)


def package(content: bytes = b"one", period: str = "2026Q2", version: int = 1) -> Package:
    said = About(period, version, WHEN, "2026.1", "the Authority", "CC0-1.0")
    return Package(said, "f" * 64, {"ranking.csv": content, f"{said.name}.zip": b"PK"})


def stored(folder: Path, made: Package) -> Publication:
    store(made, folder)
    found = read(folder, made.about.period, made.about.version)
    assert found is not None
    return found


@pytest.mark.parametrize("period", ["2026Q2", "2026-03-11..2026-04-11"])
def test_what_is_stored_is_found_with_its_size_and_digest(tmp_path: Path, period: str) -> None:
    found = stored(tmp_path / "new", package(period=period))
    assert found.find("ranking.csv") == PublishedFile("ranking.csv", 3, hashlib.sha256(b"one").hexdigest())
    assert (found.folder / "ranking.csv").read_bytes() == b"one"
    assert found.archive.name.endswith("-v1.zip")
    assert (found.fingerprint, found.licence) == ("f" * 64, "CC0-1.0")


def test_only_what_was_published_is_found(tmp_path: Path) -> None:
    found = stored(tmp_path, package())
    for name in (INDEX, "..", ".", "", "../keys", "/etc/hostname", "manifest.json", "ranking.csv\0"):
        assert found.find(name) is None
    assert read(tmp_path, "2026Q2", 2) is None
    assert read(tmp_path, "2026Q1", 1) is None


def test_the_web_server_may_read_it_whoever_made_it(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        found = stored(tmp_path, package())
    finally:
        os.umask(before)
    assert found.folder.stat().st_mode & 0o777 == 0o755
    assert (found.folder / "ranking.csv").stat().st_mode & 0o777 == 0o644


def test_a_new_folder_takes_the_place_of_the_old_which_stays_for_its_readers(tmp_path: Path) -> None:
    first = stored(tmp_path, package(b"one"))
    second = stored(tmp_path, package(b"two"))
    assert (second.folder / "ranking.csv").read_bytes() == b"two"
    assert (first.folder / "ranking.csv").read_bytes() == b"one"
    third = stored(tmp_path, package(b"three"))
    assert not first.folder.exists()
    assert {path.name for path in tmp_path.iterdir()} == {
        ".lock", "2026Q2-v1", second.folder.name, third.folder.name,
    }  # fmt: skip


def test_the_same_package_again_changes_nothing(tmp_path: Path) -> None:
    first = stored(tmp_path, package())
    made = (first.folder / "ranking.csv").stat()
    assert stored(tmp_path, package()).folder == first.folder
    assert (first.folder / "ranking.csv").stat() == made


def test_versions_lie_beside_each_other(tmp_path: Path) -> None:
    stored(tmp_path, package(b"ten", version=10))
    stored(tmp_path, package(b"one"))
    stored(tmp_path, package(b"uno"))
    ten = read(tmp_path, "2026Q2", 10)
    assert ten is not None
    assert (ten.folder / "ranking.csv").read_bytes() == b"ten"


def test_nothing_is_left_of_one_that_could_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = stored(tmp_path, package())
    present = sorted(path.name for path in tmp_path.iterdir())

    def full(_folder: Path) -> NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(publications, "_sync", full)
    with pytest.raises(MonitorError, match="cannot write the publication: No space left on device"):
        store(package(b"two"), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == present
    assert link_of(tmp_path, "2026Q2", 1).resolve() == before.folder


def test_what_a_killed_process_left_behind_is_swept(tmp_path: Path) -> None:
    stored(tmp_path, package(b"one"))
    (tmp_path / ".2026Q2-v1.0123456789abcdef.new-xyz").mkdir()
    (tmp_path / ".2026Q2-v1.link").symlink_to("nowhere")
    stored(tmp_path, package(b"two"))
    assert not (tmp_path / ".2026Q2-v1.0123456789abcdef.new-xyz").exists()
    assert not (tmp_path / ".2026Q2-v1.link").is_symlink()


def test_a_damaged_publication_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "2026Q2-v1"
    folder.mkdir()
    (folder / INDEX).write_text("{}")
    with pytest.raises(MonitorError, match="the publication of 2026Q2 version 1 is damaged; make it again"):
        read(tmp_path, "2026Q2", 1)


def test_files_for_a_folder_of_ones_own_are_all_written_before_one_takes_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert write_files({"a": b"1", "b": b"2"}, tmp_path) == [tmp_path / "a", tmp_path / "b"]

    def full(_folder: Path) -> NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(publications, "_sync", full)
    with pytest.raises(MonitorError, match="cannot write the report: No space left on device"):
        write_files({"a": b"3", "b": b"4"}, tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "1", "b": "2", "notes.txt": "mine"}
