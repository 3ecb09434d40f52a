"""Ranges of addresses, searched many addresses at a time: sorted arrays that may nest, or disjoint with one origin."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from socket import AF_INET, inet_pton
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.formats.netblocks import MAPPED, packed

# Ranges of addresses that may nest, as sorted arrays, searched many addresses at a time.

NO_MATCH = -1
V4, V6 = 4, 6  # the families

Keys = npt.NDArray[Any]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RangeIndex:
    """Ranges sorted by start; where they overlap, the one that starts last (the most specific) is found.

    `enclosing[i]` is the nearest earlier range that reaches beyond the end of range i, or NO_MATCH.
    """

    first: Keys
    last: Keys
    value: Integers
    enclosing: Integers

    @classmethod
    def build(cls, first: Keys, last: Keys, value: Integers) -> RangeIndex:
        """An index over ranges [first, last], both included; the three arrays have one length."""
        widest_first = np.lexsort((np.arange(len(last)), -_order(last), _order(first)))
        first, last, value = first[widest_first], last[widest_first], value[widest_first]
        return cls(first, last, value, _enclosing(last))

    def find(self, keys: Keys) -> Integers:
        """The value of the range each key lies in, or NO_MATCH."""
        order = np.argsort(keys)  # neighbours among the keys are found in neighbouring ranges: half the time
        result = np.full(len(keys), NO_MATCH, dtype=np.int64)
        if len(self.first):
            result[order] = self._find_sorted(keys[order])
        return result

    def _find_sorted(self, keys: Keys) -> Integers:
        at = np.searchsorted(self.first, keys, side="right") - 1
        outside = (at >= 0) & (self.last[at] < keys)
        while outside.any():
            at[outside] = self.enclosing[at[outside]]
            outside = (at >= 0) & (self.last[at] < keys)
        return np.where(at >= 0, self.value[at], NO_MATCH)


def _order(keys: Keys) -> Integers:
    """The rank of each key: numbers that sort as the keys do, whatever their type."""
    return np.unique(keys, return_inverse=True)[1].astype(np.int64)


def _enclosing(last: Keys) -> Integers:
    """For each range the nearest earlier one that ends later: at most a few stand open at a time."""
    ends = _order(last).tolist()
    enclosing, standing = [], [NO_MATCH]
    for index, end in enumerate(ends):
        while len(standing) > 1 and ends[standing[-1]] <= end:
            standing.pop()
        enclosing.append(standing[-1])
        standing.append(index)
    return np.array(enclosing, dtype=np.int64)


def family_of(address: str) -> int:
    """Which tables an address is looked up in; one of IPv4 that is written as IPv6 is one of IPv4."""
    return V4 if ":" not in address or packed(address).startswith(MAPPED) else V6


def keys_of(family: int, addresses: Sequence[str]) -> Keys:
    """What addresses of one family are looked up by: numbers, or 16 bytes."""
    if family == V6:
        return np.array(list(map(packed, addresses)), dtype="S16")
    return v4_keys([packed(address) if ":" in address else inet_pton(AF_INET, address) for address in addresses])


def v4_keys(keys: list[bytes]) -> Integers:
    """The last four bytes of IPv4 addresses, mapped ones or not, as numbers."""
    return np.frombuffer(b"".join(key[-4:] for key in keys), dtype=">u4").astype(np.int64)


def index_families(ranges: list[tuple[bytes, bytes, int]]) -> tuple[RangeIndex, RangeIndex]:
    """One index for IPv4 and one for IPv6 of (first, last, value) with 16-byte ends."""
    v4 = [row for row in ranges if row[0].startswith(MAPPED)]
    v6 = [row for row in ranges if not row[0].startswith(MAPPED)]
    return (
        RangeIndex.build(v4_keys([r[0] for r in v4]), v4_keys([r[1] for r in v4]), _values(v4)),
        RangeIndex.build(
            np.array([r[0] for r in v6], dtype="S16"), np.array([r[1] for r in v6], dtype="S16"), _values(v6)
        ),
    )


def _values(ranges: list[tuple[bytes, bytes, int]]) -> Integers:
    return np.array([row[2] for row in ranges], dtype=np.int64)


# An interval map: from one start to the next each address has one origin. Disjoint, so one search finds it.

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
