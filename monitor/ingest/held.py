"""The bytes of a delivery that waits for a person: sealed piece by piece, read again without a file in clear.

They lie in the database, not beside it: they come and go in the transaction that writes the verdict (nothing is lost
when a process is killed), and whatever backs the database up backs them up too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from io import BufferedReader, RawIOBase
from typing import Any, Literal

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from monitor.ingest.ahead import SEALED_AT_ONCE
from monitor.models.facts import HeldPiece
from monitor.vault import Vault


def hold(session: Session, vault: Vault, delivery: int, sealed: Iterable[bytes]) -> None:
    """Keep the bytes, in pieces that were sealed under the vault's current key."""
    for number, piece in enumerate(sealed):
        row = {"delivery_id": delivery, "number": number, "key_version": vault.version, "sealed": piece}
        session.execute(insert(HeldPiece), row)


def erase(session: Session, delivery: int) -> None:
    """Remove the bytes for good."""
    session.execute(delete(HeldPiece).where(HeldPiece.delivery_id == delivery))


@dataclass(frozen=True)
class HeldFile:
    """A waiting delivery as a file that can be opened for reading, as often as need be."""

    session: Session
    vault: Vault
    delivery: int

    def open(self, mode: Literal["rb"]) -> BufferedReader:
        """Read from the start; MonitorError where the key file is not the one it was sealed with."""
        assert mode == "rb"
        return BufferedReader(_Pieces(self), SEALED_AT_ONCE)


class _Pieces(RawIOBase):
    """The stream behind a held file: one piece is opened at a time."""

    def __init__(self, held: HeldFile) -> None:
        self._held, self._next, self._rest = held, 0, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = self._piece()
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count

    def _piece(self) -> bytes:
        """The next piece; empty at the end."""
        query = select(HeldPiece.sealed, HeldPiece.key_version).where(
            HeldPiece.delivery_id == self._held.delivery, HeldPiece.number == self._next
        )
        found = self._held.session.execute(query).one_or_none()
        self._next += 1
        return b"" if found is None else self._held.vault.open(found.sealed, found.key_version)
