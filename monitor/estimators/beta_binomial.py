"""Shrinkage of shares towards the share of all, the more so the less is known about each (empirical Bayes).

A beta-binomial over companies whose prior is fitted by maximum marginal likelihood (Griffiths, Biometrics 29, 1973):
company i had x = n p successes in n trials, and its true share is one of a beta distribution with mean m and
precision s. The score is the mean of what is then known of that share, (x + s m) / (n + s). Neither x nor n need be
whole: the likelihood is that of gamma functions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize, special

from monitor.estimators.arrays import Floats

_POINT = math.log(1e6)  # log precision from which shares differ by less than a thousandth: the prior is a point
_TRUST_REGION = {"max_trust_radius": 2.0}  # on both scales: farther than that the likelihood is flat
_SERIES_FROM = 30.0  # from here on the series of psi is exact to the last digit
_MINIMUM_CURVATURE = 1e-12  # a smaller curvature is rounding
_LAST_STEP = 1e-6  # Newton's last step is no longer than this, nor than the next


@dataclass(frozen=True)
class Prior:
    """Beta distribution with this mean; precision inf: a point, 0: only shares of 0 and 1."""

    mean: float
    precision: float


def effective_sample_size_from_se(p: Floats, se: Floats, sites: Floats, mature: Floats) -> Floats:
    """How many independent episodes would give p this standard error: p (1 - p) / se^2, within [sites, mature].

    Where se is 0 all sites agreed. What that says grows with the number of sites, which is also the n of Wilson's
    interval there. Of sites no more than mature episodes are counted. Arrays of one shape.
    """
    least = np.minimum(sites, mature)
    variance = np.where(se > 0, se, 1.0) ** 2
    return np.where(se > 0, np.clip(p * (1 - p) / variance, least, mature), least)


def posterior_mean(p: Floats, n: Floats, least_gain: float = 0.0) -> Floats:
    """The posterior mean of each company's share, a fraction; n > 0. Between p and the prior's mean.

    A single company has nobody to be drawn to and keeps its p. Raises ArithmeticError as `fit_prior` does.
    """
    prior = fit_prior(p, n, least_gain)
    with np.errstate(divide="ignore"):
        weight = 1 / (1 + n / np.float64(prior.precision))
    return p + (prior.mean - p) * weight


def fit_prior(p: Floats, n: Floats, least_gain: float = 0.0) -> Prior:
    """The prior under which shares p of n trials are most likely; the order of the companies is of no effect.

    Shares that spread no more than the binomial itself does have no maximum at a finite precision: the prior is a
    point, at the mean of all trials; so it is where the log likelihood of the point is less than `least_gain` below the
    maximum. Raises ArithmeticError where no maximum is found.
    """
    order = np.lexsort((n, p))  # sums of the same numbers in the same order: the same bits
    x, y = (n * p)[order], (n * (1 - p))[order]
    mean = float(x.sum() / (x + y).sum())
    if mean in (0.0, 1.0):
        return Prior(mean, math.inf)
    if not (x * y).any():
        return Prior(float((y == 0).mean()), 0.0)
    return _maximum_likelihood(x, y, mean, least_gain)


def _maximum_likelihood(x: Floats, y: Floats, mean: float, least_gain: float) -> Prior:
    """The best of three optimisations, or the point where it is a maximum too and none of them ends higher."""

    def optimise_from(precision: float) -> optimize.OptimizeResult:
        start = np.array([special.logit(mean), math.log(precision)])
        return optimize.minimize(
            _negative_log_likelihood, start, (x, y), "trust-exact", _gradient, _hessian, options=_TRUST_REGION
        )

    best = min((optimise_from(precision) for precision in (1.0, 10.0, 100.0)), key=lambda found: float(found.fun))
    point = -float((x * math.log(mean) + y * math.log1p(-mean)).sum())
    if _overdispersion(x, y, mean) <= 0 and point <= best.fun:
        return Prior(mean, math.inf)
    at = _newton_polish(best.x, x, y)
    if point - _negative_log_likelihood(at, x, y) < least_gain:
        return Prior(mean, math.inf)
    return Prior(float(special.expit(at[0])), math.exp(at[1])) if at[1] < _POINT else Prior(mean, math.inf)


def _overdispersion(x: Floats, y: Floats, mean: float) -> float:
    """Twice the slope of the log likelihood in 1 / precision where that is 0 (Tarone, Biometrika 66, 1979)."""
    n = x + y
    return float((x * (x - 1) / mean + y * (y - 1) / (1 - mean) - n * (n - 1)).sum())


def _newton_polish(at: Floats, x: Floats, y: Floats) -> Floats:
    """Newton's steps to where the gradient is zero, or past _POINT: the likelihood itself is too flat to end on.

    Raises ArithmeticError where the steps do not grow short.
    """
    shortest = math.inf
    for _ in range(200):
        curvature, axes = np.linalg.eigh(_hessian(at, x, y))
        slope = axes.T @ _gradient(at, x, y)
        step = axes @ (slope / np.maximum(np.abs(curvature), _MINIMUM_CURVATURE))  # uphill, whatever the curvature
        length = float(np.abs(step).max())
        if at[1] >= _POINT or shortest <= min(length, _LAST_STEP):  # what is left is rounding
            return at
        at, shortest = at - step / max(1.0, length), min(shortest, length)
    raise ArithmeticError("the prior of the scores has no clear maximum of the likelihood")


def _parameters(at: Floats) -> tuple[float, float, float]:
    """The beta distribution's two parameters and their sum."""
    precision = math.exp(at[1])
    return float(special.expit(at[0])) * precision, float(special.expit(-at[0])) * precision, precision


def _negative_log_likelihood(at: Floats, x: Floats, y: Floats) -> float:
    """Minus the log likelihood at (logit of the mean, log of the precision), but for a constant."""
    a, b, _ = _parameters(at)
    return float((special.betaln(a, b) - special.betaln(a + x, b + y)).sum())


def _gradient(at: Floats, x: Floats, y: Floats) -> Floats:
    a, b, s = _parameters(at)
    in_a, in_b, in_s = (_digamma_difference(start, more) for start, more in ((a, x), (b, y), (s, x + y)))
    return -np.array([a * b / s * (in_a - in_b), a * in_a + b * in_b - s * in_s])


def _hessian(at: Floats, x: Floats, y: Floats) -> Floats:
    a, b, s = _parameters(at)
    in_a, in_b, in_s = (_digamma_difference(start, more) for start, more in ((a, x), (b, y), (s, x + y)))
    in_aa, in_bb, in_ss = (_trigamma_difference(start, more) for start, more in ((a, x), (b, y), (s, x + y)))
    width = a * b / s
    mean = width * (b - a) / s * (in_a - in_b) + width**2 * (in_aa + in_bb)
    mixed = width * (in_a - in_b + a * in_aa - b * in_bb)
    precision = a * in_a + b * in_b - s * in_s + a**2 * in_aa + b**2 * in_bb - s**2 * in_ss
    return -np.array([[mean, mixed], [mixed, precision]])


def _digamma_difference(start: float, more: Floats) -> float:
    """Sum over companies of psi(start + more) - psi(start), to full precision where the two are all but equal."""
    if start < _SERIES_FROM:
        return float((special.digamma(start + more) - special.digamma(start)).sum())
    return float((np.log1p(more / start) + _log_minus_digamma(start) - _log_minus_digamma(start + more)).sum())


def _log_minus_digamma(z: Any) -> Any:
    """log z - psi(z) for a large z (Abramowitz, Stegun 6.3.18)."""
    return (1 / 2 + (1 / 12 - (1 / 120 - 1 / 252 / z**2) / z**2) / z) / z


def _trigamma_difference(start: float, more: Floats) -> float:
    """Sum over companies of psi'(start + more) - psi'(start)."""
    return float((special.polygamma(1, start + more) - special.polygamma(1, start)).sum())
