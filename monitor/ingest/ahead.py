"""A delivery is read before it is stored, and not under the writer lock: nobody else waits for a parser (ADR 20).

Whoever stores asks for what was read. Where that is not there yet, NotReadYetError undoes the transaction, which gives
the lock back; then it is read, and storing is tried again. Only a large file whose rows go by columns is read beside
storing, by another process: twice as fast, and given up as soon as storing waits for it longer than it works.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import chain, islice
from typing import Protocol, TypeAlias, TypeVar

from monitor.errors import DeliveryError
from monitor.formats.files import Openable, open_delivery_file
from monitor.ingest.apart import Patience, SlowReaderError, batches_of, is_read_apart, pieces_of
from monitor.ingest.reading import Piece, Reading
from monitor.ingest.spool import Spool
from monitor.vault import Vault

SEALED_AT_ONCE = 1024 * 1024  # bytes: what is in memory of a file, however large it is

Lost: TypeAlias = Callable[[int, int], bool]  # of so many rows, and rows refused: nothing that follows can save it
T = TypeVar("T")


def never_lost(_rows: int, _refused: int) -> bool:
    """What is read to its end whatever it holds."""
    return False


class Input(Protocol):
    """Where storing has a delivery from. `stopped`: reading ended early, as it is refused whatever follows."""

    sha256: str
    stopped: bool

    def pieces(self) -> Generator[Piece, None, None]:
        """The rows in their order."""

    def sealed_bytes(self) -> Iterator[bytes]:
        """The file as it arrived, in sealed pieces."""


@dataclass
class Direct:
    """A delivery that is read while it is stored, for whoever keeps nobody waiting."""

    reading: Reading
    vault: Vault
    sha256: str
    lost: Lost = never_lost
    stopped: bool = False

    def pieces(self) -> Generator[Piece, None, None]:
        """The rows in their order; raises DeliveryError as their parser does."""
        with pieces_of(self.reading, self.vault) as pieces:
            yield from _until_lost(pieces, self)

    def sealed_bytes(self) -> Iterator[bytes]:
        """The file in sealed pieces; raises DeliveryError where it is no longer the one that was read."""
        return map(self.vault.seal, _as_it_was(self.reading.file, self.sha256))


class Stage(IntEnum):
    """How much of a delivery is there."""

    NOTHING = 0
    BESIDE = 1  # its first rows; the others come while they are stored
    ROWS = 2
    BYTES = 3  # its rows, and its file


class NotReadYetError(Exception):
    """Storing needs more of a delivery than was read: it is undone, and tried again once that is there."""

    def __init__(self, stage: Stage) -> None:
        """`stage`: what is needed."""
        super().__init__(f"needs {stage.name}")
        self.stage = stage


@dataclass
class Ahead:
    """A delivery that is read as far as storing needs it, while storing holds no lock."""

    reading: Reading
    vault: Vault
    sha256: str
    lost: Lost = never_lost
    patience: Callable[[], Patience] = Patience
    stopped: bool = False
    _stage: Stage = Stage.NOTHING
    _rows: Spool | None = None
    _bytes: Spool | None = None
    _beside: Iterator[Piece] | None = None
    _waiting: Patience | None = None
    _held: ExitStack = field(default_factory=ExitStack)

    def store(self, attempt: Callable[[], T]) -> T:
        """What comes of the attempt, which has a transaction of its own; it is made again where it needed more."""
        while True:
            try:
                return attempt()
            except NotReadYetError as missing:
                self._read(missing.stage)

    def pieces(self) -> Generator[Piece, None, None]:
        """The rows in their order; raises NotReadYetError where they are not there, or come too slowly."""
        if self._rows is not None:
            yield from map(pickle.loads, self._rows.pieces())
            return
        beside, self._beside = self._beside, None  # it comes once
        if beside is None or self._waiting is None:
            may_be = self._stage is Stage.NOTHING and is_read_apart(self.reading)
            raise NotReadYetError(Stage.BESIDE if may_be else Stage.ROWS)
        self._waiting.begin()
        try:
            yield from _until_lost(beside, self)
        except SlowReaderError:
            raise NotReadYetError(Stage.ROWS) from None

    def sealed_bytes(self) -> Iterator[bytes]:
        """The file in sealed pieces; raises NotReadYetError where they are not there."""
        if self._bytes is None:
            raise NotReadYetError(Stage.BYTES)
        return self._bytes.sealed()

    def close(self) -> None:
        """End whatever reads, and remove what was read."""
        self._held.close()

    def _read(self, stage: Stage) -> None:
        if stage is Stage.BESIDE:
            self._waiting = self.patience()
            batches = self._held.enter_context(batches_of(self.reading, self.vault, self._waiting))
            first = list(islice(batches, 1))  # from here on storing has something to do
            self._beside = chain(first, batches)
        if stage >= Stage.ROWS and self._rows is None:
            self._held.close()
            self._rows = self._read_rows()
        if stage is Stage.BYTES and self._bytes is None:
            self._bytes = self._spooled(_as_it_was(self.reading.file, self.sha256))
        self._stage = stage

    def _read_rows(self) -> Spool:
        with pieces_of(self.reading, self.vault) as pieces:
            self.stopped = False
            return self._spooled(pickle.dumps(piece, pickle.HIGHEST_PROTOCOL) for piece in _until_lost(pieces, self))

    def _spooled(self, pieces: Iterator[bytes]) -> Spool:
        spool = Spool(self.vault)
        self._held.callback(spool.close)
        for piece in pieces:
            spool.add(piece)
        return spool


def _until_lost(pieces: Iterator[Piece], of: Direct | Ahead) -> Iterator[Piece]:
    rows = refused = 0
    for piece in pieces:
        yield piece
        rows += piece.size
        refused += len(piece.refused)
        if of.lost(rows, refused):
            of.stopped = True
            return


def _as_it_was(file: Openable, sha256: str) -> Iterator[bytes]:
    """The bytes of a file; raises DeliveryError at their end, where they are not those of the hash."""
    digest = hashlib.sha256()
    with open_delivery_file(file) as stream:
        while piece := stream.read(SEALED_AT_ONCE):
            digest.update(piece)
            yield piece
    if digest.hexdigest() != sha256:
        raise DeliveryError("the file changed while it was read; deliver it again when it is finished")
