"""Bytes put by until they are stored: sealed piece by piece, in memory or in a file that has no name and no owner."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile

from monitor.errors import MonitorError
from monitor.vault import Vault

_IN_MEMORY = 8 * 2**20  # bytes; what is more goes to the folder for temporary files (TMPDIR), and is gone with us
_LENGTH = 8  # bytes of the number before each piece


class Spool:
    """Pieces in the order in which they were added, read as often as need be. Closing it removes them."""

    def __init__(self, vault: Vault) -> None:
        """An empty one; what is added is sealed under the vault's current key."""
        self._vault = vault
        self._file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 -- closed by `close`
        self._end = 0

    def add(self, piece: bytes) -> None:
        """Put a piece by; raises MonitorError where there is no room for it."""
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
