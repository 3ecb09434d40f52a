"""Logistic regression with a ridge penalty on standardised columns, fitted to counts by Newton's method.

S. le Cessie, J. C. van Houwelingen, Applied Statistics 41 (1992). The intercept a and the coefficients b maximise

    sum over rows of [ ones ln(mu) + (items - ones) ln(1 - mu) ] - penalty / 2 * sum of b^2,   logit(mu) = a + z b,

z being the columns less their mean over their standard deviation (both weighted by items). The maximum is unique and
finite however well the columns separate ones from zeros, and columns that add up to a constant do no harm. It is known
by its score equations: the sum of ones - items mu is 0, and that of z (ones - items mu) is penalty * b.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from monitor.estimators.arrays import Floats

_STEPS = 100
_HALVINGS = 40
_CONVERGED = 1e-10  # of the score equations, an item


@dataclass(frozen=True, slots=True)
class RidgeLogistic:
    """Mean and standard deviation of each column (1 where it is constant), the intercept and a coefficient a column."""

    mean: Floats
    deviation: Floats
    intercept: float
    coefficients: Floats

    def predict(self, columns: Floats) -> Floats:
        """The probability of a one in each row."""
        return np.asarray(special.expit(self.intercept + (columns - self.mean) / self.deviation @ self.coefficients))


def fit_ridge_logistic(columns: Floats, items: Floats, ones: Floats, penalty: float = 1.0) -> RidgeLogistic:
    """Fit to rows (one each of `columns`, an array (rows, columns)) with so many `items`, of which so many are `ones`.

    Raises ValueError where there is no item, ArithmeticError if no maximum is found. Where all items are ones, or none,
    the intercept has no finite maximum: it is that of half a one more, or less.
    """
    total = float(items.sum())
    if not total > 0:
        raise ValueError("there is nothing to fit")
    mean = items @ columns / total
    deviation = np.sqrt(items @ (columns - mean) ** 2 / total)
    deviation = np.where(deviation > 1e-12, deviation, 1.0)
    design = np.column_stack([np.ones(len(items)), (columns - mean) / deviation])
    share = float(ones.sum()) / total
    if share in (0.0, 1.0):
        edge = abs(share - 0.5 / (total + 1))
        return RidgeLogistic(mean, deviation, float(special.logit(edge)), np.zeros(columns.shape[1]))
    weights = np.full(design.shape[1], penalty)
    weights[0] = 0.0
    start = np.zeros(design.shape[1])
    start[0] = special.logit(share)
    found = _maximise(design, items, ones, weights, start)
    return RidgeLogistic(mean, deviation, float(found[0]), found[1:])


def _maximise(design: Floats, items: Floats, ones: Floats, weights: Floats, start: Floats) -> Floats:
    """Newton's steps, halved until the penalised likelihood does not fall: it is strictly concave."""
    found, value = start, _likelihood(design, items, ones, weights, start)
    for _ in range(_STEPS):
        mu = special.expit(design @ found)
        slope = design.T @ (ones - items * mu) - weights * found
        if np.abs(slope).max() <= _CONVERGED * max(float(items.sum()), 1.0):
            return found
        curvature = (design * (items * mu * (1 - mu))[:, None]).T @ design + np.diag(weights)
        step = np.linalg.solve(curvature, slope)
        for _halving in range(_HALVINGS):
            tried = found + step
            reached = _likelihood(design, items, ones, weights, tried)
            if reached >= value - 1e-12 * abs(value):
                break
            step = step / 2
        found, value = tried, reached
    raise ArithmeticError("no maximum is found")


def _likelihood(design: Floats, items: Floats, ones: Floats, weights: Floats, found: Floats) -> float:
    """Without overflow: ln(1 - mu) is -ln(1 + exp(eta))."""
    eta = design @ found
    return float(ones @ eta - items @ np.logaddexp(0.0, eta) - (weights * found**2).sum() / 2)
