"""Reads a local folder: lists its files, sees which are still being written, and copies one if it is unchanged."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from monitor.disk import writing
from monitor.formats.files import open_regular
from monitor.ingest.sealed_files import PIECE, SealedFile, seal
from monitor.vault import Vault
from spiders.collection_run import Validators


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


def sealed_copy(origin: Path, target: Path, before: Validators, vault: Vault) -> SealedFile | None:
    """Copy a file piece by piece into a sealed one; None, with no copy left, where it changed meanwhile.

    Raises OSError, DiskFullError where there is no room for the copy, and DeliveryError where it is no regular file by
    now: a link could lead anywhere, a pipe would keep us waiting.
    """
    with writing(target):
        copy = seal(_pieces_of(origin), target, vault)
    try:
        unchanged = validators_of(origin) == before
    except OSError:
        target.unlink()
        raise
    if unchanged:
        return copy
    target.unlink()
    return None


def _pieces_of(origin: Path) -> Iterator[bytes]:
    with open_regular(origin, follow_links=False) as file:
        while piece := file.read(PIECE):
            yield piece
