"""Whether the files of a publication are still those that were signed: nothing is believed that no known key signed.

The list of files and their hashes come from the signed `manifest.json`. What is not in it follows from it: its
signature in two forms, and the ZIP file, which is looked through file by file.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import re
import stat
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from monitor.errors import MonitorError
from monitor.instants import parse_instant, to_datetime
from monitor.release.publications import INDEX, MANIFEST, SIGNATURE, Publication, PublishedFile, link_of
from monitor.release.signing import is_signed
from monitor.tables.data_package import package_name

AGAIN = 600.0  # seconds after which a file is read again, though nothing says that it changed
_KEPT = 10_000
_DESCRIPTION = "datapackage.json"
_UNIX, _LOCAL_HEADER, _CENTRAL_HEADER, _END = 3, 30, 46, 22  # of the ZIP format; the last three are bytes
_LINK = re.compile(r"(?P<period>[^.].*)-v(?P<version>[1-9]\d*)")

T = TypeVar("T")
Identity: TypeAlias = tuple[int, int, int, int, int]


class NotIntactError(MonitorError):
    """A publication, or a file of it, that is not what was signed."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A publication as its signed manifest lists it, what that says of the release, and the hash of the manifest."""

    publication: Publication
    release: Mapping[str, Any]
    manifest_sha256: str

    @property
    def archived(self) -> tuple[PublishedFile, ...]:
        """What the ZIP file must hold, in its order."""
        return self.publication.files[:-1]


@dataclass
class Memory:
    """What was found out about files: kept for `again` seconds, while neither size, times, inode nor device change.

    Whoever sets a file's time back after an edit cannot set back when it was changed (ctime). `clock`: seconds.
    """

    again: float = AGAIN
    clock: Callable[[], float] = time.monotonic
    _kept: dict[tuple[Path, str], tuple[Identity, float, Any]] = field(default_factory=dict)

    def of(self, path: Path, what: str, find_out: Callable[[], T]) -> T:
        """What `find_out` says of the file, asked again only where it may have changed; OSError where it is gone.

        What `find_out` raises is not kept.
        """
        identity = _identity(path)
        kept = self._kept.get((path, what))
        if kept is not None and kept[0] == identity and self.clock() - kept[1] < self.again:
            value: T = kept[2]
            return value
        began, value = self.clock(), find_out()
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        if _identity(path) == identity:
            self._kept[path, what] = (identity, began, value)
        return value


SHARED = Memory()  # of this process


@dataclass(frozen=True)
class Inspector:
    """Holds publications against what was signed. `keys`: the public keys that are believed, by fingerprint."""

    publications: Path
    keys: Callable[[], Mapping[str, bytes]]
    memory: Memory = field(default_factory=Memory)

    def find(self, period: str, version: int) -> Signed | None:
        """The publication of a release; None where nothing was made of it. NotIntactError where it is not as signed."""
        link = link_of(self.publications, period, version)
        if not link.is_symlink() and not link.exists():
            return None
        folder = link.resolve()
        try:
            found = self.memory.of(
                folder / MANIFEST, f"{period} {version}", lambda: self._signed(folder, period, version)
            )
        except OSError as error:
            raise NotIntactError(f"{MANIFEST} or its signature cannot be read ({error.strerror})") from error
        made = found.publication
        completed = replace(made, licence=self._licence(made), files=(*made.files, self._archive(made)))
        return replace(found, publication=completed)

    def require(self, signed: Signed, file: PublishedFile) -> None:
        """Raise NotIntactError where a file of a publication is missing, or is not what was signed."""
        path, archive = signed.publication.folder / file.name, signed.publication.files[-1]
        try:
            if file is archive:
                problem = self.memory.of(path, signed.manifest_sha256, lambda: _archive_problem(path, signed))
            else:
                same = self.memory.of(path, "sha256", lambda: sha256_of(path)) == file.sha256
                problem = None if same else "is not what was signed"
        except FileNotFoundError as error:
            raise NotIntactError(f"{file.name} is missing") from error
        except OSError as error:
            raise NotIntactError(f"{file.name} cannot be read ({error.strerror})") from error
        if problem:
            raise NotIntactError(f"{file.name} {problem}")

    def problems(self, period: str, version: int) -> Iterator[str]:
        """All that is wrong with the files of a release; nothing where none were made."""
        try:
            signed = self.find(period, version)
        except NotIntactError as error:
            yield str(error)
            return
        if signed is None:
            return
        for file in signed.publication.files:
            try:
                self.require(signed, file)
            except NotIntactError as error:
                yield str(error)
        yield from _beside(signed)

    def is_whole(self, period: str, version: int) -> bool:
        """Whether files were made of a release, and all of them are what was signed."""
        return link_of(self.publications, period, version).is_symlink() and not any(self.problems(period, version))

    def _archive(self, made: Publication) -> PublishedFile:
        """The ZIP file as it lies there: whether it may be believed `require` says."""
        path = made.folder / f"{package_name(made.period, made.version)}.zip"
        try:
            size, digest = self.memory.of(path, "archive", lambda: (path.stat().st_size, sha256_of(path)))
        except OSError:
            size, digest = 0, ""
        return PublishedFile(path.name, size, digest)

    def _licence(self, made: Publication) -> str:
        """As the signed description of the data says, where there is one."""
        described = made.find(_DESCRIPTION)
        path = made.folder / (INDEX if described is None else _DESCRIPTION)
        expected = described.sha256 if described else ""
        try:
            return self.memory.of(path, f"licence {expected}", lambda: _licence_in(read_regular(path), expected))
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise NotIntactError(f"{path.name} is not what was signed") from error

    def names(self) -> list[tuple[str, int]]:
        """The releases of which something lies in the folder."""
        found = [_LINK.fullmatch(path.name) for path in sorted(self.publications.glob("*"))]
        return [(match["period"], int(match["version"])) for match in found if match]

    def _signed(self, folder: Path, period: str, version: int) -> Signed:
        """What is signed; raises NotIntactError, OSError."""
        manifest, signature = read_regular(folder / MANIFEST), read_regular(folder / SIGNATURE)
        try:
            return _read(folder, manifest, signature, self.keys(), (period, version))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise NotIntactError(f"{MANIFEST} is not what this program writes") from error


def _read(folder: Path, manifest: bytes, signature: bytes, keys: Mapping[str, bytes], name: tuple[str, int]) -> Signed:
    """The publication without its ZIP file and licence, which are not in the manifest."""
    said = json.loads(manifest)
    fingerprint = said["signature"]["public_key_sha256"]
    if fingerprint not in keys:
        raise NotIntactError(f"{MANIFEST} is signed with a key that is not known here")
    if not is_signed(manifest, signature, keys[fingerprint]):
        raise NotIntactError(f"{MANIFEST} is not what was signed")
    release = said["release"]
    if (release["period"], release["version"]) != name:
        raise NotIntactError(f"{MANIFEST} is that of another release")
    files = [PublishedFile(file, about["bytes"], about["sha256"]) for file, about in said["files"].items()]
    files += [_file(MANIFEST, manifest), _file(SIGNATURE, signature)]
    files += [_file(f"{SIGNATURE}.base64", base64.b64encode(signature) + b"\n")]
    ordered = tuple(sorted(files, key=lambda file: file.name))
    made = Publication(*name, fingerprint, "", folder, ordered)
    return Signed(made, release, hashlib.sha256(manifest).hexdigest())


def _licence_in(content: bytes, sha256: str) -> str:
    """What the description with that hash says, or the index where there is none; ValueError for another one."""
    if not sha256:
        return str(json.loads(content)["licence"])
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError("another description than the signed one")
    return str(json.loads(content)["licenses"][0]["name"])


def _file(name: str, content: bytes) -> PublishedFile:
    return PublishedFile(name, len(content), hashlib.sha256(content).hexdigest())


def sha256_of(path: Path) -> str:
    """SHA-256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_regular(path: Path) -> bytes:
    """The bytes of a regular file; OSError for anything else."""
    _identity(path)
    return path.read_bytes()


def _identity(path: Path) -> Identity:
    """By which a file is known again. OSError for what is no file: to read a pipe would take for ever."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is no file")
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _archive_problem(path: Path, signed: Signed) -> str | None:
    """What is wrong with the ZIP file; None where it holds the signed files and not a byte more."""
    try:
        with zipfile.ZipFile(path) as archive:
            same = _same_layout(archive, path.stat().st_size, signed) and all(
                _same_content(archive, entry, file)
                for entry, file in zip(archive.infolist(), signed.archived, strict=True)
            )
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, KeyError, ValueError):
        same = False
    return None if same else "does not hold just the signed files"


def _same_layout(archive: zipfile.ZipFile, size: int, signed: Signed) -> bool:
    """Whether the files stand in it as `monitor.release.package` puts them, with nothing before, between and after."""
    made, published_at = signed.publication, parse_instant(signed.release["published_at"])
    dated = to_datetime(published_at - published_at % 2).timetuple()[:6]  # a ZIP file knows every other second
    folder, entries, place = package_name(made.period, made.version), archive.infolist(), 0
    if archive.comment or [e.filename for e in entries] != [f"{folder}/{file.name}" for file in signed.archived]:
        return False
    for entry, file in zip(entries, signed.archived, strict=True):
        plain = not (entry.comment or entry.extra or entry.flag_bits) and entry.create_system == _UNIX
        if not plain or entry.header_offset != place or entry.file_size != file.size or entry.date_time != dated:
            return False
        place += _LOCAL_HEADER + len(entry.filename) + entry.compress_size
    return size == place + sum(_CENTRAL_HEADER + len(entry.filename) for entry in entries) + _END


def _same_content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, file: PublishedFile) -> bool:
    with archive.open(entry) as stream:
        content = stream.read(file.size + 1)
    return len(content) == file.size and hashlib.sha256(content).hexdigest() == file.sha256


def _beside(signed: Signed) -> Iterator[str]:
    """What lies in the folder and belongs to nothing, and an index that says something else than what was signed."""
    made = signed.publication
    listed = {INDEX, *(file.name for file in made.files)}
    yield from (f"{path.name} was added" for path in sorted(made.folder.iterdir()) if path.name not in listed)
    said = [{"name": file.name, "bytes": file.size, "sha256": file.sha256} for file in made.files]
    about = {"period": made.period, "version": made.version, "licence": made.licence}
    try:
        index = json.loads(read_regular(made.folder / INDEX))
    except (OSError, ValueError):
        index = None
    if index != about | {"public_key_sha256": made.fingerprint, "files": said}:
        yield f"{INDEX} is not what was written"
