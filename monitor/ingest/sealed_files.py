"""Sealed temporary files: a fetched delivery on disk (`SealedFile`), and what is read before it is stored (`Spool`).

Both are sealed piece by piece, so that neither writing nor reading takes more memory than a piece. Each piece of a
SealedFile holds, under its seal, whose file it is (by the file's name), its own number and whether it is the last: a
file that was cut, put together in another order or put in the place of another one does not open. The key is the
vault's; where another process reads the file, it is given the key and the path, each by itself.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BufferedReader, RawIOBase
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Literal

from monitor.errors import DeliveryError, MonitorError
from monitor.vault import Vault

PIECE = 1024 * 1024  # bytes: what is in memory at a time, however large the delivery
_NAME = 16  # bytes of a digest of the file's name
_INSIDE = struct.Struct(f">{_NAME}sQ?")  # before the content: whose file, number of the piece, whether it is the last
_OUTSIDE = struct.Struct(">II")  # before the seal: version of the key, length of what is sealed
_LONGEST = PIECE + 1024  # bytes of a sealed piece
_IN_MEMORY = 8 * 2**20  # bytes of a spool; what is more goes to the folder for temporary files (TMPDIR), unlinked
_LENGTH = 8  # bytes of the number before each piece of a spool


@dataclass(frozen=True)
class SealedFile:
    """A sealed file that reads as what was sealed, from the start and as often as need be.

    `vault` is None on the way to another process, which is given the key beside it.
    """

    path: Path
    vault: Vault | None

    @property
    def name(self) -> str:
        """What messages call it; it says nothing."""
        return self.path.name

    def open(self, mode: Literal["rb"]) -> BufferedReader:
        """Read from the start. Reading raises DeliveryError where the file is damaged, cut or put together anew."""
        assert mode == "rb"
        assert self.vault is not None
        return BufferedReader(_Pieces(self.path, self.vault), PIECE)


def seal(chunks: Iterable[bytes], path: Path, vault: Vault) -> SealedFile:
    """Write the chunks to a new file, sealed; raises OSError, with no file left, where it cannot be written."""
    name = _digest(path)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for number, (piece, last) in enumerate(_pieces(chunks)):
                sealed = vault.seal(_INSIDE.pack(name, number, last) + piece)
                file.write(_OUTSIDE.pack(vault.version, len(sealed)) + sealed)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return SealedFile(path, vault)


def _digest(path: Path) -> bytes:
    return hashlib.sha256(os.fsencode(path.name)).digest()[:_NAME]


def _pieces(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """The bytes in pieces of one size, and of each whether it is the last; one piece where there is nothing."""
    rest = bytearray()
    for chunk in chunks:
        view = memoryview(chunk)
        for start in range(0, len(view), PIECE):
            rest += view[start : start + PIECE]
            while len(rest) > PIECE:
                yield bytes(rest[:PIECE]), False
                del rest[:PIECE]
    yield bytes(rest), True


class _Pieces(RawIOBase):
    """The stream behind a sealed file: one piece is opened at a time."""

    def __init__(self, path: Path, vault: Vault) -> None:
        self._path, self._vault = path, vault
        self._file: BinaryIO = path.open("rb")
        self._name = _digest(path)
        self._number, self._last, self._rest = 0, False, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest and not self._last:
            self._rest = self._piece()
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count

    def close(self) -> None:
        self._file.close()
        super().close()

    def _piece(self) -> bytes:
        """The next piece; raises DeliveryError where it is not the one that was written there."""
        head = self._file.read(_OUTSIDE.size)
        version, length = _OUTSIDE.unpack(head) if len(head) == _OUTSIDE.size else (0, 0)
        sealed = self._file.read(min(length, _LONGEST))
        try:
            opened = self._vault.open(sealed, version)
            name, number, last = _INSIDE.unpack_from(opened)
        except (MonitorError, struct.error, ValueError) as error:
            raise self._damaged() from error
        if (name, number) != (self._name, self._number) or (last and self._file.read(1)):
            raise self._damaged()
        self._number, self._last = number + 1, last
        return opened[_INSIDE.size :]

    def _damaged(self) -> DeliveryError:
        return DeliveryError("what was kept of the file while it was ingested is damaged; fetch it again")


class Spool:
    """Pieces in the order in which they were added, in memory or in a file without a name, read as often as need be.

    Closing it removes them, and so does the end of the process.
    """

    def __init__(self, vault: Vault) -> None:
        """An empty one; what is added is sealed under the vault's current key."""
        self._vault = vault
        self._file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 -- closed by `close`
        self._end = 0

    def add(self, piece: bytes) -> None:
        """Seal a piece and keep it; raises MonitorError where there is no room for it."""
        sealed = self._vault.seal(piece)
        try:
            self._file.seek(self._end)
            self._file.write(len(sealed).to_bytes(_LENGTH) + sealed)
            self._file.flush()
        except OSError as error:
            reason = f"a delivery could not be put by while it is read ({error.strerror})"
            raise MonitorError(f"{reason}; make room where temporary files go (TMPDIR)") from error
        self._end += _LENGTH + len(sealed)

    def sealed(self) -> Iterator[bytes]:
        """Each piece as it was sealed."""
        at = 0
        while at < self._end:
            self._file.seek(at)
            size = int.from_bytes(self._file.read(_LENGTH))
            yield self._file.read(size)
            at += _LENGTH + size

    def pieces(self) -> Iterator[bytes]:
        """Each piece."""
        return (self._vault.open(sealed, self._vault.version) for sealed in self.sealed())

    def close(self) -> None:
        """Remove all of it."""
        self._file.close()
