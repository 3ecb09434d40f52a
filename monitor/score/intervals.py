"""Confidence intervals of shares, vectorised."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]


def logit_interval(p: Floats, se: Floats, df: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Limits on the logit scale with Student's t on `df` degrees; nan where p is 0 or 1 (R: `svyciprop`, logit)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logit = np.log(p / (1 - p))
        width = stats.t.ppf(0.5 + confidence / 2, df) * se / (p * (1 - p))
        low, high = 1 / (1 + np.exp(-(logit - width))), 1 / (1 + np.exp(-(logit + width)))
    return low, high


def wilson_interval(p: Floats, n: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Wilson's score interval for a share p of n trials (JASA 22, 1927); nan where n is 0."""
    z = stats.norm.ppf(0.5 + confidence / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return np.clip(middle - half, 0.0, 1.0), np.clip(middle + half, 0.0, 1.0)
