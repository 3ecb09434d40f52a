"""Prints the limits of the weekly CUSUM that `monitor/supplements/cusum.py` holds: `python -m benchmarks.cusum_limits`.

A company that is late as often as the norm allows (P0) has so many sites each week, whose lateness is correlated within
a week; the limit is the value that W reaches in at most FALSE_SIGNALS of the runs of WEEKS weeks, and no less than with
fewer sites: hundreds of independent sites never come near it.
"""

from __future__ import annotations

import sys

import numpy as np
import numpy.typing as npt

from monitor.supplements.cusum import CORRELATIONS, FALSE_SIGNALS, P0, SITES, WEEKS, increments

RUNS, SEED = 20_000, 20_260_401


def limit(sites: int, correlation: float, runs: int = RUNS) -> float:
    """The limit for one cell of the table, in tenths."""
    rng = np.random.Generator(np.random.PCG64([SEED, sites, round(1000 * correlation)]))
    late = _late_shares(rng, correlation, (runs, WEEKS))
    gains = increments(rng.binomial(sites, late).astype(np.float64), np.full((runs, WEEKS), float(sites)))
    w, most = np.zeros(runs), np.zeros(runs)
    for week in range(WEEKS):
        w = np.maximum(w + gains[:, week], 0.0)
        most = np.maximum(most, w)
    reached = float(np.quantile(most, 1 - FALSE_SIGNALS, method="higher"))
    return float((np.floor(reached * 10) + 1) / 10)


def _late_shares(rng: np.random.Generator, correlation: float, shape: tuple[int, int]) -> npt.NDArray[np.float64]:
    """The share late of each week: beta distributed, with the mean P0 and that correlation between sites."""
    if correlation == 0.0:
        return np.full(shape, P0)
    if correlation == 1.0:
        return (rng.random(shape) < P0).astype(np.float64)
    size = (1 - correlation) / correlation
    return rng.beta(P0 * size, (1 - P0) * size, shape)


def main() -> None:
    """Print the table as it stands in the code."""
    least = [0.0] * len(CORRELATIONS)
    for sites in SITES:
        found = (limit(sites, correlation) for correlation in CORRELATIONS)
        least = [max(pair) for pair in zip(least, found, strict=True)]
        sys.stdout.write(f"    ({', '.join(f'{each:.1f}' for each in least)}),  # {sites}\n")


if __name__ == "__main__":
    main()
