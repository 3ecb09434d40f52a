"""Coverage of the published intervals, by the project's own code: clustered by site, and as if URLs were unrelated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.study_worlds import WATCHED_ALWAYS, Checks, Scored, World, covered, scored, watch

CHECKS = Checks(gap=4.0, stopped=0.05)
WORLDS = tuple(World(sites, sizes) for sizes in ("equal", "zipf", "half", "most") for sites in (8, 20, 60))


@dataclass(frozen=True)
class Held:
    """Parts of the 95 % intervals that hold the truth.

    `share` and `median`: watched all the time, so that nothing is undetermined, by sites; `share_alone` and
    `median_alone`: the same with every URL a site of its own; `range` (strict's lower to lenient's upper limit) and
    `checked_median`: checks 4 h apart, 5 % of the URLs no longer checked. `width`: mean width of the share's interval.
    """

    world: World
    share: float
    share_alone: float
    width: float
    range: float
    median: float
    median_alone: float
    checked_median: float


def held(world: World, replicates: int, seed: list[int]) -> Held:
    """Simulate and score one world."""
    random = np.random.default_rng(seed)
    hours, urls = world.hours(replicates, random), world.urls
    always = watch(hours, WATCHED_ALWAYS, random)
    by_site, alone = scored(always, urls), scored(always, urls, clustered=False)
    checked = scored(watch(hours, CHECKS, random), urls)
    return Held(
        world,
        share=covered(by_site.lenient[:, 1], by_site.lenient[:, 2], world.share),
        share_alone=covered(alone.lenient[:, 1], alone.lenient[:, 2], world.share),
        width=float(np.mean(by_site.lenient[:, 2] - by_site.lenient[:, 1])),
        range=covered(checked.strict[:, 1], checked.lenient[:, 2], world.share),
        median=_median_held(by_site, world),
        median_alone=_median_held(alone, world),
        checked_median=_median_held(checked, world),
    )


def _median_held(found: Scored, world: World) -> float:
    return covered(found.median[:, 1], found.median[:, 2], world.median)
