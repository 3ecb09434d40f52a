"""A disk that is full, told as such: which disk it may be, how much room is left there, and what to do."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.errors import MonitorError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_PG_DISK_FULL = "53100"
_SQLITE_FAILED_TO_WRITE = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC", "SQLITE_IOERR_SHMSIZE")
ADVICE = "make room and run this again"
_MB = 1024 * 1024


class DiskFullError(MonitorError):
    """There is no room left; nothing of what was being written is kept."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raise DiskFullError that names the disk, where what is done within fails because the disk of `path` is full."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise DiskFullError(f"the disk is full ({_room(path)}): {ADVICE}") from error


def full_disk(error: BaseException, database: Path | None) -> str | None:
    """Which disk is full, where an error or one that led to it means that one is; None where it does not.

    `database`: the file of an SQLite database, whose disk it may be.
    """
    found: BaseException | None = error
    while found is not None:
        if said := _said(found, database):
            return said
        found = found.__cause__ or found.__context__
    return None


def _said(error: BaseException, database: Path | None) -> str | None:
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        where = f" ({_room(Path(error.filename))})" if isinstance(error.filename, str) else ""
        return f"the disk is full{where}"
    if getattr(error, "sqlstate", None) == _PG_DISK_FULL:
        return "the disk of the database server is full"
    if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorname", "") in _SQLITE_FAILED_TO_WRITE:
        return _sqlite(database)
    return None


def _sqlite(database: Path | None) -> str:
    """SQLite does not say which of the two disks it was."""
    temporary = _temporary_folder()
    of_database = "the disk of the database" + (f" ({_room(database)})" if database else "")
    if temporary is None or (database and _same_disk(database.parent, temporary)):
        return f"{of_database} is full"
    other = f"that of temporary files ({_room(temporary)}; SQLITE_TMPDIR names another)"
    return f"{of_database} or {other} is full"


def _temporary_folder() -> Path | None:
    """Where SQLite puts its temporary files (sqlite.org/tempfiles.html, section 5)."""
    named = [os.environ.get(name, "") for name in ("SQLITE_TMPDIR", "TMPDIR")]
    places = [Path(name) for name in (*named, "/var/tmp", "/usr/tmp", "/tmp") if name]  # noqa: S108 -- as SQLite does
    return next((place for place in places if place.is_dir() and os.access(place, os.W_OK | os.X_OK)), None)


def _same_disk(one: Path, other: Path) -> bool:
    try:
        return one.stat().st_dev == other.stat().st_dev
    except OSError:
        return False


def _room(path: Path) -> str:
    """A place and how much room there is by now: what was being written is gone already."""
    place = path
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        return f"{place}, {shutil.disk_usage(place).free / _MB:,.1f} MB free now"
    except OSError:
        return str(place)
