"""Reading a local folder: which files there are, which still grow, and copying one without tearing it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from spiders.trip import Validators


def files_in(folder: Path) -> list[str]:
    """The names of the plain files in a folder; a symbolic link could lead anywhere and is none."""
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]


def validators_of(path: Path) -> Validators:
    """What changes when a file does."""
    state = path.stat()
    return {"size": str(state.st_size), "mtime_ns": str(state.st_mtime_ns)}


def still_growing(state: Validators, now: float, settle_seconds: float) -> bool:
    """Whether a file was written to so short a time ago that its sender may not be done."""
    return abs(now - int(state["mtime_ns"]) / 1e9) < settle_seconds


def copy_whole(origin: Path, target: Path, before: Validators) -> bool:
    """Copy a file piece by piece; False, with no copy left, where it changed meanwhile."""
    try:
        shutil.copyfile(origin, target, follow_symlinks=False)
        unchanged = validators_of(origin) == before
    except OSError:
        target.unlink(missing_ok=True)
        raise
    if not unchanged:
        target.unlink()
    return unchanged
