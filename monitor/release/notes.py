"""Signed notes: a text and an Ed25519 signature under it, as C2SP's signed-note.md says (https://c2sp.org/signed-note)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping

from monitor.errors import MonitorError
from monitor.release.signing import SigningKey, is_signed, raw_public_key

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
