"""A delivery is read before it is stored, without the writer lock: nobody else waits for a parser (ADR 20).

Storing asks a reader for the rows. Where they have not been read yet, NotReadYetError undoes the transaction, which
gives the lock back; then they are read, and storing is tried again. Only a large file with a fast path is read while it
is stored, by another process: that is twice as fast, and is given up as soon as storing waits for it longer than it
works.
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
from monitor.formats.records import NOT_COUNTED
from monitor.ingest.batches import Piece, ReadTask
from monitor.ingest.reader_process import SlowReaderError, WaitBudget, read_batches, read_pieces, uses_reader_process
from monitor.ingest.sealed_files import Spool
from monitor.vault import Vault

SMALL = 128 * 1024  # bytes: some 300 rows
SEALED_AT_ONCE = 1024 * 1024  # bytes: what is in memory of a file, however large it is

StopReading: TypeAlias = Callable[[int, int], bool]  # by the rows read, and those refused: nothing can save it now
T = TypeVar("T")


def never_stop(_rows: int, _refused: int) -> bool:
    """Read a delivery to its end, whatever it holds."""
    return False


class DeliveryReader(Protocol):
    """Where storing has a delivery from. `stopped`: reading ended early, as it is refused whatever follows."""

    sha256: str
    stopped: bool

    def pieces(self) -> Generator[Piece, None, None]:
        """The rows in their order."""

    def sealed_bytes(self) -> Iterator[bytes]:
        """The file as it arrived, in sealed pieces."""


@dataclass
class DirectReader:
    """Reads a delivery while it is stored: whoever else writes waits for that."""

    task: ReadTask
    vault: Vault
    sha256: str
    stop: StopReading = never_stop
    stopped: bool = False

    def pieces(self) -> Generator[Piece, None, None]:
        """The rows in their order; raises DeliveryError as their parser does."""
        with read_pieces(self.task, self.vault) as pieces:
            yield from _until_stopped(pieces, self)

    def sealed_bytes(self) -> Iterator[bytes]:
        """The file in sealed pieces; raises DeliveryError where it is no longer the one that was read."""
        return map(self.vault.seal, _unchanged(self.task.file, self.sha256))


class Stage(IntEnum):
    """How much of a delivery has been read."""

    NOTHING = 0
    STREAM = 1  # its first rows; the others come from another process while they are stored
    ROWS = 2
    BYTES = 3  # its rows, and its file


class NotReadYetError(Exception):
    """Storing needs more of a delivery than was read: it is undone, and tried again after reading that."""

    def __init__(self, stage: Stage) -> None:
        """`stage`: what is needed."""
        super().__init__(f"needs {stage.name}")
        self.stage = stage


@dataclass
class ReadAhead:
    """Reads a delivery as far as storing needs it, while storing holds no lock."""

    task: ReadTask
    vault: Vault
    sha256: str
    stop: StopReading = never_stop
    new_budget: Callable[[], WaitBudget] = WaitBudget
    read_first: bool = False  # before the first attempt to store it: right for a small delivery that is not known yet
    stopped: bool = False
    _stage: Stage = Stage.NOTHING
    _rows: Spool | None = None
    _bytes: Spool | None = None
    _stream: Iterator[Piece] | None = None
    _budget: WaitBudget | None = None
    _resources: ExitStack = field(default_factory=ExitStack)

    def store(self, attempt: Callable[[], T]) -> T:
        """The result of the attempt, which opens its own transaction; it is made again where it needed more.

        With `read_first` the rows are read before the first attempt: a second one costs as much as reading a few rows.
        """
        if self._stage is Stage.NOTHING and self.read_first:
            self._read(Stage.ROWS)
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
        stream, self._stream = self._stream, None  # it can be read once
        if stream is None or self._budget is None:
            may_stream = self._stage is Stage.NOTHING and uses_reader_process(self.task)
            raise NotReadYetError(Stage.STREAM if may_stream else Stage.ROWS)
        self._budget.begin()
        try:
            yield from _until_stopped(stream, self)
        except SlowReaderError:
            raise NotReadYetError(Stage.ROWS) from None

    def sealed_bytes(self) -> Iterator[bytes]:
        """The file in sealed pieces; raises NotReadYetError where they are not there."""
        if self._bytes is None:
            raise NotReadYetError(Stage.BYTES)
        return self._bytes.sealed()

    def close(self) -> None:
        """End the reader process, and remove what was read."""
        self._resources.close()

    def _read(self, stage: Stage) -> None:
        if stage is Stage.STREAM:
            self._budget = self.new_budget()
            batches = self._resources.enter_context(read_batches(self.task, self.vault, self._budget))
            first = list(islice(batches, 1))  # from here on storing has something to do
            self._stream = chain(first, batches)
        if stage >= Stage.ROWS and self._rows is None:
            self._resources.close()
            self._rows = self._read_rows()
        if stage is Stage.BYTES and self._bytes is None:
            self._bytes = self._spooled(_unchanged(self.task.file, self.sha256))
        self._stage = stage

    def _read_rows(self) -> Spool:
        with read_pieces(self.task, self.vault) as pieces:
            self.stopped = False
            return self._spooled(pickle.dumps(piece, pickle.HIGHEST_PROTOCOL) for piece in _until_stopped(pieces, self))

    def _spooled(self, pieces: Iterator[bytes]) -> Spool:
        spool = Spool(self.vault)
        self._resources.callback(spool.close)
        for piece in pieces:
            spool.add(piece)
        return spool


def _until_stopped(pieces: Iterator[Piece], reader: DirectReader | ReadAhead) -> Iterator[Piece]:
    rows = refused = 0
    for piece in pieces:
        yield piece
        rows += piece.size
        refused += sum(row.reason not in NOT_COUNTED for row in piece.refused)
        if reader.stop(rows, refused):
            reader.stopped = True
            return


def _unchanged(file: Openable, sha256: str) -> Iterator[bytes]:
    """The bytes of a file; raises DeliveryError at their end, where they are not those of the hash."""
    digest = hashlib.sha256()
    with open_delivery_file(file) as stream:
        while piece := stream.read(SEALED_AT_ONCE):
            digest.update(piece)
            yield piece
    if digest.hexdigest() != sha256:
        raise DeliveryError("the file changed while it was read; deliver it again when it is finished")
