"""The folder in which a delivery lies, sealed, while it is ingested; what a killed run left there is removed.

Each run has a folder of its own with a file that it holds locked: the kernel frees that lock when the run ends,
whatever it died of. So a folder that nobody holds is a leftover, and one that somebody holds is in use.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.disk import writing
from monitor.settings import Settings

_LOCK = "lock"  # in the folder of a run, held by it


def incoming(settings: Settings) -> Path:
    """Where deliveries lie while they are ingested."""
    return settings.home / "incoming"


@contextmanager
def private_folder(settings: Settings) -> Iterator[Path]:
    """A folder only we can open, with a name that says nothing, gone afterwards."""
    parent = incoming(settings)
    with writing(parent):
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(parent):  # nobody takes the folder for a leftover before it is held
            folder = Path(tempfile.mkdtemp(dir=parent))
            held = _lock(folder / _LOCK, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def remove_leftovers(settings: Settings) -> None:
    """Remove what runs that were killed left, and nothing that a living one uses."""
    parent = incoming(settings)
    if not parent.is_dir():
        return
    with _alone(parent):
        for left in parent.iterdir():
            if left.is_dir() and not left.is_symlink():
                _remove_unless_held(left)
            else:
                left.unlink()


def _remove_unless_held(folder: Path) -> None:
    try:
        held = _lock(folder / _LOCK, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, FileNotFoundError):  # in use; or its run has just ended and removed it
        return
    try:
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(held)


@contextmanager
def _alone(parent: Path) -> Iterator[None]:
    """Wait until nobody else makes or removes a folder there."""
    held = _lock(parent.with_name(f"{parent.name}.lock"), fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(held)


def _lock(file: Path, how: int) -> int:
    """Lock a file for as long as the descriptor is open; a child does not inherit it."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, how)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
