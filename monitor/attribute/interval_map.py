"""An interval map: from one start to the next each address has one origin. Disjoint, so one search finds it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from monitor.attribute.networks import NO_MATCH, V4, V6, Integers, Keys, RangeIndex

_START = {V4: np.dtype("<u4"), V6: np.dtype("S16")}
_VALUE = np.dtype("<i8")
_END_OF_V4 = 2**32
_END_OF_V6 = 2**128


@dataclass(frozen=True)
class IntervalMap:
    """From `start[i]` up to `start[i + 1]`, the last one to the end of the address space, addresses have `value[i]`.

    Starts of IPv4 are numbers, of IPv6 16 bytes; a value is an ASN (0: cannot be told) or NO_MATCH.
    """

    family: int
    start: Keys
    value: Integers

    def find(self, keys: Keys) -> Integers:
        """The value at each key, or NO_MATCH."""
        at = np.searchsorted(self.start, keys, side="right") - 1
        return np.where(at >= 0, self.value[at], NO_MATCH) if len(self.start) else np.full(len(keys), NO_MATCH)

    @property
    def ranges(self) -> int:
        """How many stretches of addresses have an origin."""
        return int(np.count_nonzero(self.value != NO_MATCH))

    @property
    def positions(self) -> list[int]:
        """The starts as numbers, and the end of the address space behind them."""
        if self.family == V4:
            return [*self.start.tolist(), _END_OF_V4]
        return [*(int.from_bytes(start.ljust(16, b"\x00")) for start in self.start.tolist()), _END_OF_V6]


def flatten(family: int, index: RangeIndex) -> IntervalMap:
    """The steps of ranges that may nest and overlap: what `index` finds at each start and after each end."""
    start = np.union1d(index.first, _after(family, index.last))
    value = index.find(start)
    changed = np.append(True, value[1:] != value[:-1])[: len(value)]
    return IntervalMap(family, start[changed], value[changed])


def _after(family: int, last: Keys) -> Keys:
    """The address after each; none after the last there is."""
    if family == V4:
        following = last + 1
        return following[following < _END_OF_V4]
    numbers = (int.from_bytes(end.ljust(16, b"\x00")) + 1 for end in last.tolist())
    return np.array([number.to_bytes(16) for number in numbers if number < _END_OF_V6], dtype="S16")


def pack(steps: IntervalMap) -> bytes:
    """Starts (IPv4: 4 bytes, little-endian; IPv6: 16) and then values (8 bytes, little-endian), deflated."""
    return zlib.compress(steps.start.astype(_START[steps.family]).tobytes() + steps.value.astype(_VALUE).tobytes())


def unpack(family: int, packed: bytes) -> IntervalMap:
    """What `pack` packed."""
    raw = zlib.decompress(packed)
    size = len(raw) // (_START[family].itemsize + _VALUE.itemsize)
    start: Any = np.frombuffer(raw, _START[family], size)
    value = np.frombuffer(raw, _VALUE, size, size * _START[family].itemsize)
    return IntervalMap(family, start.astype(np.int64) if family == V4 else start, value.astype(np.int64))


def share_changed(old: IntervalMap, new: IntervalMap) -> float | None:
    """The share, of the addresses either has an origin for, that have another one in the other; None of none."""
    start = np.union1d(old.start, new.start)
    before, after = old.find(start), new.find(start)
    size = np.diff(np.array(IntervalMap(new.family, start, after).positions, dtype=np.float64))
    held = (before != NO_MATCH) | (after != NO_MATCH)
    total = size[held].sum()
    return float(size[held & (before != after)].sum() / total) if total else None
