"""Pointwise 95 % limits of a survival curve from its standard error, on the log(-log) scale."""

from __future__ import annotations

import math
from statistics import NormalDist


def survival_limits(
    survival: float | None, error: float | None, confidence: float
) -> tuple[float | None, float | None]:
    """Lower and upper limit of S(t) (Kalbfleisch & Prentice, section 1.4); (S, S) at 1 or without error.

    At 0 the upper limit is not defined; None there, and where the curve itself is unknown.
    """
    if survival is None or error is None:
        return None, None
    if survival <= 0:
        return 0.0, None
    if survival >= 1 or error == 0:
        return survival, survival
    quantile = NormalDist().inv_cdf((1 + confidence) / 2)
    width = quantile * error / abs(survival * math.log(survival))
    return survival ** math.exp(width), survival ** math.exp(-width)
