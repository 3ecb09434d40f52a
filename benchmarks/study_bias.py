"""How far the estimates are from the truth, and how far the figures are that are usually published instead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.study_worlds import DEADLINE, Checks, Watched, World, scored, watch

GAPS = (1.0, 4.0, 12.0)
FAST, SLOW = World(400, "equal", share=0.84), World(400, "equal", share=0.5)
STOPPED = 0.05


@dataclass(frozen=True)
class Naive:
    """Of removed URLs only, in hours: mean and median to first seen offline, median to last seen; share in 24 h."""

    mean: float
    median: float
    median_last_seen: float
    on_time: float


@dataclass(frozen=True)
class Bias:
    """Means over companies of 4,000 URLs, too many for chance to matter.

    `curves`: S(24 h) lenient, Turnbull's and strict; `shares`: on time, strict and lenient; `median`: Turnbull's.
    """

    world: World
    gap: float
    curves: tuple[float, ...]
    shares: tuple[float, float]
    median: float
    naive: Naive


def bias(world: World, gap: float, replicates: int, seed: list[int]) -> Bias:
    """Simulate companies that are checked every `gap` hours, and score them."""
    random = np.random.default_rng(seed)
    watched = watch(world.hours(replicates, random), Checks(gap, STOPPED), random)
    found = scored(watched, world.urls)
    return Bias(
        world,
        gap,
        tuple(found.curves.mean(axis=0).tolist()),
        (float(found.strict[:, 0].mean()), float(found.lenient[:, 0].mean())),
        float(found.median[:, 0].mean()),
        naive(watched),
    )


def naive(watched: Watched) -> Naive:
    """The usual figures of all replicates together."""
    removed = ~np.isnan(watched.first)
    first, last = watched.first[removed], watched.last[removed]
    on_time = float(np.mean(first <= DEADLINE))
    return Naive(float(first.mean()), float(np.median(first)), float(np.median(last)), on_time)
