"""Answers in memory: the last used, in so many bytes, all of one state of what is published."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TypeAlias

Headers: TypeAlias = list[tuple[str, str]]

_OVERHEAD = 2000  # bytes that Python takes to keep an answer and its key, besides their text


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it is sent whole, its headers in a 304, its ETag, and until when (of the clock) it holds."""

    headers: Headers
    short: Headers
    tag: str
    body: bytes
    until: float

    @property
    def size(self) -> int:
        """Bytes of its text."""
        return len(self.body) + sum(len(name) + len(value) for name, value in self.headers + self.short)


class Pages:
    """Answers by key; safe for several threads.

    `state` counts up. An answer begun in an earlier state than the present is neither found nor kept.
    """

    def __init__(self, room: int) -> None:
        self._room, self._taken, self._state = room, 0, 0
        self._kept: OrderedDict[str, tuple[Kept, int]] = OrderedDict()
        self._lock = Lock()

    @property
    def taken(self) -> int:
        """Bytes in use."""
        return self._taken

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._kept)

    def find(self, key: str, state: int, now: float) -> Kept | None:
        """The answer under a key, while it holds."""
        with self._lock:
            self._move_to(state)
            if state != self._state or key not in self._kept:
                return None
            found, _ = self._kept[key]
            if found.until <= now:
                self._drop(key)
                return None
            self._kept.move_to_end(key)
            return found

    def keep(self, key: str, state: int, kept: Kept) -> None:
        """Keep an answer, and let go of those not used for longest where there is no room."""
        size = kept.size + len(key) + _OVERHEAD
        with self._lock:
            self._move_to(state)
            if state != self._state:
                return
            if key in self._kept:
                self._drop(key)
            self._kept[key] = (kept, size)
            self._taken += size
            while self._taken > self._room:
                self._drop(next(iter(self._kept)))

    def _move_to(self, state: int) -> None:
        if state > self._state:
            self._kept.clear()
            self._taken, self._state = 0, state

    def _drop(self, key: str) -> None:
        self._taken -= self._kept.pop(key)[1]
