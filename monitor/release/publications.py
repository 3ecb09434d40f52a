"""Where the report and open data of each release lie, for the site to serve: a folder each, whole or not at all.

`<period>-v<version>` is a link to a folder; what replaces it is written beside it, and then the link is turned.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from monitor.errors import MonitorError
from monitor.permissions import make_public_folder
from monitor.tables.data_package import About

MANIFEST, SIGNATURE = "manifest.json", "manifest.json.sig"
INDEX = "publication.json"  # what is in the folder, for the site; the signed list is in manifest.json


@dataclass(frozen=True, slots=True)
class Package:
    """Which release it is of, the fingerprint of the key that signed it, and its files by name.

    The last of `files` is all the others in one ZIP.
    """

    about: About
    fingerprint: str
    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """One file: its name, its size in bytes and its SHA-256 in hex."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Publication:
    """What was made of a release, in a folder that is never written to again."""

    period: str
    version: int
    fingerprint: str
    licence: str
    folder: Path
    files: tuple[PublishedFile, ...]

    def find(self, name: str) -> PublishedFile | None:
        """The file of that name; nothing else in the folder exists for a reader."""
        return next((file for file in self.files if file.name == name), None)

    @property
    def archive(self) -> PublishedFile:
        """All files in one."""
        return next(file for file in self.files if file.name.endswith(".zip"))


def link_of(publications: Path, period: str, version: int) -> Path:
    """Where the files of a release are found."""
    return publications / f"{period}-v{version}"


def store(package: Package, publications: Path) -> Path:
    """Write a package and turn the link to it; the one before stays until the next, for who is reading it.

    Raises MonitorError where it cannot be written; then what was there is there still.
    """
    link = link_of(publications, package.about.period, package.about.version)
    index = _index(package)
    name = f".{link.name}.{hashlib.sha256(index).hexdigest()[:16]}"
    try:
        with alone(publications):
            before = link.readlink().name if link.is_symlink() else ""
            if not (publications / name).exists():
                write_folder({**package.files, INDEX: index}, publications / name)
            turn(link, name)
            _sweep(publications, link, {name, before})
    except OSError as error:
        raise MonitorError(f"{link}: cannot write the publication: {error.strerror}") from error
    return link


def read(publications: Path, period: str, version: int) -> Publication | None:
    """What was made of a release, or None where nothing was yet; raises MonitorError where it is damaged."""
    folder = link_of(publications, period, version).resolve()
    if not (folder / INDEX).is_file():
        return None
    return _read(folder, period, version)


@lru_cache(maxsize=256)  # a folder is never written to again: its name says what is in it
def _read(folder: Path, period: str, version: int) -> Publication:
    try:
        data: dict[str, Any] = json.loads((folder / INDEX).read_text("utf-8"))
        files = tuple(PublishedFile(file["name"], file["bytes"], file["sha256"]) for file in data["files"])
        return Publication(period, version, data["public_key_sha256"], data["licence"], folder, files)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MonitorError(f"the publication of {period} version {version} is damaged; make it again") from error


def write_files(files: Mapping[str, bytes], folder: Path) -> list[Path]:
    """Write files into a folder of the reader's own: all are written before the first takes its place.

    Raises MonitorError where that fails.
    """
    try:
        make_public_folder(folder)
        staged = Path(tempfile.mkdtemp(dir=folder, prefix=".new-"))
        try:
            _fill(files, staged)
            for name in files:
                (staged / name).replace(folder / name)
        finally:
            shutil.rmtree(staged)
    except OSError as error:
        raise MonitorError(f"{folder}: cannot write the report: {error.strerror}") from error
    return [folder / name for name in files]


def _index(package: Package) -> bytes:
    files = [
        {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in package.files.items()
    ]
    about = {"period": package.about.period, "version": package.about.version, "licence": package.about.licence}
    return json.dumps(about | {"public_key_sha256": package.fingerprint, "files": files}, indent=1).encode()


def write_folder(files: Mapping[str, bytes], target: Path) -> None:
    """A new folder that everybody may read, under its name only when all of it is on the disk; raises OSError."""
    staged = Path(tempfile.mkdtemp(dir=target.parent, prefix=f"{target.name}.new-"))
    try:
        _fill(files, staged)
        staged.chmod(0o755)
        staged.rename(target)
        _sync(target.parent)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise


def _fill(files: Mapping[str, bytes], folder: Path) -> None:
    for name, content in files.items():
        with (folder / name).open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        (folder / name).chmod(0o644)
    _sync(folder)


def turn(link: Path, name: str) -> None:
    """At one stroke: a reader finds the old folder or the new one."""
    turned = link.with_name(f".{link.name}.link")
    turned.unlink(missing_ok=True)
    turned.symlink_to(name, target_is_directory=True)
    turned.replace(link)
    _sync(link.parent)


def _sweep(publications: Path, link: Path, kept: set[str]) -> None:
    for old in publications.glob(f".{link.name}.*"):
        if old.name not in kept:
            shutil.rmtree(old)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def alone(publications: Path) -> Iterator[None]:
    """One process at a time writes to the folder, which is made where it is missing; the lock goes with the process."""
    make_public_folder(publications)
    with (publications / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
