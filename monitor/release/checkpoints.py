"""Checkpoints: signed heads of the audit trail, outside the database.

Whoever can write the database can cut its audit trail, or make another one whose hashes fit. He cannot make one that
fits a head that was signed before and lies elsewhere. A checkpoint is a note as C2SP's tlog-checkpoint says
(https://c2sp.org/tlog-checkpoint): origin, number of entries, root of the Merkle tree whose leaves are the hashes of
the entries (in hex), and two lines of our own: the hash of the last entry, and the time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.audit import Head, heads
from monitor.errors import MonitorError
from monitor.instants import iso, parse_instant
from monitor.models.release import Release, Stage
from monitor.release.signing import (
    SigningKey,
    fingerprint_of,
    is_signed,
    known_public_keys,
    load_signing_key,
    raw_public_key,
)
from monitor.settings import Settings

_ED25519 = b"\x01"
_DASH = "\N{EM DASH}"


class NoteError(MonitorError):
    """A text that is no signed note, or whose signature is not that of a known key."""


def signed_note(text: str, name: str, key: SigningKey) -> str:
    """The text (it ends in a line feed, and has no empty line) with the signature of the key under that name."""
    signature = _key_id(name, key.public_pem) + key.sign(text.encode())
    return f"{text}\n{_DASH} {name} {base64.b64encode(signature).decode()}\n"


def open_note(note: str, public_keys: Mapping[str, bytes]) -> str:
    """The text of a note that one of the keys signed; raises NoteError for any other."""
    text, gap, signatures = note.rpartition("\n\n")
    lines = signatures.splitlines()
    if not gap or not lines or not note.endswith("\n"):
        raise NoteError("it is no signed note: it was cut off, or written by something else")
    text += "\n"
    wrong = False
    for name, signature in map(_signature, lines):
        for pem in public_keys.values():
            if signature[:4] == _key_id(name, pem):
                if is_signed(text.encode(), signature[4:], pem):
                    return text
                wrong = True
    raise NoteError(
        "its signature is wrong: it was changed" if wrong else "it is signed with a key that is not known here"
    )


def _signature(line: str) -> tuple[str, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    try:
        signature = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise NoteError("it is no signed note: its signature cannot be read") from error
    if dash != _DASH or not name:
        raise NoteError("it is no signed note: its signature cannot be read")
    return name, signature


def _key_id(name: str, public_pem: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + raw_public_key(public_pem)).digest()[:4]


SUFFIX = ".checkpoint"
_LARGEST = 10_000  # bytes: ours have some 350
_ORIGIN = "hosting-abuse-monitor/audit/"
_TEXT = re.compile(
    rf"{_ORIGIN}(?P<origin>[0-9a-f]{{16}})\n(?P<size>[1-9]\d{{0,17}})\n(?P<root>[A-Za-z0-9+/]{{43}}=)\n"
    r"entry (?P<entry>[0-9a-f]{64})\ntime (?P<time>\S{20})\n"
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A head of the trail, when it was signed (epoch seconds), and the file it was read from."""

    head: Head
    at: int
    name: str


@dataclass(frozen=True, slots=True)
class Compared:
    """What comparing the trail with the checkpoints found.

    `missing`: there are none, or none where there should be. `notes`: what they cannot show.
    """

    problems: tuple[str, ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...]


def write_checkpoint(session: Session, settings: Settings, key: SigningKey, at: int) -> list[Path]:
    """Sign the trail as it is now and write that to each folder; returns the files, none where it is empty.

    `at`: now, in epoch seconds. Read nothing in the session before: another's checkpoint may be newer than that.
    Raises MonitorError where a folder cannot be written (the others are), and where the trail is not what the newest
    checkpoint says: that is not signed.
    """
    folders = settings.checkpoint_folders
    keys = known_public_keys(settings.signing_key_file, settings.public_keys)
    newest = [found for folder in folders if (found := _newest(folder, keys)) is not None]
    known = heads(session, {checkpoint.head.size for checkpoint in newest})
    if problems := _contradictions(newest, known):
        raise MonitorError(f"no checkpoint is signed: {problems[0]}; see `monitor audit verify`")
    if not known:
        return []
    note = checkpoint_note(known[max(known)], at, key)
    name = f"{iso(at).replace('-', '').replace(':', '')}-{max(known)}-{known[max(known)].root.hex()[:16]}{SUFFIX}"
    written, failed = list[Path](), list[str]()
    for folder in folders:
        try:
            written.append(_write(note, folder / name))
        except OSError as error:
            failed.append(f"{folder}: the checkpoint cannot be written: {error.strerror}")
    if failed:
        raise MonitorError(f"{'; '.join(failed)}; see to it, then run `monitor audit checkpoint`")
    return written


def checkpoint_note(head: Head, at: int, key: SigningKey) -> str:
    """The signed text."""
    origin, root = f"{_ORIGIN}{head.origin}", base64.b64encode(head.root).decode()
    text = f"{origin}\n{head.size}\n{root}\nentry {head.entry_hash}\ntime {iso(at)}\n"
    return signed_note(text, origin, key)


def newest_checkpoint(folder: Path) -> int | None:
    """When the newest checkpoint in a folder was written, by its name; None where there is none."""
    times = [path.name.partition("-")[0] for path in folder.glob(f"*{SUFFIX}") if path.name[0] != "."]
    return max((_time(stamp) for stamp in times if re.fullmatch(r"\d{8}T\d{6}Z", stamp)), default=None)


def load_key(settings: Settings) -> SigningKey | None:
    """The signing key, or None where nobody made one; raises ConfigurationError where it is damaged."""
    return load_signing_key(settings.signing_key_file) if settings.signing_key_file.exists() else None


def compare_with_checkpoints(
    session: Session, settings: Settings, given: Path | None = None, public_key: Path | None = None
) -> Compared:
    """Hold the trail against all checkpoints that are found, and the one that is given.

    `public_key`: the file of the one key to trust; else every key that is kept here. Read nothing in the session
    before: a checkpoint that is written meanwhile would be ahead. Raises MonitorError where a file cannot be read.
    """
    keys = _only(public_key) if public_key else known_public_keys(settings.signing_key_file, settings.public_keys)
    paths = [path for folder in settings.checkpoint_folders for path in _files(folder)]
    paths += [given] if given is not None else []
    found, problems = list[Checkpoint](), list[str]()
    for path in paths:
        try:
            found.append(read_checkpoint(path, keys))
        except NoteError as error:
            problems.append(f"{path}: {error}")
        except OSError as error:
            raise MonitorError(f"{path}: cannot be read: {error.strerror}") from error
    known = heads(session, {checkpoint.head.size for checkpoint in found})
    problems += _contradictions(found, known)
    return Compared(tuple(problems), _missing(session, settings), _uncovered(found, known))


def read_checkpoint(path: Path, public_keys: Mapping[str, bytes]) -> Checkpoint:
    """Read one file. Raises NoteError where it is not what a known key signed, OSError where it cannot be read."""
    if not path.is_file():  # to read a pipe would take for ever
        raise NoteError("it is no file")
    with path.open("rb") as file:
        content = file.read(_LARGEST)
    try:
        text = open_note(content.decode(), public_keys)
    except UnicodeDecodeError as error:
        raise NoteError("it is no signed note: it was changed") from error
    match = _TEXT.fullmatch(text)
    if match is None:
        raise NoteError("it is a signed note, but no checkpoint of an audit trail")
    head = Head(match["origin"], int(match["size"]), base64.b64decode(match["root"]), match["entry"])
    return Checkpoint(head, parse_instant(match["time"]), path.name)


def _contradictions(found: Sequence[Checkpoint], known: Mapping[int, Head]) -> list[str]:
    """What the checkpoints say that the trail does not, one sentence a kind."""
    size, ordered = max(known, default=0), sorted(found, key=lambda checkpoint: (checkpoint.head.size, checkpoint.at))
    beyond = [checkpoint for checkpoint in ordered if checkpoint.head.size > size]
    within = [checkpoint for checkpoint in ordered if checkpoint.head.size <= size]
    other = [checkpoint for checkpoint in within if checkpoint.head != known[checkpoint.head.size]]
    problems = []
    if beyond:
        last = beyond[-1]
        how = "its end was cut off" if size else "it was emptied"
        problems.append(
            f"the audit trail has {size} entries, and checkpoint {last.name} of {iso(last.at)} attests "
            f"{last.head.size}: {how} ({_count(beyond)})"
        )
    if other:
        first = other[0]
        same = max(
            (c.head.size for c in within if c.head == known[c.head.size] and c.head.size < first.head.size), default=0
        )
        problems.append(
            f"entry {first.head.size} is not the one that checkpoint {first.name} of {iso(first.at)} attests: "
            f"the audit trail was rewritten after entry {same} ({_count(other)})"
        )
    return problems + _forks(ordered)


def _forks(found: Iterable[Checkpoint]) -> list[str]:
    """Checkpoints that cannot both be of one trail, whatever the database says."""
    by_size = defaultdict[int, dict[Head, Checkpoint]](dict)
    for checkpoint in found:
        by_size[checkpoint.head.size].setdefault(checkpoint.head, checkpoint)
    return [
        f"checkpoints {' and '.join(checkpoint.name for checkpoint in several.values())} attest different entries "
        f"{size}: the audit trail was forked, and both were signed"
        for size, several in by_size.items()
        if len(several) > 1
    ]


def _count(found: Sequence[Checkpoint]) -> str:
    return "1 checkpoint" if len(found) == 1 else f"{len(found)} checkpoints"


def _missing(session: Session, settings: Settings) -> tuple[str, ...]:
    """Folders without a checkpoint, though something was published."""
    if session.scalar(select(Release.id).where(Release.stage == Stage.PUBLISHED).limit(1)) is None:
        return ()
    return tuple(
        f"{folder}: no checkpoint of the audit trail, though releases are published: they were taken away, or never "
        "written (then write one with `monitor audit checkpoint`)"
        for folder in settings.checkpoint_folders
        if not _files(folder)
    )


def _uncovered(found: Sequence[Checkpoint], known: Mapping[int, Head]) -> tuple[str, ...]:
    size, covered = max(known, default=0), max((c.head.size for c in found), default=0)
    if size <= covered:
        return ()
    return (f"no checkpoint attests the audit trail after entry {covered} yet (it has {size})",)


def _only(public_key: Path) -> dict[str, bytes]:
    try:
        pem = public_key.read_bytes()
        return {fingerprint_of(pem): pem}
    except OSError as error:
        raise MonitorError(f"{public_key}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise MonitorError(f"{public_key}: this is no public key (Ed25519, PEM)") from error


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob(f"*{SUFFIX}") if not path.name.startswith("."))


def _newest(folder: Path, public_keys: Mapping[str, bytes]) -> Checkpoint | None:
    """The one written last, where it can be read: what is wrong with it `monitor audit verify` says."""
    try:
        return read_checkpoint(_files(folder)[-1], public_keys)
    except (IndexError, NoteError, OSError):
        return None


def _time(stamp: str) -> int:
    date, time = stamp[:8], stamp[9:15]
    return parse_instant(f"{date[:4]}-{date[4:6]}-{date[6:]}T{time[:2]}:{time[2:4]}:{time[4:]}Z")


def _write(note: str, target: Path) -> Path:
    """A new file, whole or not at all; what has the name already says the same."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    with draft.open("w", encoding="utf-8", newline="\n") as file:
        file.write(note)
        file.flush()
        os.fsync(file.fileno())
    draft.chmod(0o444)
    draft.replace(target)
    return target
