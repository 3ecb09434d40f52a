"""Attribution: random IPv4 addresses looked up in a table of ranges of the size that is published."""

from __future__ import annotations

import time

import numpy as np

from monitor.attribute.networks import RangeIndex

RANGES = 480_000


def run(addresses: int) -> None:
    """Print seconds of the search, and as a ratio to numpy's sort of the same addresses."""
    random = np.random.default_rng(1)
    first = np.sort(random.choice(2**32 - 1, RANGES, replace=False)).astype(np.int64)
    room = np.append(first[1:] - 1, 2**32 - 1) - first
    last = first + np.minimum(room, random.integers(1, 2**16, RANGES))
    keys = random.integers(0, 2**32, addresses)
    index = RangeIndex.build(first, last, np.arange(RANGES))
    begun = time.perf_counter()
    np.sort(keys)
    sorting = time.perf_counter() - begun
    begun = time.perf_counter()
    found = index.find(keys) >= 0
    finding = time.perf_counter() - begun
    print(
        f"attribution of {addresses:,} addresses to {RANGES:,} ranges: {finding:.2f} s ({found.mean():.0%} in one)",
        end="",
    )
    print(f", {finding / sorting:.1f} times numpy's sort of them")
