"""Who may read what: the files of an installation and its keys their owner only, what is published everybody.

Processes begin with umask 077 (`monitor.process`), so whatever is not said here to be public is private.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import struct
from pathlib import Path

from monitor.errors import ConfigurationError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_ACL = "system.posix_acl_access"
_USER_OBJECT, _USER, _GROUP_OBJECT, _GROUP, _MASK = 0x01, 0x02, 0x04, 0x08, 0x10  # linux/posix_acl.h


def narrow(path: Path, *, folder: bool) -> None:
    """Take from others whatever they may do with a file or folder of ours, where it is there.

    Raises ConfigurationError, in one line that says what to do, where that is not for us to change.
    """
    try:
        state = path.stat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be looked at ({error.strerror}); see who owns it") from error
    advice = f"chmod {'700' if folder else '600'} {path}"
    if not state.st_mode & _OTHERS:
        return
    if folder and (state.st_mode & stat.S_ISVTX or path.resolve() == Path("/")):
        raise ConfigurationError(f"{path} is a folder that all share: name one of our own with MONITOR_HOME")
    if state.st_uid != os.geteuid():
        raise ConfigurationError(f"{path}: others may read it and it is not ours to change; its owner runs: {advice}")
    try:
        path.chmod(stat.S_IMODE(state.st_mode) & ~_OTHERS)
    except OSError as error:
        raise ConfigurationError(f"{path}: others may read it ({error.strerror}); run: {advice}") from error


def refuse_shared(path: Path) -> None:
    """Raise ConfigurationError where others than its owner may read a secret key file; OSError as `stat` does."""
    if _others_may(path):
        raise ConfigurationError(f"{path}: others than its owner may read this key file; run: chmod 600 {path}")


def _others_may(path: Path) -> bool:
    """Whether group or others may do anything with a file.

    Where a file has an access control list, the bits of its group show the list's mask and not what the group may;
    that is how systemd hands over credentials: root's, 0440, and one entry for the user of the service.
    """
    state = path.stat()
    mode = stat.S_IMODE(state.st_mode) & _OTHERS
    if not mode & stat.S_IRWXG or mode & stat.S_IRWXO:
        return bool(mode)
    try:
        raw = os.getxattr(path, _ACL)
    except (OSError, AttributeError):
        return True
    entries = [struct.unpack_from("<HHI", raw, start) for start in range(4, len(raw), 8)]
    ours = {(_USER, os.geteuid()), (_USER, state.st_uid)}
    return any(
        allowed
        for tag, allowed, identity in entries
        if tag in (_GROUP_OBJECT, _GROUP) or (tag == _USER and (tag, identity) not in ours)
    )


def write_key_file(path: Path, content: bytes) -> None:
    """Write a new file with a secret key, for its owner only, whole or not at all; it is on the disk when this returns.

    Raises FileExistsError where there is one, and any other OSError with nothing left behind.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # unlike a rename, it never takes the place of another
    finally:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
    _sync_folder(path.parent)


def make_public_folder(folder: Path) -> None:
    """Make a folder that everybody may read, where it is missing; one that is there has the mode its owner chose."""
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        return
    folder.chmod(0o755)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
