"""Reading a local folder: which files there are, which still grow, and copying one without tearing it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from monitor.formats.reading import open_regular
from spiders.trip import Validators

_PIECE = 1024 * 1024  # bytes


def files_in(folder: Path) -> list[str]:
    """The names of the plain files in a folder; a symbolic link could lead anywhere and is none."""
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]


def irregular_in(folder: Path) -> list[str]:
    """The names of what lies in a folder and is neither a plain file nor a folder: links, pipes, devices, sockets."""
    with os.scandir(folder) as entries:
        return [e.name for e in entries if not e.is_file(follow_symlinks=False) and not e.is_dir(follow_symlinks=False)]


def validators_of(path: Path) -> Validators:
    """What changes when a file does."""
    state = path.stat(follow_symlinks=False)
    return {"size": str(state.st_size), "mtime_ns": str(state.st_mtime_ns)}


def still_growing(state: Validators, now: float, settle_seconds: float) -> bool:
    """Whether a file was written to so short a time ago that its sender may not be done."""
    return abs(now - int(state["mtime_ns"]) / 1e9) < settle_seconds


def copy_whole(origin: Path, target: Path, before: Validators) -> bool:
    """Copy a file piece by piece; False, with no copy left, where it changed meanwhile.

    Raises DeliveryError where it is no regular file by now: a link could lead anywhere, a pipe would keep us waiting.
    """
    try:
        with open_regular(origin, follow_links=False) as source, target.open("xb") as copy:
            shutil.copyfileobj(source, copy, _PIECE)
        unchanged = validators_of(origin) == before
    except OSError:
        target.unlink(missing_ok=True)
        raise
    if not unchanged:
        target.unlink()
    return unchanged
